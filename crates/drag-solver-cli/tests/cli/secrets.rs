//! `-vvv` shows everything that is logged. With any fault of a provider, the token is not in it.

use std::sync::Arc;

use drag_solver_emulator::{Emulator, Fault, Operation, Protocol, SecretScanner};
use drag_solver_mock::pictures::{AnswerKey, TestPicture};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::support::drag_solver;

/// Full of characters that JSON, URLs and HTML write in another way.
const TOKEN: &str = r#"q9Zv7"\/+=%&<'k3y8s"#;

/// Commands that run at the same time.
const AT_ONCE: usize = 24;

/// What is run: the provider, its protocol, the variables of its account.
const ACCOUNTS: [(&str, Protocol, [&str; 2]); 2] = [
    (
        "omocaptcha",
        Protocol::OmocaptchaV1,
        ["OMOCAPTCHA_API_TOKEN", "OMOCAPTCHA_BASE_URL"],
    ),
    (
        "twocaptcha",
        Protocol::TwoCaptcha,
        ["TWOCAPTCHA_API_KEY", "TWOCAPTCHA_BASE_URL"],
    ),
];

/// Runs the command once, against a provider that has this fault at this operation, and says what is
/// wrong with what it printed.
async fn run(account: usize, operation: Operation, fault: Fault) -> Result<(), String> {
    let (provider, protocol, [token, base_url]) = ACCOUNTS[account];
    let name = format!("{provider}, {fault}, {operation}");
    // Hangs end with the time there is; and all else has more of it than a busy machine takes.
    let timeout = if is_silent(&fault) {
        "--timeout=4s"
    } else {
        "--timeout=12s"
    };
    let builder = Emulator::builder().solver(AnswerKey).token(TOKEN);
    let emulator = builder.fault(operation, fault, 1).start().await.unwrap();
    let command = match operation {
        Operation::Balance => drag_solver(["balance", "-vvv"]),
        _ => drag_solver(["solve", "-vvv", "--poll-interval=1ms", timeout, "-"]),
    };
    let picture = TestPicture::draw_sized(3, 100, 200).unwrap();
    let ran = command
        .env(token, TOKEN)
        .env(base_url, emulator.url(protocol))
        .run_with(picture.screenshot().bytes())
        .await;
    let faults = emulator.traffic().faults;
    emulator.shutdown().await;
    if faults == 0 {
        return Err(format!("{name}: the fault did not happen: {}", ran.stderr));
    }
    if !matches!(ran.code, Some(0 | 1)) || ran.stderr.contains("panicked") {
        return Err(format!("{name}: ended with {:?}: {}", ran.code, ran.stderr));
    }
    if !ran.stderr.contains("TRACE") {
        return Err(format!("{name}: not talkative: {}", ran.stderr));
    }
    let search = SecretScanner::new(TOKEN);
    for printed in [&ran.stdout, &ran.stderr] {
        if let Some(how) = search.find(printed) {
            return Err(format!("{name}: the token, {how}: {printed}"));
        }
    }
    Ok(())
}

/// Whether the client has to wait for its own patience to end.
fn is_silent(fault: &Fault) -> bool {
    matches!(
        fault,
        Fault::Hang | Fault::Stall | Fault::EndlessInformational
    )
}

#[tokio::test]
async fn the_most_talkative_log_of_any_fault_holds_no_token() {
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut runs = JoinSet::new();
    for account in 0..ACCOUNTS.len() {
        for fault in Fault::all() {
            for operation in [Operation::Create, Operation::Poll, Operation::Balance] {
                // `balance` has no limit of its own but 30 s, which is not waited for here.
                if operation == Operation::Balance && is_silent(&fault) {
                    continue;
                }
                let (places, fault) = (Arc::clone(&places), fault.clone());
                runs.spawn(async move {
                    let _place = places.acquire().await.unwrap();
                    run(account, operation, fault).await
                });
            }
        }
    }
    let all = runs.len();
    let failures: Vec<_> = runs
        .join_all()
        .await
        .into_iter()
        .filter_map(Result::err)
        .collect();
    assert!(
        failures.is_empty(),
        "{} of {all} runs failed:\n{}",
        failures.len(),
        failures.join("\n")
    );
}
