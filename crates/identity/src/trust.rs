//! Why an agent did not accept a server as its control, told apart from failures of the network.

use crate::peer::PeerIdentity;
use flotilla_protocol::{id::FleetId, pin::Pin};
use rustls::{CertificateError, Error as TlsError, OtherError};
use std::{io, sync::Arc};

/// The far end is not this agent's control. Nothing was sent to it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrustError {
    #[error(
        "the server there does not present the fleet's authority {expected}: another program answers at this \
         address, or control was set up anew; compare the pin, then add the device again"
    )]
    PinMismatch { expected: Pin },
    #[error("the server there belongs to fleet {found} and this device to fleet {expected}")]
    OtherFleet { expected: FleetId, found: FleetId },
    #[error("the server there is {found}, which is not control")]
    NotControl { found: PeerIdentity },
    #[error("the server there is {found}, which is not the relay {expected}")]
    OtherRelay {
        expected: PeerIdentity,
        found: PeerIdentity,
    },
    #[error(
        "the certificate of the server there was not issued by the fleet's authority for a control server"
    )]
    NotIssued,
    #[error("the certificate of the server there is malformed")]
    Malformed,
}

impl From<TrustError> for TlsError {
    fn from(error: TrustError) -> Self {
        Self::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(error))))
    }
}

/// The reason why a connection was not trusted, if that is why it failed.
pub fn explain(error: &io::Error) -> Option<&TrustError> {
    match error.get_ref()?.downcast_ref::<TlsError>()? {
        TlsError::InvalidCertificate(CertificateError::Other(OtherError(source))) => source.downcast_ref(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_comes_back_out_of_the_error_that_wraps_it() {
        let wrapped = io::Error::new(io::ErrorKind::InvalidData, TlsError::from(TrustError::NotIssued));
        assert_eq!(explain(&wrapped), Some(&TrustError::NotIssued));
    }

    #[test]
    fn a_network_that_fails_is_no_reason() {
        assert_eq!(explain(&io::Error::from(io::ErrorKind::ConnectionRefused)), None);
        let alert = TlsError::AlertReceived(rustls::AlertDescription::UnknownCA);
        assert_eq!(explain(&io::Error::other(alert)), None);
    }
}
