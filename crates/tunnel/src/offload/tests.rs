//! Packets that are cut and joined again are unchanged, every packet has correct checksums, and no bytes make either
//! panic.

use super::coalesce::{Coalescer, Joins};
use super::segment::Segments;
use super::{RunKind, VirtioHeader};
use flotilla_wire::packet::checksum::Sum;
use flotilla_wire::packet::{ACK, CWR, FIN, Layout, PSH, TCP, UDP, layout};
use proptest::prelude::*;
use std::io::IoSlice;

/// A frame as the kernel gives it: lengths of the whole run, and a checksum of the pseudo header alone.
fn frame(is_v6: bool, protocol: u8, flags: u8, payload: &[u8], size: u16) -> (VirtioHeader, Vec<u8>) {
    let transport: usize = if is_v6 { 40 } else { 20 };
    let headers = transport + if protocol == TCP { 32 } else { 8 };
    let mut packet = vec![0; headers];
    if is_v6 {
        packet[0] = 0x60;
        packet[6] = protocol;
        packet[7] = 64;
        packet[8..40].copy_from_slice(&[7; 32]);
    } else {
        packet[..10].copy_from_slice(&[0x45, 0, 0, 20, 0xff, 0xfe, 0x40, 0, 64, protocol]);
        packet[12..20].copy_from_slice(&[100, 64, 0, 1, 100, 64, 0, 2]);
    }
    packet[transport..transport + 4].copy_from_slice(&[0x12, 0x34, 0x56, 0x78]);
    if protocol == TCP {
        packet[transport + 4..transport + 8].copy_from_slice(&[0xff, 0xff, 0xf0, 0]);
        packet[transport + 12] = 8 << 4;
        packet[transport + 13] = flags;
        packet[transport + 20..transport + 32].copy_from_slice(&[1, 1, 8, 10, 0, 0, 0, 5, 0, 0, 0, 6]);
    }
    packet.extend_from_slice(payload);
    let layout = Layout::lookup(&packet).unwrap();
    let total = packet.len();
    layout::set_length(&mut packet, &layout, total);
    if protocol == UDP {
        let length = (total - transport) as u16;
        packet[transport + 4..transport + 6].copy_from_slice(&length.to_be_bytes());
    }
    let partial = Sum::pseudo_header(&packet, &layout, total - transport).partial();
    packet[layout.checksum()..layout.checksum() + 2].copy_from_slice(&partial);
    let kind = match (protocol, is_v6) {
        _ if payload.len() <= usize::from(size) => RunKind::Single,
        (TCP, false) => RunKind::Tcp4,
        (TCP, true) => RunKind::Tcp6,
        _ => RunKind::Udp,
    };
    let header = VirtioHeader {
        kind,
        needs_checksum: true,
        headers: if kind == RunKind::Single {
            0
        } else {
            headers as u16
        },
        segment: if kind == RunKind::Single { 0 } else { size },
        checksum_start: transport as u16,
        checksum_offset: (layout.checksum() - transport) as u16,
    };
    (header, packet)
}

fn cut(header: &VirtioHeader, mut packet: Vec<u8>) -> Vec<Vec<u8>> {
    let mut segments = Segments::new(header, &mut packet).unwrap();
    let mut all = Vec::new();
    while let Some(segment) = segments.next() {
        all.push(segment.to_vec());
    }
    all
}

fn join(packets: &[Vec<u8>], joins: Joins) -> Vec<(VirtioHeader, Vec<u8>)> {
    let mut runs = Vec::new();
    let mut sink = |pieces: &[IoSlice<'_>]| {
        let bytes = pieces.iter().flat_map(|piece| piece.to_vec()).collect::<Vec<_>>();
        let header = VirtioHeader::parse(&bytes).unwrap();
        runs.push((header, bytes[VirtioHeader::LEN..].to_vec()));
    };
    let mut coalescer = Coalescer::new(joins);
    for packet in packets {
        coalescer.space(&mut sink)[..packet.len()].copy_from_slice(packet);
        coalescer.take(packet.len(), &mut sink);
    }
    coalescer.flush(&mut sink);
    runs
}

/// Verifies checksums as RFC 1071 describes, word by word over the pseudo header and the transport part.
fn has_right_checksums(packet: &[u8]) -> bool {
    let is_v6 = packet[0] >> 4 == 6;
    let (transport, addresses, protocol) = if is_v6 {
        (40, 8..40, packet[6])
    } else {
        (20, 12..20, packet[9])
    };
    let mut bytes = packet[addresses].to_vec();
    bytes.extend(((packet.len() - transport) as u32).to_be_bytes());
    bytes.extend([0, 0, 0, protocol]);
    bytes.extend(&packet[transport..]);
    let folded = |bytes: &[u8]| {
        let word = |pair: &[u8]| u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0));
        let sum: u32 = bytes.chunks(2).map(word).sum();
        let sum = (sum & 0xffff) + (sum >> 16);
        (sum & 0xffff) + (sum >> 16)
    };
    folded(&bytes) == 0xffff && (is_v6 || folded(&packet[..20]) == 0xffff)
}

