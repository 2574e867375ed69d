//! What is expected of each fault. Written by hand, from the providers' documentation, RFC 9110 and
//! the rules of this project about money; nothing here is taken from the code under test.
//!
//! `create`: the fault happens to the request that buys. `poll`: to one of the requests that ask for
//! the result; to every one of them gives the same, or `TIME_UP` where one of them was survived.
//! `ask`: to a balance, a report or a list of services, which never cost anything.

use std::time::Duration;

use drag_solver::Billed::{self, Maybe, No};
use drag_solver::ErrorKind::{
    self, InsufficientBalance, Protocol, RateLimited, Timeout, Unauthorized, Unavailable,
};
use drag_solver::Recovery::{self, Retry, Switch};

use super::account::Provider;

/// What comes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The answer.
    Fine,
    /// An error like this.
    Fails(ErrorKind, Recovery, Billed),
    /// One or the other: the operating system may throw received bytes away when a reset follows.
    FineOr(ErrorKind, Recovery, Billed),
    /// Nothing was paid, and the client need not know it.
    FailsFree(ErrorKind, Recovery),
}
use Outcome::{Fails, FailsFree, Fine, FineOr};

/// The request was sent, and it is not known what became of it.
const LOST: Outcome = Fails(Unavailable, Retry, Maybe);
/// It was not carried out: the provider is out of order.
const DOWN: Outcome = Fails(Unavailable, Retry, No);
/// An answer that is none, after which a job may exist.
const GARBAGE: Outcome = Fails(Protocol, Switch, Maybe);
/// An answer that is none, and says that no job exists.
const REFUSED: Outcome = Fails(Protocol, Switch, No);
const TOKEN: Outcome = Fails(Unauthorized, Switch, No);
const MONEY: Outcome = Fails(InsufficientBalance, Switch, No);
const SLOW_DOWN: Outcome = Fails(RateLimited, Retry, No);
const LOST_AFTER_ALL: Outcome = FineOr(Unavailable, Retry, Maybe);

// Of polls: no matter what ends them, the job is named and may be billed.
/// The wait that was asked for, or the fault itself, outlasts the time there is.
pub(super) const TIME_UP: Outcome = Fails(Timeout, Switch, Maybe);
const NO_TOKEN: Outcome = Fails(Unauthorized, Switch, Maybe);
const NO_MONEY: Outcome = Fails(InsufficientBalance, Switch, Maybe);
const NO_JOB: Outcome = Fails(Protocol, Switch, Maybe);
const TIME_UP_AFTER_ALL: Outcome = FineOr(Timeout, Switch, Maybe);

/// Who a line is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    All,
    /// omocaptcha v1, whose errors are told by their words.
    V1,
    /// The `createTask` family, whose errors have codes.
    Family,
}
use Who::{All, Family, V1};

/// One line of the table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    fault: &'static str,
    who: Who,
    pub(super) create: Outcome,
    pub(super) poll: Outcome,
    pub(super) ask: Outcome,
}

const fn row(fault: &'static str, who: Who, create: Outcome, poll: Outcome, ask: Outcome) -> Row {
    Row {
        fault,
        who,
        create,
        poll,
        ask,
    }
}

