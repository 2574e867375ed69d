//! What published clients send to `createTask` and `createJob`, body for body, and what is read out of it.

use drag_solver_core::Verdict;
use drag_solver_wire::{Call, Operation, Protocol, Refusal, Shape};

use crate::support::{job, json, refusal};

/// anticaptchaofficial in Python and Node, python-anticaptcha.
#[test]
fn anticaptchas_clients_are_known_by_their_task() {
    for (comment, instruction) in [
        (r#""drag""#, Some("drag")),
        ("false", None),
        ("null", None),
        (r#""""#, None),
    ] {
        let body = format!(
            r#"{{"clientKey":"KEY","task":{{"type":"ImageToCoordinatesTask","body":"PICTURE","mode":"points",
            "comment":{comment}}},"softId":"0","more":1}}"#
        );
        for target in ["/createTask", "//createTask", "/anticaptcha/createTask"] {
            let job = job(json(target, &body), Protocol::AntiCaptcha);
            assert_eq!(job.instruction.as_deref(), instruction);
            assert_eq!(job.shape, Shape::Drag);
        }
    }
    let rectangles =
        r#"{"task":{"type":"ImageToCoordinatesTask","body":"PICTURE","mode":"rectangles"}}"#;
    assert!(matches!(
        refusal(json("/createTask", rectangles)),
        Refusal::TaskType(_)
    ));
}

