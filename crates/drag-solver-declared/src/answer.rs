//! Where an answer is, compiled.

use std::collections::BTreeMap;

use drag_solver_core::{ConfigError, Point, Usd};
use drag_solver_http::{self as http, Found, json, points};
use serde_json::Value;

use crate::definition::{Answer, Cost, Money, Unit};
use crate::pointer::Places;
use crate::template::{Fill, Place, Scope, Template};

/// Where an answer is, in which form and unit, and what it cost.
#[derive(Clone, Debug)]
pub(crate) struct AnswerReader {
    pub(crate) form: Form,
    pub(crate) unit: http::Unit,
    cost: Option<(Places, Money)>,
}

#[derive(Clone, Debug)]
pub(crate) enum Form {
    Both(Places),
    Each(Places, Places),
    Distance(Places, Point),
    EndX(Places, Point),
    End(Places, Point),
}

impl AnswerReader {
    pub(crate) fn compile(
        answer: &Answer,
        cost: Option<&Cost>,
        settings: &BTreeMap<String, Value>,
    ) -> Result<Self, ConfigError> {
        let in_answer = |error: ConfigError| error.in_key("answer");
        let form = form(answer, settings).map_err(in_answer)?;
        let unit = unit(answer.unit.as_ref(), settings).map_err(in_answer)?;
        let cost = cost.map(|cost| {
            let at = Places::new("at", &cost.at.clone().unwrap_or_default())?;
            Ok((at, cost.unit.unwrap_or(Money::Usd)))
        });
        let cost = cost.transpose();
        Ok(Self {
            form,
            unit,
            cost: cost.map_err(|error: ConfigError| error.in_key("cost"))?,
        })
    }

    /// Whether there is something where the answer should be: an empty list says that there is nothing yet.
    pub(crate) fn is_there(&self, root: &Value) -> bool {
        self.place().find(root).is_some_and(|value| match &*value {
            Value::String(text) => !text.trim().is_empty(),
            Value::Array(items) => !items.is_empty(),
            Value::Object(members) => !members.is_empty(),
            Value::Number(_) => matches!(self.form, Form::Distance(..) | Form::EndX(..)),
            Value::Bool(_) | Value::Null => false,
        })
    }

    /// The start, if it is known before.
    pub(crate) fn known_start(&self) -> Option<Point> {
        match &self.form {
            Form::Both(_) | Form::Each(..) => None,
            Form::Distance(_, start) | Form::EndX(_, start) | Form::End(_, start) => Some(*start),
        }
    }

    /// For messages: where it should be.
    pub(crate) fn place(&self) -> &Places {
        match &self.form {
            Form::Both(at)
            | Form::Each(_, at)
            | Form::Distance(at, _)
            | Form::EndX(at, _)
            | Form::End(at, _) => at,
        }
    }

    pub(crate) fn read(&self, root: &Value) -> http::Answer {
        let found = self.found(root);
        let answer = http::Answer::of(found).with_unit(self.unit);
        answer.with_cost(self.cost(root))
    }

    fn found(&self, root: &Value) -> Result<Found, String> {
        let missing =
            |places: &Places, what| format!("the answer has no {what} at `{}`", places.first());
        let point = |places: &Places| {
            let found = places.find(root);
            points::point(found.as_deref()).ok_or_else(|| missing(places, "point"))
        };
        let number = |places: &Places| {
            let found = places.find(root);
            json::number(found.as_deref()).ok_or_else(|| missing(places, "number"))
        };
        Ok(match &self.form {
            Form::Both(at) => Found::Drag(points::drag(at.find(root).as_deref())?),
            Form::Each(start, end) => {
                Found::Drag(drag_solver_core::Drag::new(point(start)?, point(end)?))
            }
            Form::Distance(at, start) => Found::Distance {
                start: *start,
                distance: number(at)?,
            },
            Form::EndX(at, start) => Found::End {
                start: *start,
                x: number(at)?,
                y: None,
            },
            Form::End(at, start) => {
                let end = point(at)?;
                Found::End {
                    start: *start,
                    x: end.x,
                    y: Some(end.y),
                }
            }
        })
    }

    fn cost(&self, root: &Value) -> Option<Usd> {
        let (at, money) = self.cost.as_ref()?;
        let found = at.find(root);
        match money {
            Money::Usd => json::usd(found.as_deref()),
            Money::Cents => {
                let cents = json::number(found.as_deref())?;
                format!("{:.9}", cents / 100.0).parse().ok()
            }
        }
    }
}

