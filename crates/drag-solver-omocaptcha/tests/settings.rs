//! Where the settings come from, and who is told when one cannot be used.

#![allow(clippy::unwrap_used)] // a failed `unwrap` is a failed test

use std::num::NonZeroU32;

use drag_solver_core::{ConfigError, DragSolver, Point};
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

#[test]
fn a_slider_on_a_web_page_needs_its_view_and_its_start() {
    let (width, start) = (NonZeroU32::new(340).unwrap(), Point::new(83.0, 560.0));
    let builder = |version, job_type: &str| {
        let builder = Omocaptcha::builder().token("hunter2");
        builder.api_version(version).job_type(job_type)
    };
    for (version, job_type) in [
        (ApiVersion::V1, "21"),
        (ApiVersion::V2, "TiktokSliderWebTask"),
        (ApiVersion::V2, "SliderAllWebTask"),
    ] {
        let builder = || builder(version, job_type);
        let error = builder().start(start).build().unwrap_err();
        assert_eq!(error.path(), "view_width", "{job_type}");
        assert!(error.problem().contains(variables::VIEW_WIDTH), "{error}");
        let error = builder().view_width(width).build().unwrap_err();
        assert_eq!(error.path(), "start", "{job_type}");
        assert!(error.problem().contains(variables::START), "{error}");
        let whole = builder().view_width(width).start(start);
        assert!(whole.build().is_ok(), "{job_type}");
    }
    for (version, job_type) in [
        (ApiVersion::V1, "24"),
        (ApiVersion::V1, "99"),
        (ApiVersion::V2, "ZaloSliderPhoneTask"),
        (ApiVersion::V2, "HcaptchaImageTask"),
    ] {
        let builder = || builder(version, job_type);
        assert!(builder().build().is_ok(), "{job_type}");
        let needless = builder().view_width(width).start(start);
        assert_eq!(path(needless.build()), "view_width", "{job_type}");
        assert_eq!(path(builder().start(start).build()), "start", "{job_type}");
    }
}

#[test]
fn a_job_of_two_pictures_is_refused() {
    for job_type in ["23", "26", " 52 "] {
        let builder = Omocaptcha::builder().token("hunter2").job_type(job_type);
        let error = builder.build().unwrap_err();
        assert_eq!(error.path(), "job_type");
        assert!(error.problem().contains("two pictures"), "{error}");
    }
    // A name of v2 is another thing.
    let v2 = Omocaptcha::builder().token("hunter2");
    let v2 = v2.api_version(ApiVersion::V2).job_type("26");
    assert!(!v2.build().unwrap_err().problem().contains("two pictures"));
}

#[test]
fn a_slider_is_set_in_a_file_and_in_the_environment() {
    let shown = "view_width: 340, start: Point { x: 83.0, y: 560.5 }";
    let variables_of = |width, start| {
        Context::with_variables(move |name| match name {
            variables::API_TOKEN => Some("hunter2".into()),
            variables::JOB_TYPE => Some("21".into()),
            variables::VIEW_WIDTH => Some(String::from(width).into()),
            variables::START => Some(String::from(start).into()),
            _ => None,
        })
    };
    let made = Omocaptcha::from_variables(&variables_of(" 340\n", " 83,560.5\n")).unwrap();
    assert!(format!("{made:?}").contains(shown), "{made:?}");
    for (width, start, wrong) in [
        ("0", "83,560", variables::VIEW_WIDTH),
        ("340px", "83,560", variables::VIEW_WIDTH),
        ("340", "83", variables::START),
        ("340", "83,560,1,1", variables::START),
    ] {
        let made = Omocaptcha::from_variables(&variables_of(width, start));
        assert_eq!(path(made), wrong, "{width} {start}");
    }
    // A file's settings go before the variables, in every way that a point is written.
    for start in ["[83, 560.5]", r#"{"x": 83, "y": 560.5}"#, r#""83,560.5""#] {
        let own = format!(r#"{{"view_width": 340, "start": {start}}}"#);
        let own: OmocaptchaConfig = serde_json::from_str(&own).unwrap();
        let context = variables_of("no", "no");
        let made = Omocaptcha::from_config(HttpOptions::default(), own, &context).unwrap();
        assert!(format!("{made:?}").contains(shown), "{made:?}");
    }
    for bad in [
        r#"{"start": [83]}"#,
        r#"{"start": "here"}"#,
        r#"{"view_width": 0}"#,
    ] {
        assert!(
            serde_json::from_str::<OmocaptchaConfig>(bad).is_err(),
            "{bad}"
        );
    }
    // What is set where nothing needs it is told where it was set.
    for name in [variables::VIEW_WIDTH, variables::START] {
        let context = Context::with_variables(move |asked| match asked {
            variables::API_TOKEN => Some("hunter2".into()),
            asked if asked == name && name == variables::START => Some("83,560".into()),
            asked => (asked == name).then(|| "340".into()),
        });
        assert_eq!(path(Omocaptcha::from_variables(&context)), name);
    }
}
