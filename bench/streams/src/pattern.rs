//! Content of which every piece is known by its place alone, so that a byte that is lost, doubled or
//! moved shows.

/// Bytes of a block.
pub(crate) const BLOCK_BYTES: usize = 64 * 1024;

/// Fills a block with the content of its place.
pub(crate) fn fill(block: &mut [u8; BLOCK_BYTES], place: u64) {
    // SplitMix64 (Steele, Lea and Flood, 2014).
    let mut state = place.wrapping_mul(BLOCK_BYTES as u64).wrapping_add(0x9e37);
    for bytes in block.chunks_exact_mut(8) {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bytes.copy_from_slice(&(mixed ^ (mixed >> 31)).to_le_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_blocks_are_the_same_and_each_can_be_made_again() {
        let made = |place| {
            let mut block = [0; BLOCK_BYTES];
            fill(&mut block, place);
            block
        };
        assert_eq!(made(7), made(7));
        assert_ne!(made(7), made(8));
        assert_ne!(made(0)[..8], made(0)[8..16]);
    }
}
