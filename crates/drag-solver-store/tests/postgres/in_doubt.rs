//! A connection that breaks after a `COMMIT` went out and before its answer came: it is unknown whether it was committed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use bytes::Bytes;
use drag_solver_core::{Billed, JobId, Solution, Verdict};
use drag_solver_mock::fixtures;
use drag_solver_store::{
    Accepted, Charge, Ended, Fact, KeyLimits, NewPurchase, Opening, PostgresOptions, Query,
    Reported, SqliteStore, Store as _, TakenUp,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::place::Place;
use crate::process::challenge;

/// Between a store and its server.
#[derive(Clone, Default)]
struct Wire {
    /// Whether the answer to the next `COMMIT` is lost, with its connection.
    loses_next: Arc<AtomicBool>,
    /// Whether no new connection comes through.
    is_cut: Arc<AtomicBool>,
    lost: Arc<AtomicU32>,
}

impl Wire {
    async fn start(&self, server: u16) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let wire = self.clone();
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                if wire.is_cut.load(Ordering::SeqCst) {
                    continue;
                }
                let far = TcpStream::connect(("127.0.0.1", server)).await.unwrap();
                tokio::spawn(wire.clone().relay(near, far));
            }
        });
        format!("postgres://postgres@127.0.0.1:{port}/postgres")
    }

    async fn relay(self, mut near: TcpStream, mut far: TcpStream) {
        let (mut there, mut back) = (vec![0; 64 << 10], vec![0; 64 << 10]);
        let mut loses_answer = false;
        loop {
            tokio::select! {
                read = near.read(&mut there) => match read {
                    Ok(count @ 1..) => {
                        let sent = &there[..count];
                        let commits = sent.windows(7).any(|part| part == b"COMMIT\0");
                        loses_answer |= commits && self.loses_next.swap(false, Ordering::SeqCst);
                        if far.write_all(sent).await.is_err() {
                            return;
                        }
                    }
                    _ => return,
                },
                read = far.read(&mut back) => match read {
                    // The server has done it, and nobody hears of that.
                    Ok(1..) if loses_answer => {
                        self.lost.fetch_add(1, Ordering::SeqCst);
                        return;
                    }
                    Ok(count @ 1..) => {
                        if near.write_all(&back[..count]).await.is_err() {
                            return;
                        }
                    }
                    _ => return,
                },
            }
        }
    }

    /// Has the answer of what comes next lost.
    fn lose_next(&self) {
        self.loses_next.store(true, Ordering::SeqCst);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_committed_unheard_is_told_as_what_it_was_and_happens_once() {
    let Some(place) = Place::new() else { return };
    let wire = Wire::default();
    let url = wire.start(place.server.port()).await;
    let store = place.open_at(&url, PostgresOptions::default());
    store.flush().await.unwrap();
    let (opening, picture) = (
        Opening::of(&challenge("new"), "new", store.now()),
        Bytes::from_static(b"a picture"),
    );

    wire.lose_next();
    let accepted = store
        .accept(&opening, &picture, &KeyLimits::default())
        .await;
    assert!(matches!(accepted.unwrap(), Accepted::New));
    wire.lose_next();
    let TakenUp::Claimed(claim, _) = store.take_up(&opening).await.unwrap() else {
        panic!("it is ours");
    };
    wire.lose_next();
    let purchase = NewPurchase::new(7, claim, "a", picture);
    store.begin_purchase(purchase).await.unwrap();
    wire.lose_next();
    let price = "0.001".parse().unwrap();
    let charge = Charge {
        key: 8,
        reservation: None,
        budget: "all".to_owned(),
        solver: "a".to_owned(),
        amount: price,
    };
    store.charge(&charge, &[]).await.unwrap().unwrap();
    wire.lose_next();
    let spent = Fact::Spent {
        budget: "all".to_owned(),
        solver: "a".to_owned(),
        job: None,
        amount: price,
    };
    store.record(spent).await.unwrap();
    wire.lose_next();
    let bought = Fact::Bought {
        challenge: claim.challenge,
        key: 7,
        job: JobId::from(4_711),
    };
    store.record(bought).await.unwrap();
    wire.lose_next();
    let finished = Fact::Finished {
        claim,
        outcome: Some(Ok(Solution::new(fixtures::drag(), "a"))),
        ended: vec![Ended {
            key: 7,
            billed: Billed::Yes,
            cost: Some(price),
        }],
    };
    store.record(finished).await.unwrap();
    wire.lose_next();
    let reported = store.report("new", Verdict::Correct).await.unwrap();
    assert_eq!(reported, Reported::First);

    assert_eq!(wire.lost.load(Ordering::SeqCst), 8, "each lost its answer");
    let record = store.find("new").await.unwrap().unwrap();
    assert_eq!(record.purchases.len(), 1);
    let state = store.budget("all", &[]).await.unwrap();
    assert_eq!(state.spent, "0.002".parse().unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_accepted_unheard_and_refused_is_on_record_and_is_not_accepted_twice() {
    let Some(place) = Place::new() else { return };
    let wire = Wire::default();
    let url = wire.start(place.server.port()).await;
    let options = PostgresOptions::default().patience(Duration::from_millis(300));
    let store = place.open_at(&url, options);
    store.flush().await.unwrap();
    let opening = Opening::of(&challenge("new"), "new", store.now());
    let picture = Bytes::from_static(b"a picture");
    let accept = async || {
        let limits = KeyLimits::default();
        store.accept(&opening, &picture, &limits).await
    };

    wire.is_cut.store(true, Ordering::SeqCst);
    wire.lose_next();
    accept().await.unwrap_err();
    wire.is_cut.store(false, Ordering::SeqCst);
    while store.flush().await.is_err() {}
    let unheld = Query::default().unheld(true);
    assert_eq!(store.list(&unheld).await.unwrap().len(), 1);
    assert!(matches!(accept().await.unwrap(), Accepted::Known(_)));
    assert_eq!(store.list(&unheld).await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_that_was_committed_unheard_is_no_copy_too_many() {
    let Some(place) = Place::new() else { return };
    let folder = tempfile::tempdir().unwrap();
    let file = SqliteStore::open(folder.path().join("drags.db")).unwrap();
    let opening = Opening::of(&challenge("new"), "new", file.now());
    let picture = Bytes::from_static(b"a picture");
    let accepted = file.accept(&opening, &picture, &KeyLimits::default()).await;
    assert!(matches!(accepted.unwrap(), Accepted::New));
    let wire = Wire::default();
    let url = wire.start(place.server.port()).await;
    let store = place.open_at(&url, PostgresOptions::default());
    store.flush().await.unwrap();

    wire.lose_next();
    assert_eq!(
        store.copy_from(&file).await.unwrap(),
        2,
        "it and its picture"
    );
    assert_eq!(wire.lost.load(Ordering::SeqCst), 1);
    assert_eq!(store.list(&Query::default()).await.unwrap().len(), 1);
    let refused = store.copy_from(&file).await.unwrap_err();
    assert!(refused.to_string().contains("on record"), "{refused}");
}
