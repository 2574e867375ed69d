//! The contract and the faults, over a double.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::Duration;
use std::{fmt, io};

use drag_solver_core::{Billed, DragSolver as _, ErrorKind, Verdict};
use drag_solver_emulator::{Callbacks, Fault, Operation, SecretScanner};
use drag_solver_mock::contract::{self, SolverUnderTest};
use drag_solver_mock::pictures::TestPicture;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::calls::{CallbackFinding, try_callbacks};
use super::double::{ENDLESS, GIVEN_UP, KEY, secret};
use super::stage::{Stage, expected, is_right, picture};
use crate::service::Declared;

/// A double answers at once. For faults that never do.
pub(super) const LONG_ENOUGH: Duration = Duration::from_secs(2);

/// Faults that are tried at the same time.
const AT_ONCE: usize = 8;

/// What a test of a declared service found. Its `Display` is a line for each check, and one for each
/// fault that was not survived.
#[derive(Debug)]
#[non_exhaustive]
#[must_use = "whether it passed is only seen by looking: `assert!(report.passed(), \"{report}\")`"]
pub struct TestReport {
    /// What the contract's checks found.
    pub contract: contract::Report,
    /// Each manner of calls that an answer is there, if the service is declared to make them.
    pub callbacks: Vec<CallbackFinding>,
    /// Each fault that was tried, and when.
    pub faults: Vec<FaultFinding>,
}

/// What happened when something went wrong on purpose.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FaultFinding {
    /// The fault.
    pub fault: Fault,
    /// The request that it happened to.
    pub operation: Operation,
    /// What was wrong with what the solver did.
    pub problem: Option<String>,
}

/// What to leave out of a test, and who hears how far it is.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct TestOptions {
    without_faults: bool,
    progress: Option<Arc<dyn Fn(usize, usize) + Send + Sync>>,
}

impl TestOptions {
    /// Only the contract.
    #[must_use]
    pub fn without_faults(mut self) -> Self {
        self.without_faults = true;
        self
    }

    /// Calls `progress` before the first fault and after each, with the number of those that were tried and of all: most
    /// of the time of a test goes there.
    #[must_use]
    pub fn on_progress(mut self, progress: impl Fn(usize, usize) + Send + Sync + 'static) -> Self {
        self.progress = Some(Arc::new(progress));
        self
    }

    fn tell(&self, tried: usize, all: usize) {
        if let Some(progress) = &self.progress {
            progress(tried, all);
        }
    }
}

impl fmt::Debug for TestOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestOptions")
            .field("without_faults", &self.without_faults)
            .finish_non_exhaustive()
    }
}

impl TestReport {
    /// Whether the contract is kept, with nothing skipped, and every fault and all calls were survived.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.contract.passed()
            && self.contract.skipped().count() == 0
            && self
                .callbacks
                .iter()
                .all(|finding| finding.problem.is_none())
            && self.faults.iter().all(|finding| finding.problem.is_none())
    }
}

impl fmt::Display for TestReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.contract)?;
        for CallbackFinding { callbacks, problem } in &self.callbacks {
            match problem {
                None => write!(f, "\npassed   calls that an answer is there, {callbacks}")?,
                Some(problem) => write!(
                    f,
                    "\nFAILED   calls that an answer is there, {callbacks}: {problem}"
                )?,
            }
        }
        let mut failed = 0;
        for finding in &self.faults {
            if let Some(problem) = &finding.problem {
                failed += 1;
                let (fault, operation) = (&finding.fault, finding.operation);
                write!(f, "\nFAILED   {fault} at {operation}: {problem}")?;
            }
        }
        let survived = self.faults.len() - failed;
        if self.faults.is_empty() {
            return write!(f, "\nno fault was tried");
        }
        write!(f, "\n{survived} faults survived, {failed} not")
    }
}

/// Tries a declared service on a double that is made of the same declaration: over HTTP, on a port of
/// this machine. It takes some seconds.
///
/// # Errors
///
/// Why the double cannot be started.
pub async fn test(service: &Declared) -> io::Result<TestReport> {
    test_with(service, TestOptions::default()).await
}

