//! Reading a request with the template that it was made of.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use drag_solver_emulator as emulator;
use serde_json::Value;

use crate::call::{Body, Request};
use crate::definition::Method;
use crate::template::{Part, Placeholder, Template, Text, plain};

/// What a request held where its template has placeholders.
#[derive(Debug, Default)]
pub(super) struct Received {
    pub(super) key: Option<String>,
    pub(super) secrets: Vec<(String, String)>,
    pub(super) job: Option<String>,
    pub(super) picture: Option<Vec<u8>>,
    /// What is to be called when the job has ended.
    pub(super) callback: Option<String>,
}

impl Request {
    /// What `request` holds, if it is one that this template makes.
    pub(super) fn read(&self, request: &emulator::Request) -> Option<Received> {
        let mut received = Received::default();
        let method = match self.method {
            Method::Get => "GET",
            Method::Post => "POST",
        };
        let fixed = self.path.split('/').filter(|part| !part.is_empty());
        let fixed: Vec<&str> = fixed.collect();
        let segments = request.segments();
        let is_path = segments.len() == fixed.len() + self.segments.len()
            && fixed.iter().zip(&segments).all(|(own, other)| own == other);
        if request.method() != method || !is_path {
            return None;
        }
        for (text, actual) in self.segments.iter().zip(&segments[fixed.len()..]) {
            received.take(text, actual)?;
        }
        let query = request.query();
        for (name, text) in &self.query {
            match query.get(name) {
                None if text.has_callback() => {}
                given => received.take(text, given?)?,
            }
        }
        for (name, text) in &self.headers {
            received.take(text, request.header(name)?)?;
        }
        match &self.body {
            None => {}
            Some(Body::Json(template)) => received.take_json(template, &request.json())?,
            Some(Body::Form(Template::Table(members))) => {
                let form = request.form();
                for (name, template) in members {
                    match form.get(name) {
                        None if template.is_callback() => {}
                        given => received.take_text(template, given?)?,
                    }
                }
            }
            Some(Body::Multipart(Template::Table(members))) => {
                let parts = request.multipart();
                for (name, template) in members {
                    let part = parts.iter().find(|part| part.name == *name);
                    if part.is_none() && template.is_callback() {
                        continue;
                    }
                    let part = part?;
                    if part.file_name.is_some() {
                        received.picture = Some(part.bytes.to_vec());
                    } else {
                        received.take_text(template, &part.text())?;
                    }
                }
            }
            Some(_) => return None,
        }
        Some(received)
    }
}

impl Received {
    fn take_json(&mut self, template: &Template, actual: &Value) -> Option<()> {
        match (template, actual) {
            (Template::List(templates), Value::Array(items)) => {
                let is_whole = templates.len() == items.len();
                let there = templates.iter().filter(|it| is_whole || !it.is_callback());
                let there: Vec<_> = there.collect();
                if there.len() != items.len() {
                    return None;
                }
                let mut both = there.into_iter().zip(items);
                both.try_for_each(|(template, item)| self.take_json(template, item))
            }
            (Template::Table(templates), Value::Object(members)) => templates
                .iter()
                .filter(|(name, template)| members.contains_key(name) || !template.is_callback())
                .try_for_each(|(name, template)| self.take_json(template, members.get(name)?)),
            (Template::Fixed(_) | Template::Text(_), _) => {
                self.take_text(template, &plain(actual.clone()))
            }
            _ => None,
        }
    }

    fn take_text(&mut self, template: &Template, actual: &str) -> Option<()> {
        match template {
            Template::Fixed(value) => (plain(value.clone()) == actual).then_some(()),
            Template::Text(text) => self.take(text, actual),
            Template::List(_) | Template::Table(_) => {
                self.take_json(template, &serde_json::from_str(actual).ok()?)
            }
        }
    }

    fn take(&mut self, text: &Text, actual: &str) -> Option<()> {
        let mut rest = actual;
        let mut parts = text.0.iter().peekable();
        while let Some(part) = parts.next() {
            let hole = match part {
                Part::Words(words) => {
                    rest = rest.strip_prefix(words.as_str())?;
                    continue;
                }
                Part::Setting(value) => {
                    rest = rest.strip_prefix(plain(value.clone()).as_str())?;
                    continue;
                }
                Part::Hole(hole) => hole,
            };
            // What it holds ends where the next words begin.
            let end = match parts.peek() {
                Some(Part::Words(words)) => rest.find(words.as_str())?,
                _ => rest.len(),
            };
            let (held, behind) = rest.split_at(end);
            self.keep(hole, held)?;
            rest = behind;
        }
        rest.is_empty().then_some(())
    }

    fn keep(&mut self, hole: &Placeholder, held: &str) -> Option<()> {
        match hole {
            Placeholder::Key => self.key = Some(held.to_owned()),
            Placeholder::Secret(name) => self.secrets.push((name.clone(), held.to_owned())),
            Placeholder::Job => self.job = Some(held.to_owned()),
            Placeholder::Callback => self.callback = Some(held.to_owned()),
            Placeholder::PictureBase64 | Placeholder::PictureDataUri => {
                let encoded = held.rsplit("base64,").next()?;
                self.picture = Some(STANDARD.decode(encoded).ok()?);
            }
            _ => {}
        }
        Some(())
    }
}
