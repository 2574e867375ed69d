//! What a request asks for.

use secrecy::SecretString;

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
    /// What it wants, whoever it is.
    pub call: Result<Call, Refusal>,
    /// How it wants to be told.
    pub manner: Manner,
}

impl Incoming {
    /// Reads a request as a server does that unmodified clients talk to: at the root and below the
    /// prefixes `/2captcha`, `/anticaptcha`, `/omocaptcha`, and with everything that clients are known to
    /// send.
    #[must_use]
    pub fn read(request: &Request) -> Self {
        let manner = Manner::new(Protocol::TwoCaptcha, Operation::Unknown);
        let _ = request;
        Self {
            protocol: Protocol::TwoCaptcha,
            operation: Operation::Unknown,
            key: SecretString::default(),
            call: Err(Refusal::NoSuchMethod),
            manner,
        }
    }

    /// What is wanted, if the key is one. A client whose key is none learns nothing else of its mistakes,
    /// unless there was no way to read a key at all.
    pub fn authorized(self, is_key: bool) -> Result<Call, Refusal> {
        match self.call {
            Err(Refusal::NoSuchMethod | Refusal::NotPost | Refusal::Unreadable(_)) => self.call,
            _ if !is_key => Err(Refusal::BadToken),
            call => call,
        }
    }
}
