//! The wiring of a lab: namespaces, the switch between them, and faults of cables, ports and addresses.

use std::fs::File;
use std::net::Ipv4Addr;
use std::os::fd::AsFd;
use std::process::Command;

use anyhow::{Context, Result};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use super::run::Run;
use crate::program::run;

/// The address of the switch in a lab that is one network.
pub(super) const SWITCH: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);

/// The control computer's address.
pub const CONTROL: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 2);

/// The control computer's address after [`super::Lab::move_control`].
pub const CONTROL_MOVED: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 3);

pub(super) fn create_switch(run: &Run, address: Ipv4Addr) -> Result<()> {
    let switch = run.namespace("switch");
    create(run, "switch")?;
    ip(&["-n", &switch, "link", "add", "switch", "type", "bridge"])?;
    let address = format!("{address}/24");
    ip(&["-n", &switch, "addr", "add", &address, "dev", "switch"])?;
    ip(&["-n", &switch, "link", "set", "switch", "up"])
}

/// Creates a computer without a cable: a network namespace with a loopback.
pub(super) fn create(run: &Run, computer: &str) -> Result<()> {
    let own = run.namespace(computer);
    ip(&["netns", "add", &own])?;
    ip(&["-n", &own, "link", "set", "lo", "up"])
}

/// Creates a computer with a cable to the switch, which is its default gateway.
pub(super) fn attach(run: &Run, computer: &str, address: Ipv4Addr, switch: Ipv4Addr) -> Result<()> {
    create(run, computer)?;
    let there = run.namespace("switch");
    plug(&run.namespace(computer), &there, computer)?;
    ip(&["-n", &there, "link", "set", computer, "master", "switch", "up"])?;
    address_of(&run.namespace(computer), address, switch)
}

/// Connects `eth0` of the namespace `own` with `interface` of the namespace `there`. Both ends are created inside their
/// namespaces, so the root namespace has neither.
pub(super) fn plug(own: &str, there: &str, interface: &str) -> Result<()> {
    ip(&[
        "link", "add", interface, "netns", there, "type", "veth", "peer", "name", "eth0", "netns", own,
    ])
}

/// Sets the address of `eth0`, and its default gateway.
pub(super) fn address_of(own: &str, address: Ipv4Addr, gateway: Ipv4Addr) -> Result<()> {
    ip(&["-n", own, "addr", "add", &format!("{address}/24"), "dev", "eth0"])?;
    ip(&["-n", own, "link", "set", "eth0", "up"])?;
    ip(&["-n", own, "route", "add", "default", "via", &gateway.to_string()])
}

pub(super) fn enter(namespace: &str) -> Result<()> {
    let file = File::open(format!("/run/netns/{namespace}"))?;
    move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network)).context("cannot enter the lab")
}

pub(super) fn replace_address(namespace: &str, from: Ipv4Addr, to: Ipv4Addr) -> Result<()> {
    ip(&[
        "-n",
        namespace,
        "addr",
        "del",
        &format!("{from}/24"),
        "dev",
        "eth0",
    ])?;
    ip(&[
        "-n",
        namespace,
        "addr",
        "replace",
        &format!("{to}/24"),
        "dev",
        "eth0",
    ])?;
    ip(&[
        "-n",
        namespace,
        "route",
        "replace",
        "default",
        "via",
        &SWITCH.to_string(),
    ])
}

/// Drops every packet from and to the computer until [`plug_cable`]. Senders get no error: no reset, no unreachable.
pub(super) fn pull_cable(namespace: &str) -> Result<()> {
    nft(namespace, &["add", "table", "inet", "cable"])?;
    // Before and after routing, so that packets forwarded to and from containers are dropped as well.
    for (chain, interface) in [("prerouting", "iifname"), ("postrouting", "oifname")] {
        let hook = format!("{{ type filter hook {chain} priority -300; }}");
        nft(namespace, &["add", "chain", "inet", "cable", chain, &hook])?;
        nft(
            namespace,
            &["add", "rule", "inet", "cable", chain, interface, "eth0", "drop"],
        )?;
    }
    Ok(())
}

pub(super) fn plug_cable(namespace: &str) -> Result<()> {
    nft(namespace, &["delete", "table", "inet", "cable"])
}

/// What is done with TCP packets to a blocked port, on open connections too.
#[derive(Debug, Clone, Copy)]
pub(super) enum PortBlock {
    /// They are answered with a reset.
    Reset,
    /// They are dropped without an answer.
    Drop,
}

pub(super) fn block_port(namespace: &str, port: u16, block: PortBlock) -> Result<()> {
    let port = port.to_string();
    nft(namespace, &["add", "table", "inet", "cut"])?;
    let chain = ["add", "chain", "inet", "cut", "input"];
    let hook = "{ type filter hook input priority 0; }";
    nft(namespace, &[&chain[..], &[hook]].concat())?;
    let verdict: &[&str] = match block {
        PortBlock::Reset => &["reject", "with", "tcp", "reset"],
        PortBlock::Drop => &["drop"],
    };
    let rule = ["add", "rule", "inet", "cut", "input", "tcp", "dport", &port];
    nft(namespace, &[&rule[..], verdict].concat())
}

pub(super) fn unblock_ports(namespace: &str) -> Result<()> {
    nft(namespace, &["delete", "table", "inet", "cut"])
}

pub(super) fn nft(namespace: &str, arguments: &[&str]) -> Result<()> {
    let mut nsenter = Command::new("nsenter");
    nsenter
        .arg(format!("--net=/run/netns/{namespace}"))
        .arg("nft")
        .args(arguments);
    run(&mut nsenter).map(drop)
}

pub(super) fn ip(arguments: &[&str]) -> Result<()> {
    run(Command::new("ip").args(arguments)).map(drop)
}
