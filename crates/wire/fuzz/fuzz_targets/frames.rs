//! Any bytes, as a stranger may send them: a frame that parses has one form, and only the peer's own probes open.
//!
//! `cargo +nightly fuzz run frames corpus ../corpus` in this folder; new findings go to `corpus`.

#![no_main]

use flotilla_protocol::key::PublicKey;
use flotilla_wire::{Frame, ProbeKey, SessionId, StaticKey, is_ours, readdress};
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

/// The key of the pair whose probes are in the corpus.
static KEY: LazyLock<ProbeKey> = LazyLock::new(|| {
    let alice = StaticKey::from_bytes([0x0A; 32]).public();
    ProbeKey::between(&StaticKey::from_bytes([0x0B; 32]), alice).expect("two keys of two devices")
});

fuzz_target!(|bytes: &[u8]| {
    let mut out = [0; 2000];
    if let Ok(frame) = Frame::parse(bytes) {
        assert!(is_ours(bytes));
        let mut room = vec![0; bytes.len()];
        assert_eq!(frame.write(&mut room), Some(bytes.len()));
        assert_eq!(room, bytes);
        if let Frame::Probe(sealed) = frame
            && let Ok(probe) = KEY.open(&sealed)
        {
            assert!(KEY.seal(&probe, 1, 0, &mut out).is_some());
        }
    }
    let mut changed = bytes.to_vec();
    if readdress(&mut changed, SessionId(1), PublicKey::from_bytes([1; 32])) {
        assert!(matches!(Frame::parse(&changed), Ok(Frame::Data(_))));
        assert_eq!(changed.len(), bytes.len());
    }
});
