//! First trust: what an agent sends with its one-time token, what it gets, and the config file that carries both.

pub use crate::mesh::MeshAddress;

use crate::{
    Timestamp,
    device::{Facts, NetworkMode, RelayPreference},
    endpoint::Endpoint,
    id::{DeviceId, FleetId},
    key::PublicKey,
    name::{DeviceName, Tag},
    pin::Pin,
};
use serde::{Deserialize, Serialize};
use std::net::Ipv4Addr;

/// Path of the enrollment request on the fleet port. The token travels as `Authorization: Bearer`.
pub const ENROLL_PATH: &str = "/agent/v1/enroll";

/// What control answers to `GET` on [`ENROLL_PATH`], before a device shows its token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnrollChallenge {
    /// With this key a device makes [`EnrollRequest::key_proof`].
    pub proof_key: PublicKey,
}

/// A device's request for a certificate.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EnrollRequest {
    /// [`crate::PROTOCOL`] of the agent.
    pub protocol: u32,
    pub agent_version: String,
    /// PKCS #10 request in DER, base64. Only its public key and its signature are looked at.
    pub csr_der: String,
    /// X25519 public key, base64. Its private half never leaves the device.
    pub wireguard_public_key: String,
    /// Proof that the private half is on the device, base64. It is for this token and the certificate request's key.
    pub key_proof: String,
    /// A stable identifier of the machine, hashed by the agent, so that a copied state directory shows.
    pub machine_id: String,
    pub facts: Facts,
    /// Networks that the device already routes, in CIDR notation.
    #[serde(default)]
    pub routes: Vec<String>,
    /// The device's clock, so that control can tell how far it is off.
    pub sent_at: Timestamp,
}

/// What a device needs to know to hold a link.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EnrollResponse {
    pub fleet_id: FleetId,
    pub device_id: DeviceId,
    pub device_name: DeviceName,
    /// The device's certificate, PEM.
    pub chain: String,
    /// The fleet CA's certificate, PEM.
    pub ca: String,
    /// Where control can be reached, best first.
    pub endpoints: Vec<Endpoint>,
    pub mesh: MeshAddress,
}

/// The only version of the config file so far.
pub const CONFIG_VERSION: u32 = 1;

/// `NAME.device.toml`: everything an agent needs to enroll, and never a private key.
///
/// Control's record wins over mode, relay, tags and address; they are here for people to read.
/// Unknown fields are refused by name, since the file is edited by hand; a newer format has a newer `version`.
#[derive(Clone, Serialize, Deserialize, derive_more::Debug)]
#[debug("ConfigFile({device_id}, {device_name}, {endpoints:?})")]
#[serde(deny_unknown_fields)]
pub struct ConfigFile {
    pub version: u32,
    pub fleet_id: FleetId,
    pub device_id: DeviceId,
    pub device_name: DeviceName,
    pub endpoints: Vec<Endpoint>,
    pub ca_pin: Pin,
    pub token: String,
    pub token_expires: Timestamp,
    pub mesh_ip: Ipv4Addr,
    pub mesh_cidr: String,
    #[serde(deserialize_with = "crate::open::known")]
    pub network_mode: NetworkMode,
    #[serde(deserialize_with = "crate::open::known")]
    pub relay: RelayPreference,
    #[serde(default)]
    pub tags: Vec<Tag>,
    pub agent_image: String,
    pub ca_pem: String,
}
