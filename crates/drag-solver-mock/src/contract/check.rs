//! What is checked, in the order in which it is.

use std::fmt;
use std::pin::Pin;

use super::{Checked, SolverUnderTest};

/// Rows of a table: each check, the function that makes it, and what every solver promises.
macro_rules! checks {
    ($($check:ident $function:ident $promise:literal)+) => {
        /// One promise of every solver. Its `Display` is its name in a [`Report`](super::Report).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Check {
            $(#[doc = concat!("`", stringify!($function), "`: ", $promise, ".")] $check,)+
        }

        impl Check {
            /// Every check, in the order in which they are made.
            pub const ALL: &'static [Self] = &[$(Self::$check),+];

            /// Its name in a [`Report`](super::Report), as in `debug_hides_secrets`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$check => stringify!($function)),+
                }
            }

            /// Makes it.
            pub(super) fn of<'a>(
                self,
                subject: &'a SolverUnderTest<'a>,
            ) -> Pin<Box<dyn Future<Output = Checked> + Send + 'a>> {
                match self {
                    $(Self::$check => Box::pin(subject.$function())),+
                }
            }
        }
    };
}

checks! {
    TheNameIsALabel the_name_is_a_label
        "it is visible lower-case ASCII, the same each time"
    DebugHidesSecrets debug_hides_secrets
        "`{:?}` shows no token"
    AKnownChallengeIsSolved a_known_challenge_is_solved
        "with a drag on the picture, from a solver that may answer, within the worst case"
    AnInstructionAndARegionDoNoHarm an_instruction_and_a_region_do_no_harm
        "what else a challenge says changes nothing"
    ReportsAreAnswered reports_are_answered
        "a report is taken or refused, also of a solution that it never gave"
    ErrorsAreSensible errors_are_sensible
        "they name the solver, hide secrets, and survive JSON"
    AnExpiredChallengeIsRefused an_expired_challenge_is_refused
        "at once, with nothing bought, and handing back the paid jobs"
    ADeadlineEndsTheWait a_deadline_ends_the_wait
        "a call returns at its deadline"
    AFarDeadlineIsMet a_far_deadline_is_met
        "no sum of times overflows"
    EventsTellOfMoney events_tell_of_money
        "each purchase is announced and has one end, and the outcome says the same of money"
    AnObserverCanPreventAPurchase an_observer_can_prevent_a_purchase
        "an observer is awaited before anything is bought, and what it refuses is not"
    APaidJobIsResumed a_paid_job_is_resumed
        "what was paid for is fetched and not bought again, or handed back where there are no jobs"
    TwoPaidJobsAreBothKept two_paid_jobs_are_both_kept
        "nor is one of several forgotten"
    TheWorstCaseHolds the_worst_case_holds
        "no call buys, costs or takes more than the profile says"
    DroppedCallsLeaveNothingBehind dropped_calls_leave_nothing_behind
        "a call dropped at any await keeps no lock"
    ManyCallsAtOnceAreSolved many_calls_at_once_are_solved
        "all of them"
    ManyDroppedCallsLeaveNothingBehind many_dropped_calls_leave_nothing_behind
        "nor does one of many keep a permit"
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
