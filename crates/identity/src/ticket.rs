//! Relay tickets: control's statement that a device may use relays, which relays check without asking control.
//!
//! The fleet's authority signs which device it is, which WireGuard key it has, and until when. A relay needs only the
//! authority's certificate to check it. A ticket is no secret, because a client proves to the relay that it holds the
//! ticket's key. To end a ticket early, control revokes its key at relays for as long as any ticket may last; at a
//! relay that is not told, it ends with its time.

use crate::{
    ca::{FleetCa, read_authority},
    key::MaterialError,
};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use flotilla_protocol::{
    Timestamp,
    id::{DeviceId, FleetId},
    key::PublicKey,
    mesh::RelayTicket,
};
use rcgen::SigningKey;
use std::time::Duration;
use uuid::Uuid;
use x509_parser::{certificate::X509Certificate, prelude::FromDer};

/// How long a ticket lets its device use relays: a month in which control may be away, and a few days more, because
/// the device may have been away when control last issued tickets.
pub const TICKET_LIFETIME: Duration = Duration::from_secs(35 * 86_400);

/// Separates these signatures from those in certificates, which begin with 0x30.
const LABEL: &[u8] = b"flotilla relay ticket v1";

/// Version, fleet, device, WireGuard key, end in seconds since 1970.
const CLAIMS_LEN: usize = 1 + 16 + 16 + 32 + 8;
const VERSION: u8 = 1;

/// The content of a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TicketClaims {
    pub fleet: FleetId,
    pub device: DeviceId,
    pub key: PublicKey,
    pub expires: Timestamp,
}

/// Why a ticket is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTicket {
    #[error("this is not a relay ticket")]
    Malformed,
    #[error("the ticket is for fleet {0}, which this relay does not serve")]
    OtherFleet(FleetId),
    #[error("the ticket was not signed by the fleet's authority, or it was changed")]
    Forged,
    #[error("the ticket ran out at {0}")]
    Expired(Timestamp),
}

impl FleetCa {
    /// Issues a ticket that lets a device use relays for [`TICKET_LIFETIME`].
    ///
    /// # Errors
    /// The cryptographic library failed to sign.
    pub fn issue_ticket(
        &self,
        device: DeviceId,
        key: PublicKey,
        now: Timestamp,
    ) -> Result<RelayTicket, MaterialError> {
        let claims = TicketClaims {
            fleet: self.fleet(),
            device,
            key,
            expires: now.saturating_add(TICKET_LIFETIME).unwrap_or(Timestamp::MAX),
        };
        let body = claims.to_bytes();
        let signature = self.key().pair().sign(&signed(&body))?;
        Ok(RelayTicket(
            URL_SAFE_NO_PAD.encode([&body[..], &signature].concat()),
        ))
    }
}

/// Checks the tickets of one fleet.
#[derive(Clone, derive_more::Debug)]
#[debug("TicketVerifier({fleet})")]
pub struct TicketVerifier {
    fleet: FleetId,
    /// The authority's key as an uncompressed point.
    public_key: Vec<u8>,
}

impl TicketVerifier {
    /// Takes the fleet and its key from the authority's certificate.
    ///
    /// # Errors
    /// The certificate is not that of a fleet's authority.
    pub fn from_authority(der: &[u8]) -> Result<Self, MaterialError> {
        let (fleet, _) = read_authority(der).ok_or(MaterialError::Certificate)?;
        let (_, certificate) = X509Certificate::from_der(der).map_err(|_| MaterialError::Certificate)?;
        let public_key = certificate.public_key().subject_public_key.data.to_vec();
        Ok(Self { fleet, public_key })
    }

    /// The ticket is not valid, or has expired.
    pub fn verify(&self, ticket: &[u8], now: Timestamp) -> Result<TicketClaims, InvalidTicket> {
        // A signature of a P-256 key has at most 72 bytes.
        let mut buffer = [0; CLAIMS_LEN + 80];
        let length = URL_SAFE_NO_PAD
            .decode_slice(ticket, &mut buffer)
            .map_err(|_| InvalidTicket::Malformed)?;
        let decoded = buffer.get(..length).ok_or(InvalidTicket::Malformed)?;
        let (body, signature) = decoded
            .split_first_chunk::<CLAIMS_LEN>()
            .ok_or(InvalidTicket::Malformed)?;
        let claims = TicketClaims::from_bytes(body).ok_or(InvalidTicket::Malformed)?;
        if claims.fleet != self.fleet {
            return Err(InvalidTicket::OtherFleet(claims.fleet));
        }
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, &self.public_key)
            .verify(&signed(body), signature)
            .map_err(|_| InvalidTicket::Forged)?;
        if claims.expires <= now {
            return Err(InvalidTicket::Expired(claims.expires));
        }
        Ok(claims)
    }
}

