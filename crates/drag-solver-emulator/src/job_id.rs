//! Job ids, which look random and depend on the seed and the job's number alone.

use drag_solver_core::{JobId, Seeded};

use crate::Quirk;

/// The draws of `seed`, from this one on: they do not depend on who draws first.
pub(crate) fn draws(seed: u64, from: u64) -> Seeded {
    let first = seed.wrapping_mul(0xd134_2543_de82_ef95);
    Seeded::new(first.wrapping_add(from.wrapping_mul(Seeded::STEP)))
}

/// `first` plus `number`, in another range for every seed.
pub(crate) fn numeric(first: u64, number: u64, seed: u64, quirks: &[Quirk]) -> JobId {
    let number = number.saturating_add((seed % 1_000) * 1_000_000);
    if quirks.contains(&Quirk::HugeIds) {
        // Odd numbers from 2^53 on have no binary float of their own.
        JobId::from((1 << 53) + 1 + 2 * number)
    } else {
        JobId::from(first + number)
    }
}

/// A version 4 UUID.
pub(crate) fn uuid(number: u64, seed: u64) -> JobId {
    let mut draws = draws(seed, 2 * number);
    let (high, low) = (draws.number(), draws.number());
    let text = format!(
        "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xfff,
        (low >> 48) & 0xfff,
        low & 0xffff_ffff_ffff,
    );
    JobId::new(text).unwrap_or_else(|_| JobId::from(low))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuids_depend_on_seed_and_number() {
        let text = uuid(0, 0).to_string();
        let lengths: Vec<usize> = text.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12], "{text}");
        assert_eq!(text.as_bytes()[14], b'4', "{text}");
        assert_ne!(uuid(0, 0), uuid(1, 0));
        assert_ne!(uuid(0, 0), uuid(0, 1));
        assert_eq!(uuid(7, 7), uuid(7, 7));
    }
}
