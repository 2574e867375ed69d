//! A request to a server that speaks the providers' protocols, and what it is told.

use drag_solver::{Drag, Point, Usd};
use drag_solver_wire::{
    Answer, Call, Incoming, Protocol, Refusal, Reply, Request, Shape, redacted_json, write,
};

use super::promises::is_printable;

/// The first line is the method, the target and the content type, and the rest is the body. Whatever it says,
/// it is asked for something or refused in one line, and what it is told is in the form that it reads.
pub fn wire_request(data: &[u8]) {
    let end = data.iter().position(|&byte| byte == b'\n');
    let (head, body) = data.split_at(end.unwrap_or(data.len()));
    let head = String::from_utf8_lossy(head);
    let mut words = head.splitn(3, ' ');
    let mut word = || words.next().unwrap_or_default().to_owned();
    let (method, target) = (word(), word());
    let headers = vec![("Content-Type".to_owned(), word())];
    let body = body.get(1..).unwrap_or_default().to_vec();
    let request = Request::new(method, target, headers, body.into());

    let documented = Incoming::read_documented(&request);
    if let Some(documented) = &documented {
        let json = redacted_json(documented.protocol, &request);
        let _ = json.to_string();
    }
    for incoming in [Some(Incoming::read(&request)), documented]
        .into_iter()
        .flatten()
    {
        match &incoming.call {
            Ok(Call::Create(job)) => {
                assert!(!job.picture.is_empty());
                assert_ne!(job.callback.as_deref(), Some(""));
                assert_ne!(job.instruction.as_deref(), Some(""));
                assert_ne!(job.shape, Shape::Distance { view_width: 0 });
                tell(&incoming, &Ok(Reply::Created("70000000001".to_owned())));
                tell(&incoming, &Ok(solved(job.shape)));
            }
            Ok(Call::Poll { ids }) => {
                assert!((1..=100).contains(&ids.len()), "{ids:?}");
                let is_id = |id: &String| (1..=64).contains(&id.len());
                assert!(ids.iter().all(is_id), "{ids:?}");
                tell(&incoming, &Ok(Reply::Running));
            }
            Ok(_) => tell(&incoming, &Ok(Reply::Reported)),
            Err(refusal) => {
                is_printable(&refusal.to_string());
                tell(&incoming, &Err(refusal.clone()));
            }
        }
    }
}

fn solved(shape: Shape) -> Reply {
    Reply::Solved(Answer {
        drag: Drag::new(Point::new(83.5, 560.0), Point::new(2e9, f64::NAN)),
        width: 591,
        height: 1_280,
        shape,
        cost: Usd::from_micros(900),
        created: 0,
        ended: 1,
    })
}

fn tell(incoming: &Incoming, reply: &Result<Reply, Refusal>) {
    let response = write(incoming.protocol, incoming.manner, reply);
    let body = std::str::from_utf8(&response.body).expect("what is sent is text");
    match response.content_type {
        "application/json" => {
            let json: serde_json::Value = serde_json::from_str(body).expect("what is sent is JSON");
            assert!(json.is_object(), "{body}");
        }
        text => {
            assert_eq!(incoming.protocol, Protocol::InPhp, "{text}");
            assert_eq!(body.lines().count(), 1, "{body:?}");
        }
    }
}