proptest! {
    #[test]
    fn what_was_cut_joins_to_what_it_was(
        is_v6: bool, udp: bool, push: bool, payload in proptest::collection::vec(any::<u8>(), 1..30_000), size in 300u16..3000,
    ) {
        let protocol = if udp { UDP } else { TCP };
        let flags = if push && !udp { ACK | PSH } else { ACK };
        let (header, packet) = frame(is_v6, protocol, flags, &payload, size);
        let segments = cut(&header, packet.clone());
        prop_assert_eq!(segments.len(), payload.len().div_ceil(usize::from(size)));
        for segment in &segments {
            prop_assert!(has_right_checksums(segment));
        }
        let joined = join(&segments, Joins::TcpAndUdp);
        if header.kind == RunKind::Single {
            prop_assert_eq!(joined, vec![(VirtioHeader::SINGLE, segments[0].clone())]);
        } else {
            prop_assert_eq!(joined, vec![(header, packet)]);
        }
    }

    #[test]
    fn each_packet_comes_out_whole_whatever_lies_beside_it(
        frames in proptest::collection::vec((any::<bool>(), any::<bool>(), 0u8..3, 1usize..4000), 1..8), seed: u8,
    ) {
        let mut packets = Vec::new();
        for (is_v6, udp, kind, length) in frames {
            let payload: Vec<u8> = (0..length).map(|at| at as u8 ^ seed).collect();
            let flags = [ACK, ACK | PSH, ACK | FIN][usize::from(kind)];
            let (header, packet) = frame(is_v6, if udp { UDP } else { TCP }, flags, &payload, 1000);
            packets.extend(cut(&header, packet));
        }
        let mut again = Vec::new();
        for (header, packet) in join(&packets, Joins::TcpAndUdp) {
            again.extend(cut(&header, packet));
        }
        // Identifications count on within a run, but the frames of this test each begin anew. All else must be equal.
        prop_assert_eq!(again.len(), packets.len());
        for (again, packet) in again.iter().zip(&packets) {
            prop_assert!(has_right_checksums(again));
            let start = if again[0] >> 4 == 6 { 40 } else { 20 };
            prop_assert_eq!(&again[start..], &packet[start..]);
        }
    }

    #[test]
    fn a_broken_packet_never_joins(is_v6: bool, at in 0usize..2000, bit in 0u8..8) {
        let (header, packet) = frame(is_v6, TCP, ACK, &[0x5a; 3000], 1000);
        let mut segments = cut(&header, packet);
        let at = at % segments[1].len();
        segments[1][at] ^= 1 << bit;
        let broken = segments[1].clone();
        let joined = join(&segments, Joins::TcpAndUdp);
        prop_assert!(joined.contains(&(VirtioHeader::SINGLE, broken)));
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), mark in 0u8..4) {
        let mut bytes = bytes;
        if let Some(kind) = bytes.get_mut(1) {
            *kind = [0, 1, 4, 5][usize::from(mark)];
        }
        if let Some(version) = bytes.get_mut(10) {
            *version = *version & 0x0f | if mark % 2 == 0 { 0x60 } else { 0x40 };
        }
        if let Ok(header) = VirtioHeader::parse(&bytes) {
            let packet = &mut bytes[VirtioHeader::LEN..];
            if let Ok(mut segments) = Segments::new(&header, packet) {
                segments.headers();
                while segments.next().is_some() {}
            }
        }
        join(&[bytes.clone(), bytes], Joins::TcpAndUdp);
    }
}

#[test]
fn flags_of_the_ends_stay_at_the_ends() {
    let (mut header, packet) = frame(false, TCP, ACK | PSH | FIN | CWR, &[1; 2500], 1000);
    header.kind = VirtioHeader::parse(&{
        let mut bytes = header.to_bytes();
        bytes[1] |= 0x80;
        bytes
    })
    .unwrap()
    .kind;
    let segments = cut(&header, packet);
    let flags: Vec<_> = segments.iter().map(|segment| segment[33]).collect();
    assert_eq!(flags, [ACK | CWR, ACK, ACK | PSH | FIN]);
    let ids: Vec<_> = segments.iter().map(|segment| [segment[4], segment[5]]).collect();
    assert_eq!(ids, [[0xff, 0xfe], [0xff, 0xff], [0, 0]]);
}

#[test]
fn a_push_ends_a_run() {
    let packets: Vec<_> = (0..3u32)
        .flat_map(|number| {
            let (header, mut packet) = frame(false, TCP, ACK | PSH, &[7; 2000], 1000);
            let sequence = number * 2000;
            packet[24..28].copy_from_slice(&sequence.to_be_bytes());
            cut(&header, packet)
        })
        .collect();
    assert_eq!(join(&packets, Joins::Tcp).len(), 3);
    assert_eq!(join(&packets, Joins::Nothing).len(), 6);
}

#[test]
fn datagrams_join_only_where_the_kernel_takes_them() {
    let (header, packet) = frame(true, UDP, 0, &[9; 5000], 1000);
    let packets = cut(&header, packet);
    assert_eq!(join(&packets, Joins::Tcp).len(), 5);
    assert_eq!(join(&packets, Joins::TcpAndUdp).len(), 1);
}
