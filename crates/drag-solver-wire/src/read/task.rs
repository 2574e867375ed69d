//! The kinds of tasks that are drags, by protocol: where things are in a request that creates one, and what
//! may not be said there.

use serde_json::Value;

use super::{Reading, base64, scalar};
use crate::{NewJob, Protocol, Refusal, Shape};

/// Largest picture with instructions for the workers, in bytes.
const MAX_INSTRUCTION_PICTURE: usize = 100_000;

/// Widest view of a picture that is believed, in pixels.
const MAX_VIEW_WIDTH: u64 = 100_000;

/// Where one provider's protocol has things.
pub(super) struct Format {
    /// JSON pointer to the client's key.
    pub(super) key: &'static str,
    /// JSON pointer to the id of the job that is asked about.
    pub(super) job: &'static str,
    /// JSON pointer to the kind of a new job, and the kinds that are done here.
    pub(super) kind: &'static str,
    pub(super) kinds: &'static [&'static str],
    /// JSON pointer to the picture of a new job.
    pub(super) picture: &'static str,
    /// Whether a picture is documented to come as a data URI, too.
    takes_data_uris: bool,
    /// JSON pointer to the instruction of a new job, if there may be one.
    instruction: Option<&'static str>,
    /// In which form the answer is asked for. Refuses what else a new job of this kind may not say.
    shape: fn(&str, &Value) -> Result<Shape, Refusal>,
}

/// The protocols that are JSON throughout. Those of `createTask` come first: at the root, the type of a task
/// is looked for in their order.
pub(super) const TASKS: [Protocol; 3] = [
    Protocol::TwoCaptcha,
    Protocol::AntiCaptcha,
    Protocol::OmocaptchaV2,
];

const COMMON: Format = Format {
    key: "/clientKey",
    job: "/taskId",
    kind: "/task/type",
    kinds: &["CoordinatesTask"],
    picture: "/task/body",
    takes_data_uris: true,
    instruction: Some("/task/comment"),
    shape: |_, body| two_clicks(body),
};

static TWO_CAPTCHA: Format = COMMON;

static ANTI_CAPTCHA: Format = Format {
    kinds: &["ImageToCoordinatesTask"],
    takes_data_uris: false,
    shape: |_, body| points(body),
    ..COMMON
};

static OMOCAPTCHA_V2: Format = Format {
    kinds: &["TiktokSliderPhoneTask", "ZaloSliderPhoneTask", WEB_SLIDER],
    picture: "/task/imageBase64",
    takes_data_uris: false,
    instruction: None,
    shape: |kind, body| match kind {
        WEB_SLIDER => view(true, body, "/task/widthView"),
        _ => Ok(Shape::Drag),
    },
    ..COMMON
};

static OMOCAPTCHA_V1: Format = Format {
    key: "/api_token",
    job: "/job_id",
    // Of "drag on phone" it is 24, of a slider on a web page 21; a string in the documentation.
    kind: "/data/type_job_id",
    kinds: &["24", "21"],
    picture: "/data/image_base64",
    takes_data_uris: false,
    instruction: None,
    // Some clients send 24 with the width of the view, and expect one number.
    shape: |kind, body| view(kind == "21", body, "/data/width_view"),
};

const WEB_SLIDER: &str = "TiktokSliderWebTask";

