//! What `drag-solver check` says of `[gateway]`.

use crate::support::{Ran, TOKEN, drag_solver};

/// Who is in the chain.
const PROVIDERS: &str = r#"
    [services.mine]
    family = "createTask"
    key = "MINE_KEY"
    base_url = "https://mine.example"
    create.json.task = { body = "{picture.base64}" }
    answer.at = "/solution"
    [services.calling]
    family = "createTask"
    key = "MINE_KEY"
    base_url = "https://calling.example"
    create.json = { task = { body = "{picture.base64}" }, hook = "{callback}" }
    answer.at = "/solution"
    [[providers]]
    kind = "twocaptcha"
    [[providers]]
    kind = "anticaptcha"
    callbacks = false
    [[providers]]
    kind = "omocaptcha"
    [[providers]]
    kind = "mine"
    [[providers]]
    kind = "calling"
    [[providers]]
    kind = "sandbox"
"#;

const KEYS: [&str; 4] = [
    "TWOCAPTCHA_API_KEY",
    "ANTICAPTCHA_API_KEY",
    "OMOCAPTCHA_API_TOKEN",
    "MINE_KEY",
];

/// A chain's file and its store, gone with the test.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    /// Checks the chain with this in `[gateway]`.
    async fn check(&self, gateway: &str) -> Ran {
        let chain = self.path("chain.toml");
        let text = format!("[store]\npath = \"drags.db\"\n[gateway]\n{gateway}\n{PROVIDERS}");
        std::fs::write(&chain, text).unwrap();
        let run = drag_solver(["check", &chain]);
        let run = KEYS.into_iter().fold(run, |run, key| run.env(key, TOKEN));
        run.run().await
    }
}

#[tokio::test]
async fn it_says_where_serve_would_listen_and_who_calls_it() {
    let folder = Folder::new();
    // The port is taken, which is no matter here.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let gateway = format!(
        r#"
        listen = ["0.0.0.0:{port}"]
        tls_listen = ["127.0.0.1:8443"]
        tls_self_signed = ["localhost"]
        tls_authority = "ca.pem"
        public_url = "https://drags.example.com/"
        "#
    );
    let ran = folder.check(&gateway).await;
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    let expected = format!(
        "

serve listens on http://0.0.0.0:{port}, https://127.0.0.1:8443
providers reach it at https://drags.example.com/callbacks:
  twocaptcha is asked to call there when an answer is there
  anticaptcha is polled alone: its `callbacks` is `false`
  omocaptcha is polled alone: its protocol has no such calls
  mine is polled alone: there is no {{callback}} in its declaration
  calling is asked to call there when an answer is there
  sandbox is polled alone: its protocol has no such calls
note: 0.0.0.0:{port} can be reached from other machines, and serve refuses that as long as its store has no key \
(`drag-solver keys add`)
"
    );
    assert!(ran.stdout.ends_with(&expected), "{}", ran.stdout);
    assert!(!folder.0.path().join("ca.pem").exists());

    let add = drag_solver(["keys", "add", "shop", "--store", &folder.path("drags.db")]);
    assert_eq!(add.run().await.code, Some(0));
    let ran = folder.check(&gateway).await;
    assert!(ran.stdout.contains("serve listens on"), "{ran:?}");
    assert!(!ran.stdout.contains("can be reached"), "{ran:?}");

    let ran = folder.check("hold = \"5s\"").await;
    let expected = "\nserve listens on http://127.0.0.1:8080\n";
    assert!(ran.stdout.ends_with(expected), "{ran:?}");
    for host in ["192.168.1.3", "localhost", "gateway.internal"] {
        let ran = folder
            .check(&format!("public_url = \"https://{host}\""))
            .await;
        let note =
            format!("\nnote: the host of https://{host} is this machine or in a private network: ");
        assert!(ran.stdout.contains(&note), "{ran:?}");
    }
    let ran = folder
        .check("public_url = \"https://localhost/\\u001b[2J\"")
        .await;
    let note = "the host of https://localhost/\u{fffd}[2J is this machine";
    assert!(ran.stdout.contains(note), "{ran:?}");
    let ran = folder.check("").await;
    assert!(!ran.stdout.contains("serve listens"), "{ran:?}");
}

#[tokio::test]
async fn what_serve_would_refuse_is_refused() {
    let folder = Folder::new();
    std::fs::write(folder.path("letter.txt"), "a letter").unwrap();
    let tls = |more: &str| format!("tls_listen = [\"127.0.0.1:8443\"]\n{more}");
    let made = |authority: &str| {
        let names = "tls_self_signed = [\"localhost\"]";
        tls(&format!("{names}\ntls_authority = \"{authority}\""))
    };
    let files = |pem: &str| tls(&format!("tls_certificate = \"{pem}\"\ntls_key = \"{pem}\""));
    for (gateway, expected) in [
        ("hld = \"5s\"".to_owned(), "did you mean `hold`?"),
        (
            "[gatway]\nhold = \"5s\"".to_owned(),
            "unknown key `gatway`: did you mean `gateway`?",
        ),
        (
            "public_url = \"http://drags.example.com\"".to_owned(),
            "gateway.public_url: must be",
        ),
        (
            "listen = [\"8080\"]".to_owned(),
            "gateway.listen: write ADDRESS:PORT",
        ),
        (tls(""), "TLS needs a certificate"),
        (
            "tls_self_signed = [\"localhost\"]".to_owned(),
            "nothing listens with it",
        ),
        ("listen = []".to_owned(), "gateway.listen: names no address"),
        (
            files("a.pem") + "\ntls_self_signed = [\"localhost\"]",
            "gateway.tls_self_signed: cannot be set beside tls_certificate",
        ),
        (
            files("a.pem") + "\ntls_authority = \"ca.pem\"",
            "none is made: add tls_self_signed, or leave it out",
        ),
        ("tls_authority = \"ca.pem\"".to_owned(), "none is made"),
        (files("no.pem"), "no.pem"),
        (files("letter.txt"), "letter.txt"),
        (
            made("letter.txt"),
            "letter.txt is there and is no certificate",
        ),
        (made("no/ca.pem"), "there is no folder "),
        (made("."), "it is no regular file"),
        (tls("tls_self_signed = [\"a b\"]"), "a b"),
    ] {
        let ran = folder.check(&gateway).await;
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{gateway}");
        let begin = format!("error: {}", folder.path("chain.toml"));
        assert!(ran.stderr.starts_with(&begin), "{ran:?}");
        assert!(ran.stderr.contains(expected), "{expected}: {ran:?}");
    }
}
