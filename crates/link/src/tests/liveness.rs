//! A peer that disappears without closing is noticed at both ends.

use super::{
    rig::{Control, SOON, linked, linked_through},
    wire::Wire,
};
use crate::{LinkEnd, settings::Limits};
use std::time::{Duration, Instant};
use tokio::time::timeout;

fn impatient() -> Limits {
    Limits {
        ping_interval: Duration::from_millis(300),
        ping_timeout: Duration::from_millis(600),
        ..Limits::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_wire_is_noticed_at_both_ends() {
    let control = Control::start(impatient());
    let wire = Wire::to(control.address).await;
    let agent = linked_through(&control, vec![wire.endpoint.clone()], impatient()).await;
    agent.link.get::<String>("/hello", SOON).await.unwrap();

    let frozen = Instant::now();
    wire.freeze();
    assert_eq!(timeout(SOON, agent.link.closed()).await.unwrap(), LinkEnd::Silent);
    assert_eq!(timeout(SOON, agent.end).await.unwrap().unwrap(), LinkEnd::Silent);
    let least = Duration::from_millis(600);
    assert!(frozen.elapsed() >= least, "{:?}", frozen.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_link_is_kept() {
    let control = Control::start(impatient());
    let wire = Wire::to(control.address).await;
    let agent = linked_through(&control, vec![wire.endpoint.clone()], impatient()).await;
    let over = impatient().ping_interval + impatient().ping_timeout * 3;
    assert!(
        timeout(over, agent.link.closed()).await.is_err(),
        "an idle link ended"
    );
    agent.link.get::<String>("/hello", SOON).await.unwrap();
}

#[test]
fn a_dead_peer_is_noticed_in_45_seconds() {
    let limits = Limits::default();
    let total = limits.ping_interval + limits.ping_timeout;
    assert_eq!(
        total.as_secs(),
        u64::from(flotilla_protocol::RECONNECTING_SECONDS)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_dies_is_noticed_at_once() {
    let control = Control::start(Limits::default());
    let agent = linked(&control).await;
    agent.end.abort();
    assert_eq!(timeout(SOON, agent.link.closed()).await.unwrap(), LinkEnd::Closed);
}
