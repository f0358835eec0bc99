//! Any packets, in and out, at any time: a packet passes in only when a rule allows it or a packet was sent out
//! before.
//!
//! `cargo +nightly fuzz run filter corpus` in this folder. In the input, the first byte chooses the rules; then each
//! packet follows a byte of direction and delay and a byte of length.

#![no_main]

use flotilla_mesh::fuzzing::FuzzedFilter;
use flotilla_protocol::mesh::{Allow, Filter as Rules};
use flotilla_protocol::policy::{PortRange, Proto};
use libfuzzer_sys::fuzz_target;
use std::time::{Duration, Instant};

/// Rules chosen by the lowest bits of the first byte; 0 is no rule.
fn rules(choice: u8) -> Rules {
    let proto = match choice & 3 {
        0 => return Rules::default(),
        1 => Proto::Tcp,
        2 => Proto::Udp,
        _ => Proto::Any,
    };
    Rules {
        allows: vec![Allow {
            sources: vec!["100.64.0.10/32".parse().expect("a range")],
            proto,
            ports: PortRange::new(80, 90).into_iter().collect(),
        }],
    }
}

fuzz_target!(|story: &[u8]| {
    let Some((choice, mut rest)) = story.split_first() else {
        return;
    };
    let mut filter = FuzzedFilter::default();
    filter.set_rules(&rules(*choice));
    let mut now = Instant::now();
    let mut sent = false;
    while let [how, length, packets @ ..] = rest {
        let (packet, later) = packets.split_at(usize::from(*length).min(packets.len()));
        now += Duration::from_secs(u64::from(how >> 2));
        if how & 1 == 0 {
            let passed = filter.inbound(packet, now);
            assert!(!passed || sent || choice & 3 != 0, "passed without a reason");
        } else {
            sent |= filter.outbound(packet, now);
        }
        if how & 2 != 0 {
            filter.set_rules(&rules(how >> 4));
            // Flows that an earlier rule let in may still be in the table, barred.
            sent = true;
        }
        rest = later;
    }
});