/// The same, but for what `options` leave out.
///
/// # Errors
///
/// Those of [`test()`].
pub async fn test_with(service: &Declared, options: TestOptions) -> io::Result<TestReport> {
    let contract = keeps_contract(service).await?;
    let callbacks = try_callbacks(service, options.without_faults).await?;
    let mut faults = Vec::new();
    if !options.without_faults {
        let operations: &[Operation] = match service.definition().poll {
            Some(_) => &[Operation::Create, Operation::Poll],
            None => &[Operation::Create],
        };
        let places = Arc::new(Semaphore::new(AT_ONCE));
        let known = picture(200)?; // drawn once: that takes longer than a try
        let mut tries = JoinSet::new();
        for &operation in operations {
            let all = Fault::all().into_iter().filter(Fault::applies_to_stand_in);
            for fault in all.filter(|fault| fault.applies_to(operation)) {
                let (service, places) = (service.clone(), Arc::clone(&places));
                let known = known.clone();
                tries.spawn(async move {
                    let _place = places.acquire().await;
                    let problem = try_fault(&service, &known, &fault, operation).await.err();
                    FaultFinding {
                        fault,
                        operation,
                        problem,
                    }
                });
            }
        }
        let all = tries.len();
        options.tell(0, all);
        while let Some(tried) = tries.join_next().await {
            // As `join_all` does it.
            faults.push(tried.unwrap_or_else(|error| resume_unwind(error.into_panic())));
            options.tell(faults.len(), all);
        }
    }
    Ok(TestReport {
        contract,
        callbacks,
        faults,
    })
}

async fn keeps_contract(service: &Declared) -> io::Result<contract::Report> {
    let stage = Stage::start(service, None, Callbacks::Never).await?;
    let solver = stage.solver(KEY, None).map_err(io::Error::other)?;
    let stranger = stage
        .solver("another-key", None)
        .map_err(io::Error::other)?;
    let (known, failing, endless) = (picture(200)?, picture(GIVEN_UP)?, picture(ENDLESS)?);
    let reports = &service.definition().report;
    let taken = [
        (&reports.correct, Verdict::Correct),
        (&reports.incorrect, Verdict::Incorrect),
    ];
    let taken = taken.into_iter().filter(|(call, _)| call.is_some());
    let mut subject = SolverUnderTest::new(&solver, known.challenge())
        .expecting(expected(service, known.drag())?, 1e-6)
        .failing(failing.challenge())
        .with_unrelated_failure(ErrorKind::Unauthorized, &stranger, known.challenge())
        .never_answering(endless.challenge())
        .reporting(taken.map(|(_, verdict)| verdict))
        .with_secret(KEY);
    for name in service.definition().secrets.keys() {
        subject = subject.with_secret(secret(name));
    }
    if service.definition().poll.is_none() {
        subject = subject.answering_in_one_call();
    }
    let report = contract::run(&subject).await;
    stage.emulator.shutdown().await;
    Ok(report)
}

/// Whether it ends only when the client stops waiting.
pub(super) fn is_silent(fault: &Fault) -> bool {
    matches!(
        fault,
        Fault::Hang | Fault::Stall | Fault::EndlessInformational
    )
}

/// An answer is right or there is none, what is said of money is true, nothing is bought twice, a paid job
/// is not forgotten, and nothing shows the key.
async fn try_fault(
    service: &Declared,
    picture: &TestPicture,
    fault: &Fault,
    operation: Operation,
) -> Result<(), String> {
    let told = |error: &dyn fmt::Display| error.to_string();
    let stage = Stage::start(service, Some((fault, operation)), Callbacks::Never).await;
    let stage = stage.map_err(|error| told(&error))?;
    let request_timeout = is_silent(fault).then_some(LONG_ENOUGH);
    let solver = stage
        .solver(KEY, request_timeout)
        .map_err(|error| told(&error))?;
    let outcome = solver.solve(&picture.challenge()).await;
    let bought = stage.double.bought();
    let happened = stage.emulator.traffic().faults;
    stage.emulator.shutdown().await;
    if happened == 0 {
        return Err("it did not happen".to_owned());
    }
    if bought > 1 {
        return Err(format!("{bought} answers were bought"));
    }
    let shown = match outcome {
        Ok(solution) => {
            is_right(service, picture, &solution)?;
            format!("{solution:?}")
        }
        Err(error) => {
            if error.billed() == Billed::No && bought > 0 {
                return Err(format!("it says that nothing was bought: {error}"));
            }
            if fault.is_tolerable() {
                return Err(told(&error));
            }
            format!("{error} {error:?}")
        }
    };
    match SecretScanner::new(KEY).find(&shown) {
        Some(_) => Err("the key is shown".to_owned()),
        None => Ok(()),
    }
}
