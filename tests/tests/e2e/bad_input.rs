//! Faults of computers that people have: each gives a message that says what to do, and nothing is lost.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use anyhow::{Result, ensure};
use flotilla_protocol::device::{Attention, DeviceStatus};
use flotilla_protocol::inventory::EngineState;
use flotilla_tests::engine::WEB;
use flotilla_tests::eventually::{always, eventually, seconds};
use flotilla_tests::flotilla::{Agent, AgentSetup, Control, ControlSetup};
use flotilla_tests::lab::{Lab, on, with_lab};
use flotilla_tests::program::{Program, run};

#[test]
fn a_clock_that_is_a_day_off_is_shown_and_stops_no_device() -> Result<()> {
    on(Lab::without_engines(1)?, async |lab| {
        // Control's clock is changed, since the agent is a static program, which libfaketime cannot change. Only the
        // difference of the two clocks matters.
        for (offset, difference) in [("+1d", -86_400), ("-1d", 86_400)] {
            let setup = ControlSetup {
                data_dir: lab.directory(&format!("data{offset}"))?,
                ..ControlSetup::new(lab)?.with_clock(offset)?
            };
            let control = setup.start()?;
            let name = if difference < 0 { "behind" } else { "ahead" };
            let added = control.add(name).await?;
            let _agent = Agent::start(lab.machine(1), &added)?;
            control.eventually_online(name, seconds(10.0)).await?;
            eventually("the clock is in Needs attention", seconds(5.0), async || {
                let attention = control.device(name).await?.attention;
                let skew = attention.iter().find_map(|attention| match attention {
                    Attention::ClockSkew { seconds } => Some(*seconds),
                    _ => None,
                });
                ensure!(
                    skew.is_some_and(|skew| (skew - difference).abs() < 5),
                    "{attention:?}"
                );
                Ok(())
            })
            .await?;
        }
        Ok(())
    })
}

#[test]
fn a_full_disk_under_the_agents_state_loses_nothing() -> Result<()> {
    on(Lab::without_engines(1)?, async |lab| {
        let machine = lab.machine(1);
        let control = Control::start(lab)?;
        let added = control.add("nas").await?;
        let setup = AgentSetup::new(machine, &added)?;
        let disk = Disk::mount(&setup.state_dir, "size=256k")?;

        // Before the agent has enrolled: it says that the disk is full, and the token is not used up.
        disk.fill()?;
        let mut agent = setup.start(machine)?;
        eventually("it says that the disk is full", seconds(10.0), async || {
            let said = agent.log()?.to_lowercase();
            ensure!(said.contains("space") || said.contains("full"), "{said}");
            Ok(())
        })
        .await?;
        ensure!(control.device("nas").await?.status == DeviceStatus::Pending);
        agent
            .kill()
            .or_else(|_| agent.exit_code(seconds(1.0)).map(drop))?;
        disk.free()?;
        let mut agent = setup.start(machine)?;
        let device = control.eventually_online("nas", seconds(10.0)).await?;

        // After it has enrolled: its identity stays whole.
        disk.fill()?;
        agent.kill()?;
        let mut agent = setup.start(machine)?;
        let again = control.eventually_online("nas", seconds(15.0)).await?;
        ensure!(again.id == device.id && again.certificate == device.certificate);
        agent.program().ensure_running()
    })
}

#[test]
fn a_control_that_cannot_start_says_why_and_what_to_do() -> Result<()> {
    on(Lab::without_engines(0)?, async |lab| {
        let read_only = lab.directory("read-only")?;
        let _disk = Disk::mount(&read_only, "ro")?;
        let setup = ControlSetup {
            data_dir: read_only.clone(),
            ..ControlSetup::new(lab)?
        };
        says(&setup, &["Read-only file system", "--data-dir"])?;

        let first = Control::start(lab)?;
        // First with the same data and other ports, then with the same ports and other data.
        let mut locked = first.setup().clone();
        locked.arguments = ["--fleet-addr", "127.0.0.1:0", "--api-addr", "127.0.0.1:0"]
            .map(str::to_owned)
            .into();
        says(&locked, &["Another Flotilla", "--data-dir"])?;
        let taken = ControlSetup {
            data_dir: lab.directory("data2")?,
            ..ControlSetup::new(lab)?
        };
        says(&taken, &["7443", "--fleet-addr"])?;
        let open = ControlSetup {
            data_dir: lab.directory("data3")?,
            arguments: ["--fleet-addr", "127.0.0.1:0", "--api-addr", "0.0.0.0:7440"]
                .map(str::to_owned)
                .into(),
            ..ControlSetup::new(lab)?
        };
        says(&open, &["0.0.0.0:7440", "127.0.0.1:7440"])?;
        ensure!(first.devices().await?.is_empty(), "the first one was disturbed");
        Ok(())
    })
}

