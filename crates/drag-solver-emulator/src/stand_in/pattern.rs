//! Which requests are which operation.

use bytes::Bytes;

use crate::{Pairs, Request};

/// A method, a path in which `*` stands for any one segment, and pairs that the query must have.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    method: String,
    segments: Vec<String>,
    query: Pairs,
}

impl Pattern {
    /// Reads `GET /jobs/*?wait=1`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        match text.split_once(' ') {
            Some((method, target)) if target.starts_with('/') && !target.contains(' ') => {
                let request = Request::new("", target, Vec::new(), Bytes::new());
                Ok(Self {
                    method: method.to_owned(),
                    segments: request.segments(),
                    query: request.query(),
                })
            }
            _ => Err(format!(
                "operation: `{text}` is no method and path, as in `GET /jobs/*`"
            )),
        }
    }

    pub(super) fn matches(&self, request: &Request) -> bool {
        let segments = request.segments();
        let mut both = self.segments.iter().zip(&segments);
        let query = request.query();
        request.method() == self.method
            && segments.len() == self.segments.len()
            && both.all(|(known, segment)| known == "*" || known == segment)
            && self.query.iter().all(|pair| query.contains(pair))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_matches_method_segments_and_query() {
        let cases = [
            ("POST /jobs", "POST /jobs", true),
            ("POST /jobs", "POST /jobs?key=x", true),
            ("POST /jobs", "GET /jobs", false),
            ("POST /jobs", "POST /jobs/7", false),
            ("GET /jobs/*", "GET /jobs/7", true),
            ("GET /jobs/*", "GET /jobs", false),
            ("GET /jobs/*/result", "GET /jobs/a%2Fb/result", true),
            (
                "GET /res.php?action=get",
                "GET /res.php?id=7&action=get",
                true,
            ),
            (
                "GET /res.php?action=get",
                "GET /res.php?action=getbalance",
                false,
            ),
            ("GET /", "GET /", true),
        ];
        for (pattern, request, expected) in cases {
            let (method, target) = request.split_once(' ').unwrap();
            let request = Request::new(method, target, Vec::new(), Bytes::new());
            let pattern = Pattern::parse(pattern).unwrap();
            assert_eq!(
                pattern.matches(&request),
                expected,
                "{pattern:?} {request:?}"
            );
        }
        for bad in ["", "/jobs", "POST", "POST jobs", "POST /a b"] {
            assert!(Pattern::parse(bad).is_err(), "{bad}");
        }
    }
}
