//! Where a request is addressed to.

use drag_solver_core::Verdict;

use crate::{Operation, Protocol};

/// Where a request is addressed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Route {
    pub(super) protocol: Protocol,
    pub(super) operation: Operation,
    /// What a report says.
    pub(super) verdict: Option<Verdict>,
    /// The path is no protocol's own: the type of the task says whose words it is in.
    pub(super) is_shared: bool,
}

const TASKS: &[(&str, Operation)] = &[
    ("createTask", Operation::Create),
    ("getTaskResult", Operation::Poll),
    ("getBalance", Operation::Balance),
];

const JOBS: &[(&str, Operation)] = &[
    ("createJob", Operation::Create),
    ("getJobResult", Operation::Poll),
    ("getBalance", Operation::Balance),
    ("getService", Operation::Services),
];

/// What `res.php` is asked for is in its parameters.
const PHP: &[(&str, Operation)] = &[
    ("in.php", Operation::Create),
    ("res.php", Operation::Unknown),
];

/// Every method that reports an answer, whose it is, and what it says.
const REPORTS: &[(&str, Option<Protocol>, Verdict)] = &[
    (
        "reportCorrect",
        Some(Protocol::TwoCaptcha),
        Verdict::Correct,
    ),
    (
        "reportIncorrect",
        Some(Protocol::TwoCaptcha),
        Verdict::Incorrect,
    ),
    (
        "reportIncorrectImageCaptcha",
        Some(Protocol::AntiCaptcha),
        Verdict::Incorrect,
    ),
    // For answers of other kinds; some programs send them for every answer.
    ("reportCorrectRecaptcha", None, Verdict::Correct),
    ("reportIncorrectRecaptcha", None, Verdict::Incorrect),
];

impl Route {
    /// At the root and below the prefixes, with any number of slashes between.
    pub(super) fn find(path: &str) -> Self {
        let segments = path.split('/').filter(|segment| !segment.is_empty());
        let segments: Vec<&str> = segments.take(4).collect();
        let (prefix, rest) = match segments.as_slice() {
            ["2captcha", rest @ ..] => (Some(Protocol::TwoCaptcha), rest),
            ["anticaptcha", rest @ ..] => (Some(Protocol::AntiCaptcha), rest),
            ["omocaptcha", rest @ ..] => (Some(Protocol::OmocaptchaV2), rest),
            rest => (None, rest),
        };
        let (protocol, method) = match rest {
            ["api", method] => (Some(Protocol::OmocaptchaV1), *method),
            ["v2", method] => (Some(Protocol::OmocaptchaV2), *method),
            [.., method] if method.strip_suffix(".php").is_some() => {
                (Some(Protocol::InPhp), *method)
            }
            [method] => (prefix, *method),
            _ => (prefix, ""),
        };
        Self {
            is_shared: protocol.is_none(),
            ..Self::of(protocol.unwrap_or(Protocol::TwoCaptcha), method, |_| true)
        }
    }

    /// Under the path of each protocol, and the methods that it documents; `None` for a path of none.
    pub(super) fn documented(path: &str) -> Option<Self> {
        Protocol::ALL.iter().find_map(|&protocol| {
            let method = path.strip_prefix(protocol.path())?.strip_prefix('/')?;
            let is_its_own = |whose| whose == Some(protocol);
            let route = Self::of(protocol, method, is_its_own);
            let is_php = PHP.iter().any(|(name, _)| *name == method);
            (protocol != Protocol::InPhp || is_php).then_some(route)
        })
    }

