//! A device under a flood of handshakes, and a client that proves its address.

use super::*;

#[test]
fn a_source_that_proved_its_address_begins_few_handshakes_at_once() {
    let own = PrivateKey::from_bytes([1; 32]);
    let (mut keys, now) = (Keys::new(&own), Instant::now());
    let from = "198.51.100.7".parse().unwrap();
    let mut client = Tunn::new(
        x25519::StaticSecret::from([2; 32]),
        keys.public,
        None,
        None,
        7,
        None,
    );
    let initiate = |client: &mut Tunn| {
        let mut out = [0; 148];
        match client.format_handshake_initiation(&mut out, true) {
            TunnResult::WriteToNetwork(bytes) => bytes.to_vec(),
            other => panic!("{other:?}"),
        }
    };
    let mut reply = [0; 64];
    let mut begun = vec![];
    let asked = (0..1000).any(|_| {
        begun = initiate(&mut client);
        let answer = keys.address(&begun, from, &mut reply, now);
        matches!(answer, Err(Refusal::Cookie(_)))
    });
    assert!(asked, "no source was asked to prove its address");
    assert!(matches!(
        client.decapsulate(None, &reply, &mut [0; 256]),
        TunnResult::Done
    ));
    let proven = (0..100).filter(|_| {
        let handshake = initiate(&mut client);
        keys.address(&handshake, from, &mut reply, now).is_ok()
    });
    assert_eq!(proven.count(), 5);
    let handshake = initiate(&mut client);
    let refused = keys.address(&handshake, from, &mut reply, now);
    assert_eq!(refused, Err(Refusal::Drop(DropReason::UnderLoad)));
    let later = now + Duration::from_secs(1);
    assert!(keys.address(&handshake, from, &mut reply, later).is_ok());
}
