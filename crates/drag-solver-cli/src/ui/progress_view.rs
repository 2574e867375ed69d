//! The spinner: what is under way.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use drag_solver::{Event, Observer, SolveError, async_trait};
use indicatif::{ProgressBar, ProgressStyle};

use super::text::one_line;

/// Shows every task that is being worked on, if standard error is a terminal.
#[derive(Debug)]
pub(crate) struct ProgressView {
    spinner: ProgressBar,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    total: usize,
    finished: usize,
    under_way: BTreeMap<usize, Line>,
}

/// One task that is being worked on.
#[derive(Debug)]
struct Line {
    name: String,
    /// What is being waited for, in words.
    doing: String,
}

impl ProgressView {
    /// A view of `total` tasks. The spinner shows only if `show` is set and standard error is a
    /// terminal.
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
        let state = State {
            total,
            ..State::default()
        };
        Arc::new(Self {
            spinner,
            state: Mutex::new(state),
        })
    }

    /// Shows the task number `index`, until what is returned is dropped.
    pub(crate) fn begin(self: &Arc<Self>, index: usize, screenshot: &Path) -> Arc<TaskView> {
        let name = screenshot.file_name().unwrap_or(screenshot.as_os_str());
        let line = Line {
            name: one_line(&OsStr::to_string_lossy(name)),
            doing: "reading the picture".to_owned(),
        };
        self.update(|state| {
            state.under_way.insert(index, line);
        });
        Arc::new(TaskView {
            view: Arc::clone(self),
            index,
        })
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
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut state);
        let headline = state.headline();
        drop(state);
        self.spinner.set_message(headline);
    }
}

impl State {
    /// What the spinner says: one task in full, the others as a number.
    fn headline(&self) -> String {
        let mut parts = Vec::new();
        if self.total > 1 {
            parts.push(format!("{} of {} done", self.finished, self.total));
        }
        if let Some(Line { name, doing }) = self.under_way.values().next() {
            parts.push(format!("{name}: {doing}"));
        }
        if self.under_way.len() > 1 {
            parts.push(format!("{} more under way", self.under_way.len() - 1));
        }
        parts.join(" · ")
    }
}

/// Shows the events of one task.
#[derive(Debug)]
pub(crate) struct TaskView {
    view: Arc<ProgressView>,
    index: usize,
}

#[async_trait]
impl Observer for TaskView {
    async fn on_event(&self, event: &Event<'_>) -> Result<(), SolveError> {
        if let Some(doing) = doing(event) {
            self.view.update(|state| {
                if let Some(line) = state.under_way.get_mut(&self.index) {
                    line.doing = one_line(&doing);
                }
            });
        }
        Ok(())
    }
}

impl Drop for TaskView {
    fn drop(&mut self) {
        self.view.update(|state| {
            state.under_way.remove(&self.index);
            state.finished += 1;
        });
    }
}

fn doing(event: &Event<'_>) -> Option<String> {
    Some(match *event {
        Event::Waiting { solver, reason } => format!("waiting for {reason} for {solver}"),
        Event::WaitEnded { solver } | Event::Started { solver } => format!("asking {solver}"),
        Event::Buying { solver } => format!("sending the picture to {solver}"),
        Event::NotBought { solver } => format!("nothing was bought from {solver}"),
        Event::Bought { solver, job } | Event::Resumed { solver, job } => {
            format!("waiting for {solver} job {job}")
        }
        Event::Settled { solver, .. } => format!("{solver} is done"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use drag_solver::{Billed, JobId};

    use super::*;

    fn headline(view: &ProgressView) -> String {
        view.state.lock().unwrap().headline()
    }

    #[tokio::test]
    async fn the_spinner_says_what_is_being_waited_for() {
        let view = ProgressView::new(1, false);
        let (solver, job) = ("omocaptcha", &JobId::from(7));
        let task = view.begin(0, Path::new("shots/a.png"));
        assert_eq!(headline(&view), "a.png: reading the picture");
        let settled = Event::Settled {
            solver,
            job: Some(job),
            billed: Billed::Yes,
            cost: None,
        };
        let reason = "a permit";
        for (event, expected) in [
            (
                Event::Waiting { solver, reason },
                "waiting for a permit for omocaptcha",
            ),
            (Event::Started { solver }, "asking omocaptcha"),
            (
                Event::Buying { solver },
                "sending the picture to omocaptcha",
            ),
            (
                Event::Bought { solver, job },
                "waiting for omocaptcha job 7",
            ),
            (settled, "omocaptcha is done"),
        ] {
            task.on_event(&event).await.unwrap();
            assert_eq!(headline(&view), format!("a.png: {expected}"));
        }
        drop(task);
        assert_eq!(headline(&view), "");
    }

    #[test]
    fn several_screenshots_are_counted() {
        let view = ProgressView::new(3, false);
        let first = view.begin(0, Path::new("a.png"));
        let _second = view.begin(1, Path::new("shots/b.png"));
        drop(first);
        let _third = view.begin(2, Path::new("c.png"));
        assert_eq!(
            headline(&view),
            "1 of 3 done · b.png: reading the picture · 1 more under way"
        );
    }
}
