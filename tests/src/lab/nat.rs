//! Routers between a machine and the internet, as people have them at home.
//!
//! Each router also drops unrequested packets on its *input* chain: a packet accepted there would leave an entry in the
//! connection table, and the later outgoing packet of a hole punch would collide with it and be given another port.

use std::fmt;
use std::fs;
use std::net::Ipv4Addr;
use std::process::Command;

use anyhow::Result;

use super::network;
use super::run::Run;
use crate::program::run;

/// How a router maps and filters the packets of machines behind it (RFC 4787).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nat {
    /// There is no router: the machine has a public address.
    None,
    /// One mapping for all destinations; packets from any address and port to it are let in.
    Cone,
    /// One mapping for all destinations; only packets from an address and port that was sent to are let in.
    PortRestricted,
    /// Another mapping for each destination.
    Symmetric,
    /// As port-restricted, and only TCP to port 443 gets out.
    UdpBlocked,
    /// Nothing gets out, except what programs on the router itself send.
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

/// Forwarding, and timeouts of UDP flows in the connection table that are as short as in a cheap router.
const SETTINGS: [&str; 3] = [
    "net.ipv4.ip_forward=1",
    "net.netfilter.nf_conntrack_udp_timeout=30",
    "net.netfilter.nf_conntrack_udp_timeout_stream=120",
];

/// Makes a full cone: the map remembers which machine uses a port, and packets from outside to that port go to it.
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
            // An address that no packet is sent to.
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

/// Creates a router at this address of the internet. The network behind it has this number and no machines yet.
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

/// Plugs a machine without a cable into a router, as number `number` of its network; returns the machine's address.
pub(super) fn plug(lab: &Run, router: &str, machine: &str, network: u8, number: u8) -> Result<Ipv4Addr> {
    let [inside, own] = [router, machine].map(|name| lab.namespace(name));
    network::plug(&own, &inside, machine)?;
    network::ip(&["-n", &inside, "link", "set", machine, "master", "lan", "up"])?;
    let address = host(network, number);
    network::address_of(&own, address, host(network, 0))?;
    Ok(address)
}

/// The address of number `number` in the network of a router; the router itself is number 0.
fn host(network: u8, number: u8) -> Ipv4Addr {
    Ipv4Addr::new(192, 168, network, 1 + number)
}
