//! Runs of packets: cut into packets when they come from the kernel, joined again when they go to it.
//!
//! - [`VirtioHeader`]: the ten bytes before each packet that state what the kernel left undone.
//! - [`segment`]: one TCP run or UDP run becomes packets for the wire, in place, with finished checksums.
//! - [`coalesce`]: packets from the wire become one run for the kernel, as a list of pieces without a copy.
//!
//! `wire` finds the parts of a packet.

pub(crate) mod coalesce;
pub(crate) mod segment;

/// Largest IP packet, and so the largest run.
pub(crate) const LARGEST_PACKET: usize = 65_535;

/// Bits of `flags` and values of `gso_type` (virtio 1.2, §5.1.6).
const NEEDS_CHECKSUM: u8 = 1;
const ECN: u8 = 0x80;

/// The kind of run that follows the header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum RunKind {
    /// One packet.
    Single = 0,
    Tcp4 = 1,
    Tcp6 = 4,
    Udp = 5,
}

/// `struct virtio_net_hdr` in its shortest form, in the byte order of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct VirtioHeader {
    pub(crate) kind: RunKind,
    /// The checksum at `checksum_start + checksum_offset` holds the pseudo header's sum and no more.
    pub(crate) needs_checksum: bool,
    /// Length of all headers; a hint.
    pub(crate) headers: u16,
    /// Payload bytes of each packet of the run but the last.
    pub(crate) segment: u16,
    pub(crate) checksum_start: u16,
    pub(crate) checksum_offset: u16,
}

/// The frame from the kernel cannot be turned into packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a packet")]
pub(crate) struct Malformed;

impl VirtioHeader {
    pub(crate) const LEN: usize = 10;

    /// The header of a single packet with a finished checksum.
    pub(crate) const SINGLE: Self = Self {
        kind: RunKind::Single,
        needs_checksum: false,
        headers: 0,
        segment: 0,
        checksum_start: 0,
        checksum_offset: 0,
    };

    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let header: &[u8; Self::LEN] = bytes.first_chunk().ok_or(Malformed)?;
        let word = |at: usize| u16::from_ne_bytes([header[at], header[at + 1]]);
        let kind = match header[1] & !ECN {
            0 => RunKind::Single,
            1 => RunKind::Tcp4,
            4 => RunKind::Tcp6,
            5 => RunKind::Udp,
            _ => return Err(Malformed),
        };
        Ok(Self {
            kind,
            needs_checksum: header[0] & NEEDS_CHECKSUM != 0,
            headers: word(2),
            segment: word(4),
            checksum_start: word(6),
            checksum_offset: word(8),
        })
    }

    pub(crate) fn to_bytes(self) -> [u8; Self::LEN] {
        let mut bytes = [0; Self::LEN];
        bytes[0] = if self.needs_checksum { NEEDS_CHECKSUM } else { 0 };
        bytes[1] = self.kind as u8;
        for (at, word) in [
            (2, self.headers),
            (4, self.segment),
            (6, self.checksum_start),
            (8, self.checksum_offset),
        ] {
            bytes[at..at + 2].copy_from_slice(&word.to_ne_bytes());
        }
        bytes
    }
}

#[cfg(test)]
mod tests;
