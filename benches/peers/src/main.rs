//! drag-solver beside `capmonstercloud-client`, over the same emulator in the same run.
//!
//! ```sh
//! cargo run --release --manifest-path benches/peers/Cargo.toml -- solves
//! cargo run --release --manifest-path benches/peers/Cargo.toml -- waiting 10000 4
//! ```

mod client;
mod floor;
mod server;
mod solves;
mod waiting;

use std::error::Error;

/// What can go wrong in a measurement.
type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    // One thread: what it did is what the client did.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        match arguments[..] {
            ["serve"] => server::serve().await,
            ["solves"] => solves::compare().await,
            ["waiting", solves, apart] => waiting::compare(solves.parse()?, apart.parse()?).await,
            ["wait", whose, url, solves, apart] => {
                let whose = client::Whose::named(whose)?;
                waiting::wait(whose, url, solves.parse()?, apart.parse()?).await
            }
            _ => Err("usage: solves | waiting NUMBER MILLISECONDS_APART".into()),
        }
    })
}