impl Format {
    /// The format of a protocol that is JSON. `in.php` has none, and is answered with 2Captcha's.
    pub(super) fn of(protocol: Protocol) -> &'static Self {
        match protocol {
            Protocol::OmocaptchaV1 => &OMOCAPTCHA_V1,
            Protocol::OmocaptchaV2 => &OMOCAPTCHA_V2,
            Protocol::AntiCaptcha => &ANTI_CAPTCHA,
            Protocol::TwoCaptcha | Protocol::InPhp => &TWO_CAPTCHA,
        }
    }

    /// The kind of a new job.
    pub(super) fn kind(&self, body: &Value, reading: Reading) -> Result<String, Refusal> {
        let kind = match (body.pointer(self.kind), reading) {
            (Some(Value::String(kind)), _) => Some(kind.clone()),
            (Some(kind), Reading::Lenient) => scalar::text(kind),
            _ => None,
        };
        kind.filter(|kind| !kind.is_empty())
            .ok_or(Refusal::TaskAbsent)
    }

    /// The job that `body` describes.
    pub(super) fn new_job(&self, body: &Value, reading: Reading) -> Result<NewJob, Refusal> {
        let kind = self.kind(body, reading)?;
        if !self.kinds.contains(&&*kind) {
            return Err(Refusal::TaskType(shown(&kind)));
        }
        let shape = (self.shape)(&kind, body)?;
        let place = self.picture.trim_start_matches('/').replace('/', ".");
        let encoded = match body.pointer(self.picture) {
            Some(Value::String(text)) if self.takes_data_uris => base64::without_data_uri(text),
            Some(Value::String(text)) => text,
            _ => return Err(Refusal::BadParameters(format!("{place} is not a string"))),
        };
        let instruction = self.instruction.and_then(|at| body.pointer(at)?.as_str());
        Ok(NewJob {
            picture: base64::decode(encoded, &place, reading)?,
            instruction: instruction
                .filter(|it| !it.trim().is_empty())
                .map(str::to_owned),
            shape,
            callback: callback(body.get("callbackUrl"))?,
        })
    }
}

/// An address that the answer is to be sent to.
pub(super) fn callback(value: Option<&Value>) -> Result<Option<String>, Refusal> {
    match value {
        Some(Value::String(url)) => Ok(Some(url.trim().to_owned()).filter(|url| !url.is_empty())),
        None | Some(Value::Null | Value::Bool(false)) => Ok(None),
        Some(_) => Err(Refusal::BadCallback("it is not a string".to_owned())),
    }
}

/// A drag needs two clicks.
pub(super) fn check_clicks(least: Option<&Value>, most: Option<&Value>) -> Result<(), Refusal> {
    let (least, most) = (
        least.and_then(scalar::number),
        most.and_then(scalar::number),
    );
    if most.is_some_and(|most| most < 2) || least.is_some_and(|least| least > 2) {
        let what = "a drag needs exactly two clicks";
        return Err(Refusal::BadParameters(what.to_owned()));
    }
    Ok(())
}

/// A picture with instructions is bounded. It is not looked at.
pub(super) fn check_instruction_picture(bytes: usize) -> Result<(), Refusal> {
    let is_fine = bytes <= MAX_INSTRUCTION_PICTURE;
    is_fine
        .then_some(())
        .ok_or(Refusal::InstructionPictureTooLarge)
}

/// How many bytes base64 stands for, more or less.
pub(super) fn decoded_length(encoded: &str) -> usize {
    base64::without_data_uri(encoded).len() / 4 * 3
}

/// A client's own word, short enough to be said back to it.
pub(super) fn shown(word: &str) -> String {
    let shown = word.chars().filter(|c| !c.is_control()).take(60);
    shown.collect()
}

fn two_clicks(body: &Value) -> Result<Shape, Refusal> {
    check_clicks(
        body.pointer("/task/minClicks"),
        body.pointer("/task/maxClicks"),
    )?;
    if let Some(Value::String(encoded)) = body.pointer("/task/imgInstructions") {
        check_instruction_picture(decoded_length(encoded))?;
    }
    Ok(Shape::Drag)
}

fn points(body: &Value) -> Result<Shape, Refusal> {
    match body.pointer("/task/mode") {
        None | Some(Value::Null) => Ok(Shape::Drag),
        Some(Value::String(mode)) if mode.is_empty() || mode == "points" => Ok(Shape::Drag),
        Some(mode) => Err(Refusal::TaskType(format!(
            "mode {} loses the direction of a drag: send \"points\"",
            shown(&mode.to_string())
        ))),
    }
}

/// A distance in a view of the picture, where one is asked for.
fn view(is_needed: bool, body: &Value, at: &str) -> Result<Shape, Refusal> {
    let bad =
        |what| Refusal::BadParameters(format!("{} {what}", at.rsplit('/').next().unwrap_or(at)));
    match body.pointer(at) {
        None | Some(Value::Null) if is_needed => Err(bad("is missing")),
        None | Some(Value::Null) => Ok(Shape::Drag),
        Some(width) => scalar::number(width)
            .filter(|width| (1..=MAX_VIEW_WIDTH).contains(width))
            .and_then(|width| u32::try_from(width).ok())
            .map(|view_width| Shape::Distance { view_width })
            .ok_or_else(|| bad("is not a width in pixels")),
    }
}
