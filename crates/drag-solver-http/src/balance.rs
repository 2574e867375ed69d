//! What is left in an account.

use std::fmt;

use drag_solver_core::{ErrorKind, SolveError, Usd};

/// What is left in an account, in US dollars.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Balance {
    /// Money.
    pub available: Usd,
    /// Vouchers, where the provider counts them apart.
    pub vouchers: Option<Usd>,
}

impl Balance {
    /// So much money, and no word of vouchers.
    #[must_use]
    pub const fn new(available: Usd) -> Self {
        Self {
            available,
            vouchers: None,
        }
    }

    /// Adds the vouchers.
    #[must_use]
    pub const fn with_vouchers(mut self, vouchers: Option<Usd>) -> Self {
        self.vouchers = vouchers;
        self
    }
}

impl fmt::Display for Balance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} USD", self.available)?;
        match self.vouchers {
            Some(vouchers) => write!(f, " and {vouchers} USD in vouchers"),
            None => Ok(()),
        }
    }
}

/// The error of the solver whose provider cannot be asked.
pub(crate) fn no_balance(solver: &str) -> SolveError {
    let message = "the provider has no way to ask what is left in an account";
    SolveError::new(ErrorKind::Unsupported, message).with_solver(solver)
}
