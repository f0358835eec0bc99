//! Connects to an endpoint, directly or through a proxy, and verifies its certificate.

use crate::{
    dial::{DialError, Target},
    lookup::lookup,
    proxy::{Proxy, ProxyError, is_private},
    race::{best_first, interleaved, race},
    settings::{self, Limits},
};
use flotilla_identity::explain;
use flotilla_protocol::endpoint::Endpoint;
use futures_util::FutureExt as _;
use rustls::{ClientConfig, pki_types::ServerName};
use std::{
    io,
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
};
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::{TlsConnector, client::TlsStream};

/// A verified connection to the first endpoint that answers.
pub(crate) async fn connect(
    target: &Target,
    limits: Limits,
) -> Result<(Endpoint, TlsStream<TcpStream>), DialError> {
    let order = best_first(&target.endpoints, target.last_good.as_ref());
    if order.is_empty() {
        return Err(DialError::NoEndpoint);
    }
    let attempts = order.into_iter().map(|endpoint| async move {
        match connect_endpoint(&endpoint, target, limits).await {
            Ok(stream) => Ok((endpoint, stream)),
            Err(errors) => Err((endpoint, errors)),
        }
    });
    let failures = match race(attempts, settings::STAGGER).await {
        Ok(found) => return Ok(found),
        Err(failures) => failures,
    };
    let untrusted = failures
        .iter()
        .find_map(|(endpoint, errors)| Some((endpoint.clone(), errors.iter().find_map(explain)?.clone())));
    match untrusted {
        Some((endpoint, source)) => Err(DialError::Untrusted { endpoint, source }),
        None => Err(DialError::Unreachable {
            failures: failures
                .into_iter()
                .map(|(endpoint, errors)| {
                    let reasons: Vec<_> = errors.iter().map(io::Error::to_string).collect();
                    (endpoint, reasons.join(", "))
                })
                .collect(),
        }),
    }
}

/// Connects to one endpoint, directly or through a proxy.
///
/// Where a proxy applies, it is tried first, and the direct way after it has failed. For a private address the direct
/// way is tried first, because the device is mostly in that network and the proxy leads to other ones.
async fn connect_endpoint(
    endpoint: &Endpoint,
    target: &Target,
    limits: Limits,
) -> Result<TlsStream<TcpStream>, Vec<io::Error>> {
    let direct = direct(endpoint, &target.tls, limits);
    let Some(proxy) = target.proxies.lookup(endpoint) else {
        return direct.await;
    };
    let proxied = through_proxy(proxy, endpoint, &target.tls, limits);
    if is_private(endpoint) {
        let ways = [direct.boxed(), proxied.boxed()];
        return race(ways, settings::STAGGER)
            .await
            .map_err(|errors| errors.into_iter().flatten().collect());
    }
    let mut errors = match proxied.await {
        Ok(stream) => return Ok(stream),
        Err(errors) => errors,
    };
    match direct.await {
        Ok(stream) => {
            let reason = errors.first().map(io::Error::to_string).unwrap_or_default();
            tracing::warn!(control.endpoint = %endpoint, reason, "reached without the proxy");
            Ok(stream)
        }
        Err(more) => {
            errors.extend(more);
            Err(errors)
        }
    }
}

/// Connects without a proxy, to all addresses of the name.
async fn direct(
    endpoint: &Endpoint,
    tls: &Arc<ClientConfig>,
    limits: Limits,
) -> Result<TlsStream<TcpStream>, Vec<io::Error>> {
    let found = timeout(limits.handshake, lookup(endpoint.host(), endpoint.port()));
    let addresses = found
        .await
        .unwrap_or_else(|_| Err(timed_out()))
        .map_err(|error| vec![error])?;
    let attempts = interleaved(addresses).into_iter().map(|address| async move {
        let stream = timeout(limits.handshake, TcpStream::connect(address));
        let stream = stream.await.unwrap_or_else(|_| Err(timed_out()))?;
        settings::tune(&stream);
        shake_hands(stream, address.ip(), tls, limits).await
    });
    race(attempts, settings::STAGGER).await
}

async fn through_proxy(
    proxy: Result<Proxy, ProxyError>,
    endpoint: &Endpoint,
    tls: &Arc<ClientConfig>,
    limits: Limits,
) -> Result<TlsStream<TcpStream>, Vec<io::Error>> {
    let connection = async {
        let proxy = proxy.map_err(io::Error::other)?;
        let stream = timeout(limits.handshake, proxy.connect(endpoint));
        let stream = stream.await.unwrap_or_else(|_| Err(proxy.timed_out(endpoint)))?;
        let address = endpoint.ip().unwrap_or(Ipv4Addr::UNSPECIFIED.into());
        shake_hands(stream, address, tls, limits).await
    };
    connection.await.map_err(|error| vec![error])
}

async fn shake_hands(
    stream: TcpStream,
    address: IpAddr,
    tls: &Arc<ClientConfig>,
    limits: Limits,
) -> io::Result<TlsStream<TcpStream>> {
    // The verifier ignores the name and none is sent, but the library requires one.
    let name = ServerName::IpAddress(address.into());
    let handshake = TlsConnector::from(tls.clone()).connect(name, stream);
    timeout(limits.handshake, handshake)
        .await
        .unwrap_or_else(|_| Err(timed_out()))
}

fn timed_out() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "no answer in time")
}
