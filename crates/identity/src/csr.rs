//! Certificate requests of strangers. Only the proof that the sender holds a key is taken from them.

use crate::key::pin_of;
use flotilla_protocol::pin::Pin;
use rcgen::{PKCS_ECDSA_P256_SHA256, PublicKeyData, SignatureAlgorithm};
use x509_parser::{
    certification_request::X509CertificationRequest,
    oid_registry::{OID_EC_P256, OID_KEY_TYPE_EC_PUBLIC_KEY},
    prelude::FromDer,
};

/// The longest request that is read; an agent's has about 200 bytes.
const MAX_BYTES: usize = 4096;

/// Length of an uncompressed point on P-256 (SEC 1 §2.3.3).
const POINT_BYTES: usize = 65;

/// Why the bytes do not prove possession of an ECDSA P-256 key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCsr {
    #[error("the certificate request is larger than 4 KiB")]
    TooLarge,
    #[error("the certificate request is malformed")]
    Malformed,
    #[error("the key in the certificate request is not ECDSA P-256")]
    KeyKind,
    #[error("the signature of the certificate request does not match its key")]
    Signature,
}

/// The public key of a request whose signature was checked. Names and extensions in the request are dropped, because
/// control writes certificates from its own records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedCsr {
    point: Vec<u8>,
}

impl VerifiedCsr {
    /// Reads a PKCS #10 request and checks that its sender holds the private key.
    ///
    /// It is malformed, has a key of another kind, or was not signed by its own key.
    pub fn from_der(der: &[u8]) -> Result<Self, InvalidCsr> {
        if der.len() > MAX_BYTES {
            return Err(InvalidCsr::TooLarge);
        }
        let (rest, request) = X509CertificationRequest::from_der(der).map_err(|_| InvalidCsr::Malformed)?;
        if !rest.is_empty() {
            return Err(InvalidCsr::Malformed);
        }
        let key = &request.certification_request_info.subject_pki;
        let curve = key.algorithm.parameters.as_ref().and_then(|p| p.as_oid().ok());
        let point = key.subject_public_key.data.as_ref();
        let uncompressed = point.len() == POINT_BYTES && point[0] == 4;
        if key.algorithm.algorithm != OID_KEY_TYPE_EC_PUBLIC_KEY
            || curve != Some(OID_EC_P256)
            || !uncompressed
        {
            return Err(InvalidCsr::KeyKind);
        }
        request.verify_signature().map_err(|_| InvalidCsr::Signature)?;
        Ok(Self {
            point: point.to_vec(),
        })
    }

    /// The pin of the key, by which a retry with the same key is told apart from another device.
    pub fn pin(&self) -> Pin {
        pin_of(&self.subject_public_key_info())
    }
}

impl PublicKeyData for VerifiedCsr {
    fn der_bytes(&self) -> &[u8] {
        &self.point
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ECDSA_P256_SHA256
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::LeafKey;
    use proptest::prelude::*;

    #[test]
    fn a_request_is_accepted_for_the_key_that_signed_it() {
        let key = LeafKey::generate().unwrap();
        let csr = VerifiedCsr::from_der(&key.csr_der().unwrap()).unwrap();
        assert_eq!(csr.pin(), key.pin());
    }

    #[test]
    fn a_request_for_another_holders_key_is_refused() {
        let mine = LeafKey::generate().unwrap().csr_der().unwrap();
        let other = LeafKey::generate().unwrap();
        let others_point = other.pair().der_bytes();
        let csr = VerifiedCsr::from_der(&mine).unwrap();
        let at = mine.windows(POINT_BYTES).position(|w| w == csr.point).unwrap();
        let mut forged = mine.clone();
        forged[at..at + POINT_BYTES].copy_from_slice(others_point);
        assert_eq!(VerifiedCsr::from_der(&forged), Err(InvalidCsr::Signature));
    }

    #[test]
    fn other_kinds_of_key_are_refused() {
        for algorithm in [&rcgen::PKCS_ED25519, &rcgen::PKCS_ECDSA_P384_SHA384] {
            let key = rcgen::KeyPair::generate_for(algorithm).unwrap();
            let csr = rcgen::CertificateParams::default()
                .serialize_request(&key)
                .unwrap();
            assert_eq!(VerifiedCsr::from_der(csr.der()), Err(InvalidCsr::KeyKind));
        }
    }

    #[test]
    fn a_request_of_unusual_size_or_with_something_behind_it_is_refused() {
        assert_eq!(VerifiedCsr::from_der(&[0x30; 5000]), Err(InvalidCsr::TooLarge));
        let mut csr = LeafKey::generate().unwrap().csr_der().unwrap();
        csr.push(0);
        assert_eq!(VerifiedCsr::from_der(&csr), Err(InvalidCsr::Malformed));
    }

    proptest! {
        #[test]
        fn garbage_is_answered(der in proptest::collection::vec(any::<u8>(), 0..400)) {
            prop_assert!(VerifiedCsr::from_der(&der).is_err());
        }

        #[test]
        fn no_flipped_byte_passes_with_another_key(at in 0usize..200, flip in 1u8..) {
            let key = LeafKey::generate().unwrap();
            let mut der = key.csr_der().unwrap();
            let at = at % der.len();
            der[at] ^= flip;
            if let Ok(csr) = VerifiedCsr::from_der(&der) {
                prop_assert_eq!(csr.pin(), key.pin());
            }
        }
    }
}
