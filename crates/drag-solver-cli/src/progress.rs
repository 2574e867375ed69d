//! What is under way: for the spinner, and for whoever interrupts.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use drag_solver::core::{Charge, ErrorKind, PaidJob, Progress, ProgressListener, SolveError};
use indicatif::{ProgressBar, ProgressStyle};

use crate::text::one_line;

/// Knows of every screenshot that is being worked on. The spinner shows it.
#[derive(Debug)]
pub(crate) struct Board {
    spinner: ProgressBar,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    total: usize,
    finished: usize,
    under_way: BTreeMap<usize, UnderWay>,
}

/// One screenshot that is being worked on.
#[derive(Clone, Debug)]
pub(crate) struct UnderWay {
    /// Its path as it was given.
    pub(crate) screenshot: String,
    /// Jobs that were paid for and whose outcome is not known.
    pub(crate) paid: Vec<PaidJob>,
    /// The provider that is being sent an order right now: whether it will bill it is not known.
    pub(crate) buying: Option<String>,
    /// What is being waited for, in words.
    doing: String,
}

impl Board {
    /// A board for `total` screenshots. The spinner shows only if `show` is set and standard error
    /// is a terminal.
    pub(crate) fn new(total: usize, show: bool) -> Arc<Self> {
        let spinner = if show {
            ProgressBar::new_spinner() // hidden unless standard error is a terminal
        } else {
            ProgressBar::hidden()
        };
        if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed} {msg}") {
            spinner.set_style(style);
        }
        if !spinner.is_hidden() {
            spinner.enable_steady_tick(Duration::from_millis(100));
        }
        Arc::new(Self {
            spinner,
            state: Mutex::new(State {
                total,
                finished: 0,
                under_way: BTreeMap::new(),
            }),
        })
    }

    /// Begins work on the screenshot number `index`, and returns who listens to it.
    pub(crate) fn begin(self: &Arc<Self>, index: usize, screenshot: &str) -> Arc<Watch> {
        self.update(|state| {
            state.under_way.insert(index, UnderWay::new(screenshot));
        });
        Arc::new(Watch {
            board: Arc::clone(self),
            index,
        })
    }

    /// Ends work on the screenshot number `index`: its outcome says what was paid.
    pub(crate) fn finish(&self, index: usize) {
        self.update(|state| {
            if state.under_way.remove(&index).is_some() {
                state.finished += 1;
            }
        });
    }

    /// Everything that was begun and has not ended, in order, with its number.
    pub(crate) fn under_way(&self) -> Vec<(usize, UnderWay)> {
        let state = self.lock();
        state
            .under_way
            .iter()
            .map(|(&i, work)| (i, work.clone()))
            .collect()
    }

    /// Runs `print` with the spinner out of its way.
    pub(crate) fn suspend<T>(&self, print: impl FnOnce() -> T) -> T {
        self.spinner.suspend(print)
    }

    /// Takes the spinner off the terminal.
    pub(crate) fn clear(&self) {
        self.spinner.finish_and_clear();
    }

    fn update(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.lock();
        change(&mut state);
        let headline = state.headline();
        drop(state);
        self.spinner.set_message(headline);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// What the spinner says: one screenshot in full, the others as a number.
    fn headline(&self) -> String {
        let mut parts = Vec::new();
        if self.total > 1 {
            parts.push(format!("{} of {} done", self.finished, self.total));
        }
        if let Some(first) = self.under_way.values().next() {
            let name = Path::new(&first.screenshot).file_name();
            let name =
                name.map_or_else(|| first.screenshot.as_str().into(), OsStr::to_string_lossy);
            parts.push(format!("{}: {}", one_line(&name), first.doing));
        }
        if self.under_way.len() > 1 {
            parts.push(format!("{} more under way", self.under_way.len() - 1));
        }
        parts.join(" · ")
    }
}

impl UnderWay {
    fn new(screenshot: &str) -> Self {
        Self {
            screenshot: screenshot.to_owned(),
            paid: Vec::new(),
            buying: None,
            doing: "reading the picture".to_owned(),
        }
    }

    /// What became of it if nobody goes on, for the results.
    pub(crate) fn abandoned(&self) -> SolveError {
        let interrupted =
            || SolveError::new(ErrorKind::Timeout, "interrupted before the answer came");
        let bought = |provider: &str| {
            interrupted()
                .with_provider(provider)
                .with_charge(Charge::Unknown)
        };
        let jobs = self.paid.iter();
        let mut parts: Vec<SolveError> = jobs
            .map(|job| bought(&job.provider).with_job(job.id.clone()))
            .collect();
        parts.extend(self.buying.as_deref().map(bought));
        let history = parts
            .iter()
            .flat_map(|part| part.history(Duration::ZERO))
            .collect();
        match parts.pop() {
            Some(last) => last.with_attempts(history),
            None => interrupted(),
        }
    }