/// async-2captcha.
#[test]
fn async_twocaptcha_is_known_by_its_task() {
    let body = r#"{"task":{"body":"PICTURE","comment":"c","minClicks":2,"maxClicks":2,
        "type":"CoordinatesTask"},"clientKey":"KEY"}"#;
    let read = job(json("/createTask", body), Protocol::TwoCaptcha);
    assert_eq!(read.instruction.as_deref(), Some("c"));
    for clicks in [
        r#""minClicks":3"#,
        r#""minClicks":"3""#,
        r#""maxClicks":1,"x":2"#,
    ] {
        let body = body
            .replace(r#""minClicks":2"#, clicks)
            .replace(r#""maxClicks":2,"#, "");
        assert!(matches!(
            refusal(json("/createTask", &body)),
            Refusal::BadParameters(_)
        ));
    }
    // Its get_balance goes to the wrong place.
    let balance = json("/getTaskResult", r#"{"clientKey":"KEY"}"#);
    assert_eq!(balance.operation, Operation::Poll);
    assert_eq!(refusal(balance), Refusal::NoSuchJob);
}

#[test]
fn an_id_is_read_as_a_number_or_a_text() {
    let ask = |target: &str, id: &str| {
        json(target, &format!(r#"{{"clientKey":"KEY","taskId":{id}}}"#)).call
    };
    for target in ["/getTaskResult", "/reportIncorrectImageCaptcha"] {
        for id in ["70000000007", r#""70000000007""#] {
            let read = match ask(target, id).unwrap() {
                Call::Poll { ids } => ids[0].clone(),
                Call::Report {
                    id,
                    verdict: Verdict::Incorrect,
                } => id,
                other => panic!("{other:?}"),
            };
            assert_eq!(read, "70000000007");
        }
        for id in ["null", "[]", "{}", r#""""#] {
            assert_eq!(ask(target, id).unwrap_err(), Refusal::NoSuchJob, "{id}");
        }
    }
    let uuid = r#""49f9f60a-c809-4af0-93c0-0409b72e67e0""#;
    let Ok(Call::Poll { ids }) = ask("/v2/getTaskResult", uuid) else {
        panic!()
    };
    assert_eq!(ids, [uuid.trim_matches('"')]);
}

/// capmonstercloud-client, and others that ask for other things.
#[test]
fn tasks_that_are_no_drags_are_refused() {
    for task in [
        r#"{"type":"ComplexImageTask","class":"recognition","imagesBase64":["PICTURE"],"metadata":{"Task":"shein"}}"#,
        r#"{"type":"RecaptchaV2TaskProxyless","websiteURL":"x"}"#,
        r#"{"type":"SliderAllWebTask","imageBase64":"PICTURE","widthView":340}"#,
    ] {
        let body = format!(r#"{{"clientKey":"KEY","task":{task},"softId":54}}"#);
        let incoming = json("/createTask", &body);
        assert_eq!(incoming.protocol, Protocol::TwoCaptcha);
        assert!(matches!(refusal(incoming), Refusal::TaskType(_)));
    }
    for body in [
        r#"{"clientKey":"KEY"}"#,
        r#"{"task":{}}"#,
        r#"{"task":{"type":null}}"#,
    ] {
        assert_eq!(refusal(json("/createTask", body)), Refusal::TaskAbsent);
    }
    // Below a prefix, only what that provider does.
    let other = r#"{"task":{"type":"CoordinatesTask","body":"PICTURE"}}"#;
    assert!(matches!(
        refusal(json("/anticaptcha/createTask", other)),
        Refusal::TaskType(_)
    ));
}

/// OMOCaptcha.py.
#[test]
fn omocaptcha_v1_is_asked_for_drags_and_distances() {
    let create = |target: &str, data: &str| {
        let body = r#"{"api_token":"KEY","data":{DATA,"image_base64":"PICTURE"}}"#;
        json(target, &body.replace("DATA", data))
    };
    let distance = Shape::Distance { view_width: 340 };
    for (data, shape) in [
        (r#""type_job_id":24"#, Shape::Drag),
        (r#""type_job_id":"24""#, Shape::Drag),
        (r#""type_job_id":24,"width_view":340"#, distance),
        (
            r#""type_job_id":"21","width_view":"340","height_view":212"#,
            distance,
        ),
    ] {
        for target in [
            "/api/createJob",
            "//api/createJob",
            "/omocaptcha/api/createJob",
        ] {
            assert_eq!(
                job(create(target, data), Protocol::OmocaptchaV1).shape,
                shape
            );
        }
    }
    for data in [r#""type_job_id":22"#, r#""type_job_id":"25""#] {
        assert!(matches!(
            refusal(create("/api/createJob", data)),
            Refusal::TaskType(_)
        ));
    }
    for data in [
        r#""type_job_id":21"#,
        r#""type_job_id":21,"width_view":0"#,
        r#""type_job_id":24,"width_view":"wide""#,
    ] {
        let refusal = refusal(create("/api/createJob", data));
        assert!(matches!(refusal, Refusal::BadParameters(_)), "{data}");
    }
    let poll = json(
        "/api/getJobResult",
        r#"{"api_token":"KEY","job_id":70000000006}"#,
    );
    let Ok(Call::Poll { ids }) = poll.call else {
        panic!()
    };
    assert_eq!(ids, ["70000000006"]);
    let services = json("/api/getService", r#"{"api_token":"KEY"}"#);
    assert!(matches!(services.call, Ok(Call::Services)));
}

#[test]
fn omocaptcha_v2_is_known_by_its_path_and_by_its_tasks() {
    let create = |target: &str, kind: &str, extra: &str| {
        let body = r#"{"clientKey":"KEY","task":{"type":"KIND","imageBase64":"PICTURE"EXTRA}}"#;
        json(target, &body.replace("KIND", kind).replace("EXTRA", extra))
    };
    let width = r#","widthView":340"#;
    for (kind, extra, shape) in [
        ("TiktokSliderPhoneTask", "", Shape::Drag),
        ("ZaloSliderPhoneTask", width, Shape::Drag),
        (
            "TiktokSliderWebTask",
            width,
            Shape::Distance { view_width: 340 },
        ),
    ] {
        for target in ["/v2/createTask", "/createTask", "/omocaptcha/v2/createTask"] {
            assert_eq!(
                job(create(target, kind, extra), Protocol::OmocaptchaV2).shape,
                shape
            );
        }
    }
    let web = create("/v2/createTask", "TiktokSliderWebTask", "");
    assert!(matches!(refusal(web), Refusal::BadParameters(_)));
}
