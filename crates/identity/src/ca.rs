//! The fleet's certificate authority, whose key decides which devices belong to the fleet.
//!
//! The authority's certificate is valid for ten years, so that a fleet outlives its hardware; those that it signs are
//! valid for 90 days, so that a lost one is soon useless. They begin ten minutes in the past, because clocks of a
//! fleet differ.

use crate::{
    csr::VerifiedCsr,
    issued::IssuedCertificate,
    key::{LeafKey, MaterialError, certificates, pin_of},
    peer::{PeerIdentity, fingerprint},
};
use flotilla_protocol::{
    Timestamp,
    id::{DeviceId, FleetId},
    pin::Pin,
};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyUsagePurpose, PublicKeyData, SanType, SerialNumber, date_time_ymd,
};
use rustls::pki_types::CertificateDer;
use std::time::Duration;
use x509_parser::{certificate::X509Certificate, prelude::FromDer};
use zeroize::Zeroizing;

/// How long a device's or control's certificate is valid.
pub const LEAF_LIFETIME: Duration = Duration::from_secs(90 * 86_400);

/// Ten years of 365.25 days.
const CA_LIFETIME: Duration = Duration::from_secs(3_652 * 86_400 + 43_200);

/// How far a device's clock may be behind control's for a fresh certificate to be valid already.
const BACKDATING: Duration = Duration::from_secs(600);

/// The beginning of an authority's subject; the fleet's id follows.
const SUBJECT: &str = "Flotilla fleet ";

/// A fleet's authority, with its private key.
#[derive(derive_more::Debug)]
#[debug("FleetCa({fleet}, {})", self.pin())]
pub struct FleetCa {
    fleet: FleetId,
    params: CertificateParams,
    key: LeafKey,
    der: CertificateDer<'static>,
    pem: String,
}

impl FleetCa {
    /// Creates the authority of a new fleet.
    ///
    /// The system gives no randomness.
    pub fn create(fleet: FleetId, now: Timestamp) -> Result<Self, MaterialError> {
        let key = LeafKey::generate()?;
        let params = authority(fleet, now);
        let certificate = params.self_signed(key.pair())?;
        Ok(Self {
            fleet,
            pem: certificate.pem(),
            der: certificate.into(),
            params,
            key,
        })
    }

    /// Reads an authority from its certificate and its key, both PEM.
    ///
    /// One of them is damaged, they do not belong together, or the certificate is not that of a fleet's authority.
    pub fn from_pem(cert_pem: &str, key_pem: &str) -> Result<Self, MaterialError> {
        let key = LeafKey::from_pem(key_pem)?;
        let der = certificates(cert_pem)?.swap_remove(0);
        let (fleet, pin) = read_authority(&der).ok_or(MaterialError::Certificate)?;
        if pin != key.pin() {
            return Err(MaterialError::Mismatch);
        }
        Ok(Self {
            fleet,
            pem: cert_pem.to_owned(),
            params: authority(fleet, Timestamp::UNIX_EPOCH),
            key,
            der,
        })
    }

    pub fn fleet(&self) -> FleetId {
        self.fleet
    }

    pub fn cert_pem(&self) -> &str {
        &self.pem
    }

