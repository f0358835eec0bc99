//! Control's own relay: at the fleet port's number by UDP, and behind a route of the fleet port for devices whose UDP
//! is blocked. A ticket decides who may use it, so the route needs no client certificate.

use crate::{core::Core, data_dir::DataDir, start::StartError};
use axum::Router;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use flotilla_identity::WireguardKey;
use flotilla_link::{Admission, Caller};
use flotilla_protocol::{
    id::RelayId,
    mesh::{REFLECT_PORT_OFFSET, Relay as Mapped},
};
use flotilla_relay::{LegRequest, Limits, Relay, RelayConfig, StaticKey};
use http::Extensions;
use std::{
    net::{Ipv6Addr, SocketAddr},
    sync::Arc,
};
use zeroize::Zeroizing;

/// The file of the relay's key. It is kept, so that maps of agents that control has not reached since its restart stay
/// valid.
const KEY: &str = "relay.key";

/// The relay's name for people, where other relays have their device's.
const NAME: &str = "controller";

/// Starts the relay and puts it into the network maps. When no UDP port can be opened, control runs without a relay.
///
/// # Errors
/// The relay's key cannot be read or kept.
pub(crate) fn start(
    core: &Core,
    dir: &DataDir,
    fleet_addr: SocketAddr,
    mbit_per_second: u32,
) -> Result<(), StartError> {
    let key = key(dir)?;
    let at = |udp| {
        let port = fleet_addr.port().checked_add(REFLECT_PORT_OFFSET).unwrap_or(0);
        Relay::start(RelayConfig {
            udp,
            reflect: Some(SocketAddr::new(fleet_addr.ip(), port)),
            key: StaticKey::from_bytes(*key),
            authority: core.trust.ca.cert_der().to_vec(),
            clock: core.clock.for_tls(),
            limits: Limits {
                line: u64::from(mbit_per_second) * 125_000,
                ..Limits::default()
            },
        })
    };
    let relay = at(fleet_addr).or_else(|error| {
        tracing::warn!(%error, "devices reach the relay by TLS only");
        at(SocketAddr::new(fleet_addr.ip(), 0))
    });
    let relay = match relay {
        Ok(relay) => relay,
        Err(error) => {
            tracing::error!(%error, "control runs no relay");
            return Ok(());
        }
    };
    let mapped = Mapped {
        id: RelayId(core.trust.ca.fleet().0),
        name: NAME.to_owned(),
        public_key: relay.public_key(),
        endpoints: core.endpoints(),
        reflect_port: relay.reflect_address().map(|address| address.port()),
    };
    *core.relay() = Some(relay);
    core.cache.lock().set_own_relay(Some(mapped));
    revoke(core);
    Ok(())
}

/// Passes the ended keys to the relay, so that it refuses their tickets.
pub(crate) fn revoke(core: &Core) {
    let keys = core.cache.lock().ended_keys(core.clock.now());
    if let Some(relay) = core.relay().as_ref() {
        relay.revoke(keys);
    }
}

/// Stops the relay, which ends the sessions of its clients.
pub(crate) fn stop(core: &Core) {
    drop(core.relay().take());
}

/// The relay's route on the fleet port, for TLS.
pub(crate) fn routes(core: &Core) -> Router<Arc<Core>> {
    let relay = core.relay();
    relay
        .as_ref()
        .map_or_else(Router::new, |relay| relay.router(leg_request))
}

fn leg_request(extensions: &Extensions) -> LegRequest {
    let caller = extensions.get::<Caller>();
    let admission = extensions.get::<Admission>().cloned();
    LegRequest {
        remote: caller.map_or((Ipv6Addr::UNSPECIFIED, 0).into(), |caller| caller.remote),
        admitted: Box::new(move |device| {
            if let Some(admission) = admission {
                admission.admit(device);
            }
        }),
    }
}

fn key(dir: &DataDir) -> Result<Zeroizing<[u8; 32]>, StartError> {
    let text = match dir.read(KEY)? {
        Some(text) => Zeroizing::new(text),
        None => {
            let text = WireguardKey::generate().to_base64();
            dir.write(KEY, &text)?;
            text
        }
    };
    let bytes = STANDARD.decode(text.trim()).map(Zeroizing::new).ok();
    let bytes = bytes.and_then(|bytes| <[u8; 32]>::try_from(bytes.as_slice()).ok());
    bytes.map(Zeroizing::new).ok_or_else(|| StartError::Keys {
        path: dir.file(KEY),
        reason: "the file is damaged".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testbed::{Testbed, stranger};
    use axum::body::Body;
    use flotilla_relay::CONNECT_PATH;
    use http::{Request, StatusCode};

    fn dir() -> (tempfile::TempDir, DataDir) {
        let parent = tempfile::tempdir().unwrap();
        let dir = DataDir::open(&parent.path().join("data")).unwrap();
        (parent, dir)
    }

    fn loopback() -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], 0))
    }

    #[tokio::test]
    async fn the_relay_keeps_its_key_and_is_in_the_maps() {
        let bed = Testbed::new().await;
        let (_parent, dir) = dir();
        start(&bed.core, &dir, loopback(), 100).unwrap();
        let before = bed.core.cache.lock().own_relay().cloned().unwrap();
        assert_eq!(before.endpoints, bed.core.endpoints());
        assert!(before.reflect_port.is_some());
        stop(&bed.core);
        start(&bed.core, &dir, loopback(), 100).unwrap();
        let after = bed.core.cache.lock().own_relay().cloned().unwrap();
        assert_eq!((before.id, before.public_key), (after.id, after.public_key));
        dir.write(KEY, "damaged").unwrap();
        assert!(matches!(
            start(&bed.core, &dir, loopback(), 100),
            Err(StartError::Keys { .. })
        ));
    }

    #[tokio::test]
    async fn a_udp_port_that_is_taken_leaves_the_way_by_tls() {
        let bed = Testbed::new().await;
        let (_parent, dir) = dir();
        let taken = std::net::UdpSocket::bind(loopback()).unwrap();
        let address = taken.local_addr().unwrap();
        start(&bed.core, &dir, address, 100).unwrap();
        let udp = bed.core.relay().as_ref().map(Relay::udp_address).unwrap();
        assert_ne!(udp.port(), address.port());
        let request = Request::get(CONNECT_PATH).body(Body::empty()).unwrap();
        let (status, body) = bed.fleet(&stranger(), request).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{body}");
        let request = Request::post(CONNECT_PATH).body(Body::empty()).unwrap();
        let (status, _) = bed.fleet(&stranger(), request).await;
        assert_eq!(status, StatusCode::NOT_FOUND);
    }
}
