//! Certificates that are replaced while both ends run.

use super::*;

#[test]
fn each_end_presents_its_next_certificate_from_the_next_handshake_on() {
    let fleet = Fleet::new(1);
    let key = LeafKey::generate().unwrap();
    let device = fleet.live(&key, &fleet.device_certificate(&key, 0));
    let leaf = fleet.ca.issue_control(&fleet.key, at(0)).unwrap();
    let control = fleet.live(&fleet.key, &leaf.pem);
    let agent = agent_config(fleet.trust(), Some(&device), clock(60 * DAY)).unwrap();
    let port = control_config(&fleet.ca, &control, clock(60 * DAY)).unwrap();
    let expire = || {
        let outcome = handshake(agent.clone(), port.clone());
        let (seen_by_agent, seen_by_control) = (outcome.agent.unwrap(), outcome.control.unwrap());
        [seen_by_agent, seen_by_control].map(|seen| seen.unwrap().expires)
    };
    assert_eq!(expire(), [at(90 * DAY); 2]);
    let next = fleet.ca.issue_control(&fleet.key, at(60 * DAY)).unwrap();
    control
        .replace(&fleet.key, &next.pem, fleet.ca.cert_pem())
        .unwrap();
    assert_eq!(expire(), [at(150 * DAY), at(90 * DAY)]);
    let next = fleet.device_certificate(&key, 60 * DAY);
    device.replace(&key, &next, fleet.ca.cert_pem()).unwrap();
    assert_eq!(expire(), [at(150 * DAY); 2]);
}
