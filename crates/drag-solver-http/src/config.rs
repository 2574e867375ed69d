//! Settings that cannot be used.

use drag_solver_core::text::printable;
use secrecy::SecretString;

/// Longest token accepted, in bytes. Known ones are 32 to 64.
const MAX_TOKEN: usize = 512;

/// A setting that cannot be used: which one, and what is wrong with it. Nothing was sent.
///
/// It never shows the value of a token. What it shows of other values, which come from files, is cut
/// and has no control characters.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{setting}: {problem}")]
pub struct ConfigError {
    setting: String,
    problem: String,
}

impl ConfigError {
    /// The setting called `setting` has this `problem`.
    pub fn new(setting: impl Into<String>, problem: impl Into<String>) -> Self {
        Self {
            setting: printable(&setting.into()),
            problem: printable(&problem.into()),
        }
    }

    /// The same problem, told of another setting: the environment variable it was read from, say.
    #[must_use]
    pub fn of_setting(mut self, setting: impl Into<String>) -> Self {
        self.setting = printable(&setting.into());
        self
    }

    /// The setting, as its user knows it.
    #[must_use]
    pub fn setting(&self) -> &str {
        &self.setting
    }

    /// What is wrong with it, and what to do.
    #[must_use]
    pub fn problem(&self) -> &str {
        &self.problem
    }
}

/// Takes a token as a user wrote it: surrounding white space (a file's last line break) is removed,
/// and what cannot be a token is refused without being shown.
///
/// # Errors
///
/// A [`ConfigError`] on the setting `setting`.
pub fn check_token(setting: &str, token: &str) -> Result<SecretString, ConfigError> {
    let token = token.trim();
    let problem = if token.is_empty() {
        "is empty: set it to the token of your account"
    } else if token.len() > MAX_TOKEN {
        "is longer than 512 bytes: is it the right file or variable?"
    } else if !token.bytes().all(|b| b.is_ascii_graphic()) {
        "has white space or characters that are not ASCII inside: copy it again"
    } else {
        return Ok(token.to_owned().into());
    };
    Err(ConfigError::new(setting, problem))
}

/// Takes a solver's name: 1 to 64 characters out of `a-z`, `0-9`, `-`, `_` and `.`.
///
/// # Errors
///
/// A [`ConfigError`] on the setting `name`.
pub fn check_name(name: &str) -> Result<(), ConfigError> {
    let is_fit = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.".contains(c);
    if (1..=64).contains(&name.len()) && name.chars().all(is_fit) {
        return Ok(());
    }
    Err(ConfigError::new(
        "name",
        format!("`{name}` is no name: use 1 to 64 of a-z, 0-9, `-`, `_` and `.`"),
    ))
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn a_token_loses_its_line_break_and_nothing_else() {
        let token = check_token("token", " Ab/+=9\r\n").unwrap();
        assert_eq!(token.expose_secret(), "Ab/+=9");
    }

    #[test]
    fn a_bad_token_is_refused_by_setting_and_never_shown() {
        for bad in [
            "",
            "  \n",
            "hunter2 hunter2",
            "hunter2\u{7}",
            "húnter2",
            &"hunter2".repeat(99),
        ] {
            let error = check_token("OMOCAPTCHA_API_TOKEN", bad).unwrap_err();
            assert_eq!(error.setting(), "OMOCAPTCHA_API_TOKEN");
            assert!(!format!("{error} {error:?}").contains("nter2"), "{error}");
        }
    }

    #[test]
    fn a_bad_value_cannot_forge_or_flood_a_log() {
        let error = check_name(&format!(
            "a\n2026 INFO solved\u{1b}[2J{}",
            "x".repeat(9_999)
        ));
        let text = error.unwrap_err().to_string();
        assert!(text.starts_with("name: `a 2026 INFO"), "{text}");
        assert!(!text.contains(char::is_control), "{text}");
        assert!(text.chars().count() < 600, "{}", text.len());
    }

    #[test]
    fn names_are_short_and_lower_case() {
        for good in ["omocaptcha", "omocaptcha-backup", "2captcha", "a.b_c"] {
            assert_eq!(check_name(good), Ok(()));
        }
        for bad in ["", "Omo", "a b", "é", &"a".repeat(65)] {
            assert_eq!(check_name(bad).unwrap_err().setting(), "name", "{bad}");
        }
    }
}
