//! A device's link ends in every way that can happen, and the device connects again as the same device.

use std::net::Ipv4Addr;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use flotilla_protocol::api::{RotateDevice, TokenLifetime};
use flotilla_protocol::device::{Attention, DeviceStatus};
use flotilla_tests::eventually::{always, eventually, seconds};
use flotilla_tests::fleet::Fleet;
use flotilla_tests::flotilla::{AgentSetup, Control, ControlSetup, config_text, install_line, write_private};
use flotilla_tests::lab::{CONTROL, CONTROL_MOVED, Lab, Machine, copy_directory, on, with_lab};
use flotilla_tests::systemd::System;

#[test]
fn a_killed_control_comes_back_with_every_row_and_every_device() -> Result<()> {
    with_lab(1, async |lab| {
        let mut fleet = Fleet::start(lab, ControlSetup::new(lab)?).await?;
        // Control stores the rows that it knows every five seconds.
        always(seconds(6.0), async || Ok(())).await?;
        for _ in 0..3 {
            let before = fleet.control.device("nas").await?;
            fleet.control.kill()?;
            fleet.control.start_again()?;
            // Before the agent is linked again, the stored rows are listed with their age.
            let row = fleet.control.container("nas", "web").await?;
            ensure!(row.as_of >= before.created);
            let after = fleet.is_back().await?;
            ensure!(after.mesh_ip == before.mesh_ip && after.certificate == before.certificate);
            fleet.agent.program().ensure_running()?;
        }
        Ok(())
    })
}

#[test]
fn a_killed_agent_is_missed_and_starts_again_from_its_state() -> Result<()> {
    with_lab(1, async |lab| {
        let mut fleet = Fleet::start(lab, ControlSetup::new(lab)?).await?;
        for _ in 0..3 {
            fleet.agent.kill()?;
            fleet.is_missed().await?;
            ensure!(
                fleet.control.container("nas", "web").await.is_ok(),
                "its rows are lost"
            );
            fleet.agent = fleet.setup.start(lab.machine(1))?;
            fleet.is_back().await?;
        }
        Ok(())
    })
}

/// As with a read-only system, or one that is started by a network.
#[test]
fn a_machine_that_is_called_otherwise_at_each_boot_needs_one_word_of_its_owner() -> Result<()> {
    on(Lab::without_engines(1)?, async |lab| {
        let control = Control::start(lab)?;
        let machine = lab.machine(1);
        let setup = AgentSetup::new(machine, &control.add("nas").await?)?;
        let mut agent = setup.start(machine)?;
        control.eventually_online("nas", seconds(10.0)).await?;
        for (boot, is_vouched) in [("first", false), ("first", true), ("second", true)] {
            agent.stop()?;
            let missed = DeviceStatus::Reconnecting;
            control.eventually_is("nas", missed, seconds(5.0)).await?;
            std::fs::write(machine.directory().join("machine-id"), boot)?;
            agent = setup.start(machine)?;
            if is_vouched {
                let attention = control.eventually_online("nas", seconds(10.0)).await?.attention;
                let is_cloned = |about: &Attention| matches!(about, Attention::Cloned { .. });
                ensure!(!attention.iter().any(is_cloned), "{attention:?}");
                continue;
            }
            eventually("it is taken for another one", seconds(10.0), async || {
                let attention = control.device("nas").await?.attention;
                let is_cloned = |about: &Attention| matches!(about, Attention::Cloned { contests: None, .. });
                ensure!(attention.iter().any(is_cloned), "{attention:?}");
                Ok(())
            })
            .await?;
            control.cli(&["device", "vouch", "nas"])?;
        }
        Ok(())
    })
}

#[test]
fn an_agent_killed_while_it_enrolls_never_ends_half_enrolled() -> Result<()> {
    with_lab(1, async |lab| {
        let control = Control::start(lab)?;
        let added = control.add("nas").await?;
        let setup = AgentSetup::new(lab.machine(1), &added)?;
        for round in 0..12 {
            let mut agent = setup.start(lab.machine(1))?;
            always(seconds(0.01 * f64::from(round)), async || {
                agent.program().ensure_running()
            })
            .await?;
            agent.kill()?;
        }
        let _agent = setup.start(lab.machine(1))?;
        control.eventually_online("nas", seconds(10.0)).await?;
        ensure!(control.devices().await?.len() == 1);
        Ok(())
    })
}

