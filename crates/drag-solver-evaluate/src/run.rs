//! Asks every solver about every picture.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use drag_solver_combinators::Timeout;
use drag_solver_core::{Billed, DragChallenge, DragSolver, ErrorKind, Observer, SolveError};
#[cfg(feature = "store")]
use drag_solver_store::{StoreExt as _, StoreHandle};
use futures_util::{StreamExt as _, stream};
use tokio::time::Instant;

use crate::call::{self, Answered, Call, about_us};
use crate::labelled::LabelledPicture;
#[cfg(feature = "store")]
use crate::recall;

/// Time for a call, unless something else is said.
const LIMIT: Duration = Duration::from_secs(120);

/// How far off a right answer may be, in pixels, unless something else is said: what two clicks on the same piece do
/// not exceed, and two different places do.
pub const DEFAULT_TOLERANCE: f64 = 10.0;

/// Solvers that are to be measured, and how.
///
/// Every solver is asked about every picture, one picture after the other, so that an evaluation that is stopped has
/// asked all of them about the same ones. A solver is all that answers: a provider, or a chain. To have a chain
/// [proposed](crate::propose), measure each provider by itself, with nothing around it that asks again.
///
/// See the [crate](crate) for an example.
#[derive(Clone, Debug)]
#[must_use]
pub struct Evaluation {
    solvers: Vec<Measured>,
    tolerance: f64,
    limit: Duration,
    concurrency: NonZeroUsize,
    observer: Option<Arc<dyn Observer>>,
    #[cfg(feature = "store")]
    store: Option<StoreHandle>,
}

#[derive(Clone, Debug)]
struct Measured {
    name: String,
    solver: Arc<dyn DragSolver>,
}

impl Default for Evaluation {
    fn default() -> Self {
        Self {
            solvers: Vec::new(),
            tolerance: DEFAULT_TOLERANCE,
            limit: LIMIT,
            concurrency: const { NonZeroUsize::new(4).unwrap() },
            observer: None,
            #[cfg(feature = "store")]
            store: None,
        }
    }
}

impl Evaluation {
    /// An evaluation of no solvers yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a solver, called `name` in figures and on record. One of a name that is taken gets a number behind it.
    pub fn solver(mut self, name: impl Into<String>, solver: impl DragSolver) -> Self {
        let wanted = name.into();
        let is_taken = |name: &String| self.solvers.iter().any(|one| one.name == *name);
        let numbered = (2..).map(|number| format!("{wanted}-{number}"));
        let mut names = std::iter::once(wanted.clone()).chain(numbered);
        let name = names.find(|name| !is_taken(name)).unwrap_or(wanted.clone());
        let solver = Arc::new(solver);
        self.solvers.push(Measured { name, solver });
        self
    }

    /// How far off a right answer may be, in pixels. Default: [`DEFAULT_TOLERANCE`].
    pub fn tolerance(mut self, pixels: f64) -> Self {
        self.tolerance = pixels;
        self
    }

    /// Time for each call. Default: 120 s. A call that takes longer has failed, with
    /// [`ErrorKind::Timeout`].
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// How many calls are under way at once, of all solvers together. Default: 4; zero counts as one.
    pub fn concurrency(mut self, calls: usize) -> Self {
        self.concurrency = NonZeroUsize::new(calls).unwrap_or(NonZeroUsize::MIN);
        self
    }

