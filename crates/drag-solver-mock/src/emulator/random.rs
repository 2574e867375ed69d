//! Numbers that look random and depend on the seed alone.

/// The `number`th draw of `seed`: a step of `SplitMix64`, which needs no state, so that draws do not
/// depend on who draws first.
pub(super) fn mix(seed: u64, number: u64) -> u64 {
    let mut z = seed
        .wrapping_mul(0xd134_2543_de82_ef95)
        .wrapping_add(number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
