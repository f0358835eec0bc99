//! HTTP proxies (CONNECT, RFC 9110 §9.3.6), and the rules of when to use one.
//!
//! The variables are those that curl reads: `https_proxy`, else `all_proxy`, and `no_proxy`, in small letters or
//! large. The proxy sees only ciphertext, because TLS to control runs through it. Its password appears in no text and
//! no log.

use crate::{
    endings::innermost,
    lookup::lookup,
    race::{interleaved, race},
    settings,
};
use bytes::Bytes;
use flotilla_protocol::{cidr::IpRange, endpoint::Endpoint};
use http::{HeaderValue, Request, StatusCode, Uri, header};
use http_body_util::Empty;
use hyper::{client::conn::http1, upgrade::Parts};
use hyper_util::{
    client::proxy::matcher::{Intercept, Matcher},
    rt::TokioIo,
};
use std::{fmt, io, net::IpAddr};
use tokio::net::TcpStream;
use zeroize::Zeroizing;

/// The port of a proxy whose address names none, as in curl.
const DEFAULT_PORT: u16 = 1080;

/// The variables that name the proxy, and the destinations to reach without it.
pub const PROXY_VARIABLES: [&str; 6] = [
    "https_proxy",
    "HTTPS_PROXY",
    "all_proxy",
    "ALL_PROXY",
    "no_proxy",
    "NO_PROXY",
];

/// The proxy to use, and the destinations to reach without it. The default is no proxy.
#[derive(Clone, Default, derive_more::Debug)]
#[debug("Proxies(is set: {}, except: {except:?})", address.is_some())]
pub struct Proxies {
    /// The address as it was given; it may hold a password.
    address: Option<Zeroizing<String>>,
    /// `no_proxy`: the destinations that are reached without the proxy.
    except: String,
}

/// A proxy to connect through.
#[derive(Clone)]
pub(crate) struct Proxy {
    host: String,
    port: u16,
    credentials: Option<HeaderValue>,
}

/// Why a connection through a proxy failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ProxyError {
    #[error(
        "the address of the proxy is not understood. Write http://HOST:PORT, or http://USER:PASSWORD@HOST:PORT with %40 for an @ in the password"
    )]
    Address,
    #[error(
        "{0}: only proxies that are asked by http:// are supported, and this one is not. Name an http:// one in https_proxy"
    )]
    Kind(String),
    #[error("the proxy {proxy} cannot be reached: {reason}. Correct https_proxy, or name {} in no_proxy", destination.host())]
    Gone {
        proxy: String,
        destination: Endpoint,
        reason: String,
    },
    #[error("the proxy {proxy} does not answer in time. Correct https_proxy, or name {} in no_proxy", destination.host())]
    Silent { proxy: String, destination: Endpoint },
    #[error("the proxy {proxy} answered {status}: {}", advice(*status, destination))]
    Refused {
        proxy: String,
        destination: Endpoint,
        status: StatusCode,
    },
    #[error(
        "the proxy {proxy} spoke where {destination} should have. It may open TLS connections: have {destination} left alone there"
    )]
    Meddles { proxy: String, destination: Endpoint },
}

/// What a person can do about a status that the proxy answered with.
fn advice(status: StatusCode, destination: &Endpoint) -> String {
    match status {
        StatusCode::PROXY_AUTHENTICATION_REQUIRED | StatusCode::UNAUTHORIZED => {
            "it wants a name and a password. Write http://USER:PASSWORD@HOST:PORT into https_proxy".to_owned()
        }
        StatusCode::FORBIDDEN | StatusCode::METHOD_NOT_ALLOWED => format!(
            "it does not let this device through to {destination}. Have CONNECT to port {} allowed there, or let control be reached at port 443",
            destination.port()
        ),
        StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => format!(
            "it could not reach {destination} itself. Name {} in no_proxy if this device reaches it without",
            destination.host()
        ),
        _ => format!(
            "it does not lead to {destination}. Ask its administrator, or name {} in no_proxy",
            destination.host()
        ),
    }
}

impl Proxies {
    /// The rules in this process's environment.
    pub fn from_environment() -> Self {
        Self::from_variables(|name| std::env::var(name).ok())
    }

    /// The rules in variables that `variable` looks up; `None` where one is not set.
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Self {
        let first = |names: [&str; 2]| {
            let mut values = names.into_iter().filter_map(&variable);
            values.find(|value| !value.trim().is_empty())
        };
        let address = first(["https_proxy", "HTTPS_PROXY"]).or_else(|| first(["all_proxy", "ALL_PROXY"]));
        Self {
            address: address.map(|text| Zeroizing::new(text.trim().to_owned())),
            except: first(["no_proxy", "NO_PROXY"]).unwrap_or_default(),
        }
    }

    /// The proxy for a destination, if any. This computer itself is never reached through one.
    pub(crate) fn lookup(&self, destination: &Endpoint) -> Option<Result<Proxy, ProxyError>> {
        let address = self.address.as_ref()?;
        let is_own = match destination.ip() {
            Some(ip) => ip.is_loopback() || ip.is_unspecified(),
            None => destination.host() == "localhost",
        };
        if is_own {
            return None;
        }
        let uri = format!("https://{destination}").parse::<Uri>().ok()?;
        let exceptions = self.exceptions(destination.port());
        // The matcher is asked with a stand-in address, so that whether a proxy applies does not depend on whether the
        // real address is valid.
        let rule = Matcher::builder().https("http://proxy").no(exceptions);
        rule.build().intercept(&uri)?;
        // With a second @ it is a guess where the password ends, and a wrong guess would send part of it as a host
        // name.
        let is_clear = address.matches('@').count() < 2;
        let proxy = Matcher::builder().https(address.as_str()).build().intercept(&uri);
        let proxy = proxy.filter(|_| is_clear).ok_or(ProxyError::Address);
        Some(proxy.and_then(|proxy| Proxy::new(&proxy)))
    }

