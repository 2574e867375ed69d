//! Places in a response. `Value::pointer` does not look into JSON that stands in a text.

use std::borrow::Cow;

use drag_solver_core::ConfigError;
use drag_solver_http::json;
use serde_json::Value;

use crate::definition::{Pointers, Words};

/// The end of a redirect's path, among the places where a job's id may be.
const LOCATION: &str = "location";

/// The longest text that is read as JSON, in bytes. An answer is some hundred.
const LONGEST_JSON: usize = 64 * 1024;

/// Places in a response, checked, the best first.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    /// The pointers as they were written.
    pub(crate) written: Vec<String>,
    paths: Vec<Vec<String>>,
    pub(crate) or_location: bool,
}

impl Places {
    /// Checks the pointers of the setting `key`.
    pub(crate) fn new(key: &str, pointers: &Pointers) -> Result<Self, ConfigError> {
        let refuse = |problem: String| Err(ConfigError::new(key, problem));
        if pointers.0.is_empty() {
            return refuse("must name at least one place, as in \"/taskId\"".into());
        }
        let mut places = Self {
            written: pointers.0.clone(),
            paths: Vec::new(),
            or_location: false,
        };
        for pointer in &pointers.0 {
            if pointer == LOCATION && key == "job" {
                places.or_location = true;
                continue;
            }
            let Some(path) = pointer.strip_prefix('/') else {
                return refuse(format!(
                    "`{pointer}` is not a JSON pointer: write it like `/solution/start`"
                ));
            };
            let unescape = |part: &str| part.replace("~1", "/").replace("~0", "~");
            places.paths.push(path.split('/').map(unescape).collect());
        }
        Ok(places)
    }

    /// Checks those of a setting that may be absent.
    pub(crate) fn optional(
        key: &str,
        pointers: Option<&Pointers>,
    ) -> Result<Option<Self>, ConfigError> {
        pointers
            .map(|pointers| Self::new(key, pointers))
            .transpose()
    }

    /// What is at the first of them where there is something.
    pub(crate) fn find<'a>(&self, root: &'a Value) -> Option<Cow<'a, Value>> {
        self.paths.iter().find_map(|path| at(root, path))
    }

    /// What is at the first of them where there is something, but for places that are among `others`.
    pub(crate) fn find_outside<'a>(
        &self,
        root: &'a Value,
        others: impl Fn(&str) -> bool,
    ) -> Option<Cow<'a, Value>> {
        let pointers = self.written.iter().filter(|pointer| *pointer != LOCATION);
        let mut outside = pointers.zip(&self.paths);
        outside.find_map(|(pointer, path)| at(root, path).filter(|_| !others(pointer)))
    }

    /// The texts at all of them, as they are told to people.
    pub(crate) fn messages(&self, root: &Value) -> Vec<String> {
        let found = self.paths.iter().filter_map(|path| at(root, path));
        found
            .filter_map(|value| json::message(Some(&value)))
            .collect()
    }

    /// For messages: what is missing.
    pub(crate) fn first(&self) -> &str {
        self.written.first().map_or("", String::as_str)
    }
}

/// What is at the end of this path, and not null. A text on the way is read as JSON.
fn at<'a>(root: &'a Value, path: &[String]) -> Option<Cow<'a, Value>> {
    let Some((part, rest)) = path.split_first() else {
        return Some(Cow::Borrowed(root)).filter(|value| !value.is_null());
    };
    match root {
        Value::Object(members) => at(members.get(part)?, rest),
        Value::Array(items) => at(items.get(part.parse::<usize>().ok()?)?, rest),
        // It is read anew for each place that is looked at.
        Value::String(text) if text.len() <= LONGEST_JSON => {
            let inner: Value = serde_json::from_str(text).ok()?;
            // A text within a text leads nowhere.
            let inner = Some(inner).filter(|inner| !inner.is_string())?;
            Some(Cow::Owned(at(&inner, path)?.into_owned()))
        }
        _ => None,
    }
}

/// A text, a number or a flag as the word that it is.
pub(crate) fn word(value: &Value) -> Option<String> {
    match value {
        Value::Bool(flag) => Some(flag.to_string()),
        other => json::text(Some(other)),
    }
}

impl Words {
    /// Whether `word` is one of these. Letter case does not matter, and equal numbers are equal.
    pub(crate) fn has(&self, word: &str) -> bool {
        let number = |text: &str| text.parse::<f64>().ok();
        let is = |own: &String| {
            own.eq_ignore_ascii_case(word)
                || number(own).is_some_and(|own| number(word) == Some(own))
        };
        self.0.iter().any(is)
    }

    /// Whether `text` holds all of them.
    pub(crate) fn all_in(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        self.0.iter().all(|own| text.contains(&own.to_lowercase()))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn places(pointers: &[&str]) -> Places {
        let pointers = pointers.iter().map(ToString::to_string).collect();
        Places::new("job", &Pointers(pointers)).unwrap()
    }

    #[test]
    fn the_first_that_is_there_counts() {
        let root = json!({"a": null, "b": [{"c/d": 1, "~": "x"}], "": 2});
        let find = |pointers: &[&str]| places(pointers).find(&root).map(Cow::into_owned);
        assert_eq!(find(&["/a", "/b/0/c~1d"]), Some(json!(1)));
        assert_eq!(find(&["/b/0/~0"]), Some(json!("x")));
        assert_eq!(find(&["/"]), Some(json!(2)));
        for nothing in ["/a", "/b/1", "/b/-1", "/b/x", "/b/0/c", "/b/0/c~1d/e"] {
            assert_eq!(find(&[nothing]), None, "{nothing}");
        }
    }

    #[test]
    fn a_way_leads_through_json_in_a_text() {
        let root = json!({"text": "[[1, 2]]", "deep": "{\"a\": \"{\\\"b\\\": 7}\"}", "bad": "[1"});
        let find = |pointer| places(&[pointer]).find(&root).map(Cow::into_owned);
        assert_eq!(find("/text/0/1"), Some(json!(2)));
        assert_eq!(find("/deep/a/b"), Some(json!(7)));
        assert_eq!(find("/text"), Some(json!("[[1, 2]]")));
        assert_eq!(find("/bad/0"), None);
        let long = json!({"text": format!("[1, \"{}\"]", "x".repeat(LONGEST_JSON))});
        assert_eq!(places(&["/text/0"]).find(&long), None);
    }

    #[test]
    fn what_is_no_pointer_is_refused() {
        for bad in ["taskId", "", "#/a"] {
            let error = Places::new("job", &Pointers(vec![bad.to_owned()])).unwrap_err();
            assert_eq!(error.path(), "job");
            assert!(error.problem().contains("JSON pointer"), "{error}");
        }
        assert!(places(&["/captcha", "location"]).or_location);
        assert!(Places::new("at", &Pointers(vec!["location".into()])).is_err());
        assert!(Places::new("at", &Pointers::default()).is_err());
    }

    #[test]
    fn words_are_equal_in_every_spelling() {
        let words = Words(vec!["Ready".into(), "0".into(), "true".into()]);
        for same in ["ready", "READY", "0", "0.0", "TRUE"] {
            assert!(words.has(same), "{same}");
        }
        for other in ["", "read", "1", "false"] {
            assert!(!words.has(other), "{other}");
        }
        assert_eq!(word(&json!(0.0)).as_deref(), Some("0"));
        assert_eq!(word(&json!(true)).as_deref(), Some("true"));
        assert_eq!(word(&json!([1])), None);
    }
}
