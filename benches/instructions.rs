//! Instructions that one call executes, counted by valgrind. They repeat to within a few in a
//! thousand on a machine that is busy with other things, where seconds do not.
//!
//! `cargo bench -p drag-solver-benches --bench instructions`, with `valgrind` on the `PATH`.

#![allow(clippy::print_stdout)] // the figures are what it is for

#[path = "support/bodies.rs"]
mod bodies;
#[path = "support/chains.rs"]
mod chains;
#[path = "support/providers.rs"]
mod providers;

use std::collections::HashMap;
use std::env;
use std::hint::black_box;
use std::io::ErrorKind;
use std::process::Command;

use bodies::{BASE64, Case, OURS, SIZES, USUAL, WAYS};
use chains::{BARE, CHAIN, COMMON, NOTHING, SUBJECTS, TOWER};
use providers::{COMPILED, DECLARED, MOST_OF_COMPILED, PROVIDERS};
use tower::BoxError;

/// First argument of the runs under valgrind, followed by a subject and how often to call it.
const RUN: &str = "--run";

/// Calls in the shorter of the two runs whose difference is one call's cost.
const CHAIN_CALLS: u64 = 1_000;
const BODY_CALLS: u64 = 10;
const SOLVES: u64 = 200;

fn main() -> Result<(), BoxError> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match &arguments[..] {
        [run, name, calls] if run == RUN => call(name, calls.parse()?),
        _ => report(),
    }
}

/// What runs under valgrind: nothing but the calls, and what must be made ready for them.
fn call(name: &str, calls: u64) -> Result<(), BoxError> {
    if WAYS.contains(&name) {
        let case = Case::new(SIZES[1])?;
        for _ in 0..calls {
            black_box(black_box(&case).make(name)?);
        }
        return Ok(());
    }
    let is_provider = PROVIDERS.contains(&name);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(is_provider) // nobody waits between polls
        .build()?;
    if is_provider {
        let calls = usize::try_from(calls)?;
        let provider = providers::provider(name, calls)?;
        runtime.block_on(providers::solve(&*provider, calls))?;
        return Ok(());
    }
    let _entered = runtime.enter(); // tower's rate limit is built with a timer
    let mut subject = chains::subject(name)?;
    let challenge = chains::challenge();
    runtime.block_on(async {
        for _ in 0..calls {
            black_box(subject.call(&challenge).await)?;
        }
        Ok(())
    })
}

fn report() -> Result<(), BoxError> {
    let chains = SUBJECTS.map(|name| (name, CHAIN_CALLS));
    let bodies = WAYS.map(|name| (name, BODY_CALLS));
    let mut counts = HashMap::new();
    println!(
        "instructions a call (bodies: a picture of {} bytes)",
        SIZES[1]
    );
    let providers = PROVIDERS.map(|name| (name, SOLVES));
    for (name, calls) in chains.into_iter().chain(bodies).chain(providers) {
        let Some(fewer) = instructions(name, calls)? else {
            println!("not measured: there is no valgrind on the PATH");
            return Ok(());
        };
        let more = instructions(name, 2 * calls)?.unwrap_or(fewer);
        let each = (more - fewer) / calls;
        println!("  {name:10} {each:>9}");
        counts.insert(name, each);
    }
    for (of, to) in [
        (CHAIN, BARE),
        (COMMON, TOWER),
        (NOTHING, TOWER),
        (USUAL, OURS),
        (OURS, BASE64),
        (DECLARED, COMPILED),
    ] {
        #[allow(clippy::cast_precision_loss)] // far below 2^53
        let ratio = counts[of] as f64 / counts[to] as f64;
        println!("{of} / {to} = {ratio:.2}");
        if of == DECLARED && ratio > MOST_OF_COMPILED {
            return Err(format!("it should be at most {MOST_OF_COMPILED}").into());
        }
    }
    Ok(())
}

/// Instructions of a whole run; `None` if there is no valgrind.
fn instructions(name: &str, calls: u64) -> Result<Option<u64>, BoxError> {
    let run = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(env::current_exe()?)
        .args([RUN, name, &calls.to_string()])
        .output();
    let run = match run {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        run => run?,
    };
    let said = String::from_utf8_lossy(&run.stderr);
    let collected = said
        .lines()
        .find_map(|line| line.split_once("Collected : "));
    match collected {
        Some((_, count)) if run.status.success() => Ok(Some(count.trim().parse()?)),
        _ => Err(format!("valgrind failed on `{name}`:\n{said}").into()),
    }
}
