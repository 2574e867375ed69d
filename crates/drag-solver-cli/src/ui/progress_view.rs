//! What is under way: a spinner for one screenshot, a bar for several.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use drag_solver::{Event, Observer, SolveError, async_trait};
use indicatif::{ProgressBar, ProgressStyle};

use super::text::one_line;
use crate::batch::tally::Tally;

/// Columns of a terminal that leave room for the bar beside the numbers.
const WIDE: u16 = 60;

/// Shows every task that is being worked on, if standard error is a terminal.
#[derive(Debug)]
pub(crate) struct ProgressView {
    bar: ProgressBar,
    several: bool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    tally: Tally,
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
    /// A view of `total` tasks. It shows only if `show` is set and standard error is a terminal.
    pub(crate) fn new(total: usize, show: bool) -> Arc<Self> {
        Arc::new(Self {
            bar: bar(total, show),
            several: total > 1,
            state: Mutex::default(),
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
            on_record: AtomicBool::new(false),
        })
    }

    /// Shows how many of several tasks have ended, how, and what they cost.
    pub(crate) fn count(&self, tally: &Tally) {
        if self.several {
            self.bar.set_position(tally.count() as u64);
            self.update(|state| state.tally = tally.clone());
        }
    }

    /// Runs `print` with the spinner or the bar out of its way.
    pub(crate) fn suspend<T>(&self, print: impl FnOnce() -> T) -> T {
        self.bar.suspend(print)
    }

    /// Takes it off the terminal.
    pub(crate) fn clear(&self) {
        self.bar.finish_and_clear();
    }

    fn update(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut state);
        let headline = state.headline();
        drop(state);
        self.bar.set_message(headline);
    }
}

/// A bar of `total` steps. It shows only if `show` is set and standard error is a terminal.
pub(crate) fn bar(total: usize, show: bool) -> ProgressBar {
    if !show {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(total as u64); // hidden unless standard error is a terminal
    if let Ok(style) = ProgressStyle::with_template(template(total, width())) {
        bar.set_style(style.progress_chars("=> "));
    }
    if !bar.is_hidden() {
        bar.enable_steady_tick(Duration::from_millis(100));
    }
    bar
}

/// How the line is made up. What is of variable length comes last, and is cut to the terminal's width.
fn template(total: usize, width: u16) -> &'static str {
    if total <= 1 {
        "{spinner} {elapsed} {wide_msg}"
    } else if width < WIDE {
        "{spinner} {pos}/{len} {wide_msg}"
    } else {
        "{spinner} {elapsed} [{bar:20}] {pos}/{len} {wide_msg}"
    }
}

/// Columns of the terminal.
fn width() -> u16 {
    console::Term::stderr().size().1
}

impl State {
    /// What there is to say: the money, then one task in full, the others as a number.
    fn headline(&self) -> String {
        let mut parts = Vec::new();
        if self.tally.count() > 0 {
            parts.push(self.tally.money());
        }
        if self.tally.failed() > 0 {
            parts.push(format!("{} failed", self.tally.failed()));
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
    on_record: AtomicBool,
}

impl TaskView {
    /// What comes of it was on record, and costs nothing now.
    pub(crate) fn mark_on_record(&self) {
        self.on_record.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_on_record(&self) -> bool {
        self.on_record.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl Observer for TaskView {
    async fn on_event(&self, event: &Event<'_>) -> Result<(), SolveError> {
        if let Event::OnRecord { .. } = event {
            self.mark_on_record();
        }
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
    use drag_solver::{Billed, ErrorKind, JobId, Usd};
    use indicatif::{InMemoryTerm, ProgressDrawTarget};

    use super::*;
    use crate::task::Failure;

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
        let mut tally = Tally::default();
        let error = SolveError::new(ErrorKind::Unauthorized, "no");
        tally.add(&Err(Failure::Unsolved(error)), false);
        view.count(&tally);
        assert_eq!(headline(&view), "", "there is nothing to count");
    }

    #[test]
    fn of_several_screenshots_the_money_and_the_failures_are_told_first() {
        let view = ProgressView::new(3, false);
        let first = view.begin(0, Path::new("a.png"));
        let _second = view.begin(1, Path::new("shots/b.png"));
        drop(first);
        let _third = view.begin(2, Path::new("c.png"));
        let error = SolveError::new(ErrorKind::Unauthorized, "no").with_billed(Billed::Yes);
        let error = error.with_cost(Usd::from_micros(900));
        let mut tally = Tally::default();
        tally.add(&Err(Failure::Unsolved(error)), false);
        view.count(&tally);
        assert_eq!(
            headline(&view),
            "$0.0009 · 1 failed · b.png: reading the picture · 1 more under way"
        );
        assert_eq!(view.bar.position(), 1);
    }

    #[test]
    fn the_line_is_no_longer_than_the_terminal_is_wide() {
        for (total, width) in [(1, 20), (12, 20), (12, 40), (12, 59), (12, 60), (12, 200)] {
            let terminal = InMemoryTerm::new(10, width);
            let target = ProgressDrawTarget::term_like(Box::new(terminal.clone()));
            let bar = ProgressBar::with_draw_target(Some(total as u64), target);
            let style = ProgressStyle::with_template(template(total, width));
            bar.set_style(style.unwrap().progress_chars("=> "));
            bar.set_message(
                "$0.0108 · ảnh chụp màn hình.png: waiting for omocaptcha job 7".repeat(4),
            );
            bar.tick();
            let lines = terminal.contents();
            assert_eq!(lines.lines().count(), 1, "{width}: {lines}");
            let counts = lines.contains(&format!("0/{total}"));
            assert_eq!(counts, total > 1, "{width}: {lines}");
        }
    }
}
