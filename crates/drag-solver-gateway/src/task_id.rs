//! What a client calls its job.

use std::fmt;

use sha2::{Digest as _, Sha256};

/// A task's id, as the client gets it: a number below 2^53, which every language can hold, or a UUID where the
/// protocol has one. It is drawn from what is asked and from the key, so that the same request has the same id, also at
/// another gateway or after a restart; and it cannot be guessed without the key.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct TaskId(String);

/// Whether ids are numbers or UUIDs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Number,
    Uuid,
}

/// Longest id that is looked for, in characters: a UUID.
const LONGEST: usize = 36;

impl TaskId {
    /// The id of what these parts say.
    pub(crate) fn of(form: Form, parts: &[&[u8]]) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            // With its length, so that no two lists of parts read the same.
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        let hash = hash.finalize();
        let half = |at: usize| {
            hash[at..at + 8]
                .iter()
                .fold(0, |n, b| n << 8 | u64::from(*b))
        };
        let (high, low) = (half(0), half(8));
        Self(match form {
            Form::Number => (high >> 11).max(1).to_string(),
            Form::Uuid => format!(
                "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
                high >> 32,
                (high >> 16) & 0xffff,
                high & 0xfff,
                (low >> 48) & 0xfff,
                low & 0xffff_ffff_ffff,
            ),
        })
    }

    /// What a client sent as an id, if it can be one.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let is_plain = |c: char| c.is_ascii_hexdigit() || c == '-';
        let fits = (1..=LONGEST).contains(&text.len()) && text.chars().all(is_plain);
        fits.then(|| Self(text.to_ascii_lowercase()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_one_that_every_language_can_hold() {
        for n in 0..1_000_u32 {
            let id = TaskId::of(Form::Number, &[&n.to_be_bytes()]);
            let number: u64 = id.as_str().parse().unwrap();
            assert!((1..1 << 53).contains(&number), "{id}");
        }
    }

    #[test]
    fn the_same_parts_have_the_same_id_and_others_another() {
        let id = |parts: &[&[u8]]| TaskId::of(Form::Number, parts);
        assert_eq!(id(&[b"key", b"picture"]), id(&[b"key", b"picture"]));
        assert_ne!(id(&[b"key", b"picture"]), id(&[b"keyp", b"icture"]));
        assert_ne!(id(&[b"key", b"picture"]), id(&[b"key", b"picture", b""]));
    }

    #[test]
    fn a_uuid_reads_as_one() {
        let id = TaskId::of(Form::Uuid, &[b"x"]);
        let lengths: Vec<usize> = id.as_str().split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12], "{id}");
        assert_eq!(TaskId::read(&id.as_str().to_uppercase()), Some(id));
    }

    #[test]
    fn what_cannot_be_an_id_is_not_looked_for() {
        for text in ["", "a/b", "7 ", "%", &"7".repeat(37), "\u{0}"] {
            assert_eq!(TaskId::read(text), None, "{text}");
        }
        assert_eq!(TaskId::read("71").unwrap().as_str(), "71");
    }
}
