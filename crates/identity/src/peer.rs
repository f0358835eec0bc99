//! The content of a certificate about its holder: one URI, and the dates of its validity.

use flotilla_protocol::{
    Timestamp,
    id::{DeviceId, FleetId},
};
use std::{fmt::Write as _, str::FromStr};
use x509_parser::{extensions::GeneralName, prelude::FromDer};

/// The beginning of every identity.
const SCHEME: &str = "flotilla://";

/// The role of a certificate's holder in a fleet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, derive_more::Display)]
pub enum Role {
    #[display("control")]
    Control,
    #[display("device/{_0}")]
    Device(DeviceId),
}

/// A member of a fleet, as the URI in its certificate names it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, derive_more::Debug, derive_more::Display)]
#[debug("{self}")]
#[display("{SCHEME}{fleet}/{role}")]
pub struct PeerIdentity {
    pub fleet: FleetId,
    pub role: Role,
}

/// Why a certificate or a URI names no identity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPeer {
    #[error("it is not an identity of the form flotilla://FLEET/control or flotilla://FLEET/device/ID")]
    Uri,
    #[error("the certificate is malformed")]
    Certificate,
    #[error("the certificate names no device, or more than one")]
    Names,
}

impl PeerIdentity {
    pub fn control(fleet: FleetId) -> Self {
        Self {
            fleet,
            role: Role::Control,
        }
    }

    pub fn device(fleet: FleetId, device: DeviceId) -> Self {
        Self {
            fleet,
            role: Role::Device(device),
        }
    }
}

impl FromStr for PeerIdentity {
    type Err = InvalidPeer;

    /// Accepts only the exact text that [`PeerIdentity`] prints, so that an identity has one spelling.
    fn from_str(text: &str) -> Result<Self, InvalidPeer> {
        let path = text.strip_prefix(SCHEME).ok_or(InvalidPeer::Uri)?;
        let (fleet, role) = path.split_once('/').ok_or(InvalidPeer::Uri)?;
        let fleet = fleet.parse().map_err(|_| InvalidPeer::Uri)?;
        let role = match role.split_once('/') {
            None if role == "control" => Role::Control,
            Some(("device", device)) => Role::Device(device.parse().map_err(|_| InvalidPeer::Uri)?),
            _ => return Err(InvalidPeer::Uri),
        };
        let identity = Self { fleet, role };
        if identity.to_string() == text {
            Ok(identity)
        } else {
            Err(InvalidPeer::Uri)
        }
    }
}

/// The facts in a peer's certificate that the routes behind TLS need.
///
/// It is parsed here and not verified: a certificate from a TLS connection with this crate's configurations was
/// verified to be signed by the fleet's authority.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerCertificate {
    pub identity: PeerIdentity,
    pub not_before: Timestamp,
    pub expires: Timestamp,
    /// SHA-256 of the certificate, lowercase hexadecimal.
    pub fingerprint: String,
}

impl PeerCertificate {
    /// Reads a certificate in DER.
    ///
    /// The bytes are not a certificate, or it does not name exactly one identity.
    pub fn from_der(der: &[u8]) -> Result<Self, InvalidPeer> {
        let (rest, certificate) =
            x509_parser::certificate::X509Certificate::from_der(der).map_err(|_| InvalidPeer::Certificate)?;
        if !rest.is_empty() {
            return Err(InvalidPeer::Certificate);
        }
        let names = certificate
            .subject_alternative_name()
            .map_err(|_| InvalidPeer::Certificate)?
            .ok_or(InvalidPeer::Names)?;
        let [GeneralName::URI(uri)] = names.value.general_names.as_slice() else {
            return Err(InvalidPeer::Names);
        };
        let instant = |seconds| Timestamp::from_second(seconds).map_err(|_| InvalidPeer::Certificate);
        Ok(Self {
            identity: uri.parse()?,
            not_before: instant(certificate.validity().not_before.timestamp())?,
            expires: instant(certificate.validity().not_after.timestamp())?,
            fingerprint: fingerprint(der),
        })
    }
}

/// SHA-256 in lowercase hexadecimal.
pub(crate) fn fingerprint(der: &[u8]) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, der);
    digest
        .as_ref()
        .iter()
        .fold(String::with_capacity(64), |mut text, byte| {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FLEET: &str = "01937c5e-7b1a-7c3e-8b9e-0123456789ab";

    #[test]
    fn identities_print_as_they_parse() {
        for text in [
            format!("flotilla://{FLEET}/control"),
            format!("flotilla://{FLEET}/device/{FLEET}"),
        ] {
            assert_eq!(text.parse::<PeerIdentity>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn an_identity_has_one_spelling() {
        for text in [
            format!("flotilla://{}/control", FLEET.to_uppercase()),
            format!("flotilla://{}/control", FLEET.replace('-', "")),
            format!("flotilla://{FLEET}/control/"),
            format!("flotilla://{FLEET}/control?x"),
            format!("flotilla://{FLEET}//control"),
            format!("FLOTILLA://{FLEET}/control"),
            format!("flotilla://{FLEET}/device/{FLEET}/control"),
            format!("flotilla://{FLEET}/device/"),
            format!("https://{FLEET}/control"),
        ] {
            assert_eq!(text.parse::<PeerIdentity>(), Err(InvalidPeer::Uri), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_answered(text in "(flotilla://)?[a-z0-9/:-]{0,90}") {
            if let Ok(identity) = text.parse::<PeerIdentity>() {
                prop_assert_eq!(identity.to_string(), text);
            }
        }

        #[test]
        fn any_bytes_are_answered_when_read_as_a_certificate(der in proptest::collection::vec(any::<u8>(), 0..600)) {
            let _ = PeerCertificate::from_der(&der);
        }
    }
}
