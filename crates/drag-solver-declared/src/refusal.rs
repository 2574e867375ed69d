//! What responses mean that are no answer.

use std::time::Duration;

use drag_solver_core::{Billed, ConfigError, ErrorKind, SolveError};
use drag_solver_http::task_api::codes::{self, Meaning, Refusal};
use drag_solver_http::{JobState, ResponseError, json};
use serde_json::Value;

use crate::definition::{Condition, Definition, ErrorRow, RowState, Words};
use crate::pointer::{Places, word};

/// How refusals are recognised, and what they mean.
#[derive(Clone, Debug)]
pub(crate) struct Refusals {
    conditions: Vec<Check>,
    message: Option<Places>,
    codes: Option<(Places, Option<Places>)>,
    rows: Vec<Row>,
    unsolvable: Billed,
    /// What a refusal costs that nothing explains: where there are no jobs, it may come after the work.
    unexplained: Billed,
}

#[derive(Clone, Debug)]
struct Check {
    at: Places,
    is: Option<Words>,
    is_not: Option<Words>,
    without: Option<Places>,
}

#[derive(Clone, Debug)]
struct Row {
    at: Option<Places>,
    is: Option<Words>,
    contains: Option<Words>,
    status: Option<u16>,
    means: RowMeaning,
}

#[derive(Clone, Copy, Debug)]
enum RowMeaning {
    Refused(ErrorKind, Billed, Option<Duration>),
    GaveUp(Option<Billed>),
    Running,
    Missing,
}

impl Refusals {
    pub(crate) fn compile(definition: &Definition) -> Result<Self, ConfigError> {
        let numbered = |key: &str, index: usize, error: ConfigError| {
            error.in_key(index.to_string()).in_key(key)
        };
        let conditions = definition.refused.iter().flatten().enumerate();
        let conditions = conditions.map(|(index, condition)| {
            Check::compile(condition).map_err(|error| numbered("refused", index, error))
        });
        let has_refusals = definition.refused.as_ref().is_some_and(|it| !it.is_empty());
        let can_refuse = has_refusals && definition.message.is_some();
        let rows = definition.errors.iter().enumerate().map(|(index, row)| {
            let compiled = Row::compile(row).and_then(|compiled| {
                if compiled.looks_at_message() && !can_refuse {
                    let problem = "has no place to look at: write `at`; or `message` and `refused`, and it \
                                   is about the text of a refusal";
                    return Err(ConfigError::of_whole(problem));
                }
                Ok(compiled)
            });
            compiled.map_err(|error| numbered("errors", index, error))
        });
        let codes = definition.codes.as_ref().map(|codes| {
            let at = codes.at.clone().unwrap_or_default();
            let at = Places::new("at", &at)?;
            Ok((at, Places::optional("number", codes.number.as_ref())?))
        });
        let codes = codes.transpose();
        let unsolvable = definition.unsolvable.unwrap_or(Billed::Maybe);
        Ok(Self {
            conditions: conditions.collect::<Result<_, _>>()?,
            message: Places::optional("message", definition.message.as_ref())?,
            codes: codes.map_err(|error: ConfigError| error.in_key("codes"))?,
            rows: rows.collect::<Result<_, _>>()?,
            unsolvable,
            unexplained: match definition.poll {
                Some(_) => Billed::No,
                None => unsolvable,
            },
        })
    }

