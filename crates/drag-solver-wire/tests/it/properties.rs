//! What holds for any request and any answer.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use drag_solver_core::{Drag, Point, Usd};
use drag_solver_wire::{
    Answer, Call, Incoming, NewJob, Protocol, Refusal, Reply, Request, Shape, write,
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::prelude::*;
use serde_json::{Value, json};

const TARGETS: &[&str] = &[
    "/in.php",
    "/res.php",
    "/res.php?action=get&json=1",
    "/createTask",
    "/getTaskResult",
    "/getBalance",
    "/reportCorrect",
    "/api/createJob",
    "/api/getJobResult",
    "/v2/createTask",
    "/2captcha/createTask",
    "/anticaptcha/createTask",
    "/",
];

fn request(target: &str, content_type: &str, body: Vec<u8>) -> Request {
    let headers = vec![("Content-Type".to_owned(), content_type.to_owned())];
    Request::new("POST", target, headers, body.into())
}

fn created(request: &Request) -> NewJob {
    match Incoming::read(request).call {
        Ok(Call::Create(job)) => *job,
        other => panic!("{other:?}"),
    }
}

fn json_of(request: &Request, protocol: Protocol, reply: &Result<Reply, Refusal>) -> Value {
    let response = write(protocol, Incoming::read(request).manner, reply);
    serde_json::from_slice(&response.body).unwrap()
}

/// JSON of any shape, made of the names that are looked for.
fn members() -> impl Strategy<Value = Value> {
    let names = "(key|clientKey|api_token|task|data|type|body|taskId|job_id|action|id|ids|method|images|json|\
                 coordinatescaptcha|type_job_id|image_base64|width_view|mode|minClicks|callbackUrl|pingback)";
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        "(24|21|get|get2|1|post|drag_drop|CoordinatesTask|ImageToCoordinatesTask|AAEC)"
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 8, move |inner| {
        let object = prop::collection::btree_map(names, inner.clone(), 0..8);
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(Value::from),
            object.prop_map(|it| Value::Object(it.into_iter().collect())),
        ]
    })
}

fn answers() -> impl Strategy<Value = Answer> {
    let pixels = prop_oneof![-10.0..2_000.0_f64, any::<f64>()];
    let points = (pixels.clone(), pixels.clone(), pixels.clone(), pixels);
    let shape = prop_oneof![
        Just(Shape::Drag),
        Just(Shape::End),
        any::<u32>().prop_map(|view_width| Shape::Distance { view_width }),
    ];
    (points, any::<u32>(), any::<u32>(), shape).prop_map(|((a, b, c, d), width, height, shape)| {
        Answer {
            drag: Drag::new(Point::new(a, b), Point::new(c, d)),
            width,
            height,
            shape,
            cost: Usd::from_micros(900),
            created: 0,
            ended: u64::MAX,
        }
    })
}

