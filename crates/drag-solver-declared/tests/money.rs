//! What a declared service says of money when a response is not the documented one.

#![allow(clippy::unwrap_used, clippy::panic)] // a failed `unwrap` is a failed test

use drag_solver_core::{Billed, ErrorKind};
use drag_solver_declared::{Declared, DeclaredApi, Definition};
use drag_solver_http::{ApiResponse, Created, JobApi, JobState, ResponseError};
use drag_solver_mock::fixtures;

fn api(toml: &str) -> DeclaredApi {
    let common = "key = \"POINTING_API_KEY\"\nbase_url = \"https://api.pointing.example\"\n";
    let definition: Definition = toml::from_str(&format!("{common}{toml}")).unwrap();
    let service = Declared::new("pointing", definition).unwrap();
    service.api("hunter2".into()).unwrap()
}

fn created(api: &DeclaredApi, status: u16, body: &str) -> Result<Created, ResponseError> {
    api.parse_created(&ApiResponse::new(status, body.to_owned()))
}

const IN_PHP: &str = "family = \"in.php\"";

const ONE_CALL: &str = r#"
    create = { path = "solve", json = { key = "{key}", image = "{picture.base64}" } }
    answer.at = "/points"
    refused = [{ at = "/success", is = "false" }]
    message = "/error"
"#;

const JOBS: &str = r#"
    create = { path = "jobs", json = { key = "{key}", image = "{picture.base64}" }, job = ["/id", "location"] }
    poll = { path = "jobs/{job}", first = "1s", every = "1s" }
    answer.at = "/points"
"#;

#[test]
fn the_text_of_a_refusal_is_no_job() {
    let api = api(IN_PHP);
    for body in [
        r#"{"status": 0, "request": "ERROR_NEW"}"#,
        "ERROR_NEW",
        r#"{"status": 0, "request": "CAPCHA_NOT_READY"}"#,
    ] {
        let created = created(&api, 200, body);
        assert!(created.is_err(), "{body}: {created:?}");
    }
    let accepted = created(&api, 200, "OK|123").unwrap();
    assert!(matches!(accepted, Created::Job(_)), "{accepted:?}");
}

#[test]
fn a_refusal_that_is_not_explained_may_come_after_the_work_where_there_is_one_call() {
    let body = r#"{"success": false, "error": "no luck today"}"#;
    for (toml, billed) in [
        (ONE_CALL.to_owned(), Billed::Maybe),
        (format!("{ONE_CALL}\nunsolvable = \"no\""), Billed::No),
        (format!("{ONE_CALL}\nunsolvable = \"yes\""), Billed::Yes),
    ] {
        match created(&api(&toml), 200, body) {
            Err(ResponseError::Unknown(error)) => assert_eq!(error.billed(), billed, "{toml}"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_request_that_was_sent_to_the_wrong_place_has_no_job() {
    let redirect = |status| {
        let target = Some("https://new.example/captcha/login".to_owned());
        let response = ApiResponse::new(status, "").with_location(target);
        api(JOBS).parse_created(&response)
    };
    for moved in [301, 307, 308] {
        assert!(redirect(moved).is_err(), "{moved}");
    }
    for done in [201, 202, 302, 303] {
        assert!(matches!(redirect(done), Ok(Created::Job(_))), "{done}");
    }
}

#[test]
fn a_paid_job_is_not_forgotten_for_an_answer_that_is_none_yet() {
    let api = api(&format!(
        "{JOBS}\nstate = {{ at = \"/status\", running = \"busy\", solved = \"ok\" }}"
    ));
    for nothing in ["[]", "{}", "false", "0", "\" \"", "null"] {
        let body = format!(r#"{{"status": "ok", "id": 7, "points": {nothing}}}"#);
        let created = created(&api, 200, &body).unwrap();
        assert!(matches!(created, Created::Job(_)), "{body}: {created:?}");
    }
    let body = r#"{"status": "ok", "id": 7, "points": [[1, 2], [3, 4]]}"#;
    let answered = created(&api, 200, body).unwrap();
    assert!(
        matches!(&answered, Created::Answer { job: Some(_), .. }),
        "{answered:?}"
    );
}

#[test]
fn an_empty_place_is_no_answer_where_there_is_no_state() {
    let api = api(JOBS);
    for nothing in ["[]", "{}", "false", "7", "\"\"", "\" \"", "null"] {
        let body = format!(r#"{{"points": {nothing}}}"#);
        let state = api.parse_poll(&ApiResponse::new(200, body.clone()));
        assert!(matches!(state, Ok(JobState::Running)), "{body}: {state:?}");
    }
}

#[test]
fn what_a_row_says_of_money_is_handed_on() {
    let api = api(&format!(
        "{ONE_CALL}\nerrors = [{{ contains = \"crash\", kind = \"unavailable\", billed = \"yes\" }}]"
    ));
    match created(&api, 200, r#"{"success": false, "error": "a crash"}"#) {
        Err(ResponseError::Rejected(error)) => {
            assert_eq!(
                (error.kind(), error.billed()),
                (ErrorKind::Unavailable, Billed::Yes)
            );
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_status_that_may_come_after_the_work_is_not_said_to_be_free() {
    for (status, own, billed) in [
        (402, "", Billed::No),
        (502, "", Billed::Maybe),
        (503, "", Billed::No),
        (502, ", billed = \"no\"", Billed::No),
    ] {
        let row = format!("errors = [{{ status = {status}, kind = \"rate_limited\"{own} }}]");
        match created(&api(&format!("{ONE_CALL}\n{row}")), status, "") {
            Err(ResponseError::Rejected(error)) => assert_eq!(error.billed(), billed, "{row}"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_start_off_the_picture_is_refused_before_anything_is_bought() {
    let known = |from: &str| {
        let answer = format!("answer = {{ distance = \"/d\", from = {from} }}");
        api(&JOBS.replace("answer.at = \"/points\"", &answer))
    };
    let shot = fixtures::challenge_sized(400, 300);
    assert!(known("[399, 299]").create(&shot).is_ok());
    for off in ["[400, 10]", "[10, 300]"] {
        let error = known(off).create(&shot).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
        assert_eq!(error.billed(), Billed::No);
    }
}

#[test]
fn what_says_that_there_is_no_error_is_none() {
    let api = api(&format!("{JOBS}\nrefused = [{{ at = \"/error\" }}]"));
    for none in [
        r#"{"error": false, "id": 7}"#,
        r#"{"error": "", "id": 7}"#,
        r#"{"error": null, "id": 7}"#,
    ] {
        assert!(created(&api, 200, none).is_ok(), "{none}");
    }
    assert!(created(&api, 200, r#"{"error": "bad picture"}"#).is_err());
}
