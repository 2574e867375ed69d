//! The three small enums that callers match on.

/// What went wrong. Serialises in `snake_case`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum ErrorKind {
    /// The question is not a usable one: not a picture, or too large for anyone.
    InvalidChallenge,
    /// The challenge's own deadline passed, or cannot be met.
    DeadlineExceeded,
    /// The provider refused the token, the account or the address.
    Unauthorized,
    /// The account is empty.
    InsufficientBalance,
    /// This solver does not do this.
    Unsupported,
    /// The provider's answer is not the documented one.
    Protocol,
    /// One attempt took longer than it was given.
    Timeout,
    /// Refused here: the provider failed too often recently. Nothing was sent.
    CircuitOpen,
    /// Refused here: too many calls are under way or waiting. Nothing was sent.
    Overloaded,
    /// Refused here: the money set aside is spent. Nothing was sent.
    BudgetExhausted,
    /// Refused here: what is bought has to be on record, and the record cannot be written. Nothing was sent. Or
    /// another process has taken the challenge over meanwhile: what that one finds counts, and what was sent
    /// here may be billed.
    NotRecorded,
    /// Refused here: an earlier purchase for the same challenge was sent, and what came of it was never
    /// heard. Another one may be paid twice. The refusal itself is no purchase: a solver of your own whose very
    /// call may have bought something says [`Timeout`](Self::Timeout) or [`Protocol`](Self::Protocol).
    Unconfirmed,
    /// The provider said to slow down, or has no worker free.
    RateLimited,
    /// The provider cannot be reached, or says that it is out of order.
    Unavailable,
    /// The provider tried and gave up.
    Unsolvable,
    /// The provider's coordinates are missing, not numbers, off the picture, or a drag of no length.
    InvalidAnswer,
    /// A chain ran out of solvers to ask. The error holds every attempt, in order.
    AllFailed,
}

impl ErrorKind {
    /// What may be tried after an error of this kind.
    ///
    /// [`SolveError::recovery`](crate::SolveError::recovery) knows more: ask the error where you
    /// have one.
    #[must_use]
    pub const fn recovery(self) -> Recovery {
        match self {
            Self::InvalidChallenge
            | Self::DeadlineExceeded
            | Self::NotRecorded
            | Self::Unconfirmed => Recovery::Stop,
            Self::Unauthorized
            | Self::InsufficientBalance
            | Self::Unsupported
            | Self::Protocol
            | Self::Timeout
            | Self::CircuitOpen
            | Self::Overloaded
            | Self::BudgetExhausted
            | Self::AllFailed => Recovery::Switch,
            Self::RateLimited | Self::Unavailable | Self::Unsolvable | Self::InvalidAnswer => {
                Recovery::Retry
            }
        }
    }

    /// Whether such an error is made on this side, without asking the provider: it says nothing
    /// about the provider's health, and is no purchase of its own.
    #[must_use]
    pub const fn is_local_refusal(self) -> bool {
        matches!(
            self,
            Self::CircuitOpen
                | Self::Overloaded
                | Self::BudgetExhausted
                | Self::NotRecorded
                | Self::Unconfirmed
        )
    }
}

crate::text::names!(ErrorKind {
    InvalidChallenge => "invalid_challenge",
    DeadlineExceeded => "deadline_exceeded",
    Unauthorized => "unauthorized",
    InsufficientBalance => "insufficient_balance",
    Unsupported => "unsupported",
    Protocol => "protocol",
    Timeout => "timeout",
    CircuitOpen => "circuit_open",
    Overloaded => "overloaded",
    BudgetExhausted => "budget_exhausted",
    NotRecorded => "not_recorded",
    Unconfirmed => "unconfirmed",
    RateLimited => "rate_limited",
    Unavailable => "unavailable",
    Unsolvable => "unsolvable",
    InvalidAnswer => "invalid_answer",
    AllFailed => "all_failed",
});

/// What may be tried next, from the mildest to the gravest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Recovery {
    /// The same solver may yet succeed.
    Retry,
    /// Another solver may succeed; the same will not, or should not be asked again now.
    Switch,
    /// No solver can succeed.
    Stop,
}

/// Whether an error cost money, from the least to the most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Billed {
    /// Nothing was, or will be, billed.
    #[default]
    No,
    /// The provider may have accepted a job and may bill it.
    Maybe,
    /// An answer was billed.
    Yes,
}

crate::text::names!(Recovery { Retry => "retry", Switch => "switch", Stop => "stop" });
crate::text::names!(Billed { No => "no", Maybe => "maybe", Yes => "yes" });

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_is_complete_and_names_agree_with_serde() {
        for kind in ErrorKind::ALL {
            let json = serde_json::to_string(kind).unwrap();
            assert_eq!(json, format!("{:?}", kind.as_str()));
            assert_eq!(serde_json::from_str::<ErrorKind>(&json).unwrap(), *kind);
        }
        // The last variant, so that one added behind it without extending ALL is noticed.
        assert_eq!(ErrorKind::ALL.len(), ErrorKind::AllFailed as usize + 1);
    }

    #[test]
    fn recovery_and_charge_are_ordered() {
        assert!(Recovery::Retry < Recovery::Switch && Recovery::Switch < Recovery::Stop);
        assert!(Billed::No < Billed::Maybe && Billed::Maybe < Billed::Yes);
    }
}
