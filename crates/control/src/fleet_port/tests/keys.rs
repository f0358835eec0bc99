//! WireGuard keys: a device proves that it holds its own, and each enrolls once.

use super::*;
use std::collections::BTreeSet;

#[tokio::test]
async fn a_device_that_cannot_prove_to_hold_a_wireguard_key_does_not_enroll_with_it() {
    let bed = Testbed::new().await;
    let (victim, _) = enrolled(&bed).await;
    let token = bed.offer("/devices", r#"{"name":"thief"}"#).await;
    let thief = Machine::new("thief");
    let mut request = bed.request(&thief, &token);
    request.wireguard_public_key = victim.wireguard.public().to_string();
    let body = serde_json::to_string(&request).unwrap();
    let refused = bed.enroll_with(&token, body).await.unwrap_err();
    assert_eq!(
        (refused.code, refused.field.as_deref()),
        (Code::CsrInvalid, Some("key_proof"))
    );
    // A proof for another token or another certificate counts as none.
    let other = bed.offer("/devices", r#"{"name":"other"}"#).await;
    for borrowed in [
        bed.request(&thief, &other).key_proof,
        bed.request(&victim, &token).key_proof,
        String::new(),
    ] {
        let mut request = bed.request(&thief, &token);
        request.key_proof = borrowed;
        let body = serde_json::to_string(&request).unwrap();
        assert_eq!(
            bed.enroll_with(&token, body).await.unwrap_err().code,
            Code::CsrInvalid
        );
    }
    assert!(
        bed.enroll(&thief, &token).await.is_ok(),
        "the token is not used up by that"
    );
}

#[tokio::test]
async fn a_wireguard_key_enrolls_once_whichever_machine_holds_it_and_whatever_became_of_its_device() {
    let bed = Testbed::new().await;
    let (machine, response) = enrolled(&bed).await;
    let mut again = Machine::new("again");
    again.wireguard = machine.wireguard.clone();
    let token = bed.offer("/devices", r#"{"name":"again"}"#).await;
    let key = Some("wireguard_public_key");
    for step in ["while it is enrolled", "once it is revoked", "once it is removed"] {
        let refused = bed.enroll(&again, &token).await.unwrap_err();
        assert_eq!(
            (refused.code, refused.field.as_deref()),
            (Code::Conflict, key),
            "{step}"
        );
        match step {
            "while it is enrolled" => drop(bed.post::<Device>("/devices/nas/revoke", "{}").await),
            "once it is revoked" => {
                let token = bed.offer("/devices/nas/rotate", "{}").await;
                let refused = bed.enroll(&again, &token).await.unwrap_err();
                assert_eq!(refused.field.as_deref(), key, "its own key is none any more");
                assert!(bed.call(Method::DELETE, "/devices/nas", "").await.0.is_success());
            }
            _ => {}
        }
    }
    let fresh = Machine::new("again");
    let other = bed.enroll(&fresh, &token).await.unwrap();
    assert_ne!(other.device_id, response.device_id);
}

#[tokio::test]
async fn relays_hear_of_every_key_that_ended_for_as_long_as_its_ticket_may_count() {
    let bed = Testbed::new().await;
    let (first, response) = enrolled(&bed).await;
    let admitted = async |response: &EnrollResponse| {
        let fingerprint = device(response).certificate.unwrap().fingerprint;
        let admitted = crate::change::devices::admit(&bed.core, response.device_id, &fingerprint).await;
        admitted.is_some()
    };
    let ended = || bed.core.cache.lock().ended_keys(bed.core.clock.now());
    let public = |machine: &Machine| machine.wireguard.public().to_string().parse().unwrap();
    assert!(admitted(&response).await);
    assert_eq!(ended(), []);
    let token = bed.offer("/devices/nas/rotate", "{}").await;
    let second = Machine::new("nas");
    let response = bed.enroll(&second, &token).await.unwrap();
    assert_eq!(
        ended(),
        [],
        "the first certificate counts until the second is seen"
    );
    assert!(admitted(&response).await);
    assert_eq!(ended(), [public(&first)]);
    bed.post::<Device>("/devices/nas/revoke", "{}").await;
    bed.call(Method::DELETE, "/devices/nas", "").await;
    let both = BTreeSet::from([public(&first), public(&second)]);
    assert_eq!(ended().into_iter().collect::<BTreeSet<_>>(), both);
    let stored = bed.core.store.list_ended_keys().await.unwrap();
    assert_eq!(stored.into_keys().collect::<BTreeSet<_>>(), both);
    bed.clock.advance(34 * 86_400);
    assert_eq!(ended().len(), 2);
    bed.clock.advance(86_400);
    assert_eq!(ended(), []);
}
