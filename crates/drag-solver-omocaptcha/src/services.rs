//! The list of services and their prices (v1).

use drag_solver_core::Usd;
use drag_solver_http::{ApiResponse, ResponseError, json};
use serde_json::Value;

use crate::v1::accepted;

/// One service on offer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Service {
    /// The job type to order it by, as in `24`.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// More words on it.
    pub description: Option<String>,
    /// US dollars a job.
    #[cfg_attr(feature = "serde", serde(rename = "price_usd"))]
    pub price: Option<Usd>,
    /// Share of jobs solved, as the provider words it (`98%`).
    pub average_success: Option<String>,
    /// Time a job takes, as the provider words it (`15s`).
    pub average_time: Option<String>,
    /// Whether it can be ordered now, if the provider says.
    pub is_active: Option<bool>,
}

/// Reads the response to `getService`. An entry without an id or a name is left out.
pub(crate) fn parse(response: &ApiResponse) -> Result<Vec<Service>, ResponseError> {
    let members = accepted(response)?;
    match members.get("service") {
        Some(Value::Array(entries)) => Ok(entries.iter().filter_map(service).collect()),
        _ => Err(response.missing_field("service")),
    }
}

fn service(entry: &Value) -> Option<Service> {
    let text = |member: &str| json::text(entry.get(member));
    Some(Service {
        id: text("id")?,
        name: text("name")?,
        description: text("description"),
        price: json::usd(entry.get("price")),
        average_success: text("avg_success"),
        average_time: text("avg_time"),
        is_active: json::flag(entry.get("is_active")),
    })
}
