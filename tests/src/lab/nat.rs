//! Routers between a machine and the internet, as people have them at home.
//!
//! Each drops what nobody asked for on its *input*, too: a packet that were accepted there would leave an entry
//! in the connection table, and the later packet of a hole punch, colliding with it, would get another port.

use std::fmt;
use std::fs;
use std::net::Ipv4Addr;
use std::process::Command;

use anyhow::Result;

use super::network;
use super::run::Run;
use crate::program::run;

/// What a router does to the packets of those behind it (RFC 4787).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nat {
    /// There is no router: the machine has a public address.
    None,
    /// One mapping for all destinations, and anybody may answer to it.
    Cone,
    /// One mapping for all destinations; only who was written to may answer, from the port that was written to.
    PortRestricted,
    /// Another mapping for each destination.
    Symmetric,
    /// As port-restricted, and only TCP to port 443 gets out.
    UdpBlocked,
    /// Nothing gets out but what programs on the router send.
    Closed,
}

impl fmt::Display for Nat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "public",
            Self::Cone => "cone",
            Self::PortRestricted => "port-restricted",
            Self::Symmetric => "symmetric",
            Self::UdpBlocked => "udp-blocked",
            Self::Closed => "closed",
        })
    }
}

/// For the connection table a UDP flow dies as fast as in a cheap router.
const SETTINGS: [&str; 3] = [
    "net.ipv4.ip_forward=1",
    "net.netfilter.nf_conntrack_udp_timeout=30",
    "net.netfilter.nf_conntrack_udp_timeout_stream=120",
];

/// A full cone remembers which port is whose, and lets anybody in to it.
const CONE: &str = r#"
table ip nat {
  map ports { type inet_service : ipv4_addr . inet_service; flags timeout; timeout 120s; size 4096; }
  chain learn { type filter hook forward priority -10;
    iifname "lan" oifname "eth0" meta l4proto udp update @ports { udp sport : ip saddr . udp sport }; }
  chain admit { type nat hook prerouting priority dstnat;
    iifname "eth0" meta l4proto udp dnat ip to udp dport map @ports; }
}
"#;

impl Nat {
    fn rules(self) -> String {
        let masquerade = match self {
            Self::Symmetric => "masquerade fully-random",
            _ => "masquerade",
        };
        let out = match self {
            Self::UdpBlocked => "tcp dport 443",
            // Nobody's address.
            Self::Closed => "ip daddr 0.0.0.0",
            _ => "",
        };
        let cone = match self {
            Self::Cone => CONE,
            _ => "",
        };
        format!(
            r#"table ip nat {{
  chain leave {{ type nat hook postrouting priority srcnat; oifname "eth0" {masquerade}; }}
}}
table ip filter {{
  chain input {{ type filter hook input priority filter; policy drop;
    ct state established,related accept; iifname "lan" accept; icmp type echo-request accept; }}
  chain forward {{ type filter hook forward priority filter; policy drop;
    ct state established,related accept; ct status dnat accept; iifname "lan" {out} accept; }}
}}
{cone}"#
        )
    }
}

/// A router at this address of the internet, with nobody yet in the network behind it, which has this number.
pub(super) fn create(lab: &Run, router: &str, wan: Ipv4Addr, nat: Nat, network: u8) -> Result<()> {
    network::attach(lab, router, wan, super::INTERNET)?;
    let namespace = lab.namespace(router);
    let inside = |program: &str| {
        let mut command = Command::new("nsenter");
        command.arg(format!("--net=/run/netns/{namespace}")).arg(program);
        command
    };
    run(inside("sysctl").args(["-qw"]).args(SETTINGS))?;
    let rules = lab.directory().join(format!("{router}.nft"));
    fs::write(&rules, nat.rules())?;
    run(inside("nft").arg("-f").arg(&rules))?;
    let gateway = format!("{}/24", host(network, 0));
    network::ip(&["-n", &namespace, "link", "add", "lan", "type", "bridge"])?;
    network::ip(&["-n", &namespace, "addr", "add", &gateway, "dev", "lan"])?;
    network::ip(&["-n", &namespace, "link", "set", "lan", "up"])
}

/// Plugs a machine without a cable into a router, as the given one of its network.
pub(super) fn plug(lab: &Run, router: &str, machine: &str, network: u8, number: u8) -> Result<Ipv4Addr> {
    let [inside, own] = [router, machine].map(|name| lab.namespace(name));
    network::plug(&own, &inside, machine)?;
    network::ip(&["-n", &inside, "link", "set", machine, "master", "lan", "up"])?;
    let address = host(network, number);
    network::address_of(&own, address, host(network, 0))?;
    Ok(address)
}

/// The router itself is number 0 in its network.
fn host(network: u8, number: u8) -> Ipv4Addr {
    Ipv4Addr::new(192, 168, network, 1 + number)
}
