//! What is asked of `res.php`, and what every request has.

use drag_solver_core::Verdict;
use drag_solver_wire::{Call, Operation, Protocol, Refusal};
use secrecy::ExposeSecret as _;

use crate::support::{ESCAPED, form, get, job, json, read, refusal};

#[test]
fn results_are_asked_for_in_many_ways() {
    for target in [
        "/res.php?key=KEY&action=get&id=70000000001",
        "//res.php?key=KEY&json=1&header_acao=1&soft_id=4587&action=get2&id=70000000001",
        "/2captcha/res.php?action=get&id=%2070000000001&key=KEY",
    ] {
        let incoming = get(target);
        assert_eq!(incoming.key.expose_secret(), "KEY");
        assert_eq!(incoming.protocol, Protocol::InPhp);
        assert_eq!(incoming.operation, Operation::Poll);
        let Ok(Call::Poll { ids }) = incoming.call else {
            panic!("{target}")
        };
        assert_eq!(ids, ["70000000001"]);
    }
    let Ok(Call::Poll { ids }) = get("/res.php?action=get&ids=1,2,3").call else {
        panic!()
    };
    assert_eq!(ids, ["1", "2", "3"]);
}

#[test]
fn reports_say_their_verdict() {
    for (action, said) in [
        ("reportgood", Verdict::Correct),
        ("reportbad", Verdict::Incorrect),
    ] {
        let call = get(&format!("/res.php?key=K&action={action}&id=7")).call;
        let Ok(Call::Report { id, verdict }) = call else {
            panic!("{action}")
        };
        assert_eq!((&*id, verdict), ("7", said));
    }
}

/// 2captcha-ruby: half in the query, half in JSON.
#[test]
fn the_query_and_the_body_are_read_together() {
    let ruby = json("/res.php?key=KEY&action=getbalance", r#"{"json":1}"#);
    assert!(matches!(ruby.call, Ok(Call::Balance)));
    assert_eq!(ruby.key.expose_secret(), "KEY");
    let form = read("POST", "/res.php", "", "key=KEY&action=getbalance");
    assert!(matches!(form.call, Ok(Call::Balance)));
}

#[test]
fn what_cannot_be_answered_is_refused() {
    for (query, expected) in [
        ("", Refusal::BadAction),
        ("action=delete&id=1", Refusal::BadAction),
        ("action=get", Refusal::BadId),
        ("action=get&id=one", Refusal::BadId),
        ("action=get&ids=1,,2", Refusal::BadId),
        ("action=get&id=123456789012345678901", Refusal::BadId),
        ("action=reportbad", Refusal::BadId),
    ] {
        assert_eq!(
            refusal(get(&format!("/res.php?{query}"))),
            expected,
            "{query}"
        );
    }
    let many = get(&format!("/res.php?action=get&ids={}1", "1,".repeat(100)));
    assert!(matches!(refusal(many), Refusal::BadParameters(_)));
}

#[test]
fn a_callback_is_told() {
    for (sent, told) in [
        ("https%3A%2F%2Fhost%2Fhook", Some("https://host/hook")),
        ("", None),
    ] {
        let body = format!("key=KEY&coordinatescaptcha=1&body=PICTURE&pingback={sent}");
        let job = job(form(&body), Protocol::InPhp);
        assert_eq!(job.callback.as_deref(), told);
    }
    let task = |url: &str| {
        let task = r#""task":{"type":"CoordinatesTask","body":"PICTURE"}"#;
        let body = format!(r#"{{"clientKey":"KEY","callbackUrl":{url},{task}}}"#);
        json("/createTask", &body)
    };
    for (sent, told) in [
        (r#""""#, None),
        ("null", None),
        (r#""http://h""#, Some("http://h")),
    ] {
        let job = job(task(sent), Protocol::TwoCaptcha);
        assert_eq!(job.callback.as_deref(), told);
        assert!(!format!("{job:?}").contains("http://h"));
    }
    assert!(matches!(refusal(task("7")), Refusal::BadCallback(_)));
}

#[test]
fn who_has_no_key_learns_nothing_else() {
    let call = |body: &str, is_key| json("/createTask", body).authorized(is_key).unwrap_err();
    assert_eq!(call("{}", false), Refusal::BadToken);
    assert_eq!(call("{}", true), Refusal::TaskAbsent);
    for body in ["", "[]", "7", "not JSON", "{\"a\":"] {
        assert!(
            matches!(call(body, false), Refusal::Unreadable(_)),
            "{body}"
        );
    }
    let missing = json("/other", "{}").authorized(false).unwrap_err();
    assert_eq!(missing, Refusal::NoSuchMethod);
    assert_eq!(refusal(get("/other")), Refusal::NoSuchMethod);
    assert_eq!(refusal(get("/createTask")), Refusal::NotPost);
    assert_eq!(refusal(get("/other.php")), Refusal::NoSuchMethod);
}

#[test]
fn a_key_is_never_shown() {
    let target = format!("/in.php?key=KEY&coordinatescaptcha=1&method=base64&body={ESCAPED}");
    let shown = format!("{:?}", get(&target));
    assert!(
        !shown.contains("KEY") && shown.contains("7 bytes"),
        "{shown}"
    );
}
