//! A certificate that the authority has signed, and when the next one takes its place.

use crate::{
    ca::{FleetCa, LEAF_LIFETIME},
    key::{LeafKey, MaterialError, certificates},
    peer::PeerCertificate,
    verify::{ControlVerifier, spki_pin},
};
use flotilla_protocol::Timestamp;
use rustls::pki_types::CertificateDer;

/// A certificate that the authority has signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuedCertificate {
    /// The certificate alone, PEM.
    pub pem: String,
    pub der: CertificateDer<'static>,
    pub not_before: Timestamp,
    pub expires: Timestamp,
    /// SHA-256 of the certificate, lowercase hexadecimal.
    pub fingerprint: String,
}

impl IssuedCertificate {
    /// Reads a certificate that [`FleetCa::issue_control`] made for `key`. Its dates are not judged.
    ///
    /// # Errors
    /// The text holds no certificate, it is for another key, or agents of this fleet would not take it for control's.
    pub fn read_control(ca: &FleetCa, key: &LeafKey, pem: &str) -> Result<Self, MaterialError> {
        let der = certificates(pem)?.swap_remove(0);
        if spki_pin(&der).as_ref() != Some(&key.pin()) {
            return Err(MaterialError::Mismatch);
        }
        let peer = PeerCertificate::from_der(&der).map_err(|_| MaterialError::Certificate)?;
        ControlVerifier::of(ca)
            .judge_undated(&der, &[ca.cert_der().clone()])
            .map_err(|_| MaterialError::Certificate)?;
        Ok(Self {
            pem: pem.to_owned(),
            der,
            not_before: peer.not_before,
            expires: peer.expires,
            fingerprint: peer.fingerprint,
        })
    }

    /// Whether another one has to be issued at `now`: two thirds of its life are over, or it has not begun, because it
    /// was dated by a clock that was ahead.
    #[must_use]
    pub fn is_due(&self, now: Timestamp) -> bool {
        let last_third = i64::try_from(LEAF_LIFETIME.as_secs() / 3).unwrap_or(i64::MAX);
        now < self.not_before || now.as_second() >= self.expires.as_second().saturating_sub(last_third)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn fleet(last: u8) -> FleetCa {
        let id = format!("01937c5e-7b1a-7c3e-8b9e-0000000000{last:02x}");
        FleetCa::create(id.parse().unwrap(), at(0)).unwrap()
    }

    #[test]
    fn a_certificate_is_due_after_two_thirds_of_its_life_and_while_it_has_not_begun() {
        let issued = fleet(1)
            .issue_control(&LeafKey::generate().unwrap(), at(0))
            .unwrap();
        for (second, is_due) in [
            (-601, true),
            (-600, false),
            (0, false),
            (60 * DAY - 1, false),
            (60 * DAY, true),
            (400 * DAY, true),
        ] {
            assert_eq!(issued.is_due(at(second)), is_due, "second {second}");
        }
    }

    #[test]
    fn controls_certificate_survives_being_written_and_read_whatever_its_dates() {
        let (ca, key) = (fleet(1), LeafKey::generate().unwrap());
        for second in [0, -400 * DAY, 400 * DAY] {
            let issued = ca.issue_control(&key, at(second)).unwrap();
            assert_eq!(
                IssuedCertificate::read_control(&ca, &key, &issued.pem),
                Ok(issued)
            );
        }
    }

    #[test]
    fn what_agents_would_not_take_for_control_is_not_read() {
        let (ca, key) = (fleet(1), LeafKey::generate().unwrap());
        let read = |pem: &str| IssuedCertificate::read_control(&ca, &key, pem);
        let of_another_key = ca.issue_control(&LeafKey::generate().unwrap(), at(0)).unwrap();
        assert_eq!(read(&of_another_key.pem), Err(MaterialError::Mismatch));
        let csr = crate::VerifiedCsr::from_der(&key.csr_der().unwrap()).unwrap();
        let device = "01937c5e-7b1a-7c3e-8b9e-0123456789cd".parse().unwrap();
        for pem in [
            ca.issue_device(&csr, device, at(0)).unwrap().pem,
            fleet(1).issue_control(&key, at(0)).unwrap().pem,
            fleet(2).issue_control(&key, at(0)).unwrap().pem,
            "garbled".to_owned(),
        ] {
            assert_eq!(read(&pem), Err(MaterialError::Certificate));
        }
    }
}
