//! The agent as a hardened systemd service: it is on the mesh, and takes a device over from another agent.

use std::fs;

use anyhow::{Result, ensure};
use flotilla_protocol::api::{RotateDevice, TokenLifetime};
use flotilla_protocol::device::Attention;
use flotilla_tests::artifacts;
use flotilla_tests::eventually::{eventually, seconds};
use flotilla_tests::flotilla::config_text;
use flotilla_tests::lab::{Lab, Nat, on};
use flotilla_tests::mesh_fleet::{MeshFleet, OPEN};
use flotilla_tests::systemd::System;
use serde_json::Value;

const UNIT: &str = "flotilla-agent.service";

#[test]
fn a_service_installed_with_a_config_file_takes_the_device_over_and_is_on_the_mesh() -> Result<()> {
    on(Lab::on_internet(&[Nat::None, Nat::Cone])?, async |lab| {
        let mut fleet = MeshFleet::start(lab).await?;
        let [machine, other] = [lab.machine(1), lab.machine(2)];
        let before = fleet.member(machine).added.device.clone();
        let system = System::boot(machine)?;
        let rotate = RotateDevice {
            device: machine.name().to_owned(),
            lifetime: TokenLifetime::default(),
        };
        let fresh = fleet.control.send(&rotate).await?;
        system.write("/root/device.toml", config_text(&fresh)?)?;
        system.write("/root/flotilla-agent", fs::read(artifacts::agent()?)?)?;
        system.paste("chmod 0755 /root/flotilla-agent; chmod 0600 /root/device.toml")?;
        // The config file is on standard input, as the desktop app passes it.
        system.paste("/root/flotilla-agent install --config - < /root/device.toml")?;

        // The earlier agent is told that another one has enrolled as the device.
        let code = fleet.member_mut(machine).agent.exit_code(seconds(20.0))?;
        ensure!(code == Some(77), "it ended with {code:?}");
        eventually("the service is on the mesh", seconds(30.0), async || {
            let status = system.paste("/usr/local/bin/flotilla-agent status --json")?;
            let status: Value = serde_json::from_str(&status)?;
            let journal = || system.journal(UNIT).unwrap_or_default();
            ensure!(
                status["mesh"]["report"]["state"]["state"] == "up",
                "{status}\n{}",
                journal()
            );
            Ok(())
        })
        .await?;
        let device = fleet
            .control
            .eventually_online(machine.name(), seconds(5.0))
            .await?;
        ensure!(device.id == before.id && device.mesh_ip == before.mesh_ip);
        let off_the_mesh = |attention: &Attention| matches!(attention, Attention::Mesh { .. });
        ensure!(
            !device.attention.iter().any(off_the_mesh),
            "{:?}",
            device.attention
        );
        eventually("a first byte", seconds(10.0), async || {
            let stream = fleet.connect(other, machine, OPEN, seconds(2.0))?;
            drop(stream);
            Ok(())
        })
        .await?;

        let process = system.unit(UNIT, "MainPID")?;
        let rights = system.paste(&format!("grep CapEff /proc/{process}/status"))?;
        // CAP_NET_ADMIN has number 12, and is the only capability.
        ensure!(rights.ends_with("0000000000001000"), "{rights}");
        let owner = system.paste(&format!("stat -c %U /proc/{process} /etc/flotilla/device.toml"))?;
        ensure!(owner == "flotilla\nflotilla", "{owner}");
        without_ipv6_sockets(&system)?;
        eventually("a first byte by IPv4 alone", seconds(20.0), async || {
            fleet.connect(other, machine, OPEN, seconds(1.0)).map(drop)
        })
        .await
    })
}

/// Forbids the service IPv6 sockets, and restarts it.
fn without_ipv6_sockets(system: &System) -> Result<()> {
    let narrower =
        "[Service]\nRestrictAddressFamilies=\nRestrictAddressFamilies=AF_UNIX AF_INET AF_NETLINK\n";
    system.paste(&format!("mkdir -p /etc/systemd/system/{UNIT}.d"))?;
    system.write(&format!("/etc/systemd/system/{UNIT}.d/v4.conf"), narrower)?;
    system.paste(&format!("systemctl daemon-reload && systemctl restart {UNIT}"))?;
    let families = system.unit(UNIT, "RestrictAddressFamilies")?;
    ensure!(!families.contains("AF_INET6"), "{families}");
    Ok(())
}
