//! Requests of every shape, as they leave.

#![allow(clippy::unwrap_used)] // a failed `unwrap` is a failed test

use std::time::Duration;

use drag_solver_http::secrecy::SecretString;
use drag_solver_http::{ApiRequest, HttpOptions, Picture, ReqwestTransport, Transport as _};
use drag_solver_mock::fixtures::challenge;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

const HOUR: Duration = Duration::from_secs(3600);

/// What a server at `base` gets: the head's first line, the other lines, the body.
async fn sent(base: &str, request: ApiRequest) -> (String, Vec<String>, Vec<u8>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}{base}", listener.local_addr().unwrap());
    let transport = ReqwestTransport::new(&HttpOptions::default().base_url(url)).unwrap();
    let body_length = request.body().len();
    let server = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut got = Vec::new();
        let end = loop {
            stream.read_buf(&mut got).await.unwrap();
            let head = got.windows(4).position(|four| four == b"\r\n\r\n");
            if let Some(end) = head.filter(|end| got.len() >= end + 4 + body_length) {
                break end;
            }
        };
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
        stream.write_all(answer).await.unwrap();
        let body = got.split_off(end + 4);
        let head = String::from_utf8(got).unwrap();
        let mut lines = head.trim_end().lines().map(str::to_owned);
        (lines.next().unwrap(), lines.collect(), body)
    };
    let (got, answer) = tokio::join!(server, transport.send(request, HOUR));
    assert_eq!(answer.unwrap().status(), 200);
    got
}

#[tokio::test]
async fn a_request_without_a_body_has_its_query_its_segments_and_its_headers() {
    let key = SecretString::from("hunter2");
    let request = ApiRequest::get("jobs")
        .segment("a/../b?c")
        .query("wait", "1 & 2")
        .secret_query("key", &key)
        .bearer(&key)
        .secret_header("X-API-Key", &key)
        .header("X-Version", "2");
    assert!(!format!("{request:?}{:?}", request.headers()).contains("hunter2"));
    let (line, headers, body) = sent("/v1", request).await;
    assert_eq!(
        line,
        "GET /v1/jobs/a%2F..%2Fb%3Fc?wait=1+%26+2&key=hunter2 HTTP/1.1"
    );
    for header in [
        "authorization: Bearer hunter2",
        "x-api-key: hunter2",
        "x-version: 2",
    ] {
        assert!(headers.iter().any(|line| line == header), "{headers:?}");
    }
    let of_a_body = |line: &&String| line.starts_with("content-");
    assert_eq!(headers.iter().find(of_a_body), None);
    assert!(body.is_empty());
}

#[tokio::test]
async fn a_body_is_announced_as_what_it_is() {
    let shot = challenge().screenshot().clone();
    let fields = json!({"method": "post", "file": Picture});
    for (request, content_type, begins) in [
        (
            ApiRequest::json("", &json!([])),
            "application/json",
            "[]".to_owned(),
        ),
        (
            ApiRequest::form("", &json!({"a": "b c"})),
            "application/x-www-form-urlencoded",
            "a=b%20c".to_owned(),
        ),
        (
            ApiRequest::form_with_picture("", &fields, &shot).unwrap(),
            "application/x-www-form-urlencoded",
            "file=R0lGOD".to_owned(),
        ),
        (
            ApiRequest::multipart("", &fields, &shot).unwrap(),
            "multipart/form-data; boundary=drag-solver-",
            "--drag-solver-".to_owned(),
        ),
    ] {
        let expected = request.body().clone();
        let (line, headers, body) = sent("", request).await;
        assert_eq!(line, "POST / HTTP/1.1");
        assert_eq!(body, expected);
        assert!(body.starts_with(begins.as_bytes()), "{body:?}");
        let announced = format!("content-type: {content_type}");
        let is_announced = |line: &String| line.starts_with(&announced);
        assert!(headers.iter().any(is_announced), "{headers:?}");
    }
}