#[test]
fn a_pulled_cable_is_noticed_in_45_seconds_and_mends_itself() -> Result<()> {
    with_lab(1, async |lab| {
        let fleet = Fleet::start(lab, ControlSetup::new(lab)?).await?;
        // A short interruption: the link stays up.
        lab.machine(1).pull_cable()?;
        always(seconds(3.0), async || {
            ensure!(fleet.control.device("nas").await?.status == DeviceStatus::Online);
            Ok(())
        })
        .await?;
        lab.machine(1).plug_cable()?;
        fleet.is_back().await?;

        let pulled = Instant::now();
        lab.machine(1).pull_cable()?;
        let missed = fleet
            .control
            .eventually_is("nas", DeviceStatus::Reconnecting, seconds(50.0))
            .await?;
        println!("noticed after {:.1?}", pulled.elapsed());
        let drop = missed.link.last_drop.context("no last drop")?;
        ensure!(drop.reason.contains("ping"), "{drop:?}");
        lab.machine(1).plug_cable()?;
        fleet.is_back().await.map(|_| ())
    })
}

#[test]
fn a_control_that_moved_is_found_at_the_other_address_it_told() -> Result<()> {
    with_lab(1, async |lab| {
        let at = |address: Ipv4Addr| format!("{address}:7443");
        let setup = ControlSetup {
            advertise: vec![at(CONTROL), at(CONTROL_MOVED)],
            ..ControlSetup::new(lab)?
        };
        let mut fleet = Fleet::start(lab, setup).await?;
        let before = fleet.control.device("nas").await?.link.since.context("no link")?;
        lab.move_control(CONTROL, CONTROL_MOVED)?;
        // Neither end gets an error: both only receive nothing more.
        let moved = Instant::now();
        eventually("a link by the other address", seconds(60.0), async || {
            let device = fleet.control.device("nas").await?;
            ensure!(
                device.link.since.is_some_and(|since| since > before),
                "still {:?}",
                device.link
            );
            Ok(())
        })
        .await?;
        println!("found after {:.1?}", moved.elapsed());
        fleet.is_back().await?;
        fleet.agent.program().ensure_running()?;
        Ok(())
    })
}

#[test]
fn revoking_closes_the_link_in_two_seconds_and_systemd_leaves_the_agent_alone() -> Result<()> {
    with_lab(1, async |lab| {
        let system = System::boot(lab.machine(1))?;
        let control = Control::start(lab)?;
        let added = control.add("nas").await?;
        system.paste(install_line(&added)?)?;
        control.eventually_online("nas", seconds(5.0)).await?;

        control.revoke("nas").await?;
        eventually("the unit ends", seconds(2.0), async || {
            let state = system.unit("flotilla-agent.service", "ActiveState")?;
            ensure!(["failed", "inactive"].contains(&state.as_str()), "it is {state}");
            Ok(())
        })
        .await?;
        let device = control.device("nas").await?;
        ensure!(device.status == DeviceStatus::Revoked && device.link.since.is_none());
        ensure!(system.unit("flotilla-agent.service", "ExecMainStatus")? == "77");
        // Longer than a unit waits before a restart.
        always(seconds(8.0), async || {
            let restarts = system.unit("flotilla-agent.service", "NRestarts")?;
            ensure!(restarts == "0", "{restarts} restarts");
            Ok(())
        })
        .await?;
        ensure!(system.journal("flotilla-agent.service")?.contains("revoked"));

        system.paste("flotilla-agent uninstall")?;
        let listed = system.paste("systemctl list-units --all --plain --no-legend 'flotilla*'")?;
        ensure!(listed.is_empty(), "systemd still lists {listed}");
        Ok(())
    })
}

#[test]
fn a_revoked_agent_in_a_container_idles_and_takes_a_new_token() -> Result<()> {
    with_lab(1, async |lab| {
        let machine = lab.machine(1);
        let control = Control::start(lab)?;
        let added = control.add("box").await?;
        write_private(&machine.directory().join("box.device.toml"), config_text(&added)?)?;
        let text = added
            .config_run
            .clone()
            .context("no command for the config file")?;
        machine.paste(&text)?;
        control.eventually_online("box", seconds(5.0)).await?;

        control.revoke("box").await?;
        always(seconds(5.0), async || {
            let container = "{{.State.Status}} {{.RestartCount}}";
            let inspect = ["inspect", "--format", container, "flotilla-agent"];
            let state = flotilla_tests::program::run(machine.docker().args(inspect))?;
            ensure!(state == "running 0", "{state}");
            Ok(())
        })
        .await?;
        ensure!(control.device("box").await?.status == DeviceStatus::Revoked);

        let rotate = RotateDevice {
            device: "box".to_owned(),
            lifetime: TokenLifetime::default(),
        };
        let fresh = control.send(&rotate).await?;
        // Written into the same file: the container has mounted its inode, not its path.
        write_private(&machine.directory().join("box.device.toml"), config_text(&fresh)?)?;
        let device = control.eventually_online("box", seconds(90.0)).await?;
        ensure!(device.id == added.device.id);
        Ok(())
    })
}

