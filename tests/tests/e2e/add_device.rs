//! Adding a device in each way that Add Device offers, until its containers are listed and can be stopped.

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use flotilla_protocol::api::{ActOnContainer, AddDevice, DeviceAdded};
use flotilla_protocol::device::{DeviceStatus, NetworkMode};
use flotilla_protocol::inventory::{ContainerAction, ContainerState};
use flotilla_tests::engine::{WEB, WORKER};
use flotilla_tests::eventually::{eventually, seconds};
use flotilla_tests::flotilla::{Agent, Control, config_text, install_line, write_private};
use flotilla_tests::lab::{Machine, with_lab};
use flotilla_tests::live_reader::{LiveReader, is_container};
use flotilla_tests::program::{attempt, run};
use flotilla_tests::systemd::System;

const UNIT: &str = "flotilla-agent.service";
const BINARY: &str = "/usr/local/bin/flotilla-agent";

#[test]
fn a_pasted_install_line_brings_a_device_online_with_its_containers() -> Result<()> {
    with_lab(1, async |lab| {
        let machine = lab.machine(1);
        machine.load_images()?;
        machine.docker_run(&["--name", "before", WEB])?;
        let system = System::boot(machine)?;
        let control = Control::start(lab)?;
        let added = control.add("nas").await?;

        system.paste(install_line(&added)?)?;
        let started = Instant::now();
        ensure!(
            system.unit(UNIT, "ActiveState")? == "active",
            "{}",
            system.journal(UNIT)?
        );
        let device = control.eventually_online("nas", seconds(5.0)).await;
        let device = device.with_context(|| system.journal(UNIT).unwrap_or_default())?;
        ensure!(device.id == added.device.id && device.mesh_ip == added.device.mesh_ip);
        let online = started.elapsed();
        eventually("its containers are listed", seconds(2.0), async || {
            let row = control.container("nas", "before").await?;
            ensure!(row.item.state == ContainerState::Running, "{:?}", row.item.state);
            Ok(())
        })
        .await?;
        println!(
            "online {online:.2?} after the unit started, containers after {:.2?}",
            started.elapsed()
        );

        a_container_shows_itself_and_is_stopped(&control, machine).await?;
        the_unit_is_hardened(&system)
    })
}

/// A container that is started on the device is listed, and is stopped through control.
async fn a_container_shows_itself_and_is_stopped(control: &Control, machine: &Machine) -> Result<()> {
    let mut watch = LiveReader::open(&control.client()?).await?;
    machine.docker_run(&["--name", "fresh", WORKER])?;
    let shown = watch
        .upsert("the new container runs", seconds(2.0), |resource| {
            is_container(resource, "fresh", "running")
        })
        .await?;
    let stop = ActOnContainer {
        device: "nas".to_owned(),
        container: "fresh".to_owned(),
        action: ContainerAction::Stop,
    };
    control.send(&stop).await?;
    ensure!(
        machine.container_state("fresh")? == "exited",
        "the engine says otherwise"
    );
    let gone = watch
        .upsert("the container has stopped", seconds(2.0), |resource| {
            is_container(resource, "fresh", "exited")
        })
        .await?;
    ensure!(
        shown + gone < seconds(4.0),
        "shown after {shown:.2?}, stopped after {gone:.2?}"
    );
    Ok(())
}

fn the_unit_is_hardened(system: &System) -> Result<()> {
    for (property, value) in [
        ("User", "flotilla"),
        ("NoNewPrivileges", "yes"),
        ("ProtectSystem", "strict"),
    ] {
        let found = system.unit(UNIT, property)?;
        ensure!(found == value, "{property} is {found}, not {value}");
    }
    let process = system.unit(UNIT, "MainPID")?;
    let owner = system.paste(&format!("stat -c %U /proc/{process}"))?;
    ensure!(owner == "flotilla", "the agent runs as {owner}");
    let writable = system.paste(&format!(
        "setpriv --reuid flotilla --clear-groups test -w {BINARY} && echo yes || true"
    ))?;
    ensure!(writable.is_empty(), "the agent could replace its own binary");
    Ok(())
}

#[test]
fn a_config_file_enrolls_the_native_agent() -> Result<()> {
    with_lab(1, async |lab| {
        let machine = lab.machine(1);
        machine.load_images()?;
        machine.docker_run(&["--name", "web", WEB])?;
        let control = Control::start(lab)?;
        let added = control.add("nas").await?;
        let _agent = Agent::start(machine, &added)?;
        let device = control.eventually_online("nas", seconds(5.0)).await?;
        let facts = device.facts.context("no facts")?;
        ensure!(
            facts.hostname == "h1" && facts.arch == std::env::consts::ARCH,
            "{facts:?}"
        );
        eventually("its containers", seconds(2.0), async || {
            control.container("nas", "web").await
        })
        .await?;
        let skew = device.link.clock_skew_seconds.context("no clock skew")?;
        ensure!(skew.abs() <= 1, "{:?}", device.link);
        let rtt = eventually("its round trip", seconds(5.0), async || {
            let link = control.device("nas").await?.link;
            link.rtt_ms.context("not measured yet")
        })
        .await?;
        let shown = control.cli(&["device", "show", "nas"])?;
        ensure!(
            shown.contains(&format!(", {rtt:.1} ms")),
            "{rtt} ms is not in\n{shown}"
        );
        Ok(())
    })
}

#[test]
fn a_config_file_and_its_command_run_the_agent_in_docker() -> Result<()> {
    in_docker(NetworkMode::Host, |added| {
        added
            .config_run
            .clone()
            .with_context(|| format!("no command: {:?}", added.unavailable))
    })
}