fn form(answer: &Answer, settings: &BTreeMap<String, Value>) -> Result<Form, ConfigError> {
    let refuse = |problem: &str| Err(ConfigError::of_whole(problem));
    let forms = [
        answer.at.is_some(),
        answer.end.is_some() || answer.start.is_some(),
        answer.distance.is_some(),
        answer.end_x.is_some(),
    ];
    if forms.iter().filter(|is_there| **is_there).count() != 1 {
        return refuse(
            "must have exactly one form: `at` (both points), `start` and `end`, or, with a start \
             that is known (`from`), `end`, `end_x` or `distance`",
        );
    }
    let places = |key, pointers: &Option<_>| Places::optional(key, pointers.as_ref());
    let from = from(answer.from.as_ref(), settings).map_err(|error| error.in_key("from"))?;
    let known = from.ok_or_else(|| {
        ConfigError::new("from", "must be set: the start, in pixels, as in [83, 560]")
    });
    let form = match (
        places("at", &answer.at)?,
        places("start", &answer.start)?,
        places("end", &answer.end)?,
        places("distance", &answer.distance)?,
        places("end_x", &answer.end_x)?,
    ) {
        (Some(at), ..) => Form::Both(at),
        (_, Some(start), Some(end), ..) => Form::Each(start, end),
        (_, Some(_), None, ..) => {
            return Err(ConfigError::new("end", "must be set beside `start`"));
        }
        (_, None, Some(end), ..) => return Ok(Form::End(end, known?)),
        (.., Some(distance), _) => return Ok(Form::Distance(distance, known?)),
        (.., Some(end_x)) => return Ok(Form::EndX(end_x, known?)),
        _ => return refuse("must have a form"),
    };
    match from {
        Some(_) => Err(ConfigError::new(
            "from",
            "cannot stand beside a start in the answer",
        )),
        None => Ok(form),
    }
}

fn from(
    from: Option<&Value>,
    settings: &BTreeMap<String, Value>,
) -> Result<Option<Point>, ConfigError> {
    let Some(from) = from else { return Ok(None) };
    let from = with_settings(from, settings)?;
    match points::point(Some(&from)) {
        Some(point) if point.x < 0.0 || point.y < 0.0 => Err(ConfigError::of_whole(
            "is off every picture: it has a number below zero",
        )),
        Some(point) => Ok(Some(point)),
        None => Err(ConfigError::of_whole(
            "is no point: write pixels, as in [83, 560]",
        )),
    }
}

fn unit(
    unit: Option<&Unit>,
    settings: &BTreeMap<String, Value>,
) -> Result<http::Unit, ConfigError> {
    Ok(match unit {
        None | Some(Unit::Pixels) => http::Unit::Pixels,
        Some(Unit::Fraction) => http::Unit::Fraction,
        Some(Unit::Percent) => http::Unit::Percent,
        Some(Unit::ViewWidth(width)) => {
            let in_unit = |error: ConfigError| error.in_key("view_width").in_key("unit");
            let width = with_settings(width, settings).map_err(in_unit)?;
            let width = json::number(Some(&width)).filter(|width| *width >= 1.0);
            let refused = || {
                in_unit(ConfigError::of_whole(
                    "must be a number of pixels, at least 1",
                ))
            };
            http::Unit::ViewWidth(width.ok_or_else(refused)?)
        }
    })
}

/// A value in which settings may stand.
fn with_settings(value: &Value, settings: &BTreeMap<String, Value>) -> Result<Value, ConfigError> {
    let secrets = BTreeMap::new();
    let scope = Scope {
        place: Place::Path,
        is_create: false,
        has_job: false,
        settings,
        secrets: &secrets,
    };
    let template = Template::compile(value, scope)?;
    Ok(template.fill(&Fill::Preview))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_end_is_where_it_is_and_a_distance_is_counted_from_the_start() {
        let found = |answer: Value, said: Value| {
            let answer: Answer = serde_json::from_value(answer).unwrap();
            let reader = AnswerReader::compile(&answer, None, &BTreeMap::new()).unwrap();
            reader.read(&said).found.unwrap()
        };
        let start = Point::new(83.0, 560.0);
        let said = json!({"end": {"x": 150, "y": 70}});
        let from = |key: &str, at: &str| {
            let answer = json!({key: at, "from": [83, 560]});
            found(answer, said.clone())
        };
        assert_eq!(
            from("end_x", "/end/x"),
            Found::End {
                start,
                x: 150.0,
                y: None
            }
        );
        assert_eq!(
            from("end", "/end"),
            Found::End {
                start,
                x: 150.0,
                y: Some(70.0)
            }
        );
        let distance = 150.0;
        assert_eq!(
            from("distance", "/end/x"),
            Found::Distance { start, distance }
        );
    }
}
