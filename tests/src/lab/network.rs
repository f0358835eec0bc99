//! The wiring: namespaces, the switch between them, and what goes wrong with cables and addresses.

use std::fs::File;
use std::net::Ipv4Addr;
use std::os::fd::AsFd;
use std::process::Command;

use anyhow::{Context, Result};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use super::run::Run;
use crate::program::run;

const SWITCH: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);

/// The control computer's address.
pub const CONTROL: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 2);

/// Its address after it moved.
pub const CONTROL_MOVED: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 3);

pub(super) fn create_switch(run: &Run) -> Result<()> {
    let switch = run.namespace("switch");
    ip(&["netns", "add", &switch])?;
    ip(&["-n", &switch, "link", "set", "lo", "up"])?;
    ip(&["-n", &switch, "link", "add", "switch", "type", "bridge"])?;
    ip(&[
        "-n",
        &switch,
        "addr",
        "add",
        &format!("{SWITCH}/24"),
        "dev",
        "switch",
    ])?;
    ip(&["-n", &switch, "link", "set", "switch", "up"])
}

/// A computer with one cable to the switch. Both ends of it are made inside the namespaces.
pub(super) fn attach(run: &Run, computer: &str, address: Ipv4Addr) -> Result<()> {
    let [switch, own] = ["switch", computer].map(|name| run.namespace(name));
    ip(&["netns", "add", &own])?;
    ip(&["-n", &own, "link", "set", "lo", "up"])?;
    ip(&[
        "link", "add", computer, "netns", &switch, "type", "veth", "peer", "name", "eth0", "netns", &own,
    ])?;
    ip(&["-n", &switch, "link", "set", computer, "master", "switch", "up"])?;
    ip(&["-n", &own, "addr", "add", &format!("{address}/24"), "dev", "eth0"])?;
    ip(&["-n", &own, "link", "set", "eth0", "up"])?;
    ip(&["-n", &own, "route", "add", "default", "via", &SWITCH.to_string()])
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

/// From now on every packet of the computer is lost, and nobody is told: no reset, no unreachable.
pub(super) fn pull_cable(namespace: &str) -> Result<()> {
    nft(namespace, &["add", "table", "inet", "cable"])?;
    // Before and after routing, so that what is forwarded to containers is lost as well.
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

/// Answers whatever is sent to this port with a reset, on open connections too.
pub(super) fn refuse(namespace: &str, port: u16) -> Result<()> {
    let port = port.to_string();
    nft(namespace, &["add", "table", "inet", "refused"])?;
    nft(
        namespace,
        &[
            "add",
            "chain",
            "inet",
            "refused",
            "input",
            "{ type filter hook input priority 0; }",
        ],
    )?;
    let reject = ["tcp", "dport", &port, "reject", "with", "tcp", "reset"];
    nft(
        namespace,
        &[&["add", "rule", "inet", "refused", "input"], &reject[..]].concat(),
    )
}

pub(super) fn accept(namespace: &str) -> Result<()> {
    nft(namespace, &["delete", "table", "inet", "refused"])
}

fn nft(namespace: &str, arguments: &[&str]) -> Result<()> {
    let mut nsenter = Command::new("nsenter");
    nsenter
        .arg(format!("--net=/run/netns/{namespace}"))
        .arg("nft")
        .args(arguments);
    run(&mut nsenter).map(drop)
}

fn ip(arguments: &[&str]) -> Result<()> {
    run(Command::new("ip").args(arguments)).map(drop)
}