    pub fn cert_der(&self) -> &CertificateDer<'static> {
        &self.der
    }

    /// The authority's private key, for the one file that keeps it.
    pub fn key_pem(&self) -> Zeroizing<String> {
        self.key.to_pem()
    }

    pub(crate) fn key(&self) -> &LeafKey {
        &self.key
    }

    /// The pin that agents check (`ca_pin`).
    pub fn pin(&self) -> Pin {
        self.key.pin()
    }

    /// Signs control's own certificate, valid for servers only. Its key stays the same across renewals, and with it
    /// the `tls_pin` in install commands.
    ///
    /// # Errors
    /// The cryptographic library failed to sign.
    pub fn issue_control(&self, key: &LeafKey, now: Timestamp) -> Result<IssuedCertificate, MaterialError> {
        let identity = PeerIdentity::control(self.fleet);
        self.issue(identity, ExtendedKeyUsagePurpose::ServerAuth, key.pair(), now)
    }

    /// Signs a device's certificate, valid for clients only.
    ///
    /// # Errors
    /// The cryptographic library failed to sign.
    pub fn issue_device(
        &self,
        csr: &VerifiedCsr,
        device: DeviceId,
        now: Timestamp,
    ) -> Result<IssuedCertificate, MaterialError> {
        let identity = PeerIdentity::device(self.fleet, device);
        self.issue(identity, ExtendedKeyUsagePurpose::ClientAuth, csr, now)
    }

    fn issue(
        &self,
        identity: PeerIdentity,
        usage: ExtendedKeyUsagePurpose,
        key: &impl PublicKeyData,
        now: Timestamp,
    ) -> Result<IssuedCertificate, MaterialError> {
        let not_before = shifted(now, BACKDATING, false);
        let expires = shifted(now, LEAF_LIFETIME, true);
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.subject_alt_names = vec![SanType::URI(identity.to_string().try_into()?)];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![usage];
        params.use_authority_key_identifier_extension = true;
        params.serial_number = Some(serial_number()?);
        set_validity(&mut params, not_before, expires);
        let issuer = Issuer::from_params(&self.params, self.key.pair());
        let certificate = params.signed_by(key, &issuer)?;
        Ok(IssuedCertificate {
            pem: certificate.pem(),
            fingerprint: fingerprint(certificate.der()),
            der: certificate.into(),
            not_before,
            expires,
        })
    }
}

/// The authority's own certificate; everything but the dates follows from the fleet's id.
fn authority(fleet: FleetId, now: Timestamp) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::CommonName, format!("{SUBJECT}{fleet}"));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    set_validity(
        &mut params,
        shifted(now, BACKDATING, false),
        shifted(now, CA_LIFETIME, true),
    );
    params
}

/// `now` moved into the future or the past, in whole seconds, because certificates have no fractions.
fn shifted(now: Timestamp, by: Duration, forward: bool) -> Timestamp {
    let by = i64::try_from(by.as_secs()).unwrap_or(i64::MAX);
    let seconds = if forward {
        now.as_second().saturating_add(by)
    } else {
        now.as_second().saturating_sub(by)
    };
    Timestamp::from_second(seconds.max(0)).unwrap_or(Timestamp::MAX)
}

fn set_validity(params: &mut CertificateParams, not_before: Timestamp, expires: Timestamp) {
    let since_epoch = |at: Timestamp| Duration::from_secs(u64::try_from(at.as_second()).unwrap_or(0));
    params.not_before = date_time_ymd(1970, 1, 1) + since_epoch(not_before);
    params.not_after = date_time_ymd(1970, 1, 1) + since_epoch(expires);
}

/// Sixteen random bytes of a positive number (RFC 5280 §4.1.2.2). Two certificates must not have the same number.
fn serial_number() -> Result<SerialNumber, MaterialError> {
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| rcgen::Error::RingUnspecified)?;
    bytes[0] = bytes[0] & 0x7f | 0x40;
    Ok(SerialNumber::from_slice(&bytes))
}

