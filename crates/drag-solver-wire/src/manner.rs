//! How a client wants to be told.

use crate::{Operation, Protocol, Quirk};

/// How a client wants to be told: in which protocol it asked, as JSON or as text, for a browser, with the
/// price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools)] // each is a switch of a request's own
pub struct Manner {
    /// Whose words the client reads, as far as its path says.
    pub(crate) asked: Protocol,
    pub(crate) operation: Operation,
    /// `in.php` and `res.php`: JSON, not plain text.
    pub(crate) json: bool,
    /// `header_acao=1`.
    pub(crate) allow_origin: bool,
    /// `action=get2`.
    pub(crate) with_price: bool,
    /// As the providers' documents have it, and no friendlier.
    pub(crate) documented: bool,
    pub(crate) quirks: u32,
}

impl Manner {
    pub(crate) const fn new(asked: Protocol, operation: Operation) -> Self {
        Self {
            asked,
            operation,
            json: false,
            allow_origin: false,
            with_price: false,
            documented: false,
            quirks: 0,
        }
    }

    /// With one habit of real services more.
    #[must_use]
    pub const fn with_quirk(mut self, quirk: Quirk) -> Self {
        self.quirks |= 1 << quirk as u32;
        self
    }

    pub(crate) const fn has(self, quirk: Quirk) -> bool {
        self.quirks & (1 << quirk as u32) != 0
    }
}
