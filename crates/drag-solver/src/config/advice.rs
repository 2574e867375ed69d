//! What was probably meant.

use drag_solver_declared::nearest;

use super::provider::ChainKeys;
use super::reader::setting_names;
use crate::ConfigError;

/// There is no setting called `key`.
pub(super) fn unknown_key(key: &str, known: &[&str]) -> ConfigError {
    ConfigError::unknown_key(key, advice(key, known))
}

/// A value that is none of those there are.
pub(super) fn not_one_of(value: &str, known: &[&str]) -> ConfigError {
    ConfigError::of_whole(format!("there is no `{value}`: {}", advice(value, known)))
}

/// Names what was probably meant, or else all there is.
fn advice(wrong: &str, known: &[&str]) -> String {
    if let Some(near) = nearest(wrong, known.iter().copied()).or_else(|| token(wrong, known)) {
        return format!("did you mean `{near}`?");
    }
    // Providers of a program's own may have none.
    if wrong == TOKEN && !known.contains(&"price") {
        return "it belongs to a provider: write it right below [[providers]], above any heading in [ ] of \
                its policies"
            .to_owned();
    }
    if known.contains(&"providers") && setting_names::<ChainKeys>().iter().any(|own| own == wrong) {
        return "it belongs to a provider: write it below [[providers]]".to_owned();
    }
    let mut known: Vec<String> = known.iter().map(|key| format!("`{key}`")).collect();
    known.sort_unstable();
    known.dedup();
    match known.as_slice() {
        [] => "there is nothing to be set".to_owned(),
        [only] => format!("there is only {only}"),
        _ => format!("there are {}", known.join(", ")),
    }
}

const TOKEN: &str = "token";

/// What providers call their token in words of their own.
fn token<'a>(wrong: &str, known: &[&'a str]) -> Option<&'a str> {
    let wrong = wrong.to_lowercase();
    let is_token = ["token", "key", "secret"]
        .iter()
        .any(|word| wrong.contains(word));
    known.iter().copied().find(|&key| is_token && key == TOKEN)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unknown(key: &str) -> String {
        unknown_key(key, &["max_attempts", "base_backoff", "name"]).to_string()
    }

    #[test]
    fn a_slip_of_the_hand_is_set_right() {
        for slip in [
            "max_atempts",
            "maxattempts",
            "max-attempts",
            "Max_Attempts",
            "max_attempt",
        ] {
            let error = unknown(slip);
            assert!(error.ends_with("did you mean `max_attempts`?"), "{error}");
        }
        assert!(unknown("nmae").ends_with("did you mean `name`?"));
    }

    #[test]
    fn a_wild_guess_is_told_what_there_is() {
        assert_eq!(
            unknown("colour"),
            "unknown key `colour`: there are `base_backoff`, `max_attempts`, `name`"
        );
        let only = unknown_key("a\u{1b}b", &["c"]).in_key("first");
        assert_eq!(
            only.to_string(),
            "unknown key `a b` in first: there is only `c`"
        );
        let none = not_one_of("x", &[]);
        assert_eq!(
            none.to_string(),
            "there is no `x`: there is nothing to be set"
        );
    }

    #[test]
    fn a_policy_at_the_top_of_a_chain_is_told_where_it_belongs() {
        for key in ["retry", "timeout", "circuit_breaker"] {
            assert_eq!(
                unknown_key(key, &["providers", "deadline"]).to_string(),
                format!(
                    "unknown key `{key}`: it belongs to a provider: write it below [[providers]]"
                )
            );
        }
        assert!(unknown("retry").contains("there are"));
    }

    #[test]
    fn a_token_is_found_under_any_of_its_names() {
        for name in [
            "api_key",
            "apikey",
            "client_key",
            "api_token",
            "apiKey",
            "secret",
        ] {
            let error = unknown_key(name, &["name", "token", "price"]).to_string();
            assert!(error.ends_with("did you mean `token`?"), "{error}");
        }
        assert!(unknown("api_key").contains("there are"));
    }

    #[test]
    fn a_token_in_another_table_is_told_where_it_belongs() {
        let error = unknown("token");
        assert!(error.contains("right below [[providers]]"), "{error}");
    }
}
