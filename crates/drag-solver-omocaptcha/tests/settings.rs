//! Where the settings come from, and who is told when one cannot be used.

#![allow(clippy::unwrap_used)] // a failed `unwrap` is a failed test

use drag_solver_core::{ConfigError, DragSolver};
use drag_solver_http::{Context, HttpOptions, Provider, Secret};
use drag_solver_omocaptcha::{ApiVersion, Omocaptcha, OmocaptchaConfig, variables};

/// A variable that the test does not set is not set.
fn context(set: &'static [(&str, &str)]) -> Context {
    Context::with_variables(move |name| {
        let of_name = set.iter().find(|(known, _)| *known == name);
        of_name.map(|(_, value)| value.into())
    })
}

fn path(made: Result<Omocaptcha, ConfigError>) -> String {
    made.unwrap_err().path()
}

#[test]
fn the_environment_is_enough() {
    let set = &[(variables::API_TOKEN, "hunter2\n")];
    let v1 = Omocaptcha::from_variables(&context(set)).unwrap();
    assert_eq!(
        (v1.name(), v1.api_version()),
        ("omocaptcha", ApiVersion::V1)
    );
    let set = &[
        (variables::API_TOKEN, "hunter2"),
        (variables::API_VERSION, "v2"),
        (variables::BASE_URL, "http://127.0.0.1:1"),
        (variables::JOB_TYPE, "ZaloSliderPhoneTask"),
    ];
    let v2 = Omocaptcha::from_variables(&context(set)).unwrap();
    assert_eq!(v2.api_version(), ApiVersion::V2);
    let shown = format!("{v2:?}");
    assert!(shown.contains("http://127.0.0.1:1") && shown.contains("ZaloSlider"));
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[test]
fn errors_name_the_variable() {
    let from = |set| path(Omocaptcha::from_variables(&context(set)));
    assert_eq!(from(&[]), variables::API_TOKEN);
    assert_eq!(
        from(&[(variables::API_TOKEN, "two words")]),
        variables::API_TOKEN
    );
    for (name, bad) in [
        (variables::API_VERSION, "v3"),
        (variables::BASE_URL, "http://omocaptcha.com"),
        (variables::JOB_TYPE, "TiktokSliderPhoneTask"), // a job type of v2
        (variables::JOB_TYPE, "two words"),
    ] {
        let lookup = move |asked: &str| match asked {
            variables::API_TOKEN => Some("hunter2".into()),
            asked => (asked == name).then(|| bad.into()),
        };
        let made = Omocaptcha::from_variables(&Context::with_variables(lookup));
        assert_eq!(path(made), name, "{bad}");
    }
}

#[test]
fn what_a_file_says_goes_before_the_environment_and_errors_name_the_setting() {
    let of_v1 = || {
        context(&[
            (variables::API_TOKEN, "hunter2"),
            (variables::API_VERSION, "v1"),
            (variables::JOB_TYPE, "24"),
        ])
    };
    let from = |http, own: &str| {
        let own: OmocaptchaConfig = serde_json::from_str(own).unwrap();
        Omocaptcha::from_config(http, own, &of_v1())
    };
    let http = HttpOptions::default;
    let own = r#"{"api_version": "v2", "job_type": "ZaloSliderPhoneTask"}"#;
    let made = from(http(), own).unwrap();
    assert_eq!(made.api_version(), ApiVersion::V2);
    // The environment's job type is not one of the file's protocol.
    let made = from(http(), r#"{"api_version": "v2"}"#);
    assert_eq!(path(made), variables::JOB_TYPE);
    assert_eq!(path(from(http(), r#"{"job_type": "a b"}"#)), "job_type");
    assert_eq!(path(from(http().base_url("nowhere"), "{}")), "base_url");
    let elsewhere = http().token(Secret::env("NOWHERE"));
    assert_eq!(path(from(elsewhere, "{}")), "token");
    let made = Omocaptcha::from_config(http(), OmocaptchaConfig::default(), &context(&[]));
    let error = made.unwrap_err();
    assert_eq!(error.path(), "token");
    assert!(error.problem().contains(variables::API_TOKEN), "{error}");
}

#[test]
fn a_builder_refuses_what_it_cannot_use() {
    let builder = || Omocaptcha::builder().token("hunter2");
    assert_eq!(path(Omocaptcha::builder().build()), "token");
    assert_eq!(path(builder().job_type("").build()), "job_type");
    assert_eq!(path(builder().name("No Name").build()), "name");
    let v2 = builder().api_version(ApiVersion::V2);
    assert_eq!(path(v2.job_type("24").build()), "job_type");
    assert!(!format!("{:?}", builder()).contains("hunter2"));
}
