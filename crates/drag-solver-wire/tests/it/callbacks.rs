//! What an address of the client's own is told.

use drag_solver_wire::{Protocol, Refusal, Shape, callback};

use crate::support::answer;

#[test]
#[rustfmt::skip]
fn an_address_is_told_what_a_poll_would_bring() {
    let drag = |shape| Ok(answer((83.0, 560.0), (320.0, 560.0), shape));
    let unsolvable = || Err(Refusal::Unsolvable);
    for (protocol, job, outcome, body) in [
        (Protocol::InPhp, "7", drag(Shape::Drag), "id=7&code=coordinates%3Ax%3D83%2Cy%3D560%3Bx%3D320%2Cy%3D560"),
        (Protocol::InPhp, "7", drag(Shape::End), "id=7&code=320%2C560"),
        (Protocol::InPhp, "a&b=c", unsolvable(), "id=a%26b%3Dc&code=ERROR_CAPTCHA_UNSOLVABLE"),
        (Protocol::AntiCaptcha, "7", unsolvable(), r#"{"errorCode":"ERROR_CAPTCHA_UNSOLVABLE","errorDescription":"Workers could not solve the captcha.","errorId":12,"taskId":7}"#),
        (Protocol::OmocaptchaV2, "0b-4f", drag(Shape::Drag), r#"{"errorId":0,"solution":{"end":{"x":320,"y":560},"start":{"x":83,"y":560}},"status":"ready","taskId":"0b-4f"}"#),
        (Protocol::OmocaptchaV1, "7", unsolvable(), r#"{"error":false,"job_id":7,"result":null,"status":"fail","success":true}"#),
    ] {
        let callback = callback(protocol, job, outcome);
        let is_form = protocol == Protocol::InPhp;
        let content_type = if is_form { "application/x-www-form-urlencoded" } else { "application/json" };
        assert_eq!(callback.content_type, content_type);
        assert_eq!(String::from_utf8(callback.body.to_vec()).unwrap(), body);
    }
}

#[test]
fn the_answer_has_each_service_s_own_shape() {
    for (protocol, coordinates) in [
        (
            Protocol::AntiCaptcha,
            r#""coordinates":[[83,560],[320,560]]"#,
        ),
        (
            Protocol::TwoCaptcha,
            r#""coordinates":[{"x":83,"y":560},{"x":320,"y":560}]"#,
        ),
    ] {
        let outcome = Ok(answer((83.0, 560.0), (320.0, 560.0), Shape::Drag));
        let body = callback(protocol, "70000000001", outcome).body;
        let body = String::from_utf8(body.to_vec()).unwrap();
        assert!(body.contains(coordinates), "{body}");
        assert!(body.contains(r#""taskId":70000000001"#), "{body}");
        assert!(body.contains(r#""status":"ready""#), "{body}");
    }
}
