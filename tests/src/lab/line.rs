//! Two machines, each behind a router, and between the routers a line with a smaller MTU than the machines' cables. The
//! routers forward IPv4 and IPv6 without translating or filtering.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::process::Command;

use anyhow::{Context, Result};

use super::network;
use super::run::Run;
use crate::program::run;

/// Whether routers send the ICMP errors that tell a sender of packets which are too big for the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IcmpErrors {
    Sent,
    /// As with routers whose owners filter ICMP.
    Dropped,
}

/// A router's settings of the kernel.
const SETTINGS: [&str; 2] = ["net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1"];

/// Rules for both cases of [`IcmpErrors`]. The first line makes the second valid whether or not the table exists.
const SEND_ICMP_ERRORS: &str = "table inet silence\ndelete table inet silence\n";
const DROP_ICMP_ERRORS: &str = "
table inet silence {
  chain output { type filter hook output priority filter;
    icmp type destination-unreachable drop; icmpv6 type packet-too-big drop; }
}
";

/// Plugs machine 1 and 2 into routers of their own, and the routers into each other. Returns the machines' IPv4
/// addresses.
pub(super) fn build(lab: &Run) -> Result<[Ipv4Addr; 2]> {
    let [one, two] = ["r1", "r2"].map(|router| lab.namespace(router));
    for router in ["r1", "r2"] {
        network::create(lab, router)?;
        run(inside(&lab.namespace(router), "sysctl").arg("-qw").args(SETTINGS))?;
    }
    // One end of the line is `eth0` of the first router, the other one `line` of the second.
    network::plug(&one, &two, "line")?;
    for (number, (router, line)) in (1..).zip([(&one, "eth0"), (&two, "line")]) {
        let machine = lab.namespace(&format!("h{number}"));
        network::plug(&machine, router, "lan")?;
        for (namespace, interface, network, host) in [
            (router, line, 0, number),
            (router, "lan", number, 1),
            (&machine, "eth0", number, 2),
        ] {
            for address in addresses(network, host) {
                let range = format!("{address}/{}", if address.is_ipv4() { 24 } else { 64 });
                network::ip(&["-n", namespace, "addr", "add", &range, "dev", interface, "nodad"])?;
            }
            network::ip(&["-n", namespace, "link", "set", interface, "up"])?;
        }
        let other = 3 - number;
        for (there, gateway) in addresses(other, 0).into_iter().zip(addresses(0, other)) {
            let there = format!("{there}/{}", if there.is_ipv4() { 24 } else { 64 });
            network::ip(&["-n", router, "route", "add", &there, "via", &gateway.to_string()])?;
        }
        for gateway in addresses(number, 1) {
            let family = if gateway.is_ipv4() { "-4" } else { "-6" };
            network::ip(&[
                family,
                "-n",
                &machine,
                "route",
                "add",
                "default",
                "via",
                &gateway.to_string(),
            ])?;
        }
    }
    Ok([1, 2].map(|network| v4(network, 2)))
}

/// Sets the line's MTU, and whether routers send ICMP errors.
pub(super) fn set(lab: &Run, mtu: u16, icmp_errors: IcmpErrors) -> Result<()> {
    for (router, line) in [("r1", "eth0"), ("r2", "line")] {
        let namespace = lab.namespace(router);
        network::ip(&["-n", &namespace, "link", "set", line, "mtu", &mtu.to_string()])?;
        run(inside(&namespace, "nft").arg(SEND_ICMP_ERRORS))?;
        if icmp_errors == IcmpErrors::Dropped {
            run(inside(&namespace, "nft").arg(DROP_ICMP_ERRORS))?;
        }
    }
    Ok(())
}

/// How many fragments machines and routers have made since they exist.
pub(super) fn fragments(lab: &Run) -> Result<u64> {
    let mut sum = 0;
    for computer in ["h1", "r1", "r2", "h2"] {
        let mut nstat = inside(&lab.namespace(computer), "nstat");
        let counters = run(nstat.args(["-a", "-s", "-z", "IpFragCreates", "Ip6FragCreates"]))?;
        for line in counters.lines().filter(|line| line.contains("FragCreates")) {
            let count = line.split_whitespace().nth(1).context("nstat counts nothing")?;
            sum += count.parse::<u64>()?;
        }
    }
    Ok(sum)
}

/// The IPv6 address of the machine with this number.
pub(super) fn v6(machine: u8) -> Ipv6Addr {
    v6_of(machine, 2)
}

fn addresses(network: u8, host: u8) -> [IpAddr; 2] {
    [v4(network, host).into(), v6_of(network, host).into()]
}

fn v4(network: u8, host: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 78, network, host)
}

fn v6_of(network: u8, host: u8) -> Ipv6Addr {
    Ipv6Addr::new(0xfd78, 0, 0, network.into(), 0, 0, 0, host.into())
}

fn inside(namespace: &str, program: &str) -> Command {
    let mut command = Command::new("nsenter");
    command.arg(format!("--net=/run/netns/{namespace}")).arg(program);
    command
}
