//! The contract and the faults, over a double.

use std::sync::Arc;
use std::time::Duration;
use std::{fmt, io};

use drag_solver_core::{
    Billed, ConfigError, Drag, DragSolver, ErrorKind, Point, Solution, Verdict,
};
use drag_solver_emulator::{
    Callbacks, Emulator, Fault, Operation, SecretScanner, StandIn, stand_in,
};
use drag_solver_http::{
    CallbackReceiver, Context, HttpOptions, HttpSolver, PollInterval, Recorder,
};
use drag_solver_mock::contract::{self, SolverUnderTest};
use drag_solver_mock::pictures::TestPicture;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::calls::{CallbackFinding, try_callbacks};
use super::double::{Double, ENDLESS, GIVEN_UP};
use crate::answer::Form;
use crate::api::DeclaredApi;
use crate::service::Declared;

/// Full of characters that JSON, URLs and HTML write in another way.
pub(super) const KEY: &str = "q9Zv7-k3y8s_hunter2+/=%&";

/// What other secrets end in.
pub(super) const OTHER_SECRET: &str = "hunter2-hunter2";

/// A double answers at once. For faults that never do.
pub(super) const LONG_ENOUGH: Duration = Duration::from_secs(2);

/// How long a call may take that is recorded: some services have clients wait for 5 s.
const RECORDED_FOR: Duration = Duration::from_secs(8);

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

/// What to leave out of a test.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct TestOptions {
    without_faults: bool,
}

impl TestOptions {
    /// Only the contract.
    #[must_use]
    pub fn without_faults(mut self) -> Self {
        self.without_faults = true;
        self
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
        faults = tries.join_all().await;
    }
    Ok(TestReport {
        contract,
        callbacks,
        faults,
    })
}

/// The other secret called `name` of the account.
pub(super) fn secret(name: &str) -> String {
    format!("{name}-{OTHER_SECRET}")
}

/// A running double, and what makes solvers for it.
pub(super) struct Stage {
    service: Declared,
    pub(super) double: Arc<Double>,
    pub(super) emulator: Emulator<StandIn>,
    /// Who records what its solvers send.
    pub(super) recorder: Option<Recorder>,
    /// Who takes its calls.
    pub(super) receiver: Option<CallbackReceiver>,
}

impl Stage {
    pub(super) async fn start(
        service: &Declared,
        fault: Option<(&Fault, Operation)>,
        callbacks: Callbacks,
    ) -> io::Result<Self> {
        let api = service.example_api().map_err(io::Error::other)?;
        let double = Double::new(api, service.definition(), KEY, callbacks);
        let double = Arc::new(double);
        let served = Arc::clone(&double);
        let handler = move |request| {
            let served = Arc::clone(&served);
            async move { served.answer(request).await }
        };
        let mut builder = stand_in(handler).token(KEY);
        for (operation, pattern) in service.patterns() {
            builder = builder.operation(operation, &pattern);
        }
        if let Some((fault, operation)) = fault {
            builder = builder.fault(operation, fault.clone(), 1);
        }
        Ok(Self {
            service: service.clone(),
            double,
            emulator: builder.start().await?,
            recorder: None,
            receiver: None,
        })
    }

    pub(super) fn solver(
        &self,
        key: &str,
        request_timeout: Option<Duration>,
    ) -> Result<HttpSolver<DeclaredApi>, ConfigError> {
        self.solver_polling_every(Duration::from_millis(1), key, request_timeout)
    }

    pub(super) fn solver_polling_every(
        &self,
        wait: Duration,
        key: &str,
        request_timeout: Option<Duration>,
    ) -> Result<HttpSolver<DeclaredApi>, ConfigError> {
        let mut options = HttpOptions::default()
            .token(key)
            .base_url(self.emulator.url())
            .poll(PollInterval::new(wait, wait));
        options.request_timeout = request_timeout;
        options.job_timeout = self.recorder.as_ref().map(|_| RECORDED_FOR);
        let secrets = self.service.definition().secrets.clone();
        let lookup = move |name: &str| {
            let (name, _) = secrets.iter().find(|(_, variable)| *variable == name)?;
            Some(secret(name).into())
        };
        let own = self.service.example_settings();
        let context = Context::with_variables(lookup)
            .with_recorder(self.recorder.clone())
            .with_callback_receiver(self.receiver.clone());
        self.service.solver(options, own, &context)
    }
}

pub(super) fn picture(width: u32) -> io::Result<TestPicture> {
    TestPicture::draw_sized(7, width, 400).map_err(io::Error::other)
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

/// The drag that the solver has to make of the true one.
fn expected(service: &Declared, drag: Drag) -> io::Result<Drag> {
    let api = service.example_api().map_err(io::Error::other)?;
    Ok(match api.answer.form {
        Form::Both(_) | Form::Each(..) => drag,
        Form::Distance(_, start) => {
            let distance = drag.end.x - drag.start.x;
            Drag::new(start, Point::new(start.x + distance, start.y))
        }
        Form::EndX(_, start) => Drag::new(start, Point::new(drag.end.x, start.y)),
        Form::End(_, start) => Drag::new(start, drag.end),
    })
}

/// What is wrong with an answer, if anything is.
pub(super) fn is_right(
    service: &Declared,
    picture: &TestPicture,
    solution: &Solution,
) -> Result<(), String> {
    let right = expected(service, picture.drag()).map_err(|error| error.to_string())?;
    let off = [
        solution.drag().start.distance(right.start),
        solution.drag().end.distance(right.end),
    ];
    if off.iter().any(|off| *off > 1e-6) {
        return Err(format!("{} in place of {right}", solution.drag()));
    }
    Ok(())
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
