//! Texts and JSON with placeholders in them.

use std::collections::BTreeMap;

use drag_solver_core::text::looks_like_token;
use drag_solver_core::{ConfigError, DragChallenge, JobId};
use drag_solver_http::{Picture, json};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value};

use crate::advice;

/// What stands for something that is known only when a request is made.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Placeholder {
    Key,
    Secret(String),
    PictureBase64,
    PictureDataUri,
    PictureFile,
    PictureWidth,
    PictureHeight,
    PictureBytes,
    Instruction(String),
    RegionX,
    RegionY,
    RegionWidth,
    RegionHeight,
    Job,
    Callback,
}

use Placeholder as P;

/// Those that have no name of their own in them.
const PLAIN: &[(&str, Placeholder)] = &[
    ("key", P::Key),
    ("picture.base64", P::PictureBase64),
    ("picture.data_uri", P::PictureDataUri),
    ("picture.file", P::PictureFile),
    ("picture.width", P::PictureWidth),
    ("picture.height", P::PictureHeight),
    ("picture.bytes", P::PictureBytes),
    ("region.x", P::RegionX),
    ("region.y", P::RegionY),
    ("region.width", P::RegionWidth),
    ("region.height", P::RegionHeight),
    ("job", P::Job),
    ("callback", P::Callback),
];

/// Where a template stands, which decides on what it may hold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Place {
    Path,
    Query,
    Header,
    Json,
    Form,
    Multipart,
}

/// What a template is compiled with.
#[derive(Clone, Copy)]
pub(crate) struct Scope<'a> {
    pub(crate) place: Place,
    /// Whether it is about a challenge, and otherwise about a job.
    pub(crate) is_create: bool,
    /// Whether it is about a job.
    pub(crate) has_job: bool,
    pub(crate) settings: &'a BTreeMap<String, Value>,
    pub(crate) secrets: &'a BTreeMap<String, String>,
}

/// A text with placeholders.
#[derive(Clone, Debug)]
pub(crate) struct Text(pub(crate) Vec<Part>);

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Part {
    Words(String),
    Hole(Placeholder),
    /// A setting, whose value keeps its type if it is all there is.
    Setting(Value),
}

/// JSON with placeholders.
#[derive(Clone, Debug)]
pub(crate) enum Template {
    Fixed(Value),
    Text(Text),
    List(Vec<Template>),
    Table(Vec<(String, Template)>),
}

/// What fills the placeholders.
pub(crate) enum Fill<'a> {
    /// Of a request that is made.
    Real {
        key: &'a SecretString,
        secrets: &'a BTreeMap<String, SecretString>,
        challenge: Option<&'a DragChallenge>,
        job: Option<&'a JobId>,
        /// What the service is to call when the job has ended.
        callback: Option<&'a str>,
    },
    /// Of a request that is only shown.
    Preview,
}

impl Text {
    pub(crate) fn compile(text: &str, scope: Scope<'_>) -> Result<Self, ConfigError> {
        let refuse = |problem: String| Err(ConfigError::of_whole(problem));
        let mut parts = Vec::new();
        let mut words = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            let (before, brace) = rest.split_at(at);
            words.push_str(before);
            if brace.starts_with("{{") || brace.starts_with("}}") {
                words.push_str(&brace[..1]);
                rest = &brace[2..];
                continue;
            }
            let end = brace.find('}').filter(|_| brace.starts_with('{'));
            let Some(end) = end else {
                return refuse(
                    "has a `{` or a `}` alone: write it twice if it is not a placeholder".into(),
                );
            };
            if !words.is_empty() {
                parts.push(Part::Words(std::mem::take(&mut words)));
            }
            parts.push(Part::compile(&brace[1..end], scope)?);
            rest = &brace[end + 1..];
        }
        words.push_str(rest);
        if !words.is_empty() {
            parts.push(Part::Words(words));
        }
        let is_key = |part: &Part| matches!(part, Part::Words(words) if looks_like_token(words));
        if parts.iter().any(is_key) {
            return refuse(
                "looks like a key, and none is written into the file: name its variable in `key` or \
                 `secrets`; what is none goes through `settings`"
                    .into(),
            );
        }
        if parts.len() > 1 && parts.contains(&Part::Hole(P::Callback)) {
            return refuse(
                "has more in it than `{callback}`, which stands alone: without a public address it is left out".into(),
            );
        }
        Ok(Self(parts))
    }

    /// Whether it is left out of this request: it asks for a call, and there is nothing to be called.
    pub(crate) fn is_left_out(&self, fill: &Fill<'_>) -> bool {
        self.has_callback() && matches!(fill, Fill::Real { callback: None, .. })
    }

    pub(crate) fn has_callback(&self) -> bool {
        self.holes().any(|hole| *hole == P::Callback)
    }

    fn holes(&self) -> impl Iterator<Item = &Placeholder> {
        self.0.iter().filter_map(|part| match part {
            Part::Hole(hole) => Some(hole),
            _ => None,
        })
    }

    pub(crate) fn is_secret(&self) -> bool {
        self.holes().any(Placeholder::is_secret)
    }

    pub(crate) fn has_job(&self) -> bool {
        self.holes().any(|hole| *hole == P::Job)
    }

    /// Whether there is more in it than the picture's file, which is then no file of its own.
    fn is_more_than_file(&self) -> bool {
        self.0.len() > 1 && self.holes().any(|hole| *hole == P::PictureFile)
    }

    pub(crate) fn is_fixed(&self) -> bool {
        self.holes().next().is_none()
    }

    fn pictures(&self) -> usize {
        self.holes().filter(|hole| hole.is_picture()).count()
    }

    fn value(&self, fill: &Fill<'_>) -> Value {
        match self.0.as_slice() {
            [Part::Hole(hole)] => hole.fill(fill),
            [Part::Setting(value)] => value.clone(),
            _ => self.fill(fill).into(),
        }
    }

    pub(crate) fn fill(&self, fill: &Fill<'_>) -> String {
        let parts = self.0.iter().map(|part| match part {
            Part::Words(words) => words.clone(),
            Part::Hole(hole) => plain(hole.fill(fill)),
            Part::Setting(value) => plain(value.clone()),
        });
        parts.collect()
    }
}

