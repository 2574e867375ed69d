//! What a client sent, and what it asks for.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use drag_solver_core::Verdict;
use serde_json::Value;

use super::{Format, Operation, Protocol, Refusal};

/// Where a request is addressed to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Route {
    pub(crate) protocol: Protocol,
    pub(crate) operation: Operation,
    verdict: Option<Verdict>,
}

impl Route {
    /// Finds out what a request to `target` is for; `None` for a path of no protocol. A query is ignored.
    pub(crate) fn of(target: &str) -> Option<Self> {
        let path = target.split(['?', '#']).next().unwrap_or_default();
        Protocol::ALL.iter().find_map(|&protocol| {
            let method = path.strip_prefix(protocol.path())?.strip_prefix('/')?;
            let (operation, verdict) = protocol.format().find(method);
            Some(Self {
                protocol,
                operation,
                verdict,
            })
        })
    }

    /// The token in a request's body, which is null if it was not JSON; empty if there is none.
    pub(crate) fn token(self, json: &Value) -> &str {
        let token = json.pointer(self.protocol.format().token);
        token.and_then(Value::as_str).unwrap_or_default()
    }

    /// The picture in a request's body, decoded, whether or not it would be taken.
    pub(crate) fn picture(self, json: &Value) -> Option<Bytes> {
        let encoded = json.pointer(self.protocol.format().picture)?.as_str()?;
        decode(base64_of(encoded), "").ok()
    }

    /// What a request asks for. A client whose token is none learns nothing else of its mistakes.
    pub(crate) fn read(
        self,
        http_method: &str,
        json: &Value,
        is_token: impl FnOnce(&str) -> bool,
    ) -> Result<Call, Refusal> {
        if http_method != "POST" {
            return Err(Refusal::NotPost);
        }
        if self.operation == Operation::Unknown {
            return Err(Refusal::NoSuchMethod);
        }
        if !json.is_object() {
            return Err(Refusal::Malformed("the body is not a JSON object".into()));
        }
        if !is_token(self.token(json)) {
            return Err(Refusal::BadToken);
        }
        let format = self.protocol.format();
        match (self.operation, self.verdict) {
            (Operation::Create, _) => new_job(format, json).map(Call::Create),
            (Operation::Poll, _) => job(json, format.job).map(Call::Poll),
            (Operation::Balance, _) => Ok(Call::Balance),
            (Operation::Services, _) => Ok(Call::Services),
            (_, Some(verdict)) => Ok(Call::Report(job(json, format.job)?, verdict)),
            (_, None) => Err(Refusal::NoSuchMethod),
        }
    }
}

/// What a client wants.
#[derive(Debug)]
pub(crate) enum Call {
    Create(NewJob),
    /// For the result of the job with this id.
    Poll(String),
    /// That the answer of the job with this id was right or wrong.
    Report(String, Verdict),
    Balance,
    Services,
}

/// A job to be done.
#[derive(Debug)]
pub(crate) struct NewJob {
    pub(crate) picture: Bytes,
    pub(crate) instruction: Option<String>,
}

pub(super) fn new_job(format: &Format, body: &Value) -> Result<NewJob, Refusal> {
    let kind = text(body, format.kind)?;
    if !format.kinds.contains(&kind) {
        return Err(Refusal::TaskType(kind.to_owned()));
    }
    (format.check)(body)?;
    let encoded = match body.pointer(format.picture) {
        Some(Value::String(text)) if format.takes_data_uris => base64_of(text),
        Some(Value::String(text)) => text,
        _ => {
            let what = format!("{} is not a string", format.picture);
            return Err(Refusal::Malformed(what));
        }
    };
    let instruction = format.instruction.and_then(|at| body.pointer(at)?.as_str());
    Ok(NewJob {
        picture: decode(encoded, format.picture)?,
        instruction: instruction.map(str::to_owned),
    })
}

/// The base64 of a data URI; other texts are taken as they are.
pub(super) fn base64_of(text: &str) -> &str {
    match text.split_once(";base64,") {
        Some((head, encoded)) if head.starts_with("data:") => encoded,
        _ => text,
    }
}

/// Decodes what was found at `pointer`: standard base64 with padding, without line breaks.
pub(super) fn decode(encoded: &str, pointer: &str) -> Result<Bytes, Refusal> {
    if encoded.is_empty() {
        return Err(Refusal::PictureEmpty);
    }
    let decoded = STANDARD.decode(encoded).map(Bytes::from);
    decoded.map_err(|e| Refusal::Malformed(format!("{pointer} is not standard base64: {e}")))
}

/// The text at `pointer`, which must be there and not empty.
fn text<'a>(body: &'a Value, pointer: &str) -> Result<&'a str, Refusal> {
    let problem = match body.pointer(pointer) {
        Some(Value::String(text)) if !text.is_empty() => return Ok(text),
        Some(Value::String(_)) => "is empty",
        Some(_) => "is not a string",
        None => "is missing",
    };
    Err(Refusal::Malformed(format!("{pointer} {problem}")))
}

/// The job id at `pointer`. Clients may send it as a number or as a string, whichever they got.
fn job(body: &Value, pointer: &str) -> Result<String, Refusal> {
    match body.pointer(pointer) {
        Some(Value::Number(number)) => Ok(number.to_string()),
        _ => text(body, pointer).map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_is_found_under_its_own_path_alone() {
        use Protocol::{AntiCaptcha, OmocaptchaV1, OmocaptchaV2, TwoCaptcha};
        let cases = [
            ("/api/createJob", OmocaptchaV1, Operation::Create),
            ("/api/getJobResult", OmocaptchaV1, Operation::Poll),
            ("/api/getService?x=1", OmocaptchaV1, Operation::Services),
            ("/api/createTask", OmocaptchaV1, Operation::Unknown),
            ("/v2/createTask", OmocaptchaV2, Operation::Create),
            ("/v2/reportCorrect", OmocaptchaV2, Operation::Unknown),
            ("/2captcha/reportCorrect", TwoCaptcha, Operation::Report),
            ("/2captcha/getBalance", TwoCaptcha, Operation::Balance),
            ("/anticaptcha/getTaskResult", AntiCaptcha, Operation::Poll),
            (
                "/anticaptcha/reportCorrect",
                AntiCaptcha,
                Operation::Unknown,
            ),
        ];
        for (target, protocol, operation) in cases {
            let route = Route::of(target).unwrap();
            assert_eq!(
                (route.protocol, route.operation),
                (protocol, operation),
                "{target}"
            );
        }
        assert!(Route::of("/createTask").is_none());
        assert!(Route::of("/apiary/createJob").is_none());
    }
}