#[rustfmt::skip]
const TABLE: &[Row] = &[
    //  fault                         who     create     poll      ask
    row("refuse for 30ms",            All,    LOST,      Fine,     DOWN),
    row("reset before the request",   All,    LOST,      Fine,     DOWN),
    row("reset before the answer",    All,    LOST,      Fine,     DOWN),
    row("reset during the answer",    All,    LOST,      Fine,     DOWN),
    row("reset after the answer",     All,    LOST_AFTER_ALL, TIME_UP_AFTER_ALL, FineOr(Unavailable, Retry, No)),
    row("hang",                       All,    LOST,      Fine,     DOWN),
    row("stall",                      All,    LOST,      Fine,     DOWN),
    row("drip every 1ms",             All,    Fine,      Fine,     Fine),
    row("truncate",                   All,    LOST,      Fine,     DOWN),
    row("html",                       All,    GARBAGE,   Fine,     REFUSED),
    row("empty body",                 All,    GARBAGE,   Fine,     REFUSED),
    row("wrong content type",         All,    Fine,      Fine,     Fine),
    row("invalid utf-8",              All,    Fine,      Fine,     Fine),
    row("byte order mark",            All,    Fine,      Fine,     Fine),
    row("trailing nuls",              All,    Fine,      Fine,     Fine),
    row("control characters",         All,    Fine,      Fine,     Fine),
    row("not a number",               All,    Fine,      Fine,     Fine),
    row("padded texts",               All,    Fine,      Fine,     Fine),
    row("whole numbers as floats",    All,    Fine,      Fine,     Fine),
    row("odd headers",                All,    Fine,      Fine,     Fine),
    row("deep nesting",               All,    GARBAGE,   Fine,     REFUSED),
    row("gigabyte",                   All,    GARBAGE,   Fine,     REFUSED),
    row("endless body",               All,    GARBAGE,   Fine,     REFUSED),
    row("gzip bomb",                  All,    GARBAGE,   Fine,     REFUSED),
    row("duplicate fields",           All,    Fine,      Fine,     Fine),
    row("unknown fields",             All,    Fine,      Fine,     Fine),
    row("numbers as strings",         All,    Fine,      Fine,     Fine),
    row("strings as numbers",         All,    Fine,      Fine,     Fine),
    row("ids beyond 2^53",            All,    Fine,      Fine,     Fine),
    row("ids beyond 2^64",            All,    GARBAGE,   Fine,     Fine),
    row("302 to itself",              All,    GARBAGE,   Fine,     REFUSED),
    row("302 to another host",        All,    GARBAGE,   Fine,     REFUSED),
    row("307 to itself",              All,    REFUSED,   Fine,     REFUSED),
    row("307 to another host",        All,    REFUSED,   Fine,     REFUSED),
    row("307 to http",                All,    REFUSED,   Fine,     REFUSED),
    row("308 to another host",        All,    REFUSED,   Fine,     REFUSED),
    row("100 first",                  All,    Fine,      Fine,     Fine),
    row("102 first",                  All,    Fine,      Fine,     Fine),
    row("103 first",                  All,    Fine,      Fine,     Fine),
    row("endless 1xx",                All,    LOST,      Fine,     DOWN),
    row("101",                        All,    GARBAGE,   Fine,     REFUSED),
    row("204",                        All,    GARBAGE,   Fine,     REFUSED),
    row("401",                        All,    TOKEN,     Fine,     TOKEN),
    row("401 html",                   All,    TOKEN,     Fine,     TOKEN),
    row("401 json",                   All,    TOKEN,     NO_TOKEN, TOKEN),
    row("402",                        All,    MONEY,     Fine,     MONEY),
    row("402 html",                   All,    MONEY,     Fine,     MONEY),
    row("402 json",                   All,    MONEY,     NO_MONEY, MONEY),
    row("403",                        All,    TOKEN,     Fine,     TOKEN),
    row("403 html",                   All,    TOKEN,     Fine,     TOKEN),
    row("403 json",                   All,    TOKEN,     NO_TOKEN, TOKEN),
    row("404",                        All,    REFUSED,   Fine,     REFUSED),
    row("404 html",                   All,    REFUSED,   Fine,     REFUSED),
    row("404 json",                   V1,     REFUSED,   Fine,     REFUSED), // words that nobody explains
    row("404 json",                   Family, REFUSED,   NO_JOB,   REFUSED),
    row("408",                        All,    DOWN,      Fine,     DOWN),
    row("408 html",                   All,    DOWN,      Fine,     DOWN),
    row("408 json",                   All,    DOWN,      Fine,     DOWN),
    row("409",                        All,    REFUSED,   Fine,     REFUSED),
    row("409 html",                   All,    REFUSED,   Fine,     REFUSED),
    row("409 json",                   V1,     REFUSED,   Fine,     REFUSED),
    row("409 json",                   Family, REFUSED,   NO_JOB,   REFUSED),
    row("429",                        All,    SLOW_DOWN, Fine,     SLOW_DOWN),
    row("429 html",                   All,    SLOW_DOWN, Fine,     SLOW_DOWN),
    row("429 json",                   V1,     SLOW_DOWN, Fine,     SLOW_DOWN),
    row("429 json",                   Family, SLOW_DOWN, TIME_UP,  SLOW_DOWN), // the code says: in 5 s
    row("500",                        All,    LOST,      Fine,     DOWN),
    row("500 html",                   All,    LOST,      Fine,     DOWN),
    row("500 json",                   All,    LOST,      Fine,     DOWN),
    row("502",                        All,    LOST,      Fine,     DOWN),
    row("502 html",                   All,    LOST,      Fine,     DOWN),
    row("502 json",                   All,    LOST,      Fine,     DOWN),
    row("503",                        All,    DOWN,      Fine,     DOWN),
    row("503 html",                   All,    DOWN,      Fine,     DOWN),
    row("503 json",                   All,    DOWN,      Fine,     DOWN),
    row("504",                        All,    LOST,      Fine,     DOWN),
    row("504 html",                   All,    LOST,      Fine,     DOWN),
    row("504 json",                   All,    LOST,      Fine,     DOWN),
    row("521",                        All,    DOWN,      Fine,     DOWN),
    row("521 html",                   All,    DOWN,      Fine,     DOWN),
    row("521 json",                   All,    DOWN,      Fine,     DOWN),
    row("429 retry-after 3600",       All,    SLOW_DOWN, TIME_UP,  SLOW_DOWN),
    row("429 retry-after Fri, 31 Dec 2100 23:59:59 GMT", All, SLOW_DOWN, TIME_UP, SLOW_DOWN),
    row("429 retry-after Wed, 21 Oct 2015 07:28:00 GMT", All, SLOW_DOWN, Fine, SLOW_DOWN),
    row("429 retry-after soon",       All,    SLOW_DOWN, Fine,     SLOW_DOWN),
    row("429 retry-after 18446744073709551615", All, SLOW_DOWN, TIME_UP, SLOW_DOWN),
    row("echo",                       All,    TOKEN,     NO_TOKEN, TOKEN),
    row("echo json-escaped",          All,    TOKEN,     NO_TOKEN, TOKEN),
    row("echo percent-encoded",       All,    TOKEN,     NO_TOKEN, TOKEN),
    row("echo base64",                All,    TOKEN,     NO_TOKEN, TOKEN),
    row("echo in every member",       V1,     GARBAGE,   Fine,     REFUSED),
    row("echo in every member",       Family, FailsFree(Protocol, Switch), Fine, REFUSED),
    row("echo in location",           All,    REFUSED,   Fine,     REFUSED),
    row("echo on a page",             All,    LOST,      Fine,     DOWN),
];