pub(crate) fn plain(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

impl Part {
    /// What stands between the braces.
    fn compile(inside: &str, scope: Scope<'_>) -> Result<Self, ConfigError> {
        let refuse = |problem: String| Err(ConfigError::of_whole(problem));
        if let Some(name) = inside.strip_prefix("setting.") {
            let Some(value) = scope.settings.get(name) else {
                let known = scope.settings.keys().map(String::as_str);
                let advice = advice::advice(name, known);
                return refuse(format!("there is no setting `{name}`: {advice}"));
            };
            return Ok(Self::Setting(value.clone()));
        }
        let hole = if let Some(name) = inside.strip_prefix("secret.") {
            if !scope.secrets.contains_key(name) {
                let advice = advice::advice(name, scope.secrets.keys().map(String::as_str));
                return refuse(format!("there is no secret `{name}`: {advice}"));
            }
            P::Secret(name.to_owned())
        } else if let Some(default) = inside.strip_prefix("instruction|") {
            P::Instruction(default.to_owned())
        } else if inside == "instruction" {
            P::Instruction(String::new())
        } else {
            let hole = PLAIN.iter().find(|(name, _)| *name == inside);
            let Some((_, hole)) = hole else {
                let known = PLAIN.iter().map(|(name, _)| *name);
                let known = known.chain(["instruction", "secret.NAME", "setting.NAME"]);
                let advice = advice::advice(inside, known);
                return refuse(format!(
                    "there is no placeholder `{{{inside}}}`: {advice} (a brace that is none is \
                     written twice)"
                ));
            };
            hole.clone()
        };
        match hole.misplaced(scope) {
            Some(problem) => refuse(format!("`{{{inside}}}` {problem}")),
            None => Ok(Self::Hole(hole)),
        }
    }
}

impl Placeholder {
    fn is_secret(&self) -> bool {
        matches!(self, P::Key | P::Secret(_))
    }

    fn is_picture(&self) -> bool {
        matches!(self, P::PictureBase64 | P::PictureDataUri | P::PictureFile)
    }

    /// Why it cannot stand here.
    fn misplaced(&self, scope: Scope<'_>) -> Option<&'static str> {
        let is_body = matches!(scope.place, Place::Json | Place::Form | Place::Multipart);
        match self {
            _ if self.is_secret() && scope.place == Place::Path => {
                Some("cannot stand in a path, which logs show: only in a body, header or query")
            }
            P::PictureFile if scope.place != Place::Multipart => {
                Some("can only stand in `multipart`: write {picture.base64}")
            }
            _ if self.is_picture() && !is_body => Some("can only stand in a body"),
            P::Callback if matches!(scope.place, Place::Path | Place::Header) => {
                Some("can only stand in a body or a query, as all of a member")
            }
            P::Job if !scope.has_job => {
                Some("can only stand where there is a job: in poll and report")
            }
            P::Key | P::Secret(_) | P::Job => None,
            _ if !scope.is_create => {
                Some("can only stand in create, which alone knows the challenge")
            }
            _ => None,
        }
    }

    fn fill(&self, fill: &Fill<'_>) -> Value {
        let Fill::Real {
            key,
            secrets,
            challenge,
            job,
            callback,
        } = fill
        else {
            return self.preview();
        };
        let shot = challenge.map(DragChallenge::screenshot);
        let region = challenge.and_then(DragChallenge::region);
        let (width, height) = shot.map_or((0, 0), |shot| (shot.width(), shot.height()));
        match self {
            P::Key => key.expose_secret().into(),
            P::Secret(name) => secrets
                .get(name)
                .map_or("", |secret| secret.expose_secret())
                .into(),
            P::PictureBase64 | P::PictureFile => Picture.to_string().into(),
            P::PictureDataUri => shot.map(|shot| Picture::data_uri(shot.format())).into(),
            P::PictureWidth => width.into(),
            P::PictureHeight => height.into(),
            P::PictureBytes => shot.map(|shot| shot.bytes().len()).into(),
            P::Instruction(default) => challenge
                .and_then(|challenge| challenge.instruction())
                .unwrap_or(default)
                .into(),
            P::RegionX => number(region.map_or(0.0, |region| region.x)),
            P::RegionY => number(region.map_or(0.0, |region| region.y)),
            P::RegionWidth => number(region.map_or(f64::from(width), |region| region.width)),
            P::RegionHeight => number(region.map_or(f64::from(height), |region| region.height)),
            P::Job => job.map(json::job_id_value).unwrap_or_default(),
            P::Callback => callback.unwrap_or_default().into(),
        }
    }

    fn preview(&self) -> Value {
        match self {
            P::Instruction(default) => default.as_str().into(),
            P::Secret(name) => format!("[secret {name}]").into(),
            other => {
                let name = PLAIN.iter().find(|(_, hole)| hole == other);
                format!("[{}]", name.map_or("?", |(name, _)| name)).into()
            }
        }
    }
}

/// A number as services expect it: a whole one without a fraction.
fn number(number: f64) -> Value {
    let text = number.to_string();
    text.parse::<u64>()
        .map_or_else(|_| number.into(), Value::from)
}

impl Template {
    pub(crate) fn compile(value: &Value, scope: Scope<'_>) -> Result<Self, ConfigError> {
        Ok(match value {
            Value::String(text) => {
                let text = Text::compile(text, scope)?;
                if text.is_fixed() {
                    Self::Fixed(text.value(&Fill::Preview))
                } else {
                    Self::Text(text)
                }
            }
            Value::Array(items) => {
                let compile = |(index, item): (usize, &Value)| {
                    Self::compile(item, scope).map_err(|error| error.in_key(index.to_string()))
                };
                Self::List(
                    items
                        .iter()
                        .enumerate()
                        .map(compile)
                        .collect::<Result<_, _>>()?,
                )
            }
            Value::Object(members) => Self::table(members, scope)?,
            other => Self::Fixed(other.clone()),
        })
    }

    pub(crate) fn table(
        members: &Map<String, Value>,
        scope: Scope<'_>,
    ) -> Result<Self, ConfigError> {
        let compile = |(key, value): (&String, &Value)| {
            let template = Self::compile(value, scope).map_err(|error| error.in_key(key));
            Ok((key.clone(), template?))
        };
        let members: Result<_, ConfigError> = members.iter().map(compile).collect();
        Ok(Self::Table(members?))
    }

    pub(crate) fn fill(&self, fill: &Fill<'_>) -> Value {
        match self {
            Self::Fixed(value) => value.clone(),
            Self::Text(text) => text.value(fill),
            Self::List(items) => {
                let items = items.iter().filter(|item| !item.is_left_out(fill));
                items.map(|item| item.fill(fill)).collect()
            }
            Self::Table(members) => members
                .iter()
                .filter(|(_, template)| !template.is_left_out(fill))
                .map(|(key, template)| (key.clone(), template.fill(fill)))
                .collect(),
        }
    }

    fn is_left_out(&self, fill: &Fill<'_>) -> bool {
        matches!(self, Self::Text(text) if text.is_left_out(fill))
    }

    /// Whether it is all that asks for a call, which is left out where there is nothing to be called.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn is_callback(&self) -> bool {
        matches!(self, Self::Text(text) if text.has_callback())
    }

    pub(crate) fn has_callback(&self) -> bool {
        self.count(&|text: &Text| usize::from(text.has_callback())) > 0
    }

    /// How often the picture stands in it.
    pub(crate) fn pictures(&self) -> usize {
        self.count(&Text::pictures)
    }

    pub(crate) fn has_job(&self) -> bool {
        self.count(&|text: &Text| usize::from(text.has_job())) > 0
    }

    /// Refuses a picture that a form cannot hold: one that is a part of a member, which is written as JSON.
    pub(crate) fn check_form(&self) -> Result<(), ConfigError> {
        let Self::Table(members) = self else {
            return Ok(());
        };
        for (name, member) in members {
            let is_inside = !matches!(member, Self::Text(_)) && member.pictures() > 0;
            let is_more = |text: &Text| usize::from(text.is_more_than_file());
            let problem = if is_inside {
                "has the picture inside of a list or a table: a form has it as a member of its own"
            } else if member.count(&is_more) > 0 {
                "has words beside `{picture.file}`: a file is a part of its own"
            } else {
                continue;
            };
            return Err(ConfigError::new(name, problem));
        }
        Ok(())
    }

    pub(crate) fn is_secret(&self) -> bool {
        self.count(&|text: &Text| usize::from(text.is_secret())) > 0
    }

    fn count(&self, of: &impl Fn(&Text) -> usize) -> usize {
        match self {
            Self::Fixed(_) => 0,
            Self::Text(text) => of(text),
            Self::List(items) => items.iter().map(|item| item.count(of)).sum(),
            Self::Table(members) => members.iter().map(|(_, template)| template.count(of)).sum(),
        }
    }
}
