//! `in.php` and `res.php`.

use drag_solver_core::Verdict;
use serde_json::Value;

use super::fields::Fields;
use super::route::Route;
use super::task::{callback, check_clicks, check_instruction_picture, decoded_length, shown};
use super::{Incoming, Reading, base64, scalar};
use crate::{Call, Manner, NewJob, Operation, Refusal, Request, Shape};

/// Jobs that are asked about at once, at most.
const MAX_IDS: usize = 100;

pub(super) fn read(route: Route, request: &Request, reading: Reading) -> Incoming {
    let fields = Fields::of(request, reading);
    let is_create = route.operation == Operation::Create;
    let is_poll_page = request.path().ends_with("/res.php");
    let (operation, call) = if !matches!(request.method(), "GET" | "POST") {
        (route.operation, Err(Refusal::NotPost))
    } else if is_create {
        let job = new_job(&fields, reading);
        (
            Operation::Create,
            job.map(|job| Call::Create(Box::new(job))),
        )
    } else if is_poll_page {
        ask(&fields)
    } else {
        (Operation::Unknown, Err(Refusal::NoSuchMethod))
    };
    let manner = Manner {
        json: fields.is_on("json"),
        allow_origin: fields.is_on("header_acao"),
        with_price: fields.str("action") == Some("get2"),
        ..Manner::new(route.protocol, operation)
    };
    Incoming {
        protocol: route.protocol,
        operation,
        key: fields.text("key").unwrap_or_default().into(),
        call,
        manner,
    }
}

/// What `res.php` is asked for.
fn ask(fields: &Fields) -> (Operation, Result<Call, Refusal>) {
    let report = |verdict| {
        let id = fields.text("id").unwrap_or_default();
        let call = self::id(&id).map(|id| Call::Report { id, verdict });
        (Operation::Report, call)
    };
    match fields.text("action").as_deref().map(str::trim) {
        Some("get" | "get2") => (Operation::Poll, ids(fields).map(|ids| Call::Poll { ids })),
        Some("getbalance") => (Operation::Balance, Ok(Call::Balance)),
        Some("reportgood") => report(Verdict::Correct),
        Some("reportbad") => report(Verdict::Incorrect),
        _ => (Operation::Unknown, Err(Refusal::BadAction)),
    }
}

fn ids(fields: &Fields) -> Result<Vec<String>, Refusal> {
    if let Some(id) = fields.text("id").filter(|id| !id.trim().is_empty()) {
        return Ok(vec![self::id(&id)?]);
    }
    let several = fields.text("ids").unwrap_or_default();
    let ids = several.split(',').map(self::id).take(MAX_IDS + 1);
    let ids: Vec<String> = ids.collect::<Result<_, _>>()?;
    if ids.len() > MAX_IDS {
        let what = format!("ids: at most {MAX_IDS} at once");
        return Err(Refusal::BadParameters(what));
    }
    Ok(ids)
}

/// An id here is a number in digits.
fn id(text: &str) -> Result<String, Refusal> {
    let id = text.trim();
    let is_id = (1..=20).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_digit());
    is_id.then(|| id.to_owned()).ok_or(Refusal::BadId)
}

fn new_job(fields: &Fields, reading: Reading) -> Result<NewJob, Refusal> {
    let method = fields.text("method").unwrap_or_default();
    let is_piece = method == "drag_drop";
    let is_upload = match (&*method, reading) {
        // Some clients leave the method out.
        ("post" | "base64", _) | ("", Reading::Lenient) => true,
        ("", Reading::Documented) => {
            return Err(Refusal::BadParameters("method is missing".to_owned()));
        }
        _ => false,
    };
    let is_click = is_upload && fields.is_on("coordinatescaptcha");
    if !is_piece && !is_click {
        let what = match &*method {
            "" | "post" | "base64" => "without coordinatescaptcha=1".to_owned(),
            method => format!("method={}", shown(method)),
        };
        return Err(Refusal::TaskType(what));
    }
    let shape = if is_piece {
        check_pieces(fields.value("images"))?;
        Shape::End
    } else {
        check_clicks(fields.value("min_clicks"), fields.value("max_clicks"))?;
        Shape::Drag
    };
    let hint = fields.str("imginstructions").map(decoded_length);
    let hint = hint.or_else(|| Some(fields.file("imginstructions")?.bytes.len()));
    check_instruction_picture(hint.unwrap_or_default())?;
    let instruction = fields.text("textinstructions");
    Ok(NewJob {
        picture: picture(fields, &method, reading)?,
        instruction: instruction.filter(|it| !it.trim().is_empty()),
        shape,
        callback: callback(fields.value("pingback"))?,
    })
}

/// One piece, a picture of its own: it is not looked at. The list is JSON, or JSON in a text.
fn check_pieces(images: Option<&Value>) -> Result<(), Refusal> {
    let parsed;
    let pieces = match images {
        Some(Value::String(text)) => {
            parsed = scalar::json(text.as_bytes());
            parsed.as_array()
        }
        images => images.and_then(Value::as_array),
    };
    match pieces.map_or(0, Vec::len) {
        0 => Err(Refusal::BadParameters("images has no piece".to_owned())),
        1 => Ok(()),
        _ => Err(Refusal::TaskType(
            "drag_drop with several pieces".to_owned(),
        )),
    }
}

fn picture(fields: &Fields, method: &str, reading: Reading) -> Result<bytes::Bytes, Refusal> {
    let file = || fields.picture().map(|part| Ok(part.bytes.clone()));
    let text = |name| {
        let encoded = match reading {
            Reading::Documented => base64::without_data_uri(fields.str(name)?),
            Reading::Lenient => fields.str(name)?,
        };
        Some(base64::decode(encoded, name, reading))
    };
    let found = match (method, reading) {
        ("post", Reading::Documented) => file(),
        (_, Reading::Documented) => text("body"),
        ("base64" | "drag_drop", _) => text("body").or_else(file).or_else(|| text("file")),
        _ => file().or_else(|| text("body")).or_else(|| text("file")),
    };
    let missing = || Err(Refusal::BadParameters("there is no picture".to_owned()));
    let picture = found.unwrap_or_else(missing)?;
    if picture.is_empty() {
        return Err(Refusal::PictureEmpty);
    }
    Ok(picture)
}