    /// What a response says that is a refusal. `has_failed` if it says besides that the job has failed.
    pub(crate) fn read(&self, root: &Value, status: u16, has_failed: bool) -> Option<Refusal> {
        let is_refused = self.conditions.iter().any(|check| check.holds(root));
        let texts = self.messages(root);
        let row = self
            .rows
            .iter()
            .find(|row| row.matches(root, status, &texts, is_refused));
        if let Some(row) = row {
            return Some(self.of_row(row, &told(&texts, status)));
        }
        if !is_refused {
            return None;
        }
        let text = |places: Option<&Places>| {
            let found = places.and_then(|places| places.find(root));
            json::text(found.as_deref()).filter(|text| !text.is_empty())
        };
        let meaning = self
            .codes
            .as_ref()
            .map_or(Meaning::Unknown, |(at, number)| {
                let number = text(number.as_ref()).unwrap_or_default();
                codes::meaning(&number, text(Some(at)).as_deref())
            });
        let message = told(&texts, status);
        Some(match meaning {
            Meaning::Kind(kind, wait) => {
                Refusal::Request(refused(kind, &message, Billed::No, wait))
            }
            Meaning::Unknown if !has_failed => {
                let error = SolveError::new(ErrorKind::Protocol, message);
                let error = error.with_billed(self.unexplained);
                Refusal::Request(ResponseError::Unknown(error))
            }
            Meaning::GaveUp | Meaning::Unknown => {
                Refusal::Job(JobState::Failed(self.gave_up(&message)))
            }
            Meaning::NotReady => Refusal::Job(JobState::Running),
            Meaning::Missing => Refusal::Job(missing(&message)),
        })
    }

    /// Whether the text of a refusal, or its code, stands at this place.
    pub(crate) fn tells_at(&self, pointer: &str) -> bool {
        let message = self.message.iter();
        let mut places = message.chain(self.codes.iter().map(|(at, _)| at));
        places.any(|places| places.written.iter().any(|written| written == pointer))
    }

    /// Whether this status alone means something, with any body.
    pub(crate) fn know_status(&self, status: u16) -> bool {
        self.rows
            .iter()
            .any(|row| row.status == Some(status) && row.is.is_none() && row.contains.is_none())
    }

    fn of_row(&self, row: &Row, message: &str) -> Refusal {
        match row.means {
            RowMeaning::Refused(kind, billed, wait) => {
                Refusal::Request(refused(kind, message, billed, wait))
            }
            RowMeaning::GaveUp(billed) => {
                let error = self.gave_up(message);
                let error = match billed {
                    Some(billed) => error.with_billed(billed),
                    None => error,
                };
                Refusal::Job(JobState::Failed(error))
            }
            RowMeaning::Running => Refusal::Job(JobState::Running),
            RowMeaning::Missing => Refusal::Job(missing(message)),
        }
    }

    /// The error of a job that was given up.
    pub(crate) fn gave_up(&self, message: &str) -> SolveError {
        SolveError::new(ErrorKind::Unsolvable, message).with_billed(self.unsolvable)
    }

    /// What a response says of a job that failed.
    pub(crate) fn job_failed(&self, root: &Value) -> SolveError {
        let why = self.messages(root);
        if why.is_empty() {
            return self.gave_up("the job failed");
        }
        self.gave_up(&format!("the job failed: {}", why.join(": ")))
    }

    fn messages(&self, root: &Value) -> Vec<String> {
        let message = self.message.as_ref();
        message.map_or_else(Vec::new, |places| places.messages(root))
    }
}

/// Whether callers take an error of this kind for one of this library's own.
fn is_ours(kind: ErrorKind) -> bool {
    let is_of_a_chain = matches!(kind, ErrorKind::AllFailed | ErrorKind::DeadlineExceeded);
    is_of_a_chain || kind.is_local_refusal()
}

fn told(texts: &[String], status: u16) -> String {
    match texts.is_empty() {
        true if status >= 300 => format!("refused with HTTP {status} and without a message"),
        true => "refused without a message".to_owned(),
        false => texts.join(": "),
    }
}

fn refused(
    kind: ErrorKind,
    message: &str,
    billed: Billed,
    wait: Option<Duration>,
) -> ResponseError {
    let error = SolveError::new(kind, message).with_billed(billed);
    error.with_retry_after(wait).into()
}

fn missing(message: &str) -> JobState {
    let message = format!(
        "{message} (too late: the provider has forgotten the job; or it belongs to another account)"
    );
    let error = SolveError::new(ErrorKind::Protocol, message);
    JobState::Missing(error.with_billed(Billed::Maybe))
}

impl Check {
    fn compile(condition: &Condition) -> Result<Self, ConfigError> {
        let at = condition.at.clone().unwrap_or_default();
        Ok(Self {
            at: Places::new("at", &at)?,
            is: condition.is.clone(),
            is_not: condition.is_not.clone(),
            without: Places::optional("without", condition.without.as_ref())?,
        })
    }

