//! Limits of time have one place.

use super::*;

#[test]
fn the_timeout_in_the_file_is_the_only_one() {
    let text = "[[providers]]\nkind = \"twocaptcha\"\n";
    let worst = |timeout: &str| {
        let config = parse(&format!("{text}{timeout}")).unwrap();
        let chain = config.build(&standard()).unwrap();
        chain.profile().worst_case.time
    };
    assert_eq!(worst(""), Some(Duration::from_secs(120)));
    for timeout in ["timeout", "total_timeout"] {
        let long = format!("{timeout} = \"5m\"");
        assert_eq!(worst(&long), Some(Duration::from_secs(300)));
    }
}

#[test]
fn a_timeout_in_which_no_answer_can_come_is_refused_by_its_own_name() {
    for (key, lines) in [
        ("timeout", "timeout = \"5s\"\ntotal_timeout = \"60s\""),
        ("total_timeout", "total_timeout = \"5s\""),
        ("job_timeout", "timeout = \"60s\"\njob_timeout = \"5s\""),
    ] {
        let text = format!("[[providers]]\nkind = \"twocaptcha\"\n{lines}");
        let error = parse(&text).unwrap().build(&standard()).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "providers.twocaptcha.{key}: must be more than 5s, the wait before the first poll"
            )
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_total_timeout_holds_for_all_attempts_together() {
    let text = r#"
        [[providers]]
        kind = "mock"
        failures = 1
        seconds = 60
        retry = { base_backoff = "0s" }
    "#;
    let took = async |line: &str| {
        let config = parse(&format!("{text}{line}")).unwrap();
        let (outcome, took) = solve(&config.build(&mocks()).unwrap()).await;
        (outcome.map_err(|error| error.kind()).err(), took.as_secs())
    };
    assert_eq!(took("timeout = \"70s\"").await, (None, 60));
    let timeout = Some(ErrorKind::Timeout);
    assert_eq!(took("total_timeout = \"30s\"").await, (timeout, 30));
}
