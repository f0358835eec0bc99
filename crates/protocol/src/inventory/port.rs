//! Ports of containers, and ranges of them.

use serde::{Deserialize, Serialize};
use std::{fmt, net::IpAddr, ops::RangeInclusive};

/// A port of a container, or a range of them, and where it is published, if it is.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Port {
    pub private: u16,
    /// Of a range that begins with `private`, the last port; those outside go up with those inside.
    pub private_last: Option<u16>,
    /// `tcp`, `udp` or `sctp`.
    pub protocol: String,
    pub public: Option<u16>,
    /// The address it is published on; `0.0.0.0` and `::` mean all.
    pub address: Option<String>,
}

impl Port {
    /// The ports inside the container.
    pub fn inside(&self) -> RangeInclusive<u16> {
        self.private..=self.private.max(self.private_last.unwrap_or(self.private))
    }

    /// The ports at which the device publishes them; `None` when it does not.
    pub fn outside(&self) -> Option<RangeInclusive<u16>> {
        let more = self.inside().end() - self.private;
        let first = self.public?;
        Some(first..=first.saturating_add(more))
    }

    /// The address it is published on, unless that is all of them.
    pub fn only_at(&self) -> Option<&str> {
        let address = self.address.as_deref().filter(|_| self.public.is_some())?;
        let is_all = address.parse::<IpAddr>().is_ok_and(|ip| ip.is_unspecified());
        (!is_all && !address.is_empty()).then_some(address)
    }

    /// It is published, and only programs on the device itself reach it.
    pub fn is_on_loopback(&self) -> bool {
        let address = self.only_at().and_then(|address| address.parse::<IpAddr>().ok());
        address.is_some_and(|ip| ip.is_loopback())
    }
}

/// In a few signs: `5432`, `8080→80`, `53/udp`, `20000-20999/udp`, `127.0.0.1:8080→80`.
impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inside = numbers(&self.inside());
        match self.only_at() {
            Some(address) if address.contains(':') => write!(f, "[{address}]:")?,
            Some(address) => write!(f, "{address}:")?,
            None => {}
        }
        match self.outside().map(|outside| numbers(&outside)) {
            Some(outside) if outside != inside => write!(f, "{outside}→{inside}")?,
            _ => f.write_str(&inside)?,
        }
        match self.protocol.as_str() {
            "tcp" => Ok(()),
            other => write!(f, "/{other}"),
        }
    }
}

/// `80`, `20000-20999`.
pub fn numbers(range: &RangeInclusive<u16>) -> String {
    if range.start() == range.end() {
        range.start().to_string()
    } else {
        format!("{}-{}", range.start(), range.end())
    }
}

/// Puts neighbors together that are published alike, each port once.
#[must_use]
pub fn collapsed(mut ports: Vec<Port>) -> Vec<Port> {
    let alike = |port: &Port| {
        let ahead = port
            .public
            .map(|public| i32::from(public) - i32::from(port.private));
        (port.protocol.clone(), port.address.clone(), ahead, port.private)
    };
    ports.sort_by_cached_key(alike);
    ports.dedup();
    let mut ranges: Vec<Port> = Vec::new();
    for port in ports {
        match ranges.last_mut() {
            Some(last) if is_next(last, &port) => last.private_last = Some(*port.inside().end()),
            _ => ranges.push(port),
        }
    }
    ranges.sort();
    ranges
}

fn is_next(before: &Port, port: &Port) -> bool {
    let follows = |end: u16, next: u16| end.checked_add(1) == Some(next);
    let outside = match (before.outside(), port.public) {
        (None, None) => true,
        (Some(outside), Some(next)) => follows(*outside.end(), next),
        _ => false,
    };
    outside
        && follows(*before.inside().end(), port.private)
        && (&before.protocol, &before.address) == (&port.protocol, &port.address)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(private: u16, protocol: &str, public: Option<u16>, address: Option<&str>) -> Port {
        Port {
            private,
            private_last: None,
            protocol: protocol.into(),
            public,
            address: address.map(str::to_owned),
        }
    }

    fn shown(ports: Vec<Port>) -> Vec<String> {
        collapsed(ports).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn neighbors_that_are_published_alike_are_one_range() {
        let mut ports: Vec<_> = (20_000..21_000)
            .flat_map(|n| ["0.0.0.0", "::"].map(|all| port(n, "udp", Some(n), Some(all))))
            .collect();
        ports.reverse();
        assert_eq!(
            shown(ports),
            ["20000-20999/udp", "20000-20999/udp"],
            "one a family"
        );
        let shifted = (80..83).map(|n| port(n, "tcp", Some(n + 8000), Some("0.0.0.0")));
        assert_eq!(shown(shifted.collect()), ["8080-8082→80-82"]);
        let exposed = (80..83).map(|n| port(n, "tcp", None, None));
        assert_eq!(shown(exposed.collect()), ["80-82"]);
    }

    #[test]
    fn forty_times_two_thousand_ports_are_put_together_at_once() {
        let ports: Vec<_> = (0..2000)
            .rev()
            .flat_map(|n| ["0.0.0.0", "::"].map(|all| port(20_000 + 2 * n, "udp", Some(n + 1), Some(all))))
            .collect();
        let begun = std::time::Instant::now();
        for _ in 0..40 {
            assert_eq!(collapsed(ports.clone()).len(), 4000);
        }
        // Twenty times what an unoptimized build takes.
        assert!(begun.elapsed().as_secs() < 5, "{:?}", begun.elapsed());
    }

    #[test]
    fn what_differs_stays_apart() {
        let ports = vec![
            port(80, "tcp", Some(8080), Some("0.0.0.0")),
            port(81, "tcp", Some(9081), Some("0.0.0.0")),
            port(82, "udp", Some(9082), Some("0.0.0.0")),
            port(83, "tcp", None, None),
            port(84, "tcp", Some(65_535), None),
            port(85, "tcp", Some(1), None),
        ];
        assert_eq!(
            shown(ports),
            ["8080→80", "9081→81", "9082→82/udp", "83", "65535→84", "1→85"]
        );
    }

    #[test]
    fn a_port_that_only_the_device_itself_reaches_says_so() {
        let own = [
            port(80, "tcp", Some(18_016), Some("127.0.0.1")),
            port(80, "tcp", Some(18_015), Some("::1")),
        ];
        assert!(own.iter().all(Port::is_on_loopback));
        assert_eq!(shown(own.to_vec()), ["[::1]:18015→80", "127.0.0.1:18016→80"]);
        let all = port(80, "tcp", Some(80), Some("::"));
        assert!(!all.is_on_loopback() && all.only_at().is_none());
    }

    #[test]
    fn no_range_that_a_device_reports_reaches_beyond_the_last_port() {
        let mut odd = port(65_000, "tcp", Some(65_500), None);
        odd.private_last = Some(65_535);
        assert_eq!(odd.outside(), Some(65_500..=65_535));
        odd.private_last = Some(3);
        assert_eq!(odd.inside(), 65_000..=65_000, "backwards is no range");
    }
}
