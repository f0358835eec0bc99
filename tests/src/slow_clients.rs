//! Clients that never finish what they begin: each opens a connection and stalls at one point of it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// Where a client stalls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StallPoint {
    /// After the TCP handshake it sends nothing.
    Silent,
    /// It sends the TLS handshake byte by byte.
    DripHandshake,
    /// After the TLS handshake it sends nothing.
    SilentInTls,
    /// It sends the head of a request byte by byte.
    DripHead,
    /// It sends a head that announces a body, and the body byte by byte.
    DripBody,
}

impl StallPoint {
    pub const ALL: [Self; 5] = [
        Self::Silent,
        Self::DripHandshake,
        Self::SilentInTls,
        Self::DripHead,
        Self::DripBody,
    ];
}

/// Between two bytes.
const DRIP: Duration = Duration::from_millis(300);

/// Longer than any time that the server allows a client.
const PATIENCE: Duration = Duration::from_secs(40);

/// Holds a connection open until the server ends it; returns how long that took.
pub async fn hold_open(address: &str, stall_point: StallPoint, tls: Arc<ClientConfig>) -> Result<Duration> {
    let begun = Instant::now();
    let tcp = TcpStream::connect(address).await?;
    let held = async {
        match stall_point {
            StallPoint::Silent => drip(tcp, &[]).await,
            StallPoint::DripHandshake => drip(tcp, &client_hello(tls)?).await,
            StallPoint::SilentInTls => drip(secure(tcp, tls).await?, &[]).await,
            StallPoint::DripHead => drip(secure(tcp, tls).await?, &HEAD.repeat(9)).await,
            StallPoint::DripBody => {
                let mut stream = secure(tcp, tls).await?;
                stream.write_all(HEAD_OF_BODY).await?;
                drip(stream, &[b' '; 512]).await
            }
        }
    };
    match tokio::time::timeout(PATIENCE, held).await {
        Ok(ended) => ended.map(|()| begun.elapsed()),
        Err(_) => bail!("still open after {PATIENCE:?}"),
    }
}

const HEAD: &[u8] =
    b"POST /agent/v1/enroll HTTP/1.1\r\nhost: control\r\nx-padding: aaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const HEAD_OF_BODY: &[u8] =
    b"POST /agent/v1/enroll HTTP/1.1\r\nhost: control\r\ncontent-type: application/json\r\ncontent-length: 512\r\n\r\n";

/// Writes the bytes one by one with pauses, and reads until the server ends the connection in any way.
async fn drip(stream: impl AsyncRead + AsyncWrite, bytes: &[u8]) -> Result<()> {
    let (mut reading, mut writing) = tokio::io::split(stream);
    let write = async {
        for byte in bytes {
            tokio::time::sleep(DRIP).await;
            if writing.write_all(&[*byte]).await.is_err() || writing.flush().await.is_err() {
                return;
            }
        }
        std::future::pending::<()>().await;
    };
    let read = async {
        let mut buffer = [0; 1024];
        while let Ok(1..) = reading.read(&mut buffer).await {}
    };
    tokio::select! {
        () = write => {}
        () = read => {}
    }
    Ok(())
}

async fn secure(
    tcp: TcpStream,
    tls: Arc<ClientConfig>,
) -> Result<tokio_rustls::client::TlsStream<TcpStream>> {
    let name = ServerName::try_from("control")?;
    TlsConnector::from(tls).connect(name, tcp).await.context("no TLS")
}

/// The first message of a TLS handshake.
fn client_hello(tls: Arc<ClientConfig>) -> Result<Vec<u8>> {
    let mut connection = rustls::ClientConnection::new(tls, ServerName::try_from("control")?)?;
    let mut hello = Vec::new();
    connection.write_tls(&mut hello)?;
    Ok(hello)
}
