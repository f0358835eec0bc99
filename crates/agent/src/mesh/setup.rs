//! What the mesh of a device is set up with.

use crate::{
    machine::AgentClock,
    state::{Identity, StateDir, status_file::StatusFile},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use flotilla_identity::{ControlTrust, MaterialError, RelayTrust, agent_config, relay_client_config};
use flotilla_link::Proxies;
use flotilla_protocol::{
    id::{DeviceId, FleetId, RelayId},
    pin::Pin,
};
use flotilla_tunnel::PrivateKey;
use std::sync::Arc;
use zeroize::Zeroizing;

/// The parts of the agent that its mesh uses.
#[derive(Debug, Clone)]
pub(crate) struct Surroundings {
    pub(crate) state: Arc<StateDir>,
    pub(crate) clock: AgentClock,
    pub(crate) status: StatusFile,
    pub(crate) tun_name: String,
    pub(crate) proxies: Proxies,
}

/// The surroundings, together with the identity of the device.
pub(super) struct Setup {
    pub(super) surroundings: Surroundings,
    pub(super) device: DeviceId,
    pub(super) private_key: PrivateKey,
    pub(super) fleet: FleetId,
    pub(super) ca_pin: Pin,
}

impl Setup {
    pub(super) fn new(surroundings: Surroundings, identity: &Identity) -> Result<Self, MaterialError> {
        let key = Zeroizing::new(
            STANDARD
                .decode(identity.keys.wireguard.expose())
                .map_err(|_| MaterialError::Key)?,
        );
        let key: [u8; 32] = key.as_slice().try_into().map_err(|_| MaterialError::Key)?;
        Ok(Self {
            surroundings,
            device: identity.device_id,
            private_key: PrivateKey::from_bytes(key),
            fleet: identity.fleet_id,
            ca_pin: identity.ca_pin.clone(),
        })
    }

    /// How the TLS end of a relay is recognized. Control's own relay has the fleet's id, and its TLS end is control.
    pub(super) fn relay_tls(&self, relay: RelayId) -> Result<Arc<rustls::ClientConfig>, MaterialError> {
        let clock = self.surroundings.clock.for_tls();
        if relay.0 == self.fleet.0 {
            let trust = ControlTrust {
                ca_pin: self.ca_pin.clone(),
                fleet: Some(self.fleet),
            };
            return agent_config(trust, None, clock);
        }
        let trust = RelayTrust {
            ca_pin: self.ca_pin.clone(),
            fleet: self.fleet,
            device: DeviceId(relay.0),
        };
        relay_client_config(trust, clock)
    }
}
