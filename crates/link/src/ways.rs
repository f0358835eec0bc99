//! The ways to an endpoint: by the device's own routes, and through a proxy.

use crate::{
    dial::{DialError, Target},
    lookup::lookup,
    proxy::{Proxy, ProxyError, is_near},
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

/// A trusted connection to whichever endpoint gives one first.
pub(crate) async fn connect(
    target: &Target,
    limits: Limits,
) -> Result<(Endpoint, TlsStream<TcpStream>), DialError> {
    let order = best_first(&target.endpoints, target.last_good.as_ref());
    if order.is_empty() {
        return Err(DialError::NoEndpoint);
    }
    let attempts = order.into_iter().map(|endpoint| async move {
        match reach(&endpoint, target, limits).await {
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

/// One endpoint, by whichever way leads there.
///
/// Where a proxy is to be asked, it is asked first, and gone around when it does not lead there. An address of a
/// private network is tried without it first: mostly, the device is in that network, and the proxy leads to others.
async fn reach(
    endpoint: &Endpoint,
    target: &Target,
    limits: Limits,
) -> Result<TlsStream<TcpStream>, Vec<io::Error>> {
    let direct = direct(endpoint, &target.tls, limits);
    let Some(proxy) = target.proxies.lookup(endpoint) else {
        return direct.await;
    };
    let through = through(proxy, endpoint, &target.tls, limits);
    if is_near(endpoint) {
        let ways = [direct.boxed(), through.boxed()];
        return race(ways, settings::STAGGER)
            .await
            .map_err(|errors| errors.into_iter().flatten().collect());
    }
    let mut errors = match through.await {
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

/// By the device's own routes, at all addresses of the name.
async fn direct(
    endpoint: &Endpoint,
    tls: &Arc<ClientConfig>,
    limits: Limits,
) -> Result<TlsStream<TcpStream>, Vec<io::Error>> {
    let found = timeout(limits.handshake, lookup(endpoint.host(), endpoint.port()));
    let addresses = found
        .await
        .unwrap_or_else(|_| Err(late()))
        .map_err(|error| vec![error])?;
    let attempts = interleaved(addresses).into_iter().map(|address| async move {
        let stream = timeout(limits.handshake, TcpStream::connect(address));
        let stream = stream.await.unwrap_or_else(|_| Err(late()))?;
        settings::tune(&stream);
        shake_hands(stream, address.ip(), tls, limits).await
    });
    race(attempts, settings::STAGGER).await
}

async fn through(
    proxy: Result<Proxy, ProxyError>,
    endpoint: &Endpoint,
    tls: &Arc<ClientConfig>,
    limits: Limits,
) -> Result<TlsStream<TcpStream>, Vec<io::Error>> {
    let connection = async {
        let proxy = proxy.map_err(io::Error::other)?;
        let stream = timeout(limits.handshake, proxy.connect(endpoint));
        let stream = stream.await.unwrap_or_else(|_| Err(proxy.late(endpoint)))?;
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
    // The verifier reads no name and none is sent; the library wants one.
    let name = ServerName::IpAddress(address.into());
    let handshake = TlsConnector::from(tls.clone()).connect(name, stream);
    timeout(limits.handshake, handshake)
        .await
        .unwrap_or_else(|_| Err(late()))
}

fn late() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "no answer in time")
}
