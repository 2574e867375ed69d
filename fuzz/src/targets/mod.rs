//! One function for each thing that reads what others wrote. It takes any bytes, and panics
//! if a promise is broken that holds for all of them: not only "no panic", but what may come out.
//!
//! `cargo fuzz` calls these functions (`fuzz/fuzz_targets`), and so does a test on the stable
//! toolchain that mutates the seeds (`tests`), so that both look for the same.

mod answer_text;
mod answers;
mod config;
mod declared;
mod promises;
mod recording;
mod screenshot;
mod vocabulary;
mod wire_request;

pub use self::answer_text::answer_text;
pub use self::answers::{anticaptcha, omocaptcha_v1, omocaptcha_v2, twocaptcha};
pub use self::config::config;
pub use self::declared::declared;
pub use self::recording::recording;
pub use self::screenshot::screenshot;
pub use self::vocabulary::vocabulary;
pub use self::wire_request::wire_request;

/// A target.
pub type Target = fn(&[u8]);

/// Every target, by the name of its binary and of its folder of seeds.
pub const ALL: &[(&str, Target)] = &[
    ("anticaptcha", anticaptcha),
    ("answer_text", answer_text),
    ("config", config),
    ("declared", declared),
    ("omocaptcha_v1", omocaptcha_v1),
    ("omocaptcha_v2", omocaptcha_v2),
    ("recording", recording),
    ("screenshot", screenshot),
    ("twocaptcha", twocaptcha),
    ("vocabulary", vocabulary),
    ("wire_request", wire_request),
];