/// The fleet that an authority's certificate is for, and the pin of its key.
pub(crate) fn read_authority(der: &[u8]) -> Option<(FleetId, Pin)> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let subject = certificate.subject().iter_common_name().next()?;
    let fleet = subject.as_str().ok()?.strip_prefix(SUBJECT)?.parse().ok()?;
    Some((fleet, pin_of(certificate.public_key().raw)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PeerCertificate;
    use rcgen::CustomExtension;

    fn now() -> Timestamp {
        Timestamp::from_second(1_800_000_000).unwrap()
    }

    fn fleet() -> FleetId {
        "01937c5e-7b1a-7c3e-8b9e-0123456789ab".parse().unwrap()
    }

    fn device() -> DeviceId {
        "01937c5e-7b1a-7c3e-8b9e-0123456789cd".parse().unwrap()
    }

    fn extension_oids(der: &[u8]) -> Vec<String> {
        let (_, certificate) = X509Certificate::from_der(der).unwrap();
        certificate
            .extensions()
            .iter()
            .map(|e| e.oid.to_id_string())
            .collect()
    }

    #[test]
    fn an_authority_survives_being_written_and_read() {
        let ca = FleetCa::create(fleet(), now()).unwrap();
        let read = FleetCa::from_pem(ca.cert_pem(), &ca.key_pem()).unwrap();
        assert_eq!(read.fleet(), fleet());
        assert_eq!(read.pin(), ca.pin());
        assert_eq!(read.cert_der(), ca.cert_der());
    }

    #[test]
    fn an_authority_with_the_key_of_another_is_refused() {
        let (a, b) = (
            FleetCa::create(fleet(), now()).unwrap(),
            FleetCa::create(fleet(), now()).unwrap(),
        );
        assert_eq!(
            FleetCa::from_pem(a.cert_pem(), &b.key_pem()).unwrap_err(),
            MaterialError::Mismatch
        );
        let leaf_key = LeafKey::generate().unwrap();
        let leaf = a.issue_control(&leaf_key, now()).unwrap();
        assert_eq!(
            FleetCa::from_pem(&leaf.pem, &leaf_key.to_pem()).unwrap_err(),
            MaterialError::Certificate
        );
    }

    #[test]
    fn a_device_certificate_names_the_device_and_its_dates() {
        let ca = FleetCa::create(fleet(), now()).unwrap();
        let csr = VerifiedCsr::from_der(&LeafKey::generate().unwrap().csr_der().unwrap()).unwrap();
        let issued = ca.issue_device(&csr, device(), now()).unwrap();
        let read = PeerCertificate::from_der(&issued.der).unwrap();
        assert_eq!(read.identity, PeerIdentity::device(fleet(), device()));
        assert_eq!(read.not_before, issued.not_before);
        assert_eq!(read.expires, issued.expires);
        assert_eq!(read.fingerprint, issued.fingerprint);
        assert_eq!(now().as_second() - issued.not_before.as_second(), 600);
        assert_eq!(issued.expires.as_second() - now().as_second(), 90 * 86_400);
    }

    #[test]
    fn what_a_request_asks_for_is_not_granted() {
        let ca = FleetCa::create(fleet(), now()).unwrap();
        let key = LeafKey::generate().unwrap();
        let another_device: DeviceId = "01937c5e-7b1a-7c3e-8b9e-0123456789ef".parse().unwrap();
        let mut wish = CertificateParams::default();
        wish.distinguished_name.push(DnType::CommonName, "control");
        wish.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        wish.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        wish.subject_alt_names = vec![
            SanType::URI(PeerIdentity::control(fleet()).to_string().try_into().unwrap()),
            SanType::URI(
                PeerIdentity::device(fleet(), another_device)
                    .to_string()
                    .try_into()
                    .unwrap(),
            ),
        ];
        wish.custom_extensions = vec![CustomExtension::from_oid_content(&[1, 2, 3, 4], vec![5, 0])];
        let request = wish.serialize_request(key.pair()).unwrap();

        let csr = VerifiedCsr::from_der(request.der()).unwrap();
        let issued = ca.issue_device(&csr, device(), now()).unwrap();

        let plain = VerifiedCsr::from_der(&key.csr_der().unwrap()).unwrap();
        let expected = ca.issue_device(&plain, device(), now()).unwrap();
        assert_eq!(extension_oids(&issued.der), extension_oids(&expected.der));
        let read = PeerCertificate::from_der(&issued.der).unwrap();
        assert_eq!(read.identity, PeerIdentity::device(fleet(), device()));
        let (_, certificate) = X509Certificate::from_der(&issued.der).unwrap();
        let usage = certificate.extended_key_usage().unwrap().unwrap().value;
        assert!(usage.client_auth && !usage.server_auth && !certificate.is_ca());
    }

    #[test]
    fn the_key_of_control_keeps_its_pin_when_its_certificate_is_renewed() {
        let ca = FleetCa::create(fleet(), now()).unwrap();
        let key = LeafKey::generate().unwrap();
        let (first, second) = (
            ca.issue_control(&key, now()).unwrap(),
            ca.issue_control(&key, now()).unwrap(),
        );
        assert_ne!(first.fingerprint, second.fingerprint);
        for issued in [first, second] {
            let (_, certificate) = X509Certificate::from_der(&issued.der).unwrap();
            assert_eq!(pin_of(certificate.public_key().raw), key.pin());
        }
    }

    #[test]
    fn a_clock_at_the_beginning_of_time_still_makes_an_authority() {
        assert!(FleetCa::create(fleet(), Timestamp::UNIX_EPOCH).is_ok());
    }
}