#[test]
fn a_pasted_docker_command_runs_the_agent_in_host_mode() -> Result<()> {
    in_docker(NetworkMode::Host, docker_command)
}

#[test]
fn a_pasted_docker_command_runs_the_agent_in_bridge_mode() -> Result<()> {
    in_docker(NetworkMode::Bridge, docker_command)
}

fn docker_command(added: &DeviceAdded) -> Result<String> {
    added
        .docker_run
        .clone()
        .with_context(|| format!("no docker command: {:?}", added.unavailable.docker_run))
}

/// Pastes a text on a machine that has an engine and nothing else. Where the text runs `docker run`, replaces the
/// agent's container by that command.
fn in_docker(mode: NetworkMode, text: impl Fn(&DeviceAdded) -> Result<String>) -> Result<()> {
    with_lab(1, async |lab| {
        let machine = lab.machine(1);
        machine.load_images()?;
        machine.docker_run(&["--name", "web", WEB])?;
        let control = Control::start(lab)?;
        let add = AddDevice {
            name: Some("box".to_owned()),
            mode: Some(mode),
            ..AddDevice::default()
        };
        let added = control.send(&add).await?;
        write_private(&machine.directory().join("box.device.toml"), config_text(&added)?)?;

        let text = text(&added)?;
        machine.paste(&text)?;
        let device = control.eventually_online("box", seconds(5.0)).await?;
        ensure!(
            device.facts.is_some_and(|facts| facts.containerized),
            "it does not know that it is in a container"
        );
        eventually("its containers", seconds(2.0), async || {
            control.container("box", "web").await
        })
        .await?;
        ensure!(
            control.container("box", "flotilla-agent").await?.item.is_agent,
            "its own container is not marked"
        );

        // The state is on a volume, so a new container is the same device, though its token is used up.
        let Some(run) = text.find("docker run").map(|start| &text[start..]) else {
            return Ok(());
        };
        machine.paste("docker rm --force flotilla-agent")?;
        control
            .eventually_is("box", DeviceStatus::Reconnecting, seconds(5.0))
            .await?;
        machine.paste(run)?;
        let again = control.eventually_online("box", seconds(10.0)).await?;
        ensure!(
            again.id == device.id && control.devices().await?.len() == 1,
            "it is another device"
        );
        Ok(())
    })
}

#[test]
fn the_command_line_adds_shows_and_stops() -> Result<()> {
    with_lab(1, async |lab| {
        let machine = lab.machine(1);
        machine.load_images()?;
        machine.docker_run(&["--name", "web", WORKER])?;
        let control = Control::start(lab)?;
        let config = control.cli(&["device", "add", "nas", "--as", "config"])?;
        let file = machine.directory().join("nas.device.toml");
        write_private(&file, &config)?;
        let setup = flotilla_tests::flotilla::AgentSetup {
            state_dir: machine.directory().join("state"),
            config: Some(file),
            environment: Vec::new(),
        };
        let _agent = setup.start(machine)?;
        control.eventually_online("nas", seconds(5.0)).await?;
        let listed: serde_json::Value = serde_json::from_str(&control.cli(&["device", "list", "--json"])?)?;
        ensure!(
            listed["items"][0]["name"] == "nas" && listed["items"][0]["status"] == "online",
            "{listed}"
        );
        eventually("the container in the list", seconds(2.0), async || {
            let rows: serde_json::Value = serde_json::from_str(&control.cli(&["containers", "--json"])?)?;
            let row = rows["items"]
                .as_array()
                .and_then(|rows| rows.iter().find(|row| row["name"] == "web"));
            let row = row.with_context(|| rows.to_string())?;
            ensure!(
                row["device"] == "nas" && row["state"] == "running" && row["as_of"].is_string(),
                "{row}"
            );
            Ok(())
        })
        .await?;
        act_on_web(&control, machine).await
    })
}

/// Does everything to a container that the command line can.
async fn act_on_web(control: &Control, machine: &Machine) -> Result<()> {
    let acts = [
        ("pause", "paused"),
        ("pause", "paused"),
        ("unpause", "running"),
        ("kill", "exited"),
        ("start", "running"),
        ("stop", "exited"),
    ];
    for (act, state) in acts {
        control.cli(&[act, "nas/web"])?;
        let is = machine.container_state("web")?;
        ensure!(is == state, "after {act} it is {is}");
    }
    let refused = attempt(control.command().args(["unpause", "nas/web"]))?.said;
    ensure!(refused.contains("does not run"), "{refused}");
    control.cli(&["start", "nas/web"])?;
    eventually("the list says that it runs", seconds(5.0), async || {
        let state = control.container("nas", "web").await?.item.state;
        ensure!(state == ContainerState::Running, "{state:?}");
        Ok(())
    })
    .await?;
    let refused = attempt(control.command().args(["rm", "nas/web"]))?.said;
    ensure!(refused.contains("Stop it first"), "{refused}");
    let id = |machine: &Machine| run(machine.docker().args(["inspect", "--format", "{{.Id}}", "web"]));
    let old = id(machine)?;
    control.cli(&["recreate", "nas/web"])?;
    ensure!(id(machine)? != old && machine.container_state("web")? == "running");
    control.cli(&["kill", "nas/web"])?;
    eventually("it is removed", seconds(5.0), async || {
        control.cli(&["rm", "nas/web"]).map(drop)
    })
    .await?;
    let names = run(machine.docker().args(["ps", "--all", "--format", "{{.Names}}"]))?;
    ensure!(!names.lines().any(|name| name == "web"), "{names}");
    Ok(())
}
