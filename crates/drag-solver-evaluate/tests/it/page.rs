//! The page, for those who would write something into it.

use std::time::Duration;

use drag_solver_core::Usd;
use drag_solver_evaluate::propose::Goal;
use drag_solver_evaluate::{Evaluation, LabelledPicture, Report};
use drag_solver_mock::{MockSolver, Outcome, fixtures};

use crate::measured::measure;
use crate::world::Books;

const HOSTILE: &str = "<script>alert('\"&\u{202e}')</script>\n<img src=x onerror=\"alert(1)\">";

#[tokio::test(start_paused = true)]
async fn nothing_that_was_read_is_markup_and_the_page_loads_nothing() {
    let answer = Outcome::answer(fixtures::drag()).after(Duration::from_secs(3));
    let mock = MockSolver::new("mock")
        .always(answer)
        .with_cost(Usd::from_micros(900));
    let picture = LabelledPicture::new(HOSTILE, fixtures::screenshot(), fixtures::drag()).unwrap();
    let pictures = vec![picture; 3];
    let evaluation = Evaluation::new()
        .solver(HOSTILE, mock.clone())
        .solver(HOSTILE, mock);
    let mut calls = Vec::new();
    evaluation.run(&pictures, |call| calls.push(call)).await;
    let goal = Goal::default().within(Duration::from_secs(20));
    let report = Report::new(&evaluation, &pictures, calls).with_proposal(&[0, 1], goal);
    assert!(report.proposal.as_ref().unwrap().is_met);
    let html = report.with_stopped(HOSTILE).html();
    let lower = html.to_lowercase();
    for forbidden in ["<script", "<img", "onerror=\"", "javascript:", "\u{202e}"] {
        assert!(!lower.contains(forbidden), "{forbidden}");
    }
    assert!(html.contains("&lt;script&gt;alert(&#39;"));
    assert!(html.contains("default-src 'none'"));
    // No address but those inside of the file.
    for (at, _) in lower
        .match_indices("href=\"")
        .chain(lower.match_indices("src=\""))
    {
        assert!(
            lower[at..].contains("=\"data:image/gif;base64,"),
            "{}",
            &lower[at..at + 40]
        );
    }
    assert!(!lower.contains("http://") && !lower.contains("https://") && !lower.contains("url("));
}

#[tokio::test(start_paused = true)]
async fn the_same_calls_make_the_same_report_with_every_solver_and_plot_in_it() {
    let goal = Goal::default().within(Duration::from_secs(20));
    let report = measure(&Books::new(5), 300)
        .await
        .with_proposal(&[0, 1, 2], goal);
    let html = report.html();
    assert_eq!(html, report.html());
    for name in ["cheap", "steady", "poor"] {
        assert!(html.contains(name), "{name}");
    }
    for plot in [
        "error cloud",
        "answers on a picture",
        "latency",
        "cost and accuracy",
    ] {
        assert!(html.contains(&format!("aria-label=\"{plot}\"")), "{plot}");
    }
    assert_eq!(html.matches("<svg").count(), html.matches("</svg>").count());
    assert_eq!(html.matches("<td").count(), html.matches("</td>").count());
    assert!(
        !html.contains("NaN") && !html.contains("inf"),
        "no number is none"
    );
    // For those who want to look at it.
    if let Ok(file) = std::env::var("DRAG_SOLVER_PAGE") {
        std::fs::write(file, &html).unwrap();
    }
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["v"], 1);
    assert_eq!(json["calls"].as_array().unwrap().len(), 900);
    assert_eq!(json["solvers"][0]["name"], "cheap");
    assert!(json["proposal"]["candidates"][0]["usd_per_right"].is_f64());
}

#[test]
fn a_report_of_nothing_is_a_page_too() {
    let report =
        Report::new(&Evaluation::new(), &[], Vec::new()).with_proposal(&[], Goal::default());
    assert!(report.proposal.is_none());
    assert!(report.html().contains("Pictures: 0. Solvers: 0."));
    assert!(report.text().starts_with("solver"));
}