    fn of(protocol: Protocol, method: &str, takes: impl Fn(Option<Protocol>) -> bool) -> Self {
        let methods = match protocol {
            Protocol::OmocaptchaV1 => JOBS,
            Protocol::InPhp => PHP,
            _ => TASKS,
        };
        let known = methods.iter().find(|(name, _)| *name == method);
        let has_reports = methods == TASKS;
        let mut reports = REPORTS
            .iter()
            .filter(|(_, whose, _)| has_reports && takes(*whose));
        let verdict = reports.find(|(name, ..)| *name == method).map(|it| it.2);
        let operation = match (known, verdict) {
            (Some((_, operation)), _) => *operation,
            (None, Some(_)) => Operation::Report,
            (None, None) => Operation::Unknown,
        };
        Self {
            protocol,
            operation,
            verdict,
            is_shared: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use Protocol::{AntiCaptcha, InPhp, OmocaptchaV1, OmocaptchaV2, TwoCaptcha};

    use super::*;

    #[test]
    fn every_documented_method_is_found_under_its_own_path_alone() {
        let cases = [
            ("/api/createJob", OmocaptchaV1, Operation::Create),
            ("/api/getJobResult", OmocaptchaV1, Operation::Poll),
            ("/api/getService", OmocaptchaV1, Operation::Services),
            ("/api/createTask", OmocaptchaV1, Operation::Unknown),
            ("/api/reportCorrect", OmocaptchaV1, Operation::Unknown),
            ("/v2/createTask", OmocaptchaV2, Operation::Create),
            ("/v2/reportCorrect", OmocaptchaV2, Operation::Unknown),
            ("/2captcha/reportCorrect", TwoCaptcha, Operation::Report),
            ("/2captcha/getBalance", TwoCaptcha, Operation::Balance),
            ("/2captcha/in.php", TwoCaptcha, Operation::Unknown),
            ("/anticaptcha/getTaskResult", AntiCaptcha, Operation::Poll),
            (
                "/anticaptcha/reportCorrect",
                AntiCaptcha,
                Operation::Unknown,
            ),
            ("/in.php", InPhp, Operation::Create),
        ];
        for (path, protocol, operation) in cases {
            let route = Route::documented(path).unwrap();
            assert_eq!(
                (route.protocol, route.operation),
                (protocol, operation),
                "{path}"
            );
        }
        for path in [
            "/createTask",
            "/apiary/createJob",
            "//in.php",
            "/other.php",
            "",
            "/",
        ] {
            assert_eq!(Route::documented(path), None, "{path}");
        }
    }

    #[test]
    fn at_one_root_every_client_finds_its_protocol() {
        let cases = [
            ("/createTask", TwoCaptcha, Operation::Create, true),
            ("//createTask", TwoCaptcha, Operation::Create, true),
            ("/getTaskResult/", TwoCaptcha, Operation::Poll, true),
            ("/getBalance", TwoCaptcha, Operation::Balance, true),
            ("/2captcha/createTask", TwoCaptcha, Operation::Create, false),
            (
                "/anticaptcha//createTask",
                AntiCaptcha,
                Operation::Create,
                false,
            ),
            (
                "/anticaptcha/reportCorrect",
                AntiCaptcha,
                Operation::Report,
                false,
            ),
            ("/api/createJob", OmocaptchaV1, Operation::Create, false),
            (
                "//api//getService",
                OmocaptchaV1,
                Operation::Services,
                false,
            ),
            (
                "/omocaptcha/api/getJobResult",
                OmocaptchaV1,
                Operation::Poll,
                false,
            ),
            ("/v2/createTask", OmocaptchaV2, Operation::Create, false),
            (
                "/omocaptcha/v2/getBalance",
                OmocaptchaV2,
                Operation::Balance,
                false,
            ),
            ("/in.php", InPhp, Operation::Create, false),
            ("//in.php", InPhp, Operation::Create, false),
            ("/2captcha/in.php", InPhp, Operation::Create, false),
            ("/other.php", InPhp, Operation::Unknown, false),
            ("/captcha", TwoCaptcha, Operation::Unknown, true),
            ("/api/other", OmocaptchaV1, Operation::Unknown, false),
            (
                "/a/b/c/d/e/createTask",
                TwoCaptcha,
                Operation::Unknown,
                true,
            ),
            ("/", TwoCaptcha, Operation::Unknown, true),
        ];
        for (path, protocol, operation, is_shared) in cases {
            let route = Route::find(path);
            let found = (route.protocol, route.operation, route.is_shared);
            assert_eq!(found, (protocol, operation, is_shared), "{path}");
        }
    }

    #[test]
    fn every_report_says_its_verdict() {
        for (name, _, verdict) in REPORTS {
            let route = Route::find(&format!("/{name}"));
            assert_eq!(
                (route.operation, route.verdict),
                (Operation::Report, Some(*verdict))
            );
        }
    }
}
