//! What the service does without arguments: it serves a few clients of its own, with an emulated provider.

use drag_solver::testing::emulator::{Emulator, Protocol};
use drag_solver::testing::pictures::{AnswerKey, TestPicture};

use super::{
    ChainConfig, ChainParts, Duration, Registry, SqliteStore, TcpListener, oneshot, serve, sleep,
};

const CHAIN: &str = r#"
    instrument = true
    budget = { name = "tenants", by_label = true, per_day = "0.002" }
    [[providers]]
    kind = "omocaptcha"
    price = "0.0009"
    poll = { first = "1ms", every = "1ms" }
"#;

pub(super) async fn run() -> anyhow::Result<()> {
    let provider = Emulator::builder().solver(AnswerKey).start().await?;
    let url = provider.url(Protocol::OmocaptchaV1);
    let registry = Registry::standard().with_variables(move |name| match name {
        "OMOCAPTCHA_BASE_URL" => Some(url.clone().into()),
        "OMOCAPTCHA_API_TOKEN" => Some("any".into()),
        _ => None,
    });
    let folder = tempfile::tempdir()?;
    let parts = ChainParts::default().store(&SqliteStore::open(folder.path().join("drags.db"))?);
    let config = ChainConfig::read(toml::Deserializer::parse(CHAIN)?)?;
    let chain = config.build_with(&registry, parts)?;
    let port = TcpListener::bind("127.0.0.1:0").await?;
    let address = format!("http://{}", port.local_addr()?);
    let (stop, stopped) = oneshot::channel::<()>();
    let stopped = async { drop(stopped.await) };
    let clients = async {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::new();
        // The last of the first tenant is beyond what it may spend on a day.
        for (key, order) in [("K1", 1), ("K1", 2), ("K1", 3), ("K2", 1)] {
            let picture = TestPicture::draw_sized(order, 200, 400)?;
            let picture = picture.screenshot().bytes().clone();
            let accept = http.post(format!("{address}/v1/drags?id=order-{order}"));
            let accepted = accept.bearer_auth(key).body(picture).send().await?;
            println!("{key}: order-{order}: {}", accepted.status());
            let answer = loop {
                let answer = http.get(format!("{address}/v1/drags/order-{order}"));
                let answer = answer.bearer_auth(key).send().await?.text().await?;
                if !answer.contains("open") {
                    break answer;
                }
                sleep(Duration::from_millis(5)).await;
            };
            println!("{key}: order-{order}: {answer}");
        }
        let metrics = http.get(format!("{address}/metrics")).send().await?;
        println!("{} lines of metrics", metrics.text().await?.lines().count());
        drop(stop);
        anyhow::Ok(())
    };
    let serving = serve((chain, "acme=K1 globex=K2"), (port, 4), stopped);
    tokio::try_join!(serving, clients)?;
    println!("the provider billed ${}", provider.stats().spent);
    Ok(())
}
