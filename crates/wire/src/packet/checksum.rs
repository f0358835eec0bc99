//! The Internet checksum (RFC 1071).

use super::Layout;

/// An unfinished sum, in the byte order of the machine, which does not matter until the end (RFC 1071 §2.B).
#[derive(Debug, Clone, Copy, Default)]
pub struct Sum(u128);

impl Sum {
    /// Adds bytes that begin at an even offset of the summed data.
    #[must_use]
    pub fn plus(self, bytes: &[u8]) -> Self {
        // Two chains of additions keep two execution units busy. None can overflow: 2^64 words fit in each.
        let (mut even, mut odd) = (self.0, 0);
        let (blocks, rest) = bytes.as_chunks::<16>();
        for block in blocks {
            let [a, b] = halves(block);
            even += u128::from(a);
            odd += u128::from(b);
        }
        let mut last = [0; 16];
        last[..rest.len()].copy_from_slice(rest);
        let [a, b] = halves(&last);
        // Each half is folded first, so that adding many sums cannot overflow.
        Self(u128::from(fold(even + u128::from(a))) + u128::from(fold(odd + u128::from(b))))
    }

    /// The pseudo header of a packet whose transport part has `length` bytes (RFC 9293 §3.1, RFC 8200 §8.1).
    pub fn pseudo_header(packet: &[u8], layout: &Layout, length: usize) -> Self {
        let length = u32::try_from(length).unwrap_or(u32::MAX);
        let mut tail = [0; 8];
        tail[..4].copy_from_slice(&length.to_be_bytes());
        tail[7] = layout.protocol;
        Self::default().plus(&packet[layout.addresses()]).plus(&tail)
    }

    /// The content of a checksum field: the complement, in network byte order.
    #[must_use]
    pub fn finish(self) -> [u8; 2] {
        (!self.word()).to_ne_bytes()
    }

    /// The sum without the complement, for a field that the kernel completes.
    pub fn partial(self) -> [u8; 2] {
        self.word().to_ne_bytes()
    }

    /// Whether the summed bytes contained their own correct checksum.
    pub fn is_right(self) -> bool {
        self.word() == u16::MAX
    }

    fn word(self) -> u16 {
        let sum = u64::from(fold(self.0));
        let sum = (sum & 0xffff) + (sum >> 16);
        let sum = (sum & 0xffff) + (sum >> 16);
        u16::try_from((sum & 0xffff) + (sum >> 16)).unwrap_or(u16::MAX)
    }
}

fn halves(block: &[u8; 16]) -> [u64; 2] {
    let all = u128::from_ne_bytes(*block);
    [(all >> 64) as u64, all as u64]
}

/// Folds to 32 bits, adding the carries.
fn fold(sum: u128) -> u32 {
    let sum = (sum & u128::from(u64::MAX)) + (sum >> 64);
    let sum = (sum & u128::from(u64::MAX)) + (sum >> 64);
    let sum = sum as u64;
    let sum = (sum & 0xffff_ffff) + (sum >> 32);
    let sum = (sum & 0xffff_ffff) + (sum >> 32);
    sum as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Sums word by word, as in the text of RFC 1071.
    fn naive(bytes: &[u8]) -> u16 {
        let mut sum = 0u32;
        for word in bytes.chunks(2) {
            sum += u32::from(u16::from_be_bytes([word[0], *word.get(1).unwrap_or(&0)]));
            sum = (sum & 0xffff) + (sum >> 16);
        }
        !(sum as u16)
    }

    proptest! {
        #[test]
        fn the_sum_is_that_of_the_rfc(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
            prop_assert_eq!(u16::from_be_bytes(Sum::default().plus(&bytes).finish()), naive(&bytes));
        }

        #[test]
        fn parts_add_up(bytes in proptest::collection::vec(any::<u8>(), 0..200), cut in 0usize..100) {
            let cut = (cut * 2).min(bytes.len() & !1);
            let sum = Sum::default().plus(&bytes[..cut]).plus(&bytes[cut..]);
            prop_assert_eq!(sum.finish(), Sum::default().plus(&bytes).finish());
        }
    }

    #[test]
    fn a_long_run_of_ones_does_not_overflow() {
        let bytes = vec![0xff; 70_000];
        let mut sum = Sum::default();
        for _ in 0..1000 {
            sum = sum.plus(&bytes);
        }
        assert_eq!(sum.finish(), [0, 0]);
    }
}
