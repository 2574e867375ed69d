//! What a request asks for.

mod base64;
mod fields;
mod in_php;
mod json;
mod route;
mod scalar;
mod task;

use secrecy::SecretString;
use serde_json::Value;

use self::fields::Fields;
use self::route::Route;
use self::task::Format;
use crate::{Call, Manner, Operation, Protocol, Refusal, Request};

/// What a client asks for, and how it wants to be told.
#[derive(Debug)]
#[non_exhaustive]
pub struct Incoming {
    /// The protocol, by the path; at the root by the type of the task. Where neither tells, as for a poll at
    /// the root, 2Captcha's.
    pub protocol: Protocol,
    /// What the client is doing.
    pub operation: Operation,
    /// The client's key; empty if none was sent.
    pub key: SecretString,
    /// What it wants, with any key.
    pub call: Result<Call, Refusal>,
    /// How it wants to be told.
    pub manner: Manner,
}

/// How a request is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reading {
    /// As clients write it.
    Lenient,
    /// As the provider's documents have it: what a test's client writes otherwise is a mistake of it.
    Documented,
}

impl Incoming {
    /// Reads a request as a server does that unmodified clients talk to: at the root, below the prefixes
    /// `/2captcha`, `/anticaptcha` and `/omocaptcha`, and with everything that published clients are known
    /// to send. A path that is no protocol's is refused as [`Refusal::NoSuchMethod`].
    #[must_use]
    pub fn read(request: &Request) -> Self {
        let route = Route::find(request.path());
        Self::of(route, request, Reading::Lenient)
    }

    /// Reads a request as the providers document it, each protocol under its own [path](Protocol::path), and
    /// [writes](crate::write) answers in the same way; `None` for a path of no protocol. It is for doubles of
    /// the providers: they find mistakes of a client that a lenient server hides.
    #[must_use]
    pub fn read_documented(request: &Request) -> Option<Self> {
        let route = Route::documented(request.path())?;
        let mut incoming = Self::of(route, request, Reading::Documented);
        incoming.manner.documented = true;
        Some(incoming)
    }

    fn of(route: Route, request: &Request, reading: Reading) -> Self {
        if route.protocol == Protocol::InPhp {
            in_php::read(route, request, reading)
        } else {
            json::read(route, request, reading)
        }
    }

    /// What is wanted, if the key is one. A client whose key is none learns nothing else of its mistakes,
    /// unless nothing could be read at all.
    pub fn authorized(self, is_key: bool) -> Result<Call, Refusal> {
        match self.call {
            Err(Refusal::NoSuchMethod | Refusal::NotPost | Refusal::Unreadable(_)) => self.call,
            _ if !is_key => Err(Refusal::BadToken),
            call => call,
        }
    }
}

/// What a request says, for people to look at: one JSON object (`null` if its body is none), with words in
/// place of the key and of the picture.
#[must_use]
pub fn redacted_json(protocol: Protocol, request: &Request) -> Value {
    let (mut json, key, picture) = if protocol == Protocol::InPhp {
        let fields = Fields::of(request, Reading::Documented);
        (fields.into_json(), "/key", "/body")
    } else {
        let format = Format::of(protocol);
        (scalar::json(request.body()), format.key, format.picture)
    };
    if let Some(key) = json.pointer_mut(key) {
        *key = "<token>".into();
    }
    if let Some(Value::String(picture)) = json.pointer_mut(picture) {
        *picture = format!("<picture of {} characters>", picture.len());
    }
    json
}
