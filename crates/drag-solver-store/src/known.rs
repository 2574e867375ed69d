//! What is on record of a challenge that a call asks for, as both kinds of store read it.

use crate::codes::{FAILED, SOLVED};
use crate::{PictureDigest, TakenUp};

/// Who has a challenge, and the key of the claim.
pub(crate) type Holder = Option<(i64, i64)>;

pub(crate) struct Known {
    pub(crate) n: i64,
    pub(crate) digest: Vec<u8>,
    pub(crate) status: i64,
    /// JSON of the solution, or of the error.
    pub(crate) outcome: Option<String>,
    /// Whether only accepting it opens it again: it was accepted, and no paid job is left to fetch.
    pub(crate) is_for_accept: bool,
    pub(crate) holder: Holder,
}

impl Known {
    /// What a call is told that wants to take it up with this picture; nothing if it can have it once no other call does.
    pub(crate) fn ended(&self, digest: &PictureDigest) -> serde_json::Result<Option<TakenUp>> {
        let outcome = self.outcome.as_deref().unwrap_or_default();
        Ok(match self.status {
            _ if self.digest != digest => Some(TakenUp::OtherPicture),
            SOLVED => Some(TakenUp::Solved(serde_json::from_str(outcome)?)),
            FAILED if self.is_for_accept => Some(TakenUp::Failed(serde_json::from_str(outcome)?)),
            _ => None,
        })
    }
}
