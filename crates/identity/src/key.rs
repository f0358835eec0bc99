//! The key of a certificate: ECDSA on P-256, generated where it is used, and never sent.

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use flotilla_protocol::pin::Pin;
use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PublicKeyData};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, pem::PemObject};
use zeroize::{Zeroize, Zeroizing};

/// Why stored keys or certificates cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MaterialError {
    #[error("the private key is damaged or of another kind than ECDSA P-256")]
    Key,
    #[error("the certificate is damaged")]
    Certificate,
    #[error("the certificate and the private key do not belong together")]
    Mismatch,
    #[error("the cryptographic library refused: {0}")]
    Crypto(String),
}

impl From<rcgen::Error> for MaterialError {
    fn from(error: rcgen::Error) -> Self {
        Self::Crypto(error.to_string())
    }
}

/// The private key of control's or a device's certificate. It is wiped from memory when dropped.
#[derive(derive_more::Debug)]
#[debug("LeafKey({})", self.pin())]
pub struct LeafKey(KeyPair);

impl LeafKey {
    /// Makes a new key.
    ///
    /// The system gives no randomness.
    pub fn generate() -> Result<Self, MaterialError> {
        Ok(Self(KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?))
    }

    /// Reads the output of [`LeafKey::to_pem`].
    ///
    /// # Errors
    /// The text holds no ECDSA P-256 key.
    pub fn from_pem(pem: &str) -> Result<Self, MaterialError> {
        let key = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes()).map_err(|_| MaterialError::Key)?;
        KeyPair::from_pkcs8_der_and_sign_algo(&key, &PKCS_ECDSA_P256_SHA256)
            .map(Self)
            .map_err(|_| MaterialError::Key)
    }

    /// PKCS #8, PEM.
    pub fn to_pem(&self) -> Zeroizing<String> {
        Zeroizing::new(self.0.serialize_pem())
    }

    /// A certificate request that proves possession of this key and names nothing.
    ///
    /// # Errors
    /// The cryptographic library failed to sign.
    pub fn csr_der(&self) -> Result<Vec<u8>, MaterialError> {
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        Ok(params.serialize_request(&self.0)?.der().to_vec())
    }

    /// The pin of certificates that carry this key.
    pub fn pin(&self) -> Pin {
        pin_of(&self.0.subject_public_key_info())
    }

    pub(crate) fn pair(&self) -> &KeyPair {
        &self.0
    }

    pub(crate) fn private_der(&self) -> PrivateKeyDer<'static> {
        PrivatePkcs8KeyDer::from(self.0.serialize_der()).into()
    }
}

impl Drop for LeafKey {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// The pin of a SubjectPublicKeyInfo in DER.
pub(crate) fn pin_of(spki: &[u8]) -> Pin {
    Pin::from_base64(&STANDARD.encode(digest(&SHA256, spki)))
        .expect("the base64 form of a SHA-256 digest is a pin")
}

/// Reads all certificates of a PEM text, in their order.
pub(crate) fn certificates(pem: &str) -> Result<Vec<CertificateDer<'static>>, MaterialError> {
    let chain = CertificateDer::pem_slice_iter(pem.as_bytes())
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_| MaterialError::Certificate)?;
    if chain.is_empty() {
        return Err(MaterialError::Certificate);
    }
    Ok(chain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_key_survives_being_written_and_read() {
        let key = LeafKey::generate().unwrap();
        let read = LeafKey::from_pem(&key.to_pem()).unwrap();
        assert_eq!(read.pin(), key.pin());
        assert_ne!(LeafKey::generate().unwrap().pin(), key.pin());
    }

    #[test]
    fn a_key_does_not_print_itself() {
        let key = LeafKey::generate().unwrap();
        let pem = key.to_pem();
        let body = pem.lines().nth(1).unwrap();
        assert!(!format!("{key:?}").contains(body));
    }

    #[test]
    fn a_key_of_another_kind_is_refused() {
        let ed25519 = KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
        assert_eq!(
            LeafKey::from_pem(&ed25519.serialize_pem()).unwrap_err(),
            MaterialError::Key
        );
    }

    proptest! {
        #[test]
        fn any_text_is_answered_when_read_as_a_key(text in ".{0,200}") {
            prop_assert!(LeafKey::from_pem(&text).is_err());
            prop_assert!(certificates(&text).is_err());
        }
    }
}