/// What is expected when the connection itself cannot be used. Of the reset it depends on the race
/// between the two sides whether sending had begun.
pub(super) fn connect(fault: &str) -> Outcome {
    match fault {
        "refuse for 30ms" => DOWN,
        "reset before the request" => FailsFree(Unavailable, Retry),
        "hang" => LOST,
        other => panic!("`{other}` is not expected on connecting: say what should come of it"),
    }
}

/// The line about `fault`. One that is missing, or there twice, is an error.
pub(super) fn find(fault: &str, provider: Provider) -> Row {
    let who = if provider == Provider::OmocaptchaV1 {
        V1
    } else {
        Family
    };
    let is_it = |row: &&Row| row.fault == fault && (row.who == All || row.who == who);
    let rows: Vec<_> = TABLE.iter().filter(is_it).collect();
    match rows[..] {
        [row] => *row,
        _ => panic!("{} lines are about `{fault}` with {provider:?}", rows.len()),
    }
}

/// How long the error of a create request says to wait.
pub(super) fn retry_after(fault: &str) -> Option<std::ops::RangeInclusive<Duration>> {
    let seconds = |least, most| Some(Duration::from_secs(least)..=Duration::from_secs(most));
    match fault {
        "429 retry-after 3600" => seconds(3_600, 3_600),
        "429 retry-after 18446744073709551615" => seconds(u64::MAX, u64::MAX),
        // Decades from now, whenever now is.
        "429 retry-after Fri, 31 Dec 2100 23:59:59 GMT" => seconds(86_400, 4_000_000_000),
        "429 retry-after Wed, 21 Oct 2015 07:28:00 GMT" | "429 retry-after soon" | "429" => None,
        _ => seconds(0, u64::MAX), // of no interest here
    }
}