    /// `no_proxy` as it applies to a port, in the form that the matcher knows: without ports, and without the star in
    /// front of a suffix.
    fn exceptions(&self, port: u16) -> String {
        let entries = self.except.split(|c: char| c == ',' || c.is_whitespace());
        let entries = entries.filter_map(|entry| {
            let entry = match entry.rsplit_once(':') {
                Some((host, digits)) if !host.contains(':') || host.ends_with(']') => {
                    if digits.parse() != Ok(port) {
                        return None;
                    }
                    host
                }
                _ => entry,
            };
            let entry = entry.trim_start_matches('[').trim_end_matches([']', '.']);
            Some(
                entry
                    .strip_prefix("*.")
                    .map_or_else(|| entry.to_owned(), |rest| format!(".{rest}")),
            )
        });
        entries.collect::<Vec<_>>().join(",")
    }
}

impl Proxy {
    fn new(found: &Intercept) -> Result<Self, ProxyError> {
        let uri = found.uri();
        let host = uri.host().ok_or(ProxyError::Address)?;
        if uri.scheme_str() != Some("http") {
            return Err(ProxyError::Kind(uri.to_string()));
        }
        Ok(Self {
            host: host.trim_matches(['[', ']']).to_owned(),
            port: uri.port_u16().unwrap_or(DEFAULT_PORT),
            credentials: found.basic_auth().cloned(),
        })
    }

    /// Connects to `destination` through the proxy.
    pub(crate) async fn connect(&self, destination: &Endpoint) -> io::Result<TcpStream> {
        let gone = |reason: String| {
            // `Connection refused (os error 111)`: the number tells a person nothing more.
            let reason = reason.split(" (os error").next().unwrap_or_default().to_owned();
            let (proxy, destination) = (self.to_string(), destination.clone());
            io::Error::other(ProxyError::Gone {
                proxy,
                destination,
                reason,
            })
        };
        let stream = self.reached().await.map_err(|error| gone(error.to_string()))?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| gone(innermost(&error)))?;
        // The connection lives on as the stream that it becomes, which reports its errors.
        tokio::spawn(connection.with_upgrades());
        let request = self.request(destination).map_err(io::Error::other)?;
        let response = sender
            .send_request(request)
            .await
            .map_err(|error| gone(innermost(&error)))?;
        let status = response.status();
        if !status.is_success() {
            let (proxy, destination) = (self.to_string(), destination.clone());
            return Err(io::Error::other(ProxyError::Refused {
                proxy,
                destination,
                status,
            }));
        }
        let upgraded = hyper::upgrade::on(response)
            .await
            .map_err(|error| gone(innermost(&error)))?;
        match upgraded.downcast::<TokioIo<TcpStream>>() {
            // A TLS server sends nothing before its client, so bytes that were read already are not the destination's.
            Ok(Parts { io, read_buf, .. }) if read_buf.is_empty() => Ok(io.into_inner()),
            _ => {
                let (proxy, destination) = (self.to_string(), destination.clone());
                Err(io::Error::other(ProxyError::Meddles { proxy, destination }))
            }
        }
    }

    /// The error for a proxy, or a destination behind it, that did not answer in time.
    pub(crate) fn timed_out(&self, destination: &Endpoint) -> io::Error {
        let (proxy, destination) = (self.to_string(), destination.clone());
        io::Error::other(ProxyError::Silent { proxy, destination })
    }

    async fn reached(&self) -> io::Result<TcpStream> {
        let addresses = interleaved(lookup(&self.host, self.port).await?);
        let attempts = addresses.into_iter().map(TcpStream::connect);
        let stream = race(attempts, settings::STAGGER).await;
        let stream = stream.map_err(|errors| {
            let last = errors.into_iter().next_back();
            last.unwrap_or_else(|| io::Error::new(io::ErrorKind::NotFound, "the name has no address"))
        })?;
        settings::tune(&stream);
        Ok(stream)
    }

    /// The CONNECT request. The destination goes as it is written: the proxy looks up the name.
    fn request(&self, destination: &Endpoint) -> http::Result<Request<Empty<Bytes>>> {
        let authority = destination.to_string();
        let mut request = Request::connect(authority.as_str()).header(header::HOST, &authority);
        if let Some(credentials) = &self.credentials {
            request = request.header(header::PROXY_AUTHORIZATION, credentials);
        }
        request.body(Empty::new())
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// Whether a destination has a private address and is so more likely in this device's own network than behind a proxy.
pub(crate) fn is_private(destination: &Endpoint) -> bool {
    destination.ip().is_some_and(|ip| {
        let is_link_local = match ip {
            IpAddr::V4(v4) => v4.is_link_local(),
            IpAddr::V6(v6) => v6.is_unicast_link_local(),
        };
        is_link_local || IpRange::one(ip).is_private()
    })
}

#[cfg(test)]
mod tests;
