//! What clients of `in.php` and `res.php` are told, to the byte.

use drag_solver_wire::{Protocol, Quirk, Refusal, Reply, Shape, write};

use crate::support::{answer, balance, created, manner, says, solved, text};

const GET: &str = "/res.php?action=get&id=1";
const JSON: &str = "/res.php?action=get&id=1&json=1";
const GET2: &str = "/res.php?action=get2&id=1";
const GET2_JSON: &str = "/res.php?action=get2&id=1&json=1";

#[test]
#[rustfmt::skip]
fn jobs_are_taken_and_answered() {
    for (target, reply, expected) in [
        ("/in.php", created("70000000001"), "OK|70000000001"),
        ("/in.php?json=0", created("7"), "OK|7"),
        ("/in.php?json=1", created("70000000001"), r#"{"request":"70000000001","status":1}"#),
        (GET, Ok(Reply::Running), "CAPCHA_NOT_READY"),
        (JSON, Ok(Reply::Running), r#"{"request":"CAPCHA_NOT_READY","status":0}"#),
        (GET, solved(Shape::Drag), "OK|coordinates:x=83,y=560;x=320,y=560"),
        (JSON, solved(Shape::Drag), r#"{"request":[{"x":"83","y":"560"},{"x":"320","y":"560"}],"status":1}"#),
        (GET2, solved(Shape::Drag), "OK|coordinates:x=83,y=560;x=320,y=560|0.0012"),
        (GET2_JSON, solved(Shape::Drag), r#"{"price":"0.0012","request":[{"x":"83","y":"560"},{"x":"320","y":"560"}],"status":1}"#),
        (GET, solved(Shape::End), "OK|320,560"),
        (JSON, solved(Shape::End), r#"{"request":"320,560","status":1}"#),
        (GET, Err(Refusal::Unsolvable), "ERROR_CAPTCHA_UNSOLVABLE"),
        (JSON, Err(Refusal::Unsolvable), r#"{"error_text":"Workers could not solve the captcha.","request":"ERROR_CAPTCHA_UNSOLVABLE","status":0}"#),
    ] {
        says(Protocol::InPhp, target, &reply, expected);
    }
}

#[test]
#[rustfmt::skip]
fn everything_else_is_one_text_too() {
    for (target, reply, expected) in [
        ("/res.php?action=getbalance", balance("12.34"), "12.34"),
        ("/res.php?action=getbalance&json=1", balance("12.34"), r#"{"request":"12.34","status":1}"#),
        ("/res.php?action=reportgood&id=1", Ok(Reply::Reported), "OK_REPORT_RECORDED"),
        ("/res.php?action=reportbad&id=1&json=1", Ok(Reply::Reported), r#"{"request":"OK_REPORT_RECORDED","status":1}"#),
        ("/res.php?action=reportbad&id=1", Err(Refusal::AlreadyReported), "ERROR_DUPLICATE_REPORT"),
        ("/res.php", Err(Refusal::BadAction), "ERROR_EMPTY_ACTION"),
        ("/other.php", Err(Refusal::NoSuchMethod), "ERROR_NO_SUCH_METHOD"),
        ("/in.php", Err(Refusal::BadCallback("no".into())), "ERROR_BAD_PARAMETERS"),
    ] {
        says(Protocol::InPhp, target, &reply, expected);
    }
}

#[test]
fn several_jobs_are_answered_at_once() {
    let drag = answer((83.0, 560.0), (320.0, 560.0), Shape::Drag);
    let end = answer((0.0, 0.0), (1.0, 2.0), Shape::End);
    let jobs = vec![
        Ok(Some(drag)),
        Ok(None),
        Err(Refusal::Unsolvable),
        Ok(Some(end)),
    ];
    let reply = Ok(Reply::Several(jobs));
    let told = "coordinates:x=83,y=560;x=320,y=560|CAPCHA_NOT_READY|ERROR_CAPTCHA_UNSOLVABLE|1,2";
    says(Protocol::InPhp, GET, &reply, told);
    let json = format!(r#"{{"request":"{told}","status":1}}"#);
    says(Protocol::InPhp, JSON, &reply, &json);
}

#[test]
fn the_prefix_of_the_documentation_can_be_had() {
    let manner = manner(GET).with_quirk(Quirk::SingularPrefix);
    let response = write(Protocol::InPhp, manner, &solved(Shape::Drag));
    assert_eq!(text(&response), "OK|coordinate:x=83,y=560;x=320,y=560");
}

#[test]
fn browsers_are_let_in_only_if_they_ask() {
    for (target, is_allowed) in [
        ("/in.php?header_acao=1", true),
        ("/res.php?header_acao=1&json=1", true),
        ("/in.php?header_acao=0", false),
        ("/in.php", false),
        ("/createTask?header_acao=1", false),
    ] {
        let response = write(Protocol::InPhp, manner(target), &Ok(Reply::Running));
        assert_eq!(response.allow_origin, is_allowed, "{target}");
    }
}
