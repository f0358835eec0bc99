//! Adapts packets to the size of their path: lowers TCP's segment size, and answers packets that are too large.

use flotilla_wire::packet::{Headers, ICMP, ICMPV6, Payload, SYN, checksum::Sum};
use std::net::IpAddr;

/// How much of a packet is quoted to its sender: enough for all headers, and small on every path.
pub(crate) const QUOTE: usize = 128;
const TTL: u8 = 64;

/// Lowers the segment size that a SYN announces to what fits `mtu`. A finished checksum stays correct.
pub(crate) fn clamp_segment_size(packet: &mut [u8], headers: &Headers, mtu: u16) {
    if !matches!(headers.payload, Payload::Tcp { flags, .. } if flags & SYN != 0) {
        return;
    }
    let overhead = if headers.source.is_ipv4() { 40 } else { 60 };
    let fits = mtu.saturating_sub(overhead);
    let Some(tcp) = packet.get_mut(headers.offset..) else {
        return;
    };
    let Some(at) = segment_size_option(tcp) else {
        return;
    };
    let announced = u16::from_be_bytes([tcp[at], tcp[at + 1]]);
    if announced <= fits {
        return;
    }
    tcp[at..at + 2].copy_from_slice(&fits.to_be_bytes());
    // When the option is not aligned to the checksum's 16-bit words, its bytes count swapped.
    let word = |value: u16| if at % 2 == 0 { value } else { value.swap_bytes() };
    let updated = adjust([tcp[16], tcp[17]], word(announced), word(fits));
    tcp[16..18].copy_from_slice(&updated);
}

/// The offset of the option's two bytes, which lie within the slice.
fn segment_size_option(tcp: &[u8]) -> Option<usize> {
    let end = usize::from(*tcp.get(12)? >> 4) * 4;
    let mut at = 20;
    while at < end {
        match *tcp.get(at)? {
            0 => return None,
            1 => at += 1,
            2 => return (*tcp.get(at + 1)? == 4 && tcp.len() >= at + 4).then_some(at + 2),
            _ => at += usize::from(*tcp.get(at + 1)?).max(2),
        }
    }
    None
}

/// Updates a checksum after one word changed (RFC 1624).
fn adjust(checksum: [u8; 2], old: u16, new: u16) -> [u8; 2] {
    let before = Sum::default().plus(&checksum.map(|byte| !byte));
    before
        .plus(&(!old).to_be_bytes())
        .plus(&new.to_be_bytes())
        .finish()
}

/// An ICMP error that tells the sender of a packet from the TUN how large it may be: "fragmentation needed" (RFC 1191)
/// or "packet too big" (RFC 8201), as if from a router on the path.
pub(crate) fn too_big(packet: &[u8], headers: &Headers, mtu: u16) -> Option<Vec<u8>> {
    // ICMP errors are never sent about ICMP errors, which could go on forever.
    if matches!(headers.payload, Payload::Error { .. } | Payload::Later) {
        return None;
    }
    let quoted = packet.get(..packet.len().min(QUOTE))?;
    match (headers.destination, headers.source) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            let mut icmp = vec![3, 4, 0, 0, 0, 0];
            icmp.extend(mtu.to_be_bytes());
            icmp.extend(quoted);
            put_checksum(&mut icmp, Sum::default());
            let total = u16::try_from(20 + icmp.len()).ok()?;
            let mut out = vec![0x45, 0, 0, 0, 0, 0, 0, 0, TTL, ICMP, 0, 0];
            out[2..4].copy_from_slice(&total.to_be_bytes());
            out.extend(from.octets());
            out.extend(to.octets());
            let header = Sum::default().plus(&out).finish();
            out[10..12].copy_from_slice(&header);
            out.extend(icmp);
            Some(out)
        }
        (IpAddr::V6(from), IpAddr::V6(to)) => {
            let mut icmp = vec![2, 0, 0, 0];
            icmp.extend(u32::from(mtu).to_be_bytes());
            icmp.extend(quoted);
            let length = u16::try_from(icmp.len()).ok()?;
            let addresses = Sum::default().plus(&from.octets()).plus(&to.octets());
            let pseudo = addresses.plus(&length.to_be_bytes()).plus(&[0, ICMPV6]);
            put_checksum(&mut icmp, pseudo);
            let mut out = vec![0x60, 0, 0, 0, 0, 0, ICMPV6, TTL];
            out[4..6].copy_from_slice(&length.to_be_bytes());
            out.extend(from.octets());
            out.extend(to.octets());
            out.extend(icmp);
            Some(out)
        }
        _ => None,
    }
}

