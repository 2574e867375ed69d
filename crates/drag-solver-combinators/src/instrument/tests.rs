use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use drag_solver_core::{Billed, CheckSettings, ErrorKind, WorstCase};
use drag_solver_mock::MockSolver;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::{DefaultGuard, Interest, set_default, set_global_default};
use tracing::{Event, Metadata, Subscriber};

use super::*;
use crate::DragSolverExt;
use crate::tests::{Named, Script, challenge, drag, error, secs};

type Fields = BTreeMap<String, String>;

/// Remembers the fields of every span, and how often each was entered.
#[derive(Clone, Default)]
struct Spans(Arc<Mutex<Vec<(Fields, u32)>>>);

impl Spans {
    /// Those of the thread that this is called on.
    fn of_this_test() -> (Self, DefaultGuard) {
        // Without one for all, a test on another thread that has none can have the span switched off for good.
        let _ = set_global_default(Self::default());
        let spans = Self::default();
        (spans.clone(), set_default(spans))
    }

    fn all(&self) -> Vec<String> {
        let spans = self.0.lock().unwrap();
        let print = |fields: &Fields| {
            let fields: Vec<_> = fields.iter().map(|(k, v)| format!("{k}={v}")).collect();
            fields.join(" ")
        };
        spans.iter().map(|(fields, _)| print(fields)).collect()
    }
}

struct Collect<'a>(&'a mut Fields);

impl Visit for Collect<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.to_owned());
    }
}

impl Subscriber for Spans {
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        Interest::sometimes()
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_span() && metadata.target().contains("instrument")
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut fields = Fields::new();
        span.record(&mut Collect(&mut fields));
        let mut spans = self.0.lock().unwrap();
        spans.push((fields, 0));
        Id::from_u64(spans.len() as u64)
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        let mut spans = self.0.lock().unwrap();
        let index = usize::try_from(span.into_u64()).unwrap() - 1;
        values.record(&mut Collect(&mut spans[index].0));
    }

    fn enter(&self, span: &Id) {
        let index = usize::try_from(span.into_u64()).unwrap() - 1;
        self.0.lock().unwrap()[index].1 += 1;
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, _: &Event<'_>) {}
    fn exit(&self, _: &Id) {}
}

#[tokio::test(start_paused = true)]
async fn every_call_is_a_span_that_says_how_it_ended() {
    let (spans, _guard) = Spans::of_this_test();
    let a = MockSolver::new("a")
        .answers(secs(3))
        .fails(
            secs(2),
            error(ErrorKind::InvalidAnswer).with_billed(Billed::Yes),
        )
        .stalls();
    let seen = a.instrumented("attempt");
    seen.solve(&challenge()).await.unwrap();
    seen.solve(&challenge()).await.unwrap_err();
    let challenge = challenge();
    let dropped = tokio::time::timeout(secs(7), seen.solve(&challenge));
    assert!(dropped.await.is_err());
    let expected = [
        "chain=a elapsed_ms=3000 outcome=solved scope=attempt solver=a",
        "billed=yes chain=a elapsed_ms=2000 outcome=invalid_answer scope=attempt solver=a",
        "chain=a elapsed_ms=7000 outcome=dropped scope=attempt solver=a",
    ];
    assert_eq!(spans.all(), expected);
    let entered = spans.0.lock().unwrap().iter().all(|(_, times)| *times >= 2);
    assert!(entered, "the solver works inside the span");
}

#[tokio::test(start_paused = true)]
async fn the_solver_is_who_answered_and_the_chain_who_was_called() {
    let (spans, _guard) = Spans::of_this_test();
    let a = MockSolver::new("a").then(ErrorKind::Unavailable);
    let chain = a
        .or(MockSolver::new("b").then(drag()))
        .instrumented("challenge");
    chain.solve(&challenge()).await.unwrap();
    let expected = "chain=a|b elapsed_ms=0 outcome=solved scope=challenge solver=b";
    assert_eq!(spans.all(), [expected]);
}

#[tokio::test(start_paused = true)]
async fn everything_else_passes_through() {
    let worst = WorstCase::one_purchase().with_time(secs(9));
    let a = MockSolver::new("a").with_worst_case(worst).answers(secs(1));
    let seen = a.clone().instrumented("attempt");
    assert_eq!((seen.name(), seen.profile()), ("a", a.profile()));
    assert_eq!(seen.get_ref().name(), "a");
    let solution = seen.solve(&challenge()).await.unwrap();
    seen.report(&solution, Verdict::Correct).await.unwrap();
    assert_eq!(a.heard(), [(solution, Verdict::Correct)]);
}

