//! Who is calling, and what is answered to those who may not.

use std::net::{IpAddr, SocketAddr};

use axum::Json;
use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use secrecy::SecretString;
use serde_json::json;

use super::Pages;
use crate::desk::{Refused, SeatId};

/// An operator, by a key in `Authorization: Bearer KEY`.
pub(super) struct Operator {
    pub(super) name: String,
    /// To be asked about again while a stream lasts.
    pub(super) key: SecretString,
    pub(super) from: Option<IpAddr>,
    /// The seat that the page says it has, in `Operator-Session`.
    seat: Option<SeatId>,
}

impl Operator {
    /// The seat of this operator's page.
    pub(super) fn seat(&self) -> Result<SeatId, Problem> {
        self.seat.ok_or(Problem::NoSeat)
    }

    pub(super) fn former_seat(&self) -> Option<SeatId> {
        self.seat
    }
}

impl FromRequestParts<Pages> for Operator {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, pages: &Pages) -> Result<Self, Problem> {
        let text = |name| parts.headers.get(name)?.to_str().ok();
        let key = text(header::AUTHORIZATION).and_then(bearer);
        let key = SecretString::from(key.ok_or(Problem::Unauthorized)?.to_owned());
        let session = header::HeaderName::from_static("operator-session");
        let seat = text(session).and_then(|seat| seat.parse().ok());
        let from = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let from: Option<IpAddr> = from.map(|from| from.0.ip());
        let name = pages.keys.operator(key.clone(), from).await;
        let name = name.ok_or(Problem::Unauthorized)?;
        Ok(Self {
            name,
            key,
            from,
            seat,
        })
    }
}

fn bearer(value: &str) -> Option<&str> {
    let (scheme, key) = value.split_once(' ')?;
    let key = key.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !key.is_empty()).then_some(key)
}

/// Why a call is refused.
#[derive(Clone, Debug)]
pub(super) enum Problem {
    Unauthorized,
    NoSeat,
    NotYours,
    TooLate,
    Full,
    NotFound,
    Invalid(String),
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::NoSeat => Self::NoSeat,
            Refused::NotYours => Self::NotYours,
            Refused::TooLate => Self::TooLate,
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, kind, message) = match self {
            Self::Unauthorized => (
                StatusCode::UNAUTHORIZED,
                "unauthorized",
                "send an operator's key: Authorization: Bearer KEY".to_owned(),
            ),
            Self::NoSeat => (
                StatusCode::NOT_FOUND,
                "gone",
                "this page has no seat here: ask for /operator/events again, and send its session as Operator-Session"
                    .to_owned(),
            ),
            Self::NotYours => (
                StatusCode::CONFLICT,
                "too_late",
                "this challenge is not on your screen any more".to_owned(),
            ),
            Self::TooLate => (
                StatusCode::CONFLICT,
                "too_late",
                "it counts already, and cannot be undone".to_owned(),
            ),
            Self::Full => (
                StatusCode::SERVICE_UNAVAILABLE,
                "full",
                "the service stops, or too many operators are here: try again".to_owned(),
            ),
            Self::NotFound => (
                StatusCode::NOT_FOUND,
                "not_found",
                "there is no such picture".to_owned(),
            ),
            Self::Invalid(why) => (StatusCode::UNPROCESSABLE_ENTITY, "invalid", why),
        };
        let body = json!({"error": {"kind": kind, "message": message}});
        let mut response = (status, Json(body)).into_response();
        super::private(response.headers_mut());
        response
    }
}
