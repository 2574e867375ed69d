//! Chains from files.

#[cfg(all(
    feature = "anticaptcha",
    feature = "mock",
    feature = "omocaptcha",
    feature = "twocaptcha"
))]
mod file;
#[cfg(feature = "mock")]
mod rebuild;