fn says(setup: &ControlSetup, words: &[&str]) -> Result<()> {
    let (status, said) = setup.refusal()?;
    ensure!(
        status.code().is_some_and(|code| code == 1 || code == 2),
        "it ended with {status}: {said}"
    );
    ensure!(!said.contains("panicked"), "{said}");
    for word in words {
        ensure!(said.contains(word), "it does not say {word}: {said}");
    }
    Ok(())
}

#[test]
fn an_engine_socket_without_permission_is_a_state_with_its_reason() -> Result<()> {
    with_lab(1, async |lab| {
        let machine = lab.machine(1);
        let control = Control::start(lab)?;
        let added = control.add("nas").await?;
        let setup = AgentSetup::new(machine, &added)?;
        // The agent runs as a user in no group, `nobody`, as does a service whose user is not in the group docker.
        fs::create_dir_all(&setup.state_dir)?;
        for path in [Some(&setup.state_dir), setup.config.as_ref()]
            .into_iter()
            .flatten()
        {
            std::os::unix::fs::chown(path, Some(65534), Some(65534))?;
        }
        let mut command = setup.command_as(
            machine,
            &["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"],
        )?;
        let mut agent = Program::start(&mut command, machine.directory(), "agent")?;
        control.eventually_online("nas", seconds(5.0)).await?;
        let reason = eventually("the engine is denied", seconds(5.0), async || {
            match control.device("nas").await?.engine {
                Some(EngineState::Denied { reason, .. }) => Ok(reason),
                other => anyhow::bail!("it is {other:?}"),
            }
        })
        .await?;
        ensure!(reason.contains("docker"), "{reason}");
        fs::set_permissions(machine.socket(), fs::Permissions::from_mode(0o666))?;
        eventually("the engine, once it is allowed", seconds(20.0), async || {
            let engine = control.device("nas").await?.engine;
            ensure!(matches!(engine, Some(EngineState::Running(_))), "{engine:?}");
            Ok(())
        })
        .await?;
        agent.ensure_running()
    })
}

#[test]
fn an_engine_that_stops_is_a_state_and_comes_back_with_its_containers() -> Result<()> {
    with_lab(1, async |lab| {
        let control = Control::start(lab)?;
        let added = control.add("nas").await?;
        lab.machine(1).load_images()?;
        lab.machine(1)
            .docker_run(&["--name", "web", "--restart", "always", WEB])?;
        let agent = Agent::start(lab.machine(1), &added)?;
        control.eventually_online("nas", seconds(5.0)).await?;
        lab.machine_mut(1).stop_engine()?;
        eventually("the engine is missed", seconds(10.0), async || {
            let device = control.device("nas").await?;
            ensure!(device.status == DeviceStatus::Online);
            let reason = device.engine.as_ref().and_then(EngineState::reason);
            ensure!(
                reason.is_some_and(|reason| !reason.is_empty()),
                "{:?}",
                device.engine
            );
            Ok(())
        })
        .await?;
        let lines = agent.log()?.lines().count();
        always(seconds(5.0), async || {
            let more = agent.log()?.lines().count() - lines;
            ensure!(more < 4, "{more} lines in the log while the engine is away");
            Ok(())
        })
        .await?;
        lab.machine_mut(1).start_engine()?;
        lab.machine(1).wait_for_engine(seconds(20.0))?;
        eventually("its containers are current again", seconds(15.0), async || {
            let row = control.container("nas", "web").await?;
            ensure!(
                serde_json::to_value(row.item.state)? == "running",
                "{:?}",
                row.item.state
            );
            let engine = control.device("nas").await?.engine;
            ensure!(matches!(engine, Some(EngineState::Running(_))), "{engine:?}");
            Ok(())
        })
        .await
    })
}

/// A small disk. Dropping it unmounts it.
struct Disk<'a>(&'a Path);

impl<'a> Disk<'a> {
    fn mount(directory: &'a Path, options: &str) -> Result<Self> {
        fs::create_dir_all(directory)?;
        let mut mount = Command::new("mount");
        run(mount.args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(directory))?;
        Ok(Self(directory))
    }

    fn fill(&self) -> Result<()> {
        let written = fs::write(self.0.join("filler"), vec![0; 1 << 20]);
        ensure!(written.is_err(), "the disk is larger than it should be");
        Ok(())
    }

    fn free(&self) -> Result<()> {
        Ok(fs::remove_file(self.0.join("filler"))?)
    }
}

impl Drop for Disk<'_> {
    fn drop(&mut self) {
        run(Command::new("umount").arg("--lazy").arg(self.0)).ok();
    }
}
