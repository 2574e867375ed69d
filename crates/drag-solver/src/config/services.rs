//! Services that are declared in TOML: in a chain's file, or in a file of their own.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read as _};
use std::path::Path;

use drag_solver_declared::{Declared, Definition, GALLERY};
use serde::Deserialize as _;

use super::reader::Table;
use super::registry::Registry;
use super::value::Value;
use crate::ConfigError;

/// A declaration is a page; a file longer than this, in bytes, is another file.
const MAX_BYTES: u64 = 1024 * 1024;

/// Where a service is declared.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Declaration {
    Here(Box<Definition>),
    /// In this file, beside the chain's.
    File(String),
}

/// Reads the table `services` of a chain: names, and a declaration or the file that has it.
pub(super) fn services(table: Value) -> Result<BTreeMap<String, Declaration>, ConfigError> {
    let Value::Table(entries) = table else {
        let problem = "must be a table: write [services.NAME] above each";
        return Err(ConfigError::of_whole(problem));
    };
    let read = |(name, value): (String, Value)| {
        let declaration = match value {
            Value::Text(file) => Ok(Declaration::File(file)),
            value => definition(value).map(|definition| Declaration::Here(Box::new(definition))),
        };
        let declaration = declaration.map_err(|error| error.in_key(&name))?;
        Ok((name, declaration))
    };
    entries.into_iter().map(read).collect()
}

fn definition(value: Value) -> Result<Definition, ConfigError> {
    Table::of(value)?.take_last()
}

/// Adds the services that are declared to the registry.
pub(super) fn declare(
    services: &BTreeMap<String, Declaration>,
    registry: &Registry,
) -> Result<Registry, ConfigError> {
    let mut registry = registry.clone();
    for (name, declaration) in services {
        let service = match declaration {
            Declaration::Here(definition) => Declared::new(name, (**definition).clone()),
            Declaration::File(file) => match registry.context().path(file) {
                // A pipe that no program writes to would be waited for without end.
                path if is_special(&path) => Err(ConfigError::of_whole(
                    "the file is no regular one, but a pipe, a socket or a device: save it as a file first",
                )),
                path => read(name, &path),
            },
        };
        let in_place = |error: ConfigError| error.in_key(name).in_key("services");
        // One in Rust would be replaced without a word, or found first by its other name.
        let known = registry.find(name);
        if let Some(known) = known.filter(|known| known.declared.is_none()) {
            let problem = format!(
                "there is a provider `{}` of that name: choose another",
                known.name
            );
            return Err(in_place(ConfigError::of_whole(problem)));
        }
        registry = registry.with_service(service.map_err(in_place)?);
    }
    Ok(registry)
}

fn is_special(path: &Path) -> bool {
    path.metadata()
        .is_ok_and(|there| !there.is_file() && !there.is_dir())
}

/// The service that the TOML file at `path` declares. Its name is the file's, without `.toml`. A pipe is waited for.
///
/// # Errors
///
/// What is wrong with the file, and where in it.
pub fn read_service(path: impl AsRef<Path>) -> Result<Declared, ConfigError> {
    let path = path.as_ref();
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    read(&name, path)
}

fn read(name: &str, path: &Path) -> Result<Declared, ConfigError> {
    // In the place of a file there may be the key.
    let is_file = path
        .extension()
        .is_some_and(|extension| extension == "toml");
    let whose = if is_file {
        path.display().to_string()
    } else {
        "the file, whose name is shown if it ends in .toml".to_owned()
    };
    let refuse = |problem: String| ConfigError::of_whole(format!("{whose}: {problem}"));
    let text = contents(path).map_err(|error| refuse(format!("cannot be read: {error}")))?;
    let Some(text) = text else {
        return Err(refuse("is longer than 1 MiB: is it the right file?".into()));
    };
    of_text(name, &text)
}

/// The text of a file; `None` if it is too long, or has no end.
fn contents(path: &Path) -> io::Result<Option<String>> {
    let mut text = String::new();
    let file = fs::File::open(path)?;
    file.take(MAX_BYTES + 1).read_to_string(&mut text)?;
    Ok(Some(text).filter(|text| text.len() as u64 <= MAX_BYTES))
}

fn of_text(name: &str, text: &str) -> Result<Declared, ConfigError> {
    // What it quotes may be a key that was written into the file.
    let syntax = |error: toml::de::Error| {
        let before = error.span().and_then(|span| text.get(..span.start));
        let line = before.map_or(0, |before| before.matches('\n').count()) + 1;
        ConfigError::of_whole(format!("line {line}: {}", error.message()))
    };
    let table: toml::Table = toml::from_str(text).map_err(syntax)?;
    if table.contains_key("providers") {
        let problem = "is the file of a chain, which `drag-solver check` takes: a service's file has `key`, \
                       `base_url` and the others at its top";
        return Err(ConfigError::of_whole(problem));
    }
    let table =
        Value::deserialize(table).map_err(|error| ConfigError::of_whole(error.to_string()))?;
    Declared::new(name, definition(table)?)
}

/// The services of the gallery.
pub(super) fn gallery() -> impl Iterator<Item = Declared> {
    // Each is sound: a test sees to it.
    GALLERY
        .iter()
        .filter_map(|(name, text)| of_text(name, text).ok())
}
