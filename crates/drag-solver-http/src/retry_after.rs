//! The `Retry-After` header (RFC 9110, 10.2.3).

use std::time::{Duration, SystemTime};

/// How long `value` asks to wait from `now`: whole seconds, or a date. A date in the past and
/// anything else is no wait at all.
pub(crate) fn parse(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) {
        return value.parse().ok().map(Duration::from_secs);
    }
    let date = httpdate::parse_http_date(value).ok()?;
    date.duration_since(now).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_dates_and_rubbish() {
        let now = httpdate::parse_http_date("Wed, 21 Oct 2026 07:28:00 GMT").unwrap();
        let seconds = |n| Some(Duration::from_secs(n));
        for (value, wait) in [
            ("0", seconds(0)),
            (" 120 ", seconds(120)),
            ("18446744073709551615", seconds(u64::MAX)),
            ("Wed, 21 Oct 2026 07:29:30 GMT", seconds(90)),
            ("Wednesday, 21-Oct-26 07:29:30 GMT", seconds(90)),
            ("Wed, 21 Oct 2026 07:27:59 GMT", None),
            ("18446744073709551616", None),
            ("-5", None),
            ("+5", None),
            ("1.5", None),
            ("", None),
            ("soon", None),
            ("Wed, 99 Oct 2026 07:29:30 GMT", None),
        ] {
            assert_eq!(parse(value, now), wait, "{value:?}");
        }
    }
}
