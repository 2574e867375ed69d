//! One request, compiled.

use drag_solver_core::{ConfigError, ErrorKind, Screenshot, SolveError};
use drag_solver_http::ApiRequest;
use drag_solver_http::reqwest::header::{HeaderName, HeaderValue};
use serde_json::{Map, Value};

use crate::definition::{Call, Method};
use crate::template::{Fill, Place, Scope, Template, Text};

/// One request, compiled.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// What it is called in errors and logs: its path, as it was written.
    label: String,
    pub(crate) method: Method,
    /// What stands in front of the first placeholder, in whole segments.
    pub(crate) path: String,
    pub(crate) segments: Vec<Text>,
    pub(crate) query: Vec<(String, Text)>,
    pub(crate) headers: Vec<(String, Text)>,
    pub(crate) body: Option<Body>,
}

/// Headers that follow from the body and the connection. A second one breaks the request.
const OTHERS_HEADERS: &[&str] = &[
    "connection",
    "content-length",
    "content-type",
    "expect",
    "host",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

#[derive(Clone, Debug)]
pub(crate) enum Body {
    Json(Template),
    Form(Template),
    Multipart(Template),
}

impl Body {
    fn template(&self) -> &Template {
        match self {
            Self::Json(template) | Self::Form(template) | Self::Multipart(template) => template,
        }
    }
}

impl Request {
    /// Compiles the requests that `call` is. `scope.place` is set for each of its parts.
    pub(crate) fn compile(call: &Call, scope: Scope<'_>) -> Result<Self, ConfigError> {
        let Some(path) = call.path.as_deref() else {
            return Err(ConfigError::new(
                "path",
                "must be set, as in \"createTask\"",
            ));
        };
        let (path, segments) = compile_path(path, scope).map_err(|error| error.in_key("path"))?;
        let texts = |place, texts: &std::collections::BTreeMap<String, String>| {
            let scope = Scope { place, ..scope };
            let compile = |(name, text): (&String, &String)| {
                let text = Text::compile(text, scope).map_err(|error| error.in_key(name));
                Ok((name.clone(), text?))
            };
            texts
                .iter()
                .map(compile)
                .collect::<Result<Vec<_>, ConfigError>>()
        };
        let query = texts(Place::Query, &call.query).map_err(|error| error.in_key("query"))?;
        let headers =
            texts(Place::Header, &call.headers).map_err(|error| error.in_key("headers"))?;
        for (name, text) in &headers {
            if OTHERS_HEADERS
                .iter()
                .any(|other| name.eq_ignore_ascii_case(other))
            {
                let problem = "is set by what sends the request";
                return Err(ConfigError::new(name, problem).in_key("headers"));
            }
            let is_fit = HeaderName::try_from(name).is_ok()
                && HeaderValue::try_from(text.fill(&Fill::Preview)).is_ok();
            if !is_fit {
                let problem = "has characters that no header can have";
                return Err(ConfigError::new(name, problem).in_key("headers"));
            }
        }
        let body = compile_body(call, scope)?;
        let method = match (call.method, &body) {
            (Some(Method::Get), Some(_)) => {
                let problem = "cannot be GET where there is a body: write `query` instead of it";
                return Err(ConfigError::new("method", problem));
            }
            (Some(method), _) => method,
            (None, Some(_)) => Method::Post,
            (None, None) => Method::Get,
        };
        Ok(Self {
            label: call.path.clone().unwrap_or_default(),
            method,
            path,
            segments,
            query,
            headers,
            body,
        })
    }

    /// How often the picture stands in its body.
    pub(crate) fn pictures(&self) -> usize {
        self.body
            .as_ref()
            .map_or(0, |body| body.template().pictures())
    }

    /// Whether a key stands anywhere in it.
    pub(crate) fn is_secret(&self) -> bool {
        let texts = self.query.iter().chain(&self.headers);
        let is_body = || {
            self.body
                .as_ref()
                .is_some_and(|body| body.template().is_secret())
        };
        texts.map(|(_, text)| text).any(Text::is_secret) || is_body()
    }

    /// Whether the job stands anywhere in it.
    pub(crate) fn has_job(&self) -> bool {
        let texts = self.query.iter().chain(&self.headers);
        let mut texts = texts.map(|(_, text)| text).chain(&self.segments);
        let body = self.body.as_ref();
        texts.any(Text::has_job) || body.is_some_and(|body| body.template().has_job())
    }

    /// Whether it can ask for a call when the job has ended.
    pub(crate) fn has_callback(&self) -> bool {
        let body = self.body.as_ref();
        let mut query = self.query.iter();
        query.any(|(_, text)| text.has_callback())
            || body.is_some_and(|body| body.template().has_callback())
    }

    /// The request. With a picture, there is a place for it.
    pub(crate) fn make(
        &self,
        fill: &Fill<'_>,
        picture: Option<&Screenshot>,
    ) -> Result<ApiRequest, SolveError> {
        let path = self.path.clone();
        let request = match (&self.body, picture) {
            (None, _) if self.method == Method::Get => ApiRequest::get(path),
            (None, _) => ApiRequest::form(path, &Value::Null),
            (Some(Body::Json(body)), Some(picture)) => {
                ApiRequest::json_with_picture(path, &body.fill(fill), picture)?
            }
            (Some(Body::Json(body)), None) => ApiRequest::json(path, &body.fill(fill)),
            (Some(Body::Form(body)), Some(picture)) => {
                ApiRequest::form_with_picture(path, &body.fill(fill), picture)?
            }
            (Some(Body::Form(body)), None) => ApiRequest::form(path, &body.fill(fill)),
            (Some(Body::Multipart(body)), Some(picture)) => {
                ApiRequest::multipart(path, &body.fill(fill), picture)?
            }
            (Some(Body::Multipart(_)), None) => {
                let problem = "parts without a picture: a mistake in its declaration";
                return Err(SolveError::new(ErrorKind::Unsupported, problem));
            }
        };
        let mut request = request.labelled(self.label.clone());
        for segment in &self.segments {
            request = request.segment(&segment.fill(fill));
        }
        let query = self.query.iter();
        for (name, text) in query.filter(|(_, text)| !text.is_left_out(fill)) {
            request = request.query(name.clone(), text.fill(fill));
        }
        for (name, text) in &self.headers {
            let value = text.fill(fill);
            request = if text.is_secret() {
                request.secret_header(name, &value.into())
            } else {
                request.header(name, &value)
            };
        }
        Ok(request)
    }

    /// Method and path, with `*` for segments that vary, and the fixed part of the query.
    #[cfg(feature = "testing")]
    pub(crate) fn pattern(&self) -> String {
        let method = match self.method {
            Method::Get => "GET",
            Method::Post => "POST",
        };
        let star = || "*".to_owned();
        let fixed = |text: &Text| text.is_fixed().then(|| text.fill(&Fill::Preview));
        let varying = self
            .segments
            .iter()
            .map(|text| fixed(text).unwrap_or_else(star));
        let fixed = self.path.split('/').map(str::to_owned);
        let path: Vec<_> = fixed
            .chain(varying)
            .filter(|part| !part.is_empty())
            .collect();
        let query = self.query.iter().filter(|(_, text)| text.is_fixed());
        let query: Vec<_> = query
            .map(|(name, text)| format!("{name}={}", text.fill(&Fill::Preview)))
            .collect();
        let sign = if query.is_empty() { "" } else { "?" };
        format!("{method} /{}{sign}{}", path.join("/"), query.join("&"))
    }

    /// The request in words, with names in place of secrets, picture and job.
    pub(crate) fn preview(&self, base_url: &str) -> String {
        let fill = &Fill::Preview;
        let method = match self.method {
            Method::Get => "GET",
            Method::Post => "POST",
        };
        let mut url = format!("{}/{}", base_url.trim_end_matches('/'), self.path);
        for segment in &self.segments {
            url = format!("{url}/{}", segment.fill(fill));
        }
        for (index, (name, text)) in self.query.iter().enumerate() {
            let sign = if index == 0 { '?' } else { '&' };
            url = format!("{url}{sign}{name}={}", text.fill(fill));
        }
        let mut shown = format!("{method} {url}");
        for (name, text) in &self.headers {
            shown = format!("{shown}\n{name}: {}", text.fill(fill));
        }
        match &self.body {
            None => shown,
            Some(Body::Json(body)) => format!("{shown}\n{:#}", body.fill(fill)),
            Some(Body::Form(body)) => format!("{shown}\nform {:#}", body.fill(fill)),
            Some(Body::Multipart(body)) => format!("{shown}\nmultipart {:#}", body.fill(fill)),
        }
    }
}

/// What is fixed at a path's beginning, and its segments from the first placeholder on.
fn compile_path(path: &str, scope: Scope<'_>) -> Result<(String, Vec<Text>), ConfigError> {
    if path.contains(['?', '#']) {
        let problem = "has a `?` or a `#`: write what follows it as `query`";
        return Err(ConfigError::of_whole(problem));
    }
    let scope = Scope {
        place: Place::Path,
        ..scope
    };
    // Logs and errors call the request by it.
    if path.contains(char::is_control) {
        return Err(ConfigError::of_whole(
            "has characters that no path can have",
        ));
    }
    let mut fixed = Vec::new();
    let mut segments = Vec::new();
    let path = path.trim_matches('/');
    for part in path.split('/') {
        if !path.is_empty() && matches!(part, "" | "." | "..") {
            return Err(ConfigError::of_whole(
                "has a part that is empty, `.` or `..`",
            ));
        }
        let text = Text::compile(part, scope)?;
        if segments.is_empty() && text.is_fixed() {
            fixed.push(text.fill(&Fill::Preview));
        } else {
            segments.push(text);
        }
    }
    Ok((fixed.join("/"), segments))
}

fn compile_body(call: &Call, scope: Scope<'_>) -> Result<Option<Body>, ConfigError> {
    let in_place = |place| Scope { place, ..scope };
    let table = |members: &Map<String, Value>, key, place| {
        let template = Template::table(members, in_place(place));
        let checked = template.and_then(|template| template.check_form().map(|()| template));
        checked.map_err(|error: ConfigError| error.in_key(key))
    };
    match (&call.json, &call.form, &call.multipart) {
        (None, None, None) => Ok(None),
        (Some(json), None, None) => {
            let template = Template::compile(json, in_place(Place::Json));
            let template = template.map_err(|error| error.in_key("json"))?;
            Ok(Some(Body::Json(template)))
        }
        (None, Some(form), None) => table(form, "form", Place::Form).map(Body::Form).map(Some),
        (None, None, Some(_)) if !scope.is_create => {
            let problem = "can only stand in create: write `form`";
            Err(ConfigError::new("multipart", problem))
        }
        (None, None, Some(parts)) => {
            let template = table(parts, "multipart", Place::Multipart)?;
            Ok(Some(Body::Multipart(template)))
        }
        _ => {
            let problem = "has two bodies: write only one of `json`, `form` and `multipart`";
            Err(ConfigError::of_whole(problem))
        }
    }
}