#[test]
fn a_rotated_device_enrolls_again_as_itself_and_its_old_certificate_dies() -> Result<()> {
    with_lab(1, async |lab| {
        let machine = lab.machine(1);
        let mut fleet = Fleet::start(lab, ControlSetup::new(lab)?).await?;
        let old_state = machine.directory().join("old-state");
        copy_directory(&fleet.setup.state_dir, &old_state)?;
        let before = fleet.is_back().await?;

        let rotate = RotateDevice {
            device: "nas".to_owned(),
            lifetime: TokenLifetime::default(),
        };
        let fresh = fleet.control.send(&rotate).await?;
        ensure!(
            fresh.device.id == fleet.added.device.id && fresh.device.mesh_ip == fleet.added.device.mesh_ip
        );
        ensure!(
            fleet.control.device("nas").await?.status == DeviceStatus::Online,
            "the old one works until then"
        );

        fleet.agent.stop()?;
        fleet.setup = AgentSetup {
            state_dir: fleet.setup.state_dir,
            ..AgentSetup::new(machine, &fresh)?
        };
        fleet.agent = fleet.setup.start(machine)?;
        eventually("it has a new certificate", seconds(10.0), async || {
            let device = fleet.control.device("nas").await?;
            ensure!(device.status == DeviceStatus::Online && device.certificate != before.certificate);
            Ok(())
        })
        .await?;
        fleet.is_back().await?;

        let old = AgentSetup {
            state_dir: old_state,
            config: None,
            environment: Vec::new(),
        };
        let mut old = old.start(machine)?;
        let code = old.exit_code(seconds(10.0))?;
        let said = old.log()?;
        ensure!(
            code == Some(77) && said.contains("enrolled anew"),
            "it ended with {code:?}: {said}"
        );
        always(seconds(2.0), async || {
            let device = fleet.control.device("nas").await?;
            ensure!(device.status == DeviceStatus::Online && device.certificate != before.certificate);
            fleet.agent.program().ensure_running()
        })
        .await?;
        Ok(())
    })
}

#[test]
fn a_copy_on_a_machine_of_the_same_id_is_noticed_and_both_are_named_and_held() -> Result<()> {
    on(Lab::without_engines(2)?, async |lab| {
        let control = Control::start(lab)?;
        let [first, second] = [lab.machine(1), lab.machine(2)];
        let added = control.add("nas").await?;
        let setup = AgentSetup::new(first, &added)?;
        let _original = setup.start(first)?;
        control.eventually_online("nas", seconds(10.0)).await?;
        let machine_id = |machine: &Machine| machine.directory().join("machine-id");
        std::fs::copy(machine_id(first), machine_id(second))?;
        let copy = second.directory().join("state");
        copy_directory(&setup.state_dir, &copy)?;
        let clone = AgentSetup {
            state_dir: copy,
            config: None,
            environment: Vec::new(),
        };
        let _clone = clone.start(second)?;
        eventually("both are named and held", seconds(20.0), async || {
            let device = control.device("nas").await?;
            let named = device.attention.iter().any(|attention| {
                matches!(attention, Attention::Cloned { hostname, contests: Some(other), .. }
                    if [hostname.as_str(), &other[..2]].iter().all(|name| ["h1", "h2"].contains(name)) && !other.starts_with(hostname.as_str()))
            });
            ensure!(named && device.status == DeviceStatus::Quarantined, "{device:?}");
            Ok(())
        })
        .await
    })
}

#[test]
fn a_copied_state_directory_is_quarantined_and_named() -> Result<()> {
    with_lab(2, async |lab| {
        let mut fleet = Fleet::start(lab, ControlSetup::new(lab)?).await?;
        let copy = lab.machine(2).directory().join("state");
        copy_directory(&fleet.setup.state_dir, &copy)?;
        let clone = AgentSetup {
            state_dir: copy,
            config: None,
            environment: Vec::new(),
        };
        let _clone = clone.start(lab.machine(2))?;
        eventually("the copy is named", seconds(10.0), async || {
            let attention = fleet.control.device("nas").await?.attention;
            let named = attention.iter().any(|attention| {
                matches!(attention, Attention::Cloned { hostname, address, .. } if hostname == "h2" && address.contains("10.77.0.12"))
            });
            ensure!(named, "{attention:?}");
            Ok(())
        })
        .await?;
        // The original device is not affected.
        fleet.agent.program().ensure_running()?;
        let device = fleet.is_back().await?;
        ensure!(device.facts.is_some_and(|facts| facts.hostname == "h1"));
        Ok(())
    })
}