    /// Lets `observer` hear what happens to money and time in every call.
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = Some(observer);
        self
    }

    /// Keeps what is bought and what came of it in `store`: a later evaluation of the same pictures by solvers of the
    /// same names takes their answers and failures, with the time they took and what they cost, from there, and buys
    /// only the rest.
    #[cfg(feature = "store")]
    pub fn store(mut self, store: impl Into<StoreHandle>) -> Self {
        self.store = Some(store.into());
        self
    }

    /// The names of the solvers, in the order in which they were added.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.solvers.iter().map(|one| one.name.clone()).collect()
    }

    /// How far off a right answer may be, in pixels.
    #[must_use]
    pub fn tolerance_px(&self) -> f64 {
        self.tolerance
    }

    /// Time for each call.
    #[must_use]
    pub fn time_limit(&self) -> Duration {
        self.limit
    }

    /// How many calls are not on record yet, of each solver: all of them without a store. With one, reads every
    /// picture.
    #[cfg_attr(not(feature = "store"), allow(clippy::unused_async))] // as with the feature
    pub async fn to_buy(&self, pictures: &[LabelledPicture]) -> Vec<u64> {
        #[cfg(feature = "store")]
        if let Some(store) = &self.store {
            return self.not_on_record(store, pictures).await;
        }
        vec![pictures.len() as u64; self.solvers.len()]
    }

    #[cfg(feature = "store")]
    async fn not_on_record(&self, store: &StoreHandle, pictures: &[LabelledPicture]) -> Vec<u64> {
        let mut missing = vec![0; self.solvers.len()];
        for picture in pictures {
            // For one that cannot be read nothing is bought.
            let Ok(challenge) = read(picture).await else {
                continue;
            };
            for (solver, missing) in self.solvers.iter().zip(&mut missing) {
                let challenge = recall::named(challenge.clone(), &solver.name);
                *missing += u64::from(recall::recall(store, &challenge).await.is_none());
            }
        }
        missing
    }

    /// Asks every solver about every picture, and hands over each call when it has ended, in no order.
    ///
    /// It stops before the end if there is no more money ([`ErrorKind::BudgetExhausted`], of a budget around the
    /// solvers), or if the store cannot be written; calls under way are waited for. What a budget refuses while money is
    /// set aside for other calls is asked again after them, one at a time. A solver whose account is empty,
    /// or whose token is wrong, is left out from then on.
    ///
    /// Dropping the future abandons the calls under way, like dropping those of the solvers does: what they bought is
    /// known to the store and to the observer.
    pub async fn run(&self, pictures: &[LabelledPicture], mut handle: impl FnMut(Call)) -> Ending {
        let stop = Stop::new(self.solvers.len());
        let pairs = (0..pictures.len())
            .flat_map(|picture| (0..self.solvers.len()).map(move |solver| (picture, solver)));
        let (heeded, is_tight) = (&stop, &AtomicBool::new(false));
        let calls = pairs.map(|(picture, solver)| async move {
            if heeded.is_stopped(solver) {
                return None;
            }
            if is_tight.load(Ordering::Relaxed) {
                return Some(Err((picture, solver)));
            }
            let (call, error) = self.call(picture, &pictures[picture], solver).await;
            if error.as_ref().is_some_and(is_short_of_money) {
                is_tight.store(true, Ordering::Relaxed);
                return Some(Err((picture, solver)));
            }
            if let Some(error) = error {
                heeded.heed(solver, error);
            }
            Some(Ok(call))
        });
        let mut later = Vec::new();
        let calls = stream::iter(calls).buffer_unordered(self.concurrency.get());
        calls
            .for_each(|call| {
                match call {
                    Some(Ok(call)) => handle(call),
                    Some(Err(pair)) => later.push(pair),
                    None => {}
                }
                std::future::ready(())
            })
            .await;
        later.sort_unstable();
        for (picture, solver) in later {
            if !stop.is_stopped(solver) {
                let (call, error) = self.call(picture, &pictures[picture], solver).await;
                if let Some(error) = error {
                    stop.heed(solver, error);
                }
                handle(call);
            }
        }
        stop.ending()
    }

    async fn call(
        &self,
        index: usize,
        picture: &LabelledPicture,
        solver: usize,
    ) -> (Call, Option<SolveError>) {
        let answered = match read(picture).await {
            Ok(challenge) => self.ask(challenge, solver).await,
            Err(error) => Answered {
                answer: Err(error),
                took: None,
                from_store: false,
            },
        };
        let Answered {
            answer,
            took,
            from_store,
        } = answered;
        let call = Call {
            picture: index,
            solver,
            outcome: call::outcome(picture, &answer),
            took,
            spent: call::spent(&answer),
            from_store,
        };
        (call, answer.err())
    }

    async fn ask(&self, challenge: DragChallenge, solver: usize) -> Answered {
        let measured = &self.solvers[solver];
        let timed = Timeout::new(Arc::clone(&measured.solver), self.limit);
        #[cfg(feature = "store")]
        if let Some(store) = &self.store {
            let challenge = recall::named(challenge, &measured.name);
            return match recall::recall(store, &challenge).await {
                Some(answered) => answered,
                None => self.timed(&timed.durable(store), challenge).await,
            };
        }
        self.timed(&timed, challenge).await
    }

    async fn timed(&self, solver: &dyn DragSolver, challenge: DragChallenge) -> Answered {
        let challenge = match &self.observer {
            Some(observer) => challenge.with_observer(Arc::clone(observer)),
            None => challenge,
        };
        let (challenge, tracker) = challenge.tracked();
        let begun = Instant::now();
        let answer = solver.solve(&challenge).await;
        let measured = call::told(&answer).unwrap_or(begun.elapsed());
        let purchases = tracker.purchases();
        let was_interrupted = purchases.as_slice().iter().any(|one| one.resumed);
        Answered {
            answer,
            took: (!was_interrupted).then_some(measured),
            from_store: false,
        }
    }
}

/// Whether a budget refused it, and nothing was bought.
fn is_short_of_money(error: &SolveError) -> bool {
    about_us(error) == Some(ErrorKind::BudgetExhausted)
        && error.billed() == Billed::No
        && error.unfinished_jobs().is_empty()
}

/// The question; one of a file is read off the async threads.
async fn read(picture: &LabelledPicture) -> Result<DragChallenge, SolveError> {
    if !picture.is_in_file() {
        return picture.challenge();
    }
    let picture = picture.clone();
    let read = tokio::task::spawn_blocking(move || picture.challenge()).await;
    read.unwrap_or_else(|error| {
        Err(SolveError::new(
            ErrorKind::InvalidChallenge,
            error.to_string(),
        ))
    })
}

/// How an evaluation ended.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Ending {
    /// Why it stopped before the end, if it did.
    pub stopped: Option<SolveError>,
    /// Which solvers were left out from some picture on, counted from 0, and why.
    pub left_out: Vec<(usize, SolveError)>,
}

/// Who is not asked any more, and why.
struct Stop {
    all: OnceLock<SolveError>,
    solvers: Vec<OnceLock<SolveError>>,
}

impl Stop {
    fn new(solvers: usize) -> Self {
        Self {
            all: OnceLock::new(),
            solvers: vec![OnceLock::new(); solvers],
        }
    }

    fn is_stopped(&self, solver: usize) -> bool {
        self.all.get().is_some() || self.solvers[solver].get().is_some()
    }

    /// The first reason counts.
    fn heed(&self, solver: usize, error: SolveError) {
        let stops = match about_us(&error) {
            Some(ErrorKind::BudgetExhausted | ErrorKind::NotRecorded) => &self.all,
            Some(ErrorKind::Unauthorized | ErrorKind::InsufficientBalance) => &self.solvers[solver],
            _ => return,
        };
        let _ = stops.set(error);
    }

    fn ending(self) -> Ending {
        let left_out = self.solvers.into_iter().enumerate();
        Ending {
            stopped: self.all.into_inner(),
            left_out: left_out
                .filter_map(|(solver, why)| Some((solver, why.into_inner()?)))
                .collect(),
        }
    }
}
