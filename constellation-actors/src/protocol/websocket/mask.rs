//! The mask that lies over the payload of every frame a client sends (RFC 6455, section 5.3).

use bytes::BytesMut;

use super::MASK_BYTES;

/// What is copied and masked at a time: little enough to lie in the first-level cache in between.
const BLOCK_BYTES: usize = 4 * 1024;

/// What is masked at a time: enough for the widest registers.
const STEP_BYTES: usize = 64;

/// A mask, and how far it has been laid over a payload. Laid over it twice, it is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mask([u8; MASK_BYTES]);

impl Mask {
    /// A mask at the beginning of a payload.
    #[must_use]
    pub const fn new(key: [u8; MASK_BYTES]) -> Self {
        Self(key)
    }

    /// Appends the next `bytes` of the payload to `buffer`, with the mask over them.
    pub fn copy(&mut self, bytes: &[u8], buffer: &mut BytesMut) {
        buffer.reserve(bytes.len());
        for block in bytes.chunks(BLOCK_BYTES) {
            let begin = buffer.len();
            buffer.extend_from_slice(block);
            self.cover(&mut buffer[begin..]);
        }
    }

    /// Lays the mask over the next `bytes` of the payload.
    fn cover(&mut self, bytes: &mut [u8]) {
        let length = bytes.len();
        let mut step = [0; STEP_BYTES];
        step.as_chunks_mut().0.fill(self.0);
        let (whole, rest) = bytes.as_chunks_mut::<STEP_BYTES>();
        for bytes in whole {
            xor(bytes, &step);
        }
        xor(rest, &step);
        self.0.rotate_left(length % MASK_BYTES);
    }
}

fn xor(bytes: &mut [u8], mask: &[u8]) {
    for (byte, mask) in bytes.iter_mut().zip(mask) {
        *byte ^= mask;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mask_goes_on_where_it_was_wherever_a_payload_is_cut() {
        let payload: Vec<u8> = (0..=u8::MAX).cycle().take(3 * BLOCK_BYTES + 71).collect();
        let key = [0x12, 0x34, 0x56, 0x78];
        let expected: Vec<u8> = payload
            .iter()
            .zip(key.iter().cycle())
            .map(|(byte, key)| byte ^ key)
            .collect();
        for cut in [0, 1, 2, 3, 63, 64, 65, 4095, 4096, 4097, 10_001] {
            let mut mask = Mask::new(key);
            let mut masked = BytesMut::from(&b"before"[..]);
            mask.copy(&payload[..cut], &mut masked);
            mask.copy(&payload[cut..], &mut masked);
            assert_eq!(&masked[..6], b"before");
            assert_eq!(&masked[6..], expected, "cut at {cut}");
        }
    }
}