fn put_checksum(icmp: &mut [u8], pseudo: Sum) {
    let checksum = pseudo.plus(icmp).finish();
    icmp[2..4].copy_from_slice(&checksum);
}

#[cfg(test)]
mod tests {
    use super::*;
    use flotilla_wire::packet::{TCP, parse};
    use proptest::prelude::*;

    fn syn(options: &[u8]) -> Vec<u8> {
        let header = 20 + options.len().next_multiple_of(4);
        let mut tcp = vec![0; header];
        tcp[..4].copy_from_slice(&[0x9c, 0x40, 0, 80]);
        (tcp[12], tcp[13]) = (u8::try_from(header / 4).unwrap() << 4, SYN);
        tcp[20..20 + options.len()].copy_from_slice(options);
        let total = u16::try_from(20 + header).unwrap();
        let mut packet = vec![
            0x45, 0, 0, 0, 0, 1, 0x40, 0, 64, TCP, 0, 0, 100, 64, 0, 1, 100, 64, 0, 2,
        ];
        packet[2..4].copy_from_slice(&total.to_be_bytes());
        let checksum = pseudo(&packet, header).plus(&tcp).finish();
        tcp[16..18].copy_from_slice(&checksum);
        packet.extend(tcp);
        packet
    }

    fn pseudo(packet: &[u8], length: usize) -> Sum {
        let length = u16::try_from(length).unwrap();
        Sum::default()
            .plus(&packet[12..20])
            .plus(&length.to_be_bytes())
            .plus(&[0, TCP])
    }

    fn is_right(packet: &[u8]) -> bool {
        pseudo(packet, packet.len() - 20).plus(&packet[20..]).is_right()
    }

    #[test]
    fn a_large_segment_size_is_lowered_and_the_checksum_stays_right() {
        for options in [
            vec![2, 4, 0x05, 0xb4],
            vec![1, 2, 4, 0x05, 0xb4],
            vec![4, 2, 3, 3, 7, 2, 4, 0x05, 0xb4],
        ] {
            let mut packet = syn(&options);
            assert!(is_right(&packet));
            let headers = parse(&packet).unwrap();
            clamp_segment_size(&mut packet, &headers, 1280);
            assert!(is_right(&packet), "{options:?}");
            let at = 40 + options.len() - 2;
            assert_eq!(packet[at..at + 2], 1240u16.to_be_bytes());
            let before = packet.clone();
            clamp_segment_size(&mut packet, &headers, 1420);
            assert_eq!(packet, before);
        }
    }

    #[test]
    fn the_sender_of_a_large_packet_is_told_the_size() {
        let packet = syn(&[]);
        let answer = too_big(&packet, &parse(&packet).unwrap(), 1280).unwrap();
        let headers = parse(&answer).unwrap();
        assert_eq!(headers.destination, "100.64.0.1".parse::<IpAddr>().unwrap());
        assert!(matches!(headers.payload, Payload::Error { .. }));
        assert_eq!(answer[26..28], 1280u16.to_be_bytes());
        assert!(Sum::default().plus(&answer[..20]).is_right());
        assert!(Sum::default().plus(&answer[20..]).is_right());
        assert_eq!(too_big(&answer, &headers, 1280), None, "no error about an error");
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(mut bytes in proptest::collection::vec(any::<u8>(), 40..90), v6: bool) {
            bytes[0] = if v6 { 0x60 } else { 0x45 };
            bytes[if v6 { 6 } else { 9 }] = TCP;
            let flags = if v6 { 53 } else { 33 };
            if let Some(byte) = bytes.get_mut(flags) {
                *byte |= SYN;
            }
            if let Some(headers) = parse(&bytes) {
                let _answer = too_big(&bytes, &headers, 1280);
                clamp_segment_size(&mut bytes, &headers, 1280);
            }
        }
    }
}
