//! What published clients send to `in.php`, body for body, and what is read out of it.

use drag_solver_wire::{Call, Protocol, Refusal, Shape};

use crate::support::{BASE64, ESCAPED, PICTURE, form, get, job, json, read, refusal};

const PHP: Protocol = Protocol::InPhp;

fn part(head: &str, content: &[u8]) -> Vec<u8> {
    [head.as_bytes(), b"\r\n\r\n", content, b"\r\n"].concat()
}

fn field(name: &str, value: &str) -> Vec<u8> {
    let head = format!("Content-Disposition: form-data; name=\"{name}\"");
    part(&head, value.as_bytes())
}

fn parts(boundary: &str, parts: &[Vec<u8>]) -> Vec<u8> {
    let mut body = Vec::new();
    for part in parts {
        body.extend(format!("--{boundary}\r\n").into_bytes());
        body.extend(part);
    }
    body.extend(format!("--{boundary}--\r\n").into_bytes());
    body
}

/// 2captcha-python, `coordinates(file, hintText, lang, min_clicks, max_clicks, hintImg)`.
#[test]
fn twocaptcha_python_sends_parts() {
    let file = "Content-Disposition: form-data; name=\"file\"; filename=\"x.png\"\r\nContent-Type: text/plain";
    let hint = "Content-Disposition: form-data; name=\"imginstructions\"; filename=\"h.png\"";
    let fields = [
        field("textinstructions", "drag"),
        field("soft_id", "4580"),
        field("coordinatescaptcha", "1"),
        field("method", "post"),
        field("lang", "en"),
        field("min_clicks", "2"),
        field("max_clicks", "2"),
        field("key", "KEY"),
        // The picture is not the first file.
        part(hint, b"not the picture"),
        part(file, PICTURE),
    ];
    let boundary = "66fdc48d8b6b4f0e9c1d";
    let content_type = format!("multipart/form-data; boundary={boundary}");
    let incoming = read("POST", "/in.php", &content_type, parts(boundary, &fields));
    let job = job(incoming, PHP);
    assert_eq!(job.instruction.as_deref(), Some("drag"));
    assert_eq!((job.shape, job.callback), (Shape::Drag, None));
}

/// `AsyncTwoCaptcha` calls the file `upload`; 2captcha-go has no method; 2captcha-csharp has a boundary in
/// quotes, with blanks and colons in it, and names without quotes.
#[test]
fn parts_come_in_every_writing() {
    let boundary = "Upload----11/26/2026 06:42:00";
    let quoted = format!("multipart/form-data; boundary=\"{boundary}\"");
    for name in [
        "file; filename=upload",
        "\"file\"; filename=\"upload\"",
        "picture; filename=a",
        "file",
    ] {
        let kind = "Content-Type: text/plain; charset=utf-8";
        let head = |name: &str| format!("Content-Disposition: form-data; name={name}\r\n{kind}");
        let fields = [
            part(&head("key"), b"KEY"),
            part(&head("coordinatescaptcha"), b"1"),
            part(&head("imginstructions; filename=h"), b"not the picture"),
            part(&head(name), PICTURE),
        ];
        job(
            read("POST", "//in.php", &quoted, parts(boundary, &fields)),
            PHP,
        );
    }
}

/// 2captcha-python `coordinates(base64)`; the reverse of what the method says; no method at all.
#[test]
fn a_form_is_read_whatever_its_method() {
    for method in ["method=base64&", "method=post&", ""] {
        for name in ["body", "file"] {
            let body = format!("soft_id=4580&coordinatescaptcha=1&{method}{name}=PICTURE&key=KEY");
            job(form(&body), PHP);
        }
    }
    for picture in [
        "iVBOR/v//g==",
        "iVBO%0D%0AR%2Fv%2F%2Fg==",
        "data:image/png;base64,iVBOR/v//g==",
    ] {
        job(
            form(&format!("coordinatescaptcha=1&body={picture}&key=KEY")),
            PHP,
        );
    }
    // A plus that was not escaped is no blank.
    let plus = form("coordinatescaptcha=1&body=+/v+&key=KEY").call.unwrap();
    let Call::Create(job) = plus else { panic!() };
    assert_eq!(job.picture[..], [0xfb, 0xfb, 0xfe]);
}

#[test]
fn all_of_it_may_be_in_the_query() {
    let target = format!("/in.php?key=KEY&coordinatescaptcha=1&method=base64&body={ESCAPED}");
    job(get(&target), PHP);
    assert_eq!(refusal(read("PUT", &target, "", "")), Refusal::NotPost);
}

/// @2captcha/captcha-solver and 2captcha-ruby send JSON, with numbers in it.
#[test]
fn captcha_solver_sends_json() {
    let body = r#"{"key":"KEY","json":1,"header_acao":1,"soft_id":4587,"body":"PICTURE",
        "textinstructions":"drag","method":"base64","coordinatescaptcha":1}"#;
    let body = body.replace("PICTURE", BASE64);
    for content_type in ["application/json", "Application/JSON; charset=utf-8", ""] {
        let job = job(read("POST", "/in.php", content_type, body.clone()), PHP);
        assert_eq!(job.instruction.as_deref(), Some("drag"));
    }
}

#[test]
fn one_piece_is_dragged_and_several_are_not() {
    let python = "method=drag_drop&body=PICTURE&images=%5B%22AAEC%22%5D&key=KEY";
    assert_eq!(job(form(python), PHP).shape, Shape::End);
    let js = |images: &str| {
        let body = r#"{"key":"KEY","method":"drag_drop","body":"PICTURE","images":IMAGES}"#;
        json("/in.php", &body.replace("IMAGES", images))
    };
    assert_eq!(job(js(r#"["AAEC"]"#), PHP).shape, Shape::End);
    assert!(matches!(
        refusal(js(r#"["AA","AA"]"#)),
        Refusal::TaskType(_)
    ));
    for none in ["[]", "null", "7", r#""no JSON""#] {
        assert!(
            matches!(refusal(js(none)), Refusal::BadParameters(_)),
            "{none}"
        );
    }
}

#[test]
fn what_is_no_drag_is_refused() {
    for body in [
        "key=KEY&method=userrecaptcha&googlekey=x",
        "key=KEY&method=post&body=PICTURE",
        "key=KEY&method=base64&coordinatescaptcha=0&body=PICTURE",
        "key=KEY&method=bounding_box&coordinatescaptcha=1&body=PICTURE",
    ] {
        assert!(
            matches!(refusal(form(body)), Refusal::TaskType(_)),
            "{body}"
        );
    }
    let task = |extra: &str| form(&format!("key=KEY&coordinatescaptcha=1&{extra}"));
    job(task("body=PICTURE&min_clicks=1&max_clicks=6"), PHP);
    for extra in [
        "body=PICTURE&max_clicks=1",
        "body=PICTURE&min_clicks=3",
        "body=no+picture!",
        "",
    ] {
        assert!(
            matches!(refusal(task(extra)), Refusal::BadParameters(_)),
            "{extra}"
        );
    }
    assert_eq!(refusal(task("body=")), Refusal::PictureEmpty);
    let hint = "A".repeat(140_000);
    let large = task(&format!("body=PICTURE&imginstructions={hint}"));
    assert_eq!(refusal(large), Refusal::InstructionPictureTooLarge);
}
