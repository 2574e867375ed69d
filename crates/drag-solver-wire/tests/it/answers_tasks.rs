//! What clients of `createTask` are told, to the byte, and every refusal.

use drag_solver_wire::{Operation, Protocol, Refusal, Reply, Shape, write};

use crate::support::{answer, balance, created, manner, read, says, solved, text};

/// No member beyond the documented ones: clients break on them.
#[test]
#[rustfmt::skip]
fn tasks_of_twocaptcha_and_anticaptcha() {
    let head = r#"{"cost":"0.0012","createTime":1795676797,"endTime":1795676799,"errorId":0,"ip":"127.0.0.1","#;
    let objects = r#""solution":{"coordinates":[{"x":83,"y":560},{"x":320,"y":560}]},"solveCount":1,"status":"ready"}"#;
    let pairs = r#""solution":{"coordinates":[[83,560],[320,560]]},"solveCount":1,"status":"ready"}"#;
    let unsolvable = r#"{"errorCode":"ERROR_CAPTCHA_UNSOLVABLE","errorDescription":"Workers could not solve the captcha.","errorId":12}"#;
    for (protocol, solution) in [(Protocol::TwoCaptcha, objects), (Protocol::AntiCaptcha, pairs)] {
        for (target, reply, expected) in [
            ("/createTask", created("70000000001"), r#"{"errorId":0,"taskId":70000000001}"#),
            ("/getTaskResult", Ok(Reply::Running), r#"{"errorId":0,"status":"processing"}"#),
            ("/getTaskResult", solved(Shape::Drag), &format!("{head}{solution}")),
            ("/getTaskResult", Err(Refusal::Unsolvable), unsolvable),
            ("/getBalance", balance("12.34"), r#"{"balance":12.34,"errorId":0}"#),
            ("/reportIncorrectRecaptcha", Ok(Reply::Reported), r#"{"errorId":0,"status":"success"}"#),
            ("/reportCorrect", Err(Refusal::AlreadyReported), r#"{"errorId":0,"status":"success"}"#),
        ] {
            says(protocol, target, &reply, expected);
        }
    }
}

#[test]
fn clicks_are_whole_and_on_the_picture() {
    for (sent, written) in [
        ((82.5, 559.5), "[83,560]"),
        ((83.49, 0.4), "[83,0]"),
        ((-3.0, -0.5), "[0,0]"),
        ((590.7, 1_279.5), "[590,1279]"),
        ((f64::NAN, f64::INFINITY), "[0,1279]"),
    ] {
        let solved = Ok(Reply::Solved(answer(sent, (1.0, 1.0), Shape::Drag)));
        let response = write(Protocol::AntiCaptcha, manner("/getTaskResult"), &solved);
        let expected = format!("\"coordinates\":[{written},[1,1]]");
        assert!(text(&response).contains(&expected), "{}", text(&response));
    }
}

/// A job can be asked about by another protocol than it was created by: the shape is the job's where the
/// envelope has room for it.
#[test]
fn a_job_of_another_protocol_is_told_in_the_envelope_that_was_asked_in() {
    let (drag, php) = (solved(Shape::Drag), "/res.php?action=get&id=1");
    let plain = "OK|coordinates:x=83,y=560;x=320,y=560";
    says(Protocol::AntiCaptcha, php, &drag, plain);
    let places = r#"{"errorId":0,"solution":{"end":{"x":320,"y":560},"start":{"x":83,"y":560}},"status":"ready"}"#;
    says(Protocol::OmocaptchaV2, "/getTaskResult", &drag, places);
    for protocol in [Protocol::InPhp, Protocol::OmocaptchaV1] {
        let response = write(protocol, manner("/getTaskResult"), &drag);
        assert!(text(&response).contains(r#"[{"x":83,"y":560},{"x":320,"y":560}]"#));
    }
}

#[test]
#[rustfmt::skip]
fn every_refusal_has_its_codes_and_is_sent_with_200() {
    let what = || "x".to_owned();
    for (refusal, id, name, php) in [
        (Refusal::BadToken, 1, "KEY_DOES_NOT_EXIST", "ERROR_KEY_DOES_NOT_EXIST"),
        (Refusal::NoWorker, 2, "NO_SLOT_AVAILABLE", "ERROR_NO_SLOT_AVAILABLE"),
        (Refusal::OutOfOrder, 2, "SERVICE_UNAVAILABLE", "ERROR_NO_SLOT_AVAILABLE"),
        (Refusal::PictureEmpty, 3, "ZERO_CAPTCHA_FILESIZE", "ERROR_ZERO_CAPTCHA_FILESIZE"),
        (Refusal::PictureTooLarge(what()), 4, "TOO_BIG_CAPTCHA_FILESIZE", "ERROR_TOO_BIG_CAPTCHA_FILESIZE"),
        (Refusal::NoMoney, 10, "ZERO_BALANCE", "ERROR_ZERO_BALANCE"),
        (Refusal::IpNotAllowed, 11, "IP_NOT_ALLOWED", "ERROR_IP_NOT_ALLOWED"),
        (Refusal::Unsolvable, 12, "CAPTCHA_UNSOLVABLE", "ERROR_CAPTCHA_UNSOLVABLE"),
        (Refusal::NoSuchMethod, 14, "NO_SUCH_METHOD", "ERROR_NO_SUCH_METHOD"),
        (Refusal::NotPost, 14, "NO_SUCH_METHOD", "ERROR_NO_SUCH_METHOD"),
        (Refusal::BadAction, 14, "NO_SUCH_METHOD", "ERROR_EMPTY_ACTION"),
        (Refusal::PictureType(what()), 15, "IMAGE_TYPE_NOT_SUPPORTED", "ERROR_IMAGE_TYPE_NOT_SUPPORTED"),
        (Refusal::NoSuchJob, 16, "NO_SUCH_CAPCHA_ID", "ERROR_WRONG_CAPTCHA_ID"),
        (Refusal::BadId, 16, "NO_SUCH_CAPCHA_ID", "ERROR_WRONG_ID_FORMAT"),
        (Refusal::IpBlocked, 21, "IP_BLOCKED", "IP_BANNED"),
        (Refusal::TaskAbsent, 22, "TASK_ABSENT", "ERROR_BAD_PARAMETERS"),
        (Refusal::TaskType(what()), 23, "TASK_NOT_SUPPORTED", "ERROR_BAD_PARAMETERS"),
        (Refusal::AccountSuspended, 55, "ACCOUNT_SUSPENDED", "ERROR_ACCOUNT_SUSPENDED"),
        (Refusal::BadParameters(what()), 110, "BAD_PARAMETERS", "ERROR_BAD_PARAMETERS"),
        (Refusal::BadCallback(what()), 110, "BAD_PARAMETERS", "ERROR_BAD_PARAMETERS"),
        (Refusal::Unreadable(what()), 110, "BAD_PARAMETERS", "ERROR_BAD_PARAMETERS"),
        (Refusal::InstructionPictureTooLarge, 115, "BAD_IMGINSTRUCTIONS", "ERROR_BAD_PARAMETERS"),
    ] {
        let json = format!(r#"{{"errorCode":"ERROR_{name}","errorDescription":"{refusal}","errorId":{id}}}"#);
        let reply = Err(refusal);
        says(Protocol::TwoCaptcha, "/createTask", &reply, &json);
        says(Protocol::InPhp, "/in.php", &reply, php);
    }
}

#[test]
fn who_drains_says_so_with_503() {
    for target in ["/createTask", "/in.php", "/api/createJob", "/v2/createTask"] {
        let incoming = read("POST", target, "", "");
        assert_eq!(incoming.operation, Operation::Create);
        let response = write(incoming.protocol, incoming.manner, &Err(Refusal::Draining));
        assert_eq!(response.status, 503, "{target}");
    }
}