proptest! {
    #[test]
    fn any_bytes_are_read_and_answered(
        target in prop::sample::select(TARGETS),
        query in "[?&=%a-z0-9+]{0,30}",
        content_type in "(|application/json|multipart/form-data; boundary=x|.{0,20})",
        body in prop::collection::vec(any::<u8>(), 0..200),
        answer in answers(),
    ) {
        let request = request(&format!("{target}{query}"), &content_type, body);
        let documented = Incoming::read_documented(&request);
        for incoming in [Some(Incoming::read(&request)), documented].into_iter().flatten() {
            for &protocol in Protocol::ALL {
                let several = vec![Ok(Some(answer)), Ok(None), Err(Refusal::NoSuchJob)];
                for reply in [Reply::Solved(answer), Reply::Running, Reply::Several(several)] {
                    let _ = write(protocol, incoming.manner, &Ok(reply));
                }
            }
            if let Err(refusal) = incoming.call {
                let _ = write(incoming.protocol, incoming.manner, &Err(refusal));
            }
        }
    }

    #[test]
    fn any_members_are_read(target in prop::sample::select(TARGETS), body in members()) {
        let request = request(target, "application/json", body.to_string().into_bytes());
        let incoming = Incoming::read(&request);
        let _ = Incoming::read_documented(&request);
        if let Ok(Call::Poll { ids }) = incoming.call {
            prop_assert!(!ids.is_empty() && ids.iter().all(|id| !id.is_empty() && id.len() <= 64));
        }
    }

    /// However a picture and a text are sent, they arrive.
    #[test]
    fn what_is_sent_is_what_is_read(
        picture in prop::collection::vec(any::<u8>(), 1..300),
        hint in "[^\\s\\x00-\\x1f][^\\x00-\\x1f\"]{0,20}[^\\s\\x00-\\x1f\"]",
        is_wrapped in any::<bool>(),
    ) {
        let plain = STANDARD.encode(&picture);
        let mut encoded = vec![plain.clone(), URL_SAFE_NO_PAD.encode(&picture)];
        if is_wrapped {
            let lines = plain.as_bytes().chunks(76).map(String::from_utf8_lossy);
            encoded.push(lines.collect::<Vec<_>>().join("\r\n"));
        }
        for encoded in encoded {
            let escape = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
            let form = format!(
                "coordinatescaptcha=1&textinstructions={}&body={}", escape(&hint), escape(&encoded),
            );
            let task = json!({"type": "CoordinatesTask", "body": encoded, "comment": hint});
            let json = json!({"task": task}).to_string();
            for (target, body) in [("/in.php", form), ("/createTask", json)] {
                let job = created(&request(target, "", body.into_bytes()));
                prop_assert_eq!(&job.picture[..], &picture[..]);
                prop_assert_eq!(job.instruction.as_deref(), Some(&*hint));
            }
        }
    }

    /// A file arrives to the byte, if the boundary is not in it.
    #[test]
    fn a_file_is_kept_to_the_byte(picture in prop::collection::vec(any::<u8>(), 1..300)) {
        let mut body = b"--a b:c\r\nContent-Disposition: form-data; name=coordinatescaptcha\r\n\r\n1\r\n\
            --a b:c\r\nContent-Disposition: form-data; name=\"file\"; filename=x\r\n\r\n".to_vec();
        body.extend(&picture);
        body.extend(b"\r\n--a b:c--\r\n");
        let job = created(&request("/in.php", "multipart/form-data; boundary=\"a b:c\"", body));
        prop_assert_eq!(&job.picture[..], &picture[..]);
    }

    /// Whatever a solver says, clicks are whole numbers on the picture.
    #[test]
    fn clicks_are_on_the_picture(answer in answers()) {
        let poll = request("/getTaskResult", "", b"{}".to_vec());
        let body = json_of(&poll, Protocol::AntiCaptcha, &Ok(Reply::Solved(answer)));
        for point in body["solution"]["coordinates"].as_array().unwrap() {
            let (x, y) = (point[0].as_u64().unwrap(), point[1].as_u64().unwrap());
            prop_assert!(x < u64::from(answer.width.max(1)), "{}", body);
            prop_assert!(y < u64::from(answer.height.max(1)), "{}", body);
        }
    }

    /// The id that a client is told is the one that it asks about.
    #[test]
    fn an_id_comes_back(id in 1..(1_u64 << 53)) {
        let id = id.to_string();
        for (create, member, poll, key) in [
            ("/createTask", "taskId", "/getTaskResult", "taskId"),
            ("/api/createJob", "job_id", "/api/getJobResult", "job_id"),
            ("/in.php?json=1", "request", "/res.php?action=get", "id"),
        ] {
            let create = request(create, "", Vec::new());
            let protocol = Incoming::read(&create).protocol;
            let told = json_of(&create, protocol, &Ok(Reply::Created(id.clone())));
            let asked = json!({key: told[member]}).to_string();
            let asked = Incoming::read(&request(poll, "", asked.into_bytes()));
            let Ok(Call::Poll { ids }) = asked.call else { panic!("{asked:?}") };
            prop_assert_eq!(ids, vec![id.clone()]);
        }
    }
}

#[test]
fn hostile_bodies_are_bounded() {
    let bodies: [Bytes; 5] = [
        format!("{{\"a\":[{}0]}}", "0,".repeat(500_000)).into(),
        "a=1&".repeat(500_000).into(),
        "[".repeat(1_000_000).into(),
        "--x\r\n\r\n".repeat(200_000).into(),
        format!("action=get&ids={}", "1,".repeat(500_000)).into(),
    ];
    for body in bodies {
        for target in ["/in.php", "/res.php", "/createTask"] {
            let multipart = "multipart/form-data; boundary=x";
            for content_type in ["", multipart] {
                let request = request(target, content_type, body.to_vec());
                assert!(Incoming::read(&request).call.is_err(), "{target}");
            }
        }
    }
}