    fn holds(&self, root: &Value) -> bool {
        let Some(found) = self.at.find(root) else {
            return false;
        };
        if self
            .without
            .as_ref()
            .is_some_and(|place| place.find(root).is_some())
        {
            return false;
        }
        let word = word(&found);
        let has = |words: &Words| word.as_deref().is_some_and(|word| words.has(word));
        match (&self.is, &self.is_not) {
            (None, None) => !matches!(word.as_deref(), Some("" | "false")),
            (is, is_not) => is.as_ref().is_none_or(has) && !is_not.as_ref().is_some_and(has),
        }
    }
}

impl Row {
    fn compile(row: &ErrorRow) -> Result<Self, ConfigError> {
        let refuse = |problem| Err(ConfigError::of_whole(problem));
        if row.is.is_none() && row.contains.is_none() && row.status.is_none() {
            return refuse("matches everything: write `is`, `contains` or `status`");
        }
        if let Some(kind) = row.kind.filter(|kind| is_ours(*kind)) {
            let problem = format!("`{kind}` is said on this side, and by no service");
            return Err(ConfigError::new("kind", problem));
        }
        let means = match (row.kind, row.state) {
            (Some(ErrorKind::Unsolvable), None) | (None, Some(RowState::Failed)) => {
                RowMeaning::GaveUp(row.billed)
            }
            (Some(kind), None) => {
                // These come from in front of a service that may have begun to work.
                let is_late = row.status.is_some_and(
                    |status| matches!(status, 500..600 if ![503, 521, 523, 525, 526].contains(&status)),
                );
                let unsaid = if is_late { Billed::Maybe } else { Billed::No };
                RowMeaning::Refused(kind, row.billed.unwrap_or(unsaid), row.wait)
            }
            (None, Some(RowState::Running)) => RowMeaning::Running,
            (None, Some(RowState::Missing)) => RowMeaning::Missing,
            (None, None) => return refuse("says nothing: write `kind` or `state`"),
            (Some(_), Some(_)) => return refuse("says two things: write `kind` or `state`"),
        };
        if row.at.is_some() && row.is.is_none() && row.contains.is_none() {
            let problem = "is not looked at: write `is` or `contains`, too";
            return Err(ConfigError::new("at", problem));
        }
        let has_wait = matches!(means, RowMeaning::Refused(..));
        if row.wait.is_some() && !has_wait {
            let problem = "belongs to a refusal of a request: to a `kind` that is not `unsolvable`";
            return Err(ConfigError::new("wait", problem));
        }
        if row.billed.is_some() && matches!(means, RowMeaning::Running | RowMeaning::Missing) {
            let problem = "belongs to a `kind`, or to what has failed";
            return Err(ConfigError::new("billed", problem));
        }
        Ok(Self {
            at: Places::optional("at", row.at.as_ref())?,
            is: row.is.clone(),
            contains: row.contains.clone(),
            status: row.status,
            means,
        })
    }

    /// Whether it can only match the message of a refusal.
    fn looks_at_message(&self) -> bool {
        let has_words = self.is.is_some() || self.contains.is_some();
        has_words && self.at.is_none() && self.status.is_none()
    }

    /// A row without a place of its own is about the message of a refusal.
    fn matches(&self, root: &Value, status: u16, texts: &[String], is_refused: bool) -> bool {
        if self.status.is_some_and(|own| own != status) {
            return false;
        }
        if self.is.is_none() && self.contains.is_none() {
            return true;
        }
        let own;
        let texts = match &self.at {
            Some(place) => {
                let found = place.find(root);
                own = found.and_then(|value| word(&value).or_else(|| json::message(Some(&value))));
                own.as_slice()
            }
            None if is_refused || self.status.is_some() => texts,
            None => return false,
        };
        let is = |words: &Words| texts.iter().any(|text| words.has(text));
        !texts.is_empty()
            && self.is.as_ref().is_none_or(is)
            && self
                .contains
                .as_ref()
                .is_none_or(|words| words.all_in(&texts.join(": ")))
    }
}
