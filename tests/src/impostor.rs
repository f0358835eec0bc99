//! A server at control's address that is not control: it accepts TLS connections with a certificate of its own and
//! records every byte that it is sent inside them.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use flotilla_identity::{FleetCa, LeafKey};
use flotilla_protocol::id::FleetId;
use rustls::ServerConfig;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::clock;

/// The certificate chain that the impostor presents, and its private key, as PEM.
#[derive(Debug)]
pub struct PresentedIdentity {
    pub chain: String,
    pub key: String,
}

impl PresentedIdentity {
    /// The identity of the control of another fleet: valid in every respect, and not this fleet's.
    pub fn of_another_fleet(fleet: FleetId) -> Result<Self> {
        let now = clock::now();
        let authority = FleetCa::create(fleet, now)?;
        let key = LeafKey::generate()?;
        let issued = authority.issue_control(&key, now)?;
        Ok(Self {
            chain: issued.pem + authority.cert_pem(),
            key: key.to_pem().to_string(),
        })
    }
}

/// A running impostor. It ends with the runtime.
#[derive(Debug, Clone, Default)]
pub struct Impostor {
    received: Arc<Mutex<Received>>,
}

/// What the impostor was sent.
#[derive(Debug, Default, Clone)]
pub struct Received {
    /// How many TCP connections were opened.
    pub connections: usize,
    /// All bytes that arrived inside TLS.
    pub plaintext: Vec<u8>,
}

impl Impostor {
    pub async fn start(address: SocketAddr, identity: &PresentedIdentity) -> Result<Self> {
        let chain =
            CertificateDer::pem_slice_iter(identity.chain.as_bytes()).collect::<Result<Vec<_>, _>>()?;
        let key = PrivateKeyDer::from_pem_slice(identity.key.as_bytes())?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, key)?;
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind(address).await?;
        let impostor = Self::default();
        let host = impostor.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                host.record(|received| received.connections += 1);
                tokio::spawn(host.clone().record_stream(acceptor.clone(), stream));
            }
        });
        Ok(impostor)
    }

    #[must_use]
    pub fn received(&self) -> Received {
        self.received
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    async fn record_stream(self, acceptor: TlsAcceptor, stream: TcpStream) {
        let Ok(mut stream) = acceptor.accept(stream).await else {
            return;
        };
        let mut buffer = [0; 4096];
        while let Ok(length @ 1..) = stream.read(&mut buffer).await {
            self.record(|received| received.plaintext.extend_from_slice(&buffer[..length]));
        }
    }

    fn record(&self, note: impl FnOnce(&mut Received)) {
        note(&mut self.received.lock().unwrap_or_else(PoisonError::into_inner));
    }
}
