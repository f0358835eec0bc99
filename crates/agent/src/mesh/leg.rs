//! The TLS leg to a relay: datagrams as messages of a WebSocket, where UDP does not get through.
//!
//! Life cycle: dialed when the data plane asks for it → open: carries datagrams both ways → ended by the network:
//! dialed again after a pause that grows → dropped when the data plane needs it no more.

use crate::complaint::{Complaint, class};
use flotilla_link::{Backoff, LinkEnd, MessageSocket, Target, open};
use flotilla_protocol::id::RelayId;
use flotilla_tunnel::{RelayLeg, Tunnel};
use futures_util::FutureExt as _;
use std::{
    sync::Weak,
    time::{Duration, Instant},
};
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;

/// Where relays take a WebSocket, on control's fleet port and on a device's relay port alike.
const RELAY_PATH: &str = "/relay/v1/connect";

/// How long a leg may be silent. The data plane pings its relays every 25 s, and they answer: a connection that brings
/// nothing for clearly longer is dead.
const SILENCE: Duration = Duration::from_secs(40);

/// How many datagrams are written in one go, at most.
const BATCH: usize = 64;

/// Keeps a leg until the handle is dropped, or the data plane has ended.
pub(super) fn start(relay: RelayId, target: Target, tunnel: Weak<Tunnel>) -> AbortOnDropHandle<()> {
    AbortOnDropHandle::new(tokio::spawn(keep(relay, target, tunnel)))
}

async fn keep(relay: RelayId, target: Target, tunnel: Weak<Tunnel>) {
    let mut backoff = Backoff::default();
    let mut complaint = Complaint::default();
    loop {
        match open(&target, RELAY_PATH).await {
            Ok(messages) => {
                backoff.handle_up(Instant::now());
                complaint.settle();
                // Not held while the leg is open: it would keep the data plane alive.
                let Some(relay_leg) = tunnel.upgrade().map(|tunnel| tunnel.open_leg(relay)) else {
                    return;
                };
                tracing::info!(relay.id = %relay, relay.endpoint = %messages.endpoint(), "reaching a relay by TLS");
                let Some(end) = carry(messages, &relay_leg).await else {
                    return;
                };
                tracing::info!(relay.id = %relay, reason = %end, "the TLS connection to a relay ended");
            }
            Err(error) => {
                if complaint.is_new(class(&error)) {
                    tracing::warn!(relay.id = %relay, %error, "no TLS connection to a relay; it keeps trying");
                }
            }
        }
        let pause = backoff.handle_down(Instant::now(), &mut rand::rng());
        tokio::time::sleep(pause).await;
    }
}

/// Passes datagrams on until the connection ends, or the data plane has ended (`None`).
async fn carry(messages: MessageSocket, relay_leg: &RelayLeg) -> Option<LinkEnd> {
    let (mut outgoing, mut incoming) = messages.split();
    let sending = async {
        loop {
            let first = relay_leg.next().await?;
            let mut batch = vec![first.into()];
            while batch.len() < BATCH
                && let Some(Some(next)) = relay_leg.next().now_or_never()
            {
                batch.push(next.into());
            }
            if let Err(end) = outgoing.send(batch).await {
                return Some(end);
            }
        }
    };
    let receiving = async {
        loop {
            match timeout(SILENCE, incoming.next()).await {
                Ok(Ok(message)) => relay_leg.deliver(message.into()),
                Ok(Err(end)) => return Some(end),
                Err(_) => return Some(LinkEnd::Silent),
            }
        }
    };
    tokio::select! {
        end = sending => end,
        end = receiving => end,
    }
}
