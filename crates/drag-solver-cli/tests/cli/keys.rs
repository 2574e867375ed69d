//! `keys` from outside: what is made, listed and revoked, and what is refused.

use std::path::PathBuf;

use drag_solver::store::jiff::{Span, Timestamp};
use drag_solver::store::{
    Charge, Clock, KeyRecord, SqliteOptions, SqliteStore, Store as _, key_hash,
};
use serde_json::{Value, json};

use crate::support::{Ran, drag_solver};

/// A folder for a store.
struct House(tempfile::TempDir);

impl House {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("drags.db")
    }

    /// `drag-solver keys` with these arguments and the store.
    async fn keys(&self, args: &[&str]) -> Ran {
        let keys = drag_solver(["keys"]).args(args);
        keys.env("DRAG_SOLVER_STORE", self.path()).run().await
    }

    /// The lines for programs.
    async fn listed(&self) -> Vec<Value> {
        let ran = self.keys(&["list", "--format=json"]).await;
        assert_eq!(ran.code, Some(0), "{ran:?}");
        let lines = ran.stdout.lines();
        lines
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// The store, as it was opened two days ago: so that no midnight comes between.
    fn two_days_ago(&self) -> SqliteStore {
        let then = Timestamp::now() - Span::new().hours(48);
        let options = SqliteOptions::default().retention(None);
        let options = options.clock(Clock::from_fn(move || then));
        SqliteStore::open_with(self.path(), options).unwrap()
    }

    /// Spends $1.25 with the key of this name.
    async fn spend(&self, name: &str) {
        let charge = Charge {
            key: 7,
            reservation: None,
            budget: format!("key/{name}"),
            solver: "a".to_owned(),
            amount: "1.25".parse().unwrap(),
        };
        let store = self.two_days_ago();
        store.charge(&charge, &[]).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_key_stands_alone_on_standard_output() {
    let house = House::new();
    let made = house.keys(&["add", "shop"]).await;
    assert_eq!(made.code, Some(0), "{made:?}");
    let key = made.stdout.strip_suffix('\n').unwrap();
    let is_hex = |c: u8| c.is_ascii_digit() || (b'a'..=b'f').contains(&c);
    assert!(key.len() == 32 && key.bytes().all(is_hex), "{made:?}");
    assert_eq!(
        made.stderr,
        "the key of shop (no limits): it is shown this once\n"
    );
    let quiet = house.keys(&["add", "other", "--quiet"]).await;
    assert_eq!((quiet.code, &*quiet.stderr), (Some(0), ""));
    assert_ne!(quiet.stdout, made.stdout, "each is another one");
}

#[tokio::test]
async fn a_key_is_listed_with_what_may_be_done_with_it_and_what_was_spent() {
    let house = House::new();
    let limits = [
        "add",
        "shop",
        "--per-day=5",
        "--total=50",
        "--rate=10/s",
        "--parallel=20",
        "--expires=2099-01-31",
    ];
    for args in [&limits[..], &["add", "boss", "--admin"]] {
        let made = house.keys(args).await;
        assert_eq!(made.code, Some(0), "{made:?}");
    }
    house.spend("shop").await;
    let ran = house.keys(&["list"]).await;
    assert_eq!(
        ran.stdout,
        "shop  $5 a day, $50 in all, 10 jobs in 1s, 20 open at once, until 2099-01-31  $0 today, $1.25 in all\n\
         boss  administrator  $0 today, $0 in all\n",
        "{ran:?}"
    );
    let listed = house.listed().await;
    let expected = json!({
        "v": 1,
        "name": "shop",
        "role": "client",
        "limits": {
            "per_day": "5",
            "total": "50",
            "rate": {"count": 10, "per": "1s"},
            "parallel": 20,
        },
        "created": listed[0]["created"],
        "expires": "2099-01-31T00:00:00Z",
        "revoked": null,
        "valid": true,
        "spent_usd": "1.25",
        "spent_today_usd": "0",
    });
    assert_eq!(listed[0], expected);
    assert_eq!(listed[1]["role"], "administrator");
}

#[tokio::test]
async fn a_name_is_free_again_when_its_key_is_revoked_and_goes_on_with_what_was_spent() {
    let house = House::new();
    let first = house.keys(&["add", "shop", "--total=5"]).await;
    house.spend("shop").await;
    let revoked = house.keys(&["revoke", "shop"]).await;
    assert_eq!(
        (revoked.code, &*revoked.stdout, &*revoked.stderr),
        (Some(0), "", "the key of shop is revoked\n")
    );
    let second = house.keys(&["add", "shop", "--total=5"]).await;
    assert_eq!(second.code, Some(0), "{second:?}");
    assert_ne!(second.stdout, first.stdout);
    assert!(
        second
            .stderr
            .contains("note: $1.25 was spent with an earlier key of shop, $0 of it today"),
        "{second:?}"
    );
    let listed = house.listed().await;
    let valid: Vec<_> = listed.iter().map(|line| &line["valid"]).collect();
    assert_eq!(valid, [false, true], "the oldest first: {listed:?}");
    assert!(listed[0]["revoked"].is_string() && listed[1]["revoked"].is_null());
    assert_eq!(listed[1]["spent_usd"], "1.25");
    let text = house.keys(&["list"]).await.stdout;
    let lines: Vec<&str> = text.lines().collect();
    assert!(
        lines[0].contains(", revoked 20") && !lines[1].contains("revoked"),
        "{text}"
    );
}

#[tokio::test]
async fn a_key_that_has_ended_is_listed_as_that_and_in_nobodys_way() {
    let house = House::new();
    let store = house.two_days_ago();
    let mut key = KeyRecord::new("guest", key_hash("a"), store.now()).unwrap();
    let ended = store.now() + Span::new().hours(1);
    key.expires = Some(ended);
    assert!(store.add_key(&key).await.unwrap());
    drop(store);
    let text = house.keys(&["list"]).await.stdout;
    let day = ended.to_string();
    let expected = format!("guest  no limits, ended {}  $0 today", &day[..10]);
    assert!(text.starts_with(&expected), "{text}");
    assert_eq!(house.listed().await[0]["valid"], false);
    assert_eq!(house.keys(&["add", "guest"]).await.code, Some(0));
}

#[tokio::test]
async fn what_makes_no_sense_makes_neither_a_key_nor_a_store() {
    let house = House::new();
    let cases: [(&[&str], &str); 12] = [
        (&[], "<NAME>"),
        (&["a b"], "1 to 64 letters, digits"),
        (&["shop", "--expires=2020-01-31"], "that is over already"),
        (&["shop", "--expires=soon"], "as in 30days"),
        (&["shop", "--expires=20000years"], "farther away"),
        (&["shop", "--rate=10"], "as in 10/s"),
        (&["shop", "--per-day", "-1"], "must not be below 0"),
        (&["shop", "--per-day", "0"], "must be more than 0"),
        (&["shop", "--total=many"], "as in 5 or 0.25"),
        (&["shop", "--parallel=0"], "must be at least 1"),
        (&["boss", "--admin", "--total=1"], "cannot be used with"),
        (&["shop", "--key=secret"], "unexpected argument"),
    ];
    for (args, why) in cases {
        let ran = house.keys(&[&["add"], args].concat()).await;
        assert!(ran.stderr.contains(why), "{why}: {ran:?}");
        assert_eq!((ran.code, &*ran.stdout), (Some(2), ""), "{ran:?}");
        assert!(!house.path().exists(), "{args:?}");
    }
    let nowhere = drag_solver(["keys", "add", "shop"]).run().await;
    assert!(
        nowhere.stderr.contains("--store") && nowhere.stderr.contains("DRAG_SOLVER_STORE"),
        "{nowhere:?}"
    );
}

#[tokio::test]
async fn what_is_not_there_is_told() {
    let house = House::new();
    for args in [&["list"][..], &["revoke", "shop"]] {
        let ran = house.keys(args).await;
        assert_eq!((ran.code, &*ran.stdout), (Some(2), ""), "{ran:?}");
        assert!(ran.stderr.contains("there is no store"), "{ran:?}");
        assert!(ran.stderr.contains("keys add NAME --store"), "{ran:?}");
        assert!(!house.path().exists(), "who only looks makes none");
    }
    drop(house.two_days_ago());
    let ran = house.keys(&["list"]).await;
    assert_eq!((ran.code, &*ran.stdout), (Some(0), ""), "{ran:?}");
    assert!(ran.stderr.contains("keys add NAME"), "{ran:?}");
    let ran = house.keys(&["revoke", "shop"]).await;
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("there is no key of shop"), "{ran:?}");
}
