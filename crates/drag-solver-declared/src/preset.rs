//! What a family's services have in common.

use drag_solver_core::ConfigError;
use serde_json::{Map, Value};

use crate::definition::{Call, Definition, Family, Reports};

impl Family {
    /// The declaration that a service of this family begins with.
    fn preset(self) -> Result<Definition, ConfigError> {
        let text = match self {
            Self::CreateTask => include_str!("presets/createTask.json"),
            Self::CreateJob => include_str!("presets/createJob.json"),
            Self::InPhp => include_str!("presets/in.php.json"),
        };
        serde_json::from_str(text).map_err(|error| ConfigError::new("family", error.to_string()))
    }
}

impl Definition {
    /// The declaration with what its family says where it does not say it itself. A report without a body
    /// and a query has the poll's: the key and the job.
    pub(crate) fn complete(self) -> Result<Self, ConfigError> {
        let mut whole = match self.family {
            Some(family) => self.over(family.preset()?),
            None => self,
        };
        let Reports { correct, incorrect } = &mut whole.report;
        for report in [correct, incorrect].into_iter().flatten() {
            if let (true, Some(poll)) = (report.is_bare(), &whole.poll) {
                *report = report.clone().over(Call {
                    job: None,
                    first: None,
                    every: None,
                    ..poll.clone()
                });
            }
        }
        Ok(whole)
    }

    fn over(self, preset: Self) -> Self {
        Self {
            family: self.family,
            about: self.about,
            source: self.source,
            read: self.read,
            guessed: self.guessed,
            key: self.key,
            base_url: self.base_url,
            secrets: self.secrets,
            settings: self.settings,
            limits: self.limits,
            unsolvable: self.unsolvable.or(preset.unsolvable),
            create: self.create.over(preset.create),
            poll: both(self.poll, preset.poll, Call::over),
            state: both(self.state, preset.state, |own, preset| {
                crate::definition::State {
                    at: own.at.or(preset.at),
                    running: own.running.or(preset.running),
                    solved: own.solved.or(preset.solved),
                    failed: own.failed.or(preset.failed),
                }
            }),
            // An answer has one form, so a part of one is not filled up.
            answer: if self.answer.has_form() {
                self.answer
            } else {
                let mut answer = preset.answer;
                answer.unit = self.answer.unit.or(answer.unit);
                answer.from = self.answer.from.or(answer.from);
                answer
            },
            refused: self.refused.or(preset.refused),
            message: self.message.or(preset.message),
            codes: self.codes.or(preset.codes),
            errors: [self.errors, preset.errors].concat(),
            cost: self.cost.or(preset.cost),
            balance: both(self.balance, preset.balance, Call::over),
            report: Reports {
                correct: both(self.report.correct, preset.report.correct, Call::over),
                incorrect: both(self.report.incorrect, preset.report.incorrect, Call::over),
            },
            plain_text: self.plain_text.or(preset.plain_text),
        }
    }
}

impl Call {
    fn is_bare(&self) -> bool {
        let bodies = [
            self.json.is_some(),
            self.form.is_some(),
            self.multipart.is_some(),
        ];
        self.query.is_empty() && !bodies.contains(&true)
    }

    fn over(self, preset: Self) -> Self {
        // Another kind of body replaces the preset's.
        let has_body = self.json.is_some() || self.form.is_some() || self.multipart.is_some();
        let merged = |own: Option<Map<_, _>>, preset: Option<Map<_, _>>| match (own, preset) {
            (None, _) if has_body => None,
            (own, preset) => both(own, preset, tables),
        };
        Self {
            method: self.method.or(preset.method),
            path: self.path.or(preset.path),
            query: preset.query.into_iter().chain(self.query).collect(),
            headers: preset.headers.into_iter().chain(self.headers).collect(),
            json: match (self.json, preset.json) {
                (None, _) if has_body => None,
                (own, preset) => both(own, preset, values),
            },
            form: merged(self.form, preset.form),
            multipart: merged(self.multipart, preset.multipart),
            job: self.job.or(preset.job),
            first: self.first.or(preset.first),
            every: self.every.or(preset.every),
            at: self.at.or(preset.at),
        }
    }
}

fn both<T>(own: Option<T>, preset: Option<T>, merge: impl FnOnce(T, T) -> T) -> Option<T> {
    match (own, preset) {
        (Some(own), Some(preset)) => Some(merge(own, preset)),
        (own, preset) => own.or(preset),
    }
}

fn values(own: Value, preset: Value) -> Value {
    match (own, preset) {
        (Value::Object(own), Value::Object(preset)) => tables(own, preset).into(),
        (own, _) => own,
    }
}

fn tables(own: Map<String, Value>, mut preset: Map<String, Value>) -> Map<String, Value> {
    for (key, value) in own {
        let value = match preset.remove(&key) {
            Some(inner) => values(value, inner),
            None => value,
        };
        preset.insert(key, value);
    }
    preset
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_preset_can_be_read() {
        for family in [Family::CreateTask, Family::CreateJob, Family::InPhp] {
            let preset = family.preset().unwrap();
            assert!(
                preset.poll.is_some() && preset.balance.is_some(),
                "{family:?}"
            );
        }
    }
}
