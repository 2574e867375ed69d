//! The address of a database has a password, which is in nothing that is printed or answered: however talkative the
//! command, and whatever is wrong with the address or the server.

use std::fmt::Write as _;
use std::net::TcpListener;

use drag_solver_emulator::SecretScanner;
use drag_solver_mock::pictures::TestPicture;
use drag_solver_tests::postgres::Server;
use futures_util::future::join_all;
use tokio::io::AsyncReadExt as _;
use tokio::task::JoinSet;

use crate::serving::Serving;
use crate::support::{Run, drag_solver};

/// Full of characters that URLs, SQL, JSON and Rust write in another way.
const PASSWORD: &str = r#"w4Xn8"/\@:%&?<'p6Lt2z"#;

/// The variable that has the address.
const URL: &str = "DATABASE_OF_THE_TEST";

/// A server that lets `watched` in with that password, and `other` with another.
fn server() -> Option<Server> {
    let server = Server::start()?;
    let quoted = PASSWORD.replace('\'', "''");
    let run = |sql: &str| server.psql(sql).unwrap();
    run(&format!("CREATE ROLE watched LOGIN PASSWORD '{quoted}'"));
    run("CREATE ROLE other LOGIN PASSWORD 'another'");
    run("GRANT CREATE ON DATABASE postgres TO watched");
    run("DO $do$ BEGIN EXECUTE format(
            $$COPY (VALUES ('host all postgres 127.0.0.1/32 trust'), ('host all all 127.0.0.1/32 scram-sha-256')) TO %L$$,
            current_setting('hba_file')); END $do$");
    run("SELECT pg_reload_conf()");
    Some(server)
}

fn url(user: &str, port: u16, rest: &str) -> String {
    let password = PASSWORD.bytes().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "%{byte:02X}"); // to a String it cannot fail
        text
    });
    format!("postgres://{user}:{password}@127.0.0.1:{port}/{rest}")
}

fn no_password_in(what: &str, text: &str) {
    let found = SecretScanner::new(PASSWORD).find(text);
    assert!(found.is_none(), "{what}: the password, {found:?}: {text}");
}

fn with_store(run: Run, url: &str) -> Run {
    run.args(["--store", &format!("env:{URL}")]).env(URL, url)
}

fn serve(url: &str) -> Run {
    with_store(
        drag_solver(["serve", "-vvv", "--listen", "127.0.0.1:0"]),
        url,
    )
}

#[tokio::test]
async fn what_is_wrong_with_a_database_is_said_without_its_password() {
    let Some(server) = server() else { return };
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let (port, nobody) = (server.port(), free.local_addr().unwrap().port());
    drop(free);
    let mut runs = JoinSet::new();
    for (what, url, says) in [
        (
            "the password is wrong",
            url("other", port, "postgres"),
            "refuses the user",
        ),
        (
            "there is no such user",
            url("nobody", port, "postgres"),
            "refuses the user",
        ),
        (
            "there is no such database",
            url("watched", port, "nothing"),
            "create the database",
        ),
        (
            "there is no server",
            url("watched", nobody, "postgres"),
            "cannot be reached",
        ),
        (
            "it does no TLS",
            url("watched", port, "postgres?sslmode=require"),
            "TLS",
        ),
        (
            "a setting is unknown",
            url("watched", port, "postgres?pass=word"),
            "cannot be read",
        ),
        (
            "it is not encoded",
            format!("postgres://watched:{PASSWORD}@127.0.0.1/x"),
            "cannot be read",
        ),
    ] {
        let commands = [
            serve(&url),
            with_store(drag_solver(["keys", "list", "-vvv"]), &url),
            drag_solver(["jobs", "all", "-vvv"]).env("DRAG_SOLVER_STORE", &url),
            drag_solver(["jobs", "all", "-vvv", "--store", &url]),
        ];
        for (number, command) in commands.into_iter().enumerate() {
            runs.spawn(async move {
                let ran = command.run().await;
                let what = format!("{what}, command {number}");
                no_password_in(&what, &ran.stdout);
                no_password_in(&what, &ran.stderr);
                assert!(!ran.stderr.contains("panicked"), "{what}: {ran:?}");
                assert_ne!(ran.code, Some(0), "{what}: {ran:?}");
                // That it was on the command line is said before all else.
                if number < 3 {
                    assert!(ran.stderr.contains(says), "{what}: {ran:?}");
                }
            });
        }
    }
    runs.join_all().await;
}

#[tokio::test]
async fn a_gateway_says_nothing_of_the_password_of_its_database() {
    let Some(server) = server() else { return };
    let url = url("watched", server.port(), "postgres");
    let boss = add_key(&["boss", "--admin"], &url).await;
    let shop = add_key(&["shop"], &url).await;
    let mut serving = Serving::start(serve(&url)).await;
    let mut stderr = serving.child.stderr.take().unwrap();
    let said = tokio::spawn(async move {
        let mut said = String::new();
        stderr.read_to_string(&mut said).await.unwrap();
        said
    });
    for _ in 0..3 {
        let line = serving.line().await;
        no_password_in("stdout", &line);
    }
    let folder = tempfile::tempdir().unwrap();
    let picture = folder.path().join("picture.png");
    let drawn = TestPicture::draw_sized(7, 100, 200).unwrap();
    std::fs::write(&picture, drawn.screenshot().bytes()).unwrap();
    let routes = [
        ("/metrics", &boss),
        ("/admin/health", &boss),
        ("/readyz", &shop),
        ("/healthz", &shop),
        ("/v1/balance", &shop),
    ];
    for is_there in [true, false] {
        if !is_there {
            server.kill(); // and what cannot be read or written is an error with much to say
        }
        let answers = routes.map(async |(route, key)| {
            let (_, answer) = serving.ask("GET", route, b"", key).await;
            no_password_in(route, &answer);
        });
        let ((status, answer), _) = tokio::join!(serving.solve(&picture, &shop), join_all(answers));
        assert_eq!(status == 200, is_there, "{answer}");
        no_password_in("a job", &answer.to_string());
    }
    serving.stop().await;
    let said = said.await.unwrap();
    assert!(said.contains("TRACE"), "not talkative: {said}");
    assert!(said.contains("cannot be reached"), "{said}");
    no_password_in("stderr", &said);
}

async fn add_key(args: &[&str], url: &str) -> String {
    let command = drag_solver(["keys", "add", "-vvv"]).args(args);
    let made = with_store(command, url).run().await;
    no_password_in("keys", &made.stderr);
    let key = made.stdout.trim().to_owned();
    assert_eq!(key.len(), 32, "{made:?}");
    key
}
