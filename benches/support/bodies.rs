//! From a picture to the body of the request that carries it: ours, what clients of such services
//! usually do, and the two steps that cannot be avoided.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use drag_solver::http::JobApi as _;
use drag_solver::http::secrecy::SecretString;
use drag_solver::prelude::*;
use drag_solver_omocaptcha::OmocaptchaV1;
use serde_json::json;
use tower::BoxError;

/// This library.
pub(crate) const OURS: &str = "ours";
/// What clients usually do.
pub(crate) const USUAL: &str = "usual";
/// Only the encoding, into a fresh buffer.
pub(crate) const BASE64: &str = "base64";
/// Only a copy of the finished body, into a fresh buffer.
pub(crate) const MEMCPY: &str = "memcpy";

/// Sizes of the pictures, in bytes.
pub(crate) const SIZES: [usize; 4] = [50_000, 300_000, 1_000_000, 4_000_000];

/// Each way to make a body.
pub(crate) const WAYS: [&str; 4] = [OURS, USUAL, BASE64, MEMCPY];

const TOKEN: &str = "0123456789abcdef0123456789abcdef";
const JOB_TYPE: &str = "24";

/// One picture and everything that is ready before a request is made.
pub(crate) struct Case {
    challenge: DragChallenge,
    api: OmocaptchaV1,
    body: Bytes,
}

impl Case {
    /// A picture of `size` bytes: the header of a GIF, and noise, as compressed pixels are.
    pub(crate) fn new(size: usize) -> Result<Self, SolveError> {
        let mut picture = b"GIF89a\x38\x04\x60\x09\0\0\0".to_vec();
        let mut state = 1_u32;
        while picture.len() < size {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            picture.push((state >> 24) as u8);
        }
        let challenge = DragChallenge::new(Screenshot::from_bytes(picture)?);
        let api = OmocaptchaV1::new(SecretString::from(TOKEN), JOB_TYPE);
        let body = api.create(&challenge)?.body().clone();
        Ok(Self {
            challenge,
            api,
            body,
        })
    }

    /// Makes the body in the way called `name`.
    pub(crate) fn make(&self, name: &str) -> Result<Bytes, BoxError> {
        let picture = self.challenge.screenshot().bytes();
        Ok(match name {
            OURS => self.api.create(&self.challenge)?.body().clone(),
            USUAL => {
                let body = json!({
                    "api_token": TOKEN,
                    "data": {"type_job_id": JOB_TYPE, "image_base64": STANDARD.encode(picture)},
                });
                serde_json::to_vec(&body)?.into()
            }
            BASE64 => {
                let mut encoded = vec![0; picture.len().div_ceil(3) * 4];
                STANDARD.encode_slice(picture, &mut encoded)?;
                encoded.into()
            }
            MEMCPY => Bytes::copy_from_slice(&self.body),
            _ => return Err(format!("there is no way `{name}`").into()),
        })
    }
}
