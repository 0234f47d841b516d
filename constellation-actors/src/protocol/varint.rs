//! Variable-length integers as QUIC writes them (RFC 9000, section 16). Never reads past its
//! input.

use bytes::{BufMut, BytesMut};

/// The largest number that fits.
pub(super) const VARINT_MAX: u64 = (1 << 62) - 1;

/// The bytes that [`reserve_four`] takes.
pub(super) const FOUR_BYTES: usize = 4;

/// The largest number that [`fill_four`] can write.
pub(super) const FOUR_BYTES_MAX: usize = (1 << 30) - 1;

/// What [`FOUR_BYTES`] adds to a number: the two bits that tell the length.
const FOUR_BYTES_PREFIX: u32 = 0b10 << 30;

/// Appends `number` in the fewest bytes that hold it.
///
/// # Panics
///
/// When `number` is above [`VARINT_MAX`].
pub(super) fn put(buffer: &mut BytesMut, number: u64) {
    match number {
        0..=0x3f => buffer.put_u8(number as u8),
        0x40..=0x3fff => buffer.put_u16(0b01 << 14 | number as u16),
        0x4000..=0x3fff_ffff => buffer.put_u32(FOUR_BYTES_PREFIX | number as u32),
        _ => {
            assert!(
                number <= VARINT_MAX,
                "{number} is too large for a variable-length integer"
            );
            buffer.put_u64(0b11 << 62 | number);
        }
    }
}

/// Appends room for a number that is known only later, and returns where it stands.
pub(super) fn reserve_four(buffer: &mut BytesMut) -> usize {
    let at = buffer.len();
    buffer.put_u32(FOUR_BYTES_PREFIX);
    at
}

/// Writes `number` into the room that [`reserve_four`] left at `at`. Four bytes are more than a
/// small number needs; a reader takes any length (RFC 9000 asks for the shortest only in frame
/// types).
///
/// # Panics
///
/// When `number` is above [`FOUR_BYTES_MAX`], or there is no such room.
pub(super) fn fill_four(buffer: &mut BytesMut, at: usize, number: usize) {
    assert!(
        number <= FOUR_BYTES_MAX,
        "{number} is too large for a four-byte integer"
    );
    let number = FOUR_BYTES_PREFIX | number as u32;
    buffer[at..at + FOUR_BYTES].copy_from_slice(&number.to_be_bytes());
}

/// Reads the number at the start of `input` and how many bytes it takes; `None` when it is cut
/// off. A number may take more bytes than it needs.
pub(super) fn get(input: &[u8]) -> Option<(u64, usize)> {
    let first = *input.first()?;
    if first < 1 << 6 {
        return Some((first.into(), 1));
    }
    let bytes = 1 << (first >> 6);
    let rest = input.get(1..bytes)?;
    let number = rest.iter().fold(u64::from(first & 0x3f), |number, byte| {
        number << 8 | u64::from(*byte)
    });
    Some((number, bytes))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(number: u64) -> Vec<u8> {
        let mut buffer = BytesMut::new();
        put(&mut buffer, number);
        buffer.to_vec()
    }

    #[test]
    fn the_examples_of_rfc_9000_read_and_write() {
        let examples: [(u64, &[u8]); 4] = [
            (
                151_288_809_941_952_652,
                &[0xc2, 0x19, 0x7c, 0x5e, 0xff, 0x14, 0xe8, 0x8c],
            ),
            (494_878_333, &[0x9d, 0x7f, 0x3e, 0x7d]),
            (15_293, &[0x7b, 0xbd]),
            (37, &[0x25]),
        ];
        for (number, bytes) in examples {
            assert_eq!(written(number), bytes);
            assert_eq!(get(bytes), Some((number, bytes.len())));
        }
        assert_eq!(get(&[0x40, 0x25]), Some((37, 2)));
    }

    #[test]
    fn each_length_ends_where_the_next_begins() {
        for (number, bytes) in [
            (63, 1),
            (64, 2),
            (16_383, 2),
            (16_384, 4),
            ((1 << 30) - 1, 4),
            (1 << 30, 8),
        ] {
            assert_eq!(written(number).len(), bytes, "{number}");
        }
        assert_eq!(get(&written(VARINT_MAX)), Some((VARINT_MAX, 8)));
    }

    #[test]
    #[should_panic(expected = "too large")]
    fn a_number_that_does_not_fit_is_never_written() {
        written(VARINT_MAX + 1);
    }

    #[test]
    fn a_number_that_is_cut_off_is_no_number() {
        assert_eq!(get(&[]), None);
        for number in [64, 16_384, 1 << 30] {
            let bytes = written(number);
            for length in 0..bytes.len() {
                assert_eq!(get(&bytes[..length]), None);
            }
        }
    }

    #[test]
    fn a_reserved_number_is_filled_in_place() {
        let mut buffer = BytesMut::from(&b"x"[..]);
        let at = reserve_four(&mut buffer);
        buffer.put_u8(b'y');
        fill_four(&mut buffer, at, 494_878_333);
        assert_eq!(&buffer[..], [b'x', 0x9d, 0x7f, 0x3e, 0x7d, b'y']);
    }

    proptest! {
        #[test]
        fn every_number_comes_back(number in 0..=VARINT_MAX) {
            let bytes = written(number);
            prop_assert_eq!(get(&bytes), Some((number, bytes.len())));
        }
    }
}
