#![no_main]

use drag_solver_fuzz::targets;

libfuzzer_sys::fuzz_target!(|data: &[u8]| targets::recording(data));
