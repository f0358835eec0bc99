//! Looks up the addresses of a host name.
//!
//! The two address families are queried apart, because a resolver without the system's library takes a malformed
//! answer about one for an answer about both, and many small name servers answer IPv6 queries badly. Names that only
//! the system's own services know (`.local`, directory services) are looked up by the system's program `getent`.

use crate::race::race;
use dns_lookup::{AddrFamily, AddrInfoHints, SockType, getaddrinfo};
use futures_util::{FutureExt as _, future::select};
use std::{
    io,
    net::{IpAddr, SocketAddr},
    process::Stdio,
    time::Duration,
};
use tokio::{process::Command, task::spawn_blocking, time::timeout};

/// How much longer the second family may take than the first (RFC 8305 §3).
const SECOND_FAMILY: Duration = Duration::from_millis(50);

/// After this time the system is asked as well. Name servers that answer at all answer sooner.
const PATIENCE: Duration = Duration::from_secs(2);

/// Addresses of one family that a name may have. Services have a handful, but an answer has room for thousands, and
/// each address that does not answer costs the caller a quarter second.
const MAX_PER_FAMILY: usize = 16;

/// The addresses of a name or of an address, in the order in which they came: the first 16 of each family.
///
/// # Errors
/// The name has no address, or no name server answers.
pub async fn lookup(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    let addresses = match host.parse::<IpAddr>() {
        Ok(ip) => vec![ip],
        Err(_) => {
            let found = race([by_family(host).boxed(), by_system(host).boxed()], PATIENCE).await;
            found.map_err(|errors| {
                let mut errors = errors.into_iter();
                errors.next().unwrap_or_else(no_address)
            })?
        }
    };
    Ok(limited(addresses).map(|ip| SocketAddr::new(ip, port)).collect())
}

fn limited(addresses: Vec<IpAddr>) -> impl Iterator<Item = IpAddr> {
    let (mut v4, mut v6) = (0, 0);
    addresses.into_iter().filter(move |ip| {
        let count = if ip.is_ipv4() { &mut v4 } else { &mut v6 };
        *count += 1;
        *count <= MAX_PER_FAMILY
    })
}

fn no_address() -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, "the name has no address")
}

async fn by_family(host: &str) -> io::Result<Vec<IpAddr>> {
    let (v6, v4) = (ask(host, AddrFamily::Inet6), ask(host, AddrFamily::Inet));
    let (first, second) = select(v6.boxed(), v4.boxed()).await.factor_first();
    match first {
        Ok(mut found) => {
            let more = timeout(SECOND_FAMILY, second).await;
            found.extend(more.ok().and_then(Result::ok).into_iter().flatten());
            Ok(found)
        }
        // An error about one family says little about the other. When both fail, the first error is returned.
        Err(error) => second.await.map_err(|_| error),
    }
}

async fn ask(host: &str, family: AddrFamily) -> io::Result<Vec<IpAddr>> {
    let host = host.to_owned();
    let asked = spawn_blocking(move || {
        let hints = AddrInfoHints {
            address: family.into(),
            socktype: SockType::Stream.into(),
            ..AddrInfoHints::default()
        };
        let found = getaddrinfo(Some(&host), None, Some(hints))?;
        Ok::<_, io::Error>(
            found
                .filter_map(Result::ok)
                .map(|info| info.sockaddr.ip())
                .collect(),
        )
    });
    let found: Vec<IpAddr> = asked.await.map_err(io::Error::other)??;
    if found.is_empty() {
        Err(no_address())
    } else {
        Ok(found)
    }
}

/// Asks all sources that the system is configured to ask. Without the program, returns no addresses.
async fn by_system(host: &str) -> io::Result<Vec<IpAddr>> {
    let mut getent = Command::new("getent");
    getent.args(["ahosts", "--", host]).kill_on_drop(true);
    getent.stdin(Stdio::null()).stderr(Stdio::null());
    let output = getent.output().await?;
    let found = addresses(&String::from_utf8_lossy(&output.stdout));
    if found.is_empty() {
        Err(no_address())
    } else {
        Ok(found)
    }
}

/// Parses lines of `ADDRESS TYPE NAME`, in which each address appears once per type.
fn addresses(lines: &str) -> Vec<IpAddr> {
    let mut found = Vec::new();
    for address in lines
        .lines()
        .filter_map(|line| line.split_whitespace().next()?.parse().ok())
    {
        if !found.contains(&address) {
            found.push(address);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_name_and_an_address_have_addresses_and_a_name_that_does_not_exist_has_none() {
        let expected = SocketAddr::from(([127, 0, 0, 1], 7));
        assert!(lookup("localhost", 7).await.unwrap().contains(&expected));
        assert_eq!(lookup("127.0.0.1", 7).await.unwrap(), [expected]);
        assert!(lookup("no-such-name.invalid", 7).await.is_err());
    }

    #[tokio::test]
    async fn the_system_is_asked_for_what_only_it_knows() {
        assert!(
            by_system("localhost")
                .await
                .unwrap()
                .iter()
                .all(IpAddr::is_loopback)
        );
        assert!(by_system("--help").await.is_err());
    }

    #[test]
    fn of_a_name_with_thousands_of_addresses_the_first_of_each_family_are_tried() {
        let v4 = (0..4000).map(|n| IpAddr::V4((0x0a00_0000 + n).into()));
        let v6 = (0..4000).map(|n| IpAddr::V6((0xfd00 << 112 | n).into()));
        let kept: Vec<_> = limited(v6.clone().chain(v4.clone()).collect()).collect();
        let expected: Vec<_> = v6.take(MAX_PER_FAMILY).chain(v4.take(MAX_PER_FAMILY)).collect();
        assert_eq!(kept, expected);
    }

    #[test]
    fn each_address_that_the_system_names_is_taken_once() {
        let lines = "10.0.0.7   STREAM ctl.local\n10.0.0.7   DGRAM  \nfe80::1%2 RAW\nfd00::7 STREAM\n";
        assert_eq!(
            addresses(lines),
            ["10.0.0.7", "fd00::7"].map(|ip| ip.parse::<IpAddr>().unwrap())
        );
    }
}