#[test]
fn an_empty_scope_is_refused_in_a_file() {
    let refused = InstrumentPolicy::from("").check().unwrap_err();
    assert_eq!(refused.path(), "scope");
    let policy: InstrumentPolicy = serde_json::from_str("{}").unwrap();
    assert_eq!(policy, InstrumentPolicy::from("challenge"));
    assert!(serde_json::from_str::<InstrumentPolicy>(r#"{"scop": "x"}"#).is_err());
    let seen = Named("a").instrumented("attempt");
    assert_eq!(seen.to_string(), r#"a.instrumented("attempt")"#);
}

#[cfg(feature = "metrics")]
mod recorded {
    use ::metrics::set_default_local_recorder;
    use drag_solver_core::Usd;
    use drag_solver_mock::Outcome;

    use super::*;
    use crate::measure::tests::book::Book;

    #[tokio::test(start_paused = true)]
    async fn calls_times_costs_and_reports_are_counted_by_solver_and_outcome() {
        let book = Book::default();
        let _guard = set_default_local_recorder(&book);
        let a = MockSolver::new("a")
            .with_cost(Usd::from_micros(900))
            .answers(secs(3))
            .then(Outcome::error(ErrorKind::Unsolvable, "gave up").after(secs(2)))
            .stalls();
        let seen = a.without_reports().instrumented("attempt");
        let solution = seen.solve(&challenge()).await.unwrap();
        seen.solve(&challenge()).await.unwrap_err();
        let challenge = challenge();
        let dropped = tokio::time::timeout(secs(7), seen.solve(&challenge));
        assert!(dropped.await.is_err());
        seen.report(&solution, Verdict::Incorrect)
            .await
            .unwrap_err();
        let expected = [
            ("drag_solver_answer_cost_usd attempt a", vec![0.0009]),
            (
                "drag_solver_call_duration_seconds attempt a dropped",
                vec![7.0],
            ),
            (
                "drag_solver_call_duration_seconds attempt a solved",
                vec![3.0],
            ),
            (
                "drag_solver_call_duration_seconds attempt a unsolvable",
                vec![2.0],
            ),
            (
                "drag_solver_calls_in_flight attempt a",
                vec![1.0, -1.0, 1.0, -1.0, 1.0, -1.0],
            ),
            ("drag_solver_calls_total attempt a dropped", vec![1.0]),
            ("drag_solver_calls_total attempt a solved", vec![1.0]),
            ("drag_solver_calls_total attempt a unsolvable", vec![1.0]),
            ("drag_solver_purchases_total attempt a billed", vec![1.0]),
            (
                "drag_solver_purchases_total attempt a bought",
                vec![1.0, 1.0, 1.0],
            ),
            (
                "drag_solver_purchases_total attempt a not_billed",
                vec![1.0],
            ),
            (
                "drag_solver_purchases_total attempt a unfinished",
                vec![1.0],
            ),
            (
                "drag_solver_reports_total attempt a incorrect unsupported",
                vec![1.0],
            ),
            ("drag_solver_spent_usd attempt a", vec![0.0009, 0.0009]),
        ];
        let expected = expected.map(|(line, values)| (line.to_owned(), values));
        assert_eq!(book.lines(), expected);
    }

    #[tokio::test(start_paused = true)]
    async fn where_only_the_price_is_known_that_is_the_cost() {
        let book = Book::default();
        let _guard = set_default_local_recorder(&book);
        let a = MockSolver::new("a").answers(secs(3));
        let seen = a.priced(Usd::from_micros(900)).instrumented("attempt");
        seen.solve(&challenge()).await.unwrap();
        let cost = (
            "drag_solver_answer_cost_usd attempt a".to_owned(),
            vec![0.0009],
        );
        assert!(book.lines().contains(&cost));
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_call_that_is_dropped_is_counted_whatever_jobs_of_others_were_brought() {
        let book = Book::default();
        let _guard = set_default_local_recorder(&book);
        let silent = drag_solver_core::solver_fn("a", |_| std::future::pending());
        let seen = silent.instrumented("attempt").priced(Usd::from_micros(900));
        let strangers = challenge().resume_job(crate::tests::job("c", 7));
        let dropped = tokio::time::timeout(secs(1), seen.solve(&strangers)).await;
        assert!(dropped.is_err());
        let unfinished = "drag_solver_purchases_total attempt a unfinished".to_owned();
        assert!(
            book.lines().contains(&(unfinished, vec![1.0])),
            "{:?}",
            book.lines()
        );
    }
}