    fn hear(&mut self, progress: &Progress<'_>) {
        match *progress {
            Progress::Started { provider } => self.doing = format!("asking {provider}"),
            Progress::Buying { provider } => {
                self.doing = format!("sending the picture to {provider}");
                self.buying = Some(provider.to_owned());
            }
            Progress::NotBought { provider } => {
                self.doing = format!("{provider} could not be reached");
                self.buying = None;
            }
            Progress::Bought { provider, job } | Progress::Resumed { provider, job } => {
                self.doing = format!("waiting for {provider} job {job}");
                self.buying = None;
                let job = PaidJob::new(provider, job.clone());
                if !self.paid.contains(&job) {
                    self.paid.push(job);
                }
            }
            Progress::Settled { provider, job } => {
                self.doing = format!("{provider} job {job} is settled");
                self.paid
                    .retain(|paid| paid.provider != provider || paid.id != *job);
            }
            _ => {}
        }
    }
}

/// Listens to the progress of one screenshot.
#[derive(Debug)]
pub(crate) struct Watch {
    board: Arc<Board>,
    index: usize,
}

impl ProgressListener for Watch {
    fn on_progress(&self, progress: &Progress<'_>) {
        self.board.update(|state| {
            if let Some(work) = state.under_way.get_mut(&self.index) {
                work.hear(progress);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use drag_solver::core::JobId;

    use super::*;

    fn headline(board: &Board) -> String {
        board.lock().headline()
    }

    #[test]
    fn the_spinner_says_what_is_being_waited_for() {
        let board = Board::new(1, false);
        let (provider, job) = ("omocaptcha", &JobId::from(7));
        let watch = board.begin(0, "a.png");
        assert_eq!(headline(&board), "a.png: reading the picture");
        watch.on_progress(&Progress::Started { provider });
        assert_eq!(headline(&board), "a.png: asking omocaptcha");
        watch.on_progress(&Progress::Bought { provider, job });
        assert_eq!(headline(&board), "a.png: waiting for omocaptcha job 7");
        board.finish(0);
        assert_eq!(headline(&board), "");
    }

    #[test]
    fn several_screenshots_are_counted() {
        let board = Board::new(3, false);
        board.begin(0, "a.png");
        board.begin(1, "shots/b.png");
        board.finish(0);
        board.begin(2, "c.png");
        assert_eq!(
            headline(&board),
            "1 of 3 done · b.png: reading the picture · 1 more under way"
        );
    }

    #[test]
    fn paid_jobs_are_known_until_they_are_settled() {
        let board = Board::new(1, false);
        let watch = board.begin(0, "a.png");
        let (provider, first, second) = ("omocaptcha", &JobId::from(1), &JobId::from(2));
        let left = |board: &Board| {
            let (_, work) = board.under_way().remove(0);
            (
                work.buying,
                work.paid
                    .iter()
                    .map(ToString::to_string)
                    .collect::<Vec<_>>(),
            )
        };
        watch.on_progress(&Progress::Buying { provider });
        assert_eq!(left(&board), (Some("omocaptcha".to_owned()), vec![]));
        watch.on_progress(&Progress::NotBought { provider });
        assert_eq!(left(&board), (None, vec![]));
        watch.on_progress(&Progress::Buying { provider });
        watch.on_progress(&Progress::Bought {
            provider,
            job: first,
        });
        watch.on_progress(&Progress::Resumed {
            provider,
            job: first,
        });
        watch.on_progress(&Progress::Bought {
            provider,
            job: second,
        });
        assert_eq!(left(&board).1, ["omocaptcha job 1", "omocaptcha job 2"]);
        watch.on_progress(&Progress::Settled {
            provider,
            job: first,
        });
        assert_eq!(left(&board), (None, vec!["omocaptcha job 2".to_owned()]));
        board.finish(0);
        assert!(board.under_way().is_empty());
    }

    #[test]
    fn what_is_given_up_may_have_cost_money_as_soon_as_it_was_sent() {
        let board = Board::new(1, false);
        let watch = board.begin(0, "a.png");
        let (provider, job) = ("omocaptcha", &JobId::from(1));
        let abandoned = || board.under_way()[0].1.abandoned();
        watch.on_progress(&Progress::Started { provider });
        assert_eq!(abandoned().charge(), Charge::No);
        watch.on_progress(&Progress::Buying { provider });
        assert_eq!(abandoned().charge(), Charge::Unknown);
        assert!(abandoned().unfinished_jobs().is_empty());
        watch.on_progress(&Progress::Bought { provider, job });
        watch.on_progress(&Progress::Buying { provider: "other" });
        assert_eq!(
            abandoned().unfinished_jobs(),
            [PaidJob::new(provider, job.clone())]
        );
        assert_eq!(abandoned().provider(), Some("other"));
        assert_eq!(abandoned().attempts().len(), 2);
    }
}
