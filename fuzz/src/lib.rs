//! What the fuzzer and the smoke test in `tests/` both drive.

pub mod targets;
