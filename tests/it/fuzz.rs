//! The fuzz targets, on the stable toolchain: every seed, and some hundred mutations of it.
//!
//! `cargo fuzz` does more of the same (see `fuzz/README.md`). `DRAG_SOLVER_FUZZ_ROUNDS=1000` makes this
//! test do more, too. It is deterministic: what it finds, it finds again.

use std::fs;
use std::path::{Path, PathBuf};

#[allow(unreachable_pub)] // they are public over there
#[path = "../../fuzz/src/targets/mod.rs"]
mod targets;

/// Mutations of each seed.
const ROUNDS: u32 = 60;
const LONGEST: usize = 2_000;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../fuzz")
        .join(name)
}

/// The seeds of a target, in the order of their names.
fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = folder("seeds").join(target);
    let entries = fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

/// The words that libFuzzer is given, too.
fn dictionary() -> Vec<Vec<u8>> {
    let text = fs::read_to_string(folder("answers.dict")).unwrap();
    text.lines().map(word).collect()
}

/// A line of the dictionary: in quotes, with `\\`, `\"` and `\xAB`.
fn word(line: &str) -> Vec<u8> {
    let quoted = line
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    let mut bytes = quoted
        .unwrap_or_else(|| panic!("not in quotes: {line}"))
        .bytes();
    let mut word = Vec::new();
    while let Some(byte) = bytes.next() {
        word.push(match byte {
            b'\\' => match bytes.next() {
                Some(b'x') => {
                    let hex = [bytes.next().unwrap(), bytes.next().unwrap()];
                    u8::from_str_radix(str::from_utf8(&hex).unwrap(), 16).unwrap()
                }
                Some(other) => other,
                None => panic!("ends in a backslash: {line}"),
            },
            other => other,
        });
    }
    word
}

/// `SplitMix64`: ten lines are no reason for a dependency.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        let drawn = self.next() % u64::try_from(limit.max(1)).unwrap();
        usize::try_from(drawn).unwrap()
    }
}

/// One change to `data`, as small as those that libFuzzer makes.
fn mutate(random: &mut Random, data: &mut Vec<u8>, seeds: &[Vec<u8>], words: &[Vec<u8>]) {
    let at = random.below(data.len() + 1);
    let to = at + random.below(data.len() + 1 - at);
    let byte = random.next().to_le_bytes()[0];
    match random.below(9) {
        0 if at < data.len() => data[at] ^= 1 << (byte % 8),
        1 if at < data.len() => data[at] = byte,
        2 => data.insert(at, byte),
        3 => drop(data.drain(at..to)),
        4 => data.truncate(at),
        5 => {
            let again = data[at..to].to_vec();
            data.splice(at..at, again);
        }
        6 => {
            let word = words[random.below(words.len())].clone();
            data.splice(at..at, word);
        }
        7 => {
            let word = words[random.below(words.len())].clone();
            data.splice(at..to, word);
        }
        _ => {
            let other = &seeds[random.below(seeds.len())];
            let from = random.below(other.len() + 1);
            data.splice(at.., other[from..].iter().copied());
        }
    }
    data.truncate(LONGEST);
}

/// Shows the input if the target panics, so that it can be kept as a seed.
struct Shown<'a>(&'a str, &'a [u8]);

impl Drop for Shown<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!(
                "fuzz target {}, input: \"{}\"",
                self.0,
                self.1.escape_ascii()
            );
        }
    }
}

fn smoke(name: &str) {
    let (_, target) = targets::ALL
        .iter()
        .find(|(known, _)| *known == name)
        .unwrap_or_else(|| panic!("no target {name}"));
    let rounds = std::env::var("DRAG_SOLVER_FUZZ_ROUNDS");
    let rounds = rounds.map_or(ROUNDS, |rounds| rounds.parse().unwrap());
    let (seeds, words) = (seeds(name), dictionary());
    let mut random = Random(2026);
    let mut executions = 0;
    for seed in &seeds {
        let mut data = seed.clone();
        for round in 0..=rounds {
            let shown = Shown(name, &data);
            target(&data);
            drop(shown);
            executions += 1;
            if round % 8 == 0 {
                data.clone_from(seed); // not too far away from what makes sense
            }
            mutate(&mut random, &mut data, &seeds, &words);
        }
    }
    println!("{name}: {executions} executions from {} seeds", seeds.len());
    assert!(executions >= 10 * u64::from(rounds), "too few seeds");
}

#[test]
fn a_screenshots_header() {
    smoke("screenshot");
}

#[test]
fn recordings() {
    smoke("recording");
}

#[test]
fn the_answer_text() {
    smoke("answer_text");
}

#[test]
fn settings() {
    smoke("config");
}

#[test]
fn declared_services_and_their_answers() {
    smoke("declared");
}

#[test]
fn amounts_ids_and_rectangles() {
    smoke("vocabulary");
}

#[test]
fn answers_of_omocaptcha_v1() {
    smoke("omocaptcha_v1");
}

#[test]
fn answers_of_omocaptcha_v2() {
    smoke("omocaptcha_v2");
}

#[test]
fn answers_of_twocaptcha() {
    smoke("twocaptcha");
}

#[test]
fn answers_of_anticaptcha() {
    smoke("anticaptcha");
}

#[test]
fn requests_to_a_server() {
    smoke("wire_request");
}

#[test]
fn every_target_has_its_binary_its_seeds_and_its_test() {
    let test = include_str!("fuzz.rs");
    let manifest = fs::read_to_string(folder("Cargo.toml")).unwrap();
    for (name, _) in targets::ALL {
        let binary = fs::read_to_string(folder("fuzz_targets").join(name).with_extension("rs"));
        assert!(
            binary.unwrap().contains(&format!("targets::{name}(data)")),
            "{name}"
        );
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name}");
        assert!(test.contains(&format!("smoke(\"{name}\")")), "{name}");
        assert!(!seeds(name).is_empty(), "{name}");
    }
    let binaries = fs::read_dir(folder("fuzz_targets")).unwrap().count();
    assert_eq!(binaries, targets::ALL.len());
}

#[test]
fn the_dictionary_is_read_as_libfuzzer_reads_it() {
    assert_eq!(word(r#""a\"\\\x0ab""#), b"a\"\\\nb");
    assert!(dictionary().len() > 30);
}
