//! The fleet's keys on disk: the authority, and control's own key with its certificate.
//!
//! The keys are made once. A control that has a fleet and no keys does not start: with new keys it would lock out the
//! whole fleet.

mod own_certificate;

use crate::{clock::Clock, data_dir::DataDir, start::StartError};
use flotilla_identity::{FleetCa, LeafKey, MaterialError, ProofKey, control_config};
use flotilla_protocol::{Timestamp, id::FleetId};
use own_certificate::OwnCertificate;
use rustls::ServerConfig;
use std::sync::Arc;

const CA_CERTIFICATE: &str = "ca.pem";
const CA_KEY: &str = "ca.key";
const LEAF_KEY: &str = "control.key";
const LEAF_CERTIFICATE: &str = "control.pem";

/// The keys, and the TLS configuration made from them.
#[derive(derive_more::Debug)]
#[debug("Trust({ca:?})")]
pub(crate) struct Trust {
    pub(crate) ca: FleetCa,
    pub(crate) leaf_key: LeafKey,
    /// The key with which devices prove that they hold their WireGuard keys.
    pub(crate) proof_key: ProofKey,
    pub(crate) tls: Arc<ServerConfig>,
    own_certificate: OwnCertificate,
}

impl Trust {
    /// Reads the keys; makes them for the fleet id `fresh` when there is no fleet yet.
    pub(crate) fn open(
        dir: &DataDir,
        fleet: Option<FleetId>,
        fresh: FleetId,
        clock: &Clock,
    ) -> Result<Self, StartError> {
        let broken = |name: &str, error: MaterialError| StartError::Keys {
            path: dir.file(name),
            reason: error.to_string(),
        };
        let missing = |name: &str| StartError::Keys {
            path: dir.file(name),
            reason: "the file is missing".into(),
        };
        let ca = match (dir.read(CA_CERTIFICATE)?, dir.read(CA_KEY)?, fleet) {
            (Some(certificate), Some(key), _) => {
                FleetCa::from_pem(&certificate, &key).map_err(|error| broken(CA_CERTIFICATE, error))?
            }
            (_, _, Some(_)) => return Err(missing(CA_CERTIFICATE)),
            // Only one of the two files exists when the first start was cut short.
            (_, _, None) => create(dir, fresh, clock)?,
        };
        if fleet.is_some_and(|fleet| fleet != ca.fleet()) {
            let reason = "the certificate is another fleet's".into();
            return Err(StartError::Keys {
                path: dir.file(CA_CERTIFICATE),
                reason,
            });
        }
        let leaf_key = match (dir.read(LEAF_KEY)?, fleet) {
            (Some(key), _) => LeafKey::from_pem(&key).map_err(|error| broken(LEAF_KEY, error))?,
            (None, Some(_)) => return Err(missing(LEAF_KEY)),
            (None, None) => {
                let key = LeafKey::generate().map_err(|_| StartError::Randomness)?;
                dir.write(LEAF_KEY, &key.to_pem())?;
                key
            }
        };
        let file = dir.replaced_file(LEAF_CERTIFICATE);
        let own_certificate =
            OwnCertificate::open(&ca, &leaf_key, file, clock.now()).map_err(|error| broken(CA_KEY, error))?;
        let tls = control_config(&ca, own_certificate.live(), clock.for_tls())
            .map_err(|error| broken(CA_CERTIFICATE, error))?;
        let proof_key = ProofKey::of(&leaf_key);
        Ok(Self {
            ca,
            leaf_key,
            proof_key,
            tls,
            own_certificate,
        })
    }

    /// Whether control's certificate is to be replaced or written, by [`Trust::tend_certificate`].
    pub(crate) fn is_to_be_tended(&self, now: Timestamp) -> bool {
        self.own_certificate.is_to_be_tended(now)
    }

    /// Replaces control's certificate when it is due; links live on. Takes as long as the disk does.
    pub(crate) fn tend_certificate(&self, now: Timestamp) {
        self.own_certificate.tend(&self.ca, &self.leaf_key, now);
    }
}

fn create(dir: &DataDir, fleet: FleetId, clock: &Clock) -> Result<FleetCa, StartError> {
    let ca = FleetCa::create(fleet, clock.now()).map_err(|_| StartError::Randomness)?;
    dir.write(CA_KEY, &ca.key_pem())?;
    dir.write(CA_CERTIFICATE, ca.cert_pem())?;
    Ok(ca)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fresh() -> FleetId {
        "01937c5e-7b1a-7c3e-8b9e-0123456789ab".parse().unwrap()
    }

    fn dir() -> (tempfile::TempDir, DataDir) {
        let parent = tempfile::tempdir().unwrap();
        let dir = DataDir::open(parent.path()).unwrap();
        (parent, dir)
    }

    #[test]
    fn keys_are_made_once_and_kept() {
        let (_parent, dir) = dir();
        let clock = Clock::system();
        let first = Trust::open(&dir, None, fresh(), &clock).unwrap();
        let again = Trust::open(&dir, Some(first.ca.fleet()), fresh(), &clock).unwrap();
        assert_eq!(first.ca.pin(), again.ca.pin());
        assert_eq!(first.leaf_key.pin(), again.leaf_key.pin());
    }

    #[test]
    fn a_fleet_without_its_keys_does_not_start_with_new_ones() {
        let (_parent, dir) = dir();
        let clock = Clock::system();
        let fleet = Trust::open(&dir, None, fresh(), &clock).unwrap().ca.fleet();
        dir.write(CA_CERTIFICATE, "garbled").unwrap();
        let error = Trust::open(&dir, Some(fleet), fresh(), &clock).unwrap_err();
        assert!(
            matches!(&error, StartError::Keys { path, .. } if path.ends_with("ca.pem")),
            "{error}"
        );
        dir.remove(LEAF_KEY);
        dir.remove(CA_CERTIFICATE);
        assert!(Trust::open(&dir, Some(fleet), fresh(), &clock).is_err());
    }
}
