//! Amounts, ids and rectangles, as texts and as members of an answer.

use drag_solver::http::json;
use drag_solver::{JobId, Rect, Usd};
use serde_json::Value;

use super::promises::{error_is_sound, is_printable};

/// What is read is written and read again without a change; what is not read says so in bounds.
pub fn vocabulary(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Ok(amount) = text.parse::<Usd>() {
        assert_eq!(amount.to_string().parse(), Ok(amount), "{text}");
        let json = serde_json::to_string(&amount).expect("an amount serialises");
        assert_eq!(
            serde_json::from_str::<Usd>(&json).ok(),
            Some(amount),
            "{json}"
        );
        assert_eq!(amount + Usd::ZERO, amount);
        let _ = (amount * u32::MAX) + amount - Usd::MAX; // saturates
    }
    match text.parse::<Rect>() {
        Ok(rect) => assert_eq!(rect.to_string().parse::<Rect>().ok(), Some(rect)),
        Err(error) => error_is_sound(&error),
    }
    match JobId::new(text.as_ref()) {
        Ok(id) => {
            is_printable(id.as_str());
            assert_eq!(
                json::job_id(Some(&Value::from(id.as_str()))),
                some_but_zero(&id)
            );
        }
        Err(error) => is_printable(&error.to_string()),
    }
    if let Ok(value) = serde_json::from_slice::<Value>(data) {
        member(&value);
    }
}

/// `0` stands for "no job".
fn some_but_zero(id: &JobId) -> Option<JobId> {
    (id.as_str() != "0").then(|| id.clone())
}

fn member(value: &Value) {
    let value = Some(value);
    if let Some(id) = json::job_id(value) {
        let sent = json::job_id_value(&id);
        assert_eq!(json::job_id(Some(&sent)), Some(id), "{sent}");
    }
    if let Some(number) = json::number(value) {
        assert!(number.is_finite(), "{value:?}");
    }
    if let Some(amount) = json::usd(value) {
        assert_eq!(json::usd(Some(&amount.to_string().into())), Some(amount));
    }
    let _ = (json::flag(value), json::text(value));
}