impl TicketClaims {
    fn to_bytes(self) -> [u8; CLAIMS_LEN] {
        let mut bytes = [VERSION; CLAIMS_LEN];
        let fields = [
            self.fleet.0.as_bytes(),
            self.device.0.as_bytes(),
            &self.key.as_bytes()[..],
            &self.expires.as_second().to_be_bytes(),
        ];
        for (byte, field) in bytes.iter_mut().skip(1).zip(fields.into_iter().flatten()) {
            *byte = *field;
        }
        bytes
    }

    fn from_bytes(bytes: &[u8; CLAIMS_LEN]) -> Option<Self> {
        let (&[version], rest) = bytes.split_first_chunk()?;
        let (&fleet, rest) = rest.split_first_chunk()?;
        let (&device, rest) = rest.split_first_chunk()?;
        let (&key, rest) = rest.split_first_chunk()?;
        let (&expires, _) = rest.split_first_chunk()?;
        Some(Self {
            fleet: FleetId(Uuid::from_bytes(fleet)),
            device: DeviceId(Uuid::from_bytes(device)),
            key: PublicKey::from_bytes(key),
            expires: Timestamp::from_second(i64::from_be_bytes(expires)).ok()?,
        })
        .filter(|_| version == VERSION)
    }
}

fn signed(body: &[u8; CLAIMS_LEN]) -> Vec<u8> {
    [LABEL, body].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::sync::LazyLock;

    static CA: LazyLock<FleetCa> = LazyLock::new(|| FleetCa::create(fleet(0xAB), at(0)).unwrap());

    fn fleet(last: u8) -> FleetId {
        format!("01937c5e-7b1a-7c3e-8b9e-0123456789{last:02x}")
            .parse()
            .unwrap()
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn device() -> DeviceId {
        "01937c5e-7b1a-7c3e-8b9e-0123456789cd".parse().unwrap()
    }

    fn ticket(ca: &FleetCa) -> RelayTicket {
        ca.issue_ticket(device(), PublicKey::from_bytes([7; 32]), at(0))
            .unwrap()
    }

    fn verifier() -> TicketVerifier {
        TicketVerifier::from_authority(CA.cert_der()).unwrap()
    }

    #[test]
    fn a_ticket_outlasts_a_month_without_control_and_says_whose_it_is() {
        const END: i64 = 35 * 86_400;
        let ticket = ticket(&CA);
        let claims = verifier().verify(ticket.0.as_bytes(), at(END - 1)).unwrap();
        assert_eq!((claims.fleet, claims.device), (fleet(0xAB), device()));
        assert_eq!(
            (claims.key, claims.expires),
            (PublicKey::from_bytes([7; 32]), at(END))
        );
        assert_eq!(
            verifier().verify(ticket.0.as_bytes(), at(END)),
            Err(InvalidTicket::Expired(at(END)))
        );
    }

    #[test]
    fn a_ticket_of_another_fleet_does_not_count() {
        let other = FleetCa::create(fleet(0xAC), at(0)).unwrap();
        let refused = verifier().verify(ticket(&other).0.as_bytes(), at(0));
        assert_eq!(refused, Err(InvalidTicket::OtherFleet(fleet(0xAC))));
        let impostor = FleetCa::create(fleet(0xAB), at(0)).unwrap();
        let refused = verifier().verify(ticket(&impostor).0.as_bytes(), at(0));
        assert_eq!(refused, Err(InvalidTicket::Forged));
    }

    #[test]
    fn the_authority_signs_no_ticket_that_is_a_certificate() {
        let leaf = CA
            .issue_control(&crate::LeafKey::generate().unwrap(), at(0))
            .unwrap();
        assert!(TicketVerifier::from_authority(&leaf.der).is_err());
        let refused = verifier().verify(URL_SAFE_NO_PAD.encode(&leaf.der).as_bytes(), at(0));
        assert_eq!(refused, Err(InvalidTicket::Malformed));
    }

    #[test]
    fn a_ticket_fits_into_a_hello() {
        assert!((0..20).all(|_| ticket(&CA).0.len() <= 208));
    }

    proptest! {
        #[test]
        fn an_altered_ticket_does_not_count(at_byte: prop::sample::Index, flip in 1u8..) {
            let original = URL_SAFE_NO_PAD.decode(ticket(&CA).0).unwrap();
            let mut altered = original.clone();
            *at_byte.get_mut(&mut altered) ^= flip;
            prop_assert!(verifier().verify(URL_SAFE_NO_PAD.encode(&altered).as_bytes(), at(0)).is_err());
        }

        #[test]
        fn any_bytes_are_answered(ticket in proptest::collection::vec(any::<u8>(), 0..400)) {
            prop_assert!(verifier().verify(&ticket, at(0)).is_err());
        }

        #[test]
        fn any_text_of_the_right_alphabet_is_answered(ticket in "[A-Za-z0-9_-]{0,300}") {
            prop_assert!(verifier().verify(ticket.as_bytes(), at(0)).is_err());
        }
    }
}
