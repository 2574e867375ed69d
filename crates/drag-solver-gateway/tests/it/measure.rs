//! What is counted, by labels that no client can make many of.

use axum::body::Body;
use axum::http::Request;
use drag_solver::testing::{MockSolver, fixtures};
use metrics_exporter_prometheus::PrometheusBuilder;

use crate::house::House;

#[tokio::test(start_paused = true)]
async fn what_clients_ask_is_counted_without_what_they_send() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let metrics = recorder.handle();
    let _here = metrics::set_default_local_recorder(&recorder);
    drag_solver_gateway::describe_metrics();
    let house = House::new(&MockSolver::new("house").always(fixtures::drag())).await;
    let id = house.create("SECRET-KEY", 590).await;
    house.poll("SECRET-KEY", id).await;
    for path in [
        "/nothing/SECRET-PATH",
        "/res.php?key=SECRET-KEY&action=get&id=9",
        "/v1/drags/SECRET-ID",
    ] {
        house
            .text(Request::get(path).body(Body::empty()).unwrap())
            .await;
    }
    let text = metrics.render();
    assert!(!text.contains("SECRET"), "{text}");
    for line in [
        r#"drag_solver_gateway_requests_total{protocol="two_captcha",operation="create",outcome="ok"} 1"#,
        r#"drag_solver_gateway_requests_total{protocol="two_captcha",operation="poll",outcome="ok"} 1"#,
        r#"drag_solver_gateway_requests_total{protocol="in_php",operation="poll",outcome="unknown_id"} 1"#,
        r#"drag_solver_gateway_requests_total{protocol="own",operation="/v1/drags/{id}",outcome="404"} 1"#,
        "drag_solver_gateway_open_jobs 0",
        r#"drag_solver_gateway_job_seconds_count{outcome="solved"} 1"#,
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
}
