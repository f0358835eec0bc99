//! Agents that Podman runs: the texts of Add Device are the same, and so is what can be reached in each mode.

use anyhow::{Context, Result, ensure};
use flotilla_protocol::api::{ActOnContainer, DeviceAdded};
use flotilla_protocol::device::NetworkMode;
use flotilla_protocol::inventory::{ContainerAction, EngineState};
use flotilla_tests::engine::{WEB, WORKER};
use flotilla_tests::eventually::{eventually, seconds};
use flotilla_tests::flotilla::{config_text, write_private};
use flotilla_tests::install_text::{AGENT, PAUSE};
use flotilla_tests::lab::{Lab, Machine, on, ping};
use flotilla_tests::mesh_fleet::OPEN;
use flotilla_tests::modes::ModeFleet;
use flotilla_tests::podman::Podman;
use flotilla_tests::program::run;

#[test]
fn an_agent_that_podman_runs_is_on_the_mesh_in_each_mode() -> Result<()> {
    on(Lab::without_engines(4)?, async |lab| {
        let modes = ModeFleet::begin(lab).await?;
        let [host, bridge, pause, native] = [1, 2, 3, 4].map(|number| lab.machine(number));
        for machine in lab.machines() {
            machine.echo(OPEN)?;
        }
        let podman = Podman::start(host)?;
        let added = online(&modes, &podman, host, NetworkMode::Host).await?;
        eventually("a service of the host answers", seconds(10.0), async || {
            ping(&mut native.connect((added.device.mesh_ip, OPEN), seconds(2.0))?)
        })
        .await?;

        let podman = Podman::start(bridge)?;
        podman.call_docker()?;
        let added = online(&modes, &podman, bridge, NetworkMode::Bridge).await?;
        only_goes_out(&modes, &podman, native, &added).await?;

        let podman = Podman::start(pause)?;
        let added = online(&modes, &podman, pause, NetworkMode::Pause).await?;
        let app = [
            "--network",
            &format!("container:{PAUSE}"),
            WEB,
            "httpd",
            "-f",
            "-p",
            "8081",
            "-h",
            "/www",
        ];
        run(podman
            .podman()
            .args(["run", "--detach", "--name", "app"])
            .args(app))?;
        eventually("an app of the pod answers", seconds(10.0), async || {
            native.get((added.device.mesh_ip, 8081), seconds(2.0))
        })
        .await?;
        let reached = native.connect((added.device.mesh_ip, OPEN), seconds(1.0));
        ensure!(reached.is_err(), "the host was reached");
        Ok(())
    })
}

/// Runs an agent, in bridge mode with its token and else with its config file, waits until it is on the mesh, and stops
/// a container through it.
async fn online(
    modes: &ModeFleet,
    podman: &Podman<'_>,
    machine: &Machine,
    mode: NetworkMode,
) -> Result<DeviceAdded> {
    let name = serde_json::to_value(mode)?;
    let name = name.as_str().context("a mode has a name")?;
    run(podman.podman().args(["run", "--detach", "--name", "web", WORKER]))?;
    let added = modes.add(name, mode).await?;
    let file = machine.directory().join(format!("{name}.device.toml"));
    write_private(&file, config_text(&added)?)?;
    // The text for Docker is for a Podman that is called so.
    let text = match mode {
        NetworkMode::Bridge => added.docker_run.as_deref(),
        _ => added.config_run.as_deref(),
    };
    podman.paste(text.with_context(|| format!("no command: {:?}", added.unavailable))?)?;
    modes.is_on_mesh(name).await?;
    eventually("its engine is Podman", seconds(15.0), async || {
        let engine = modes.control.device(name).await?.engine;
        let is_podman = matches!(&engine, Some(EngineState::Running(facts)) if facts.flavor == "podman");
        ensure!(is_podman, "{engine:?}");
        modes.control.container(name, "web").await
    })
    .await?;
    let stop = ActOnContainer {
        device: name.to_owned(),
        container: "web".to_owned(),
        action: ContainerAction::Stop,
    };
    modes.control.send(&stop).await?;
    eventually("its row says so", seconds(3.0), async || {
        let row = modes.control.container(name, "web").await?;
        ensure!(
            serde_json::to_value(row.item.state)? == "exited",
            "{:?}",
            row.item
        );
        Ok(())
    })
    .await?;
    Ok(added)
}

async fn only_goes_out(
    modes: &ModeFleet,
    podman: &Podman<'_>,
    native: &Machine,
    added: &DeviceAdded,
) -> Result<()> {
    let network = format!("container:{AGENT}");
    let beside = [
        "--network",
        &network,
        WEB,
        "httpd",
        "-f",
        "-p",
        "8080",
        "-h",
        "/www",
    ];
    run(podman
        .podman()
        .args(["run", "--detach", "--name", "beside"])
        .args(beside))?;
    let said = format!("echo said | nc -w 3 {} {OPEN}", modes.native.device.mesh_ip);
    eventually("the other device answers", seconds(10.0), async || {
        let answer = run(podman.podman().args(["exec", "beside", "sh", "-c", &said]))?;
        ensure!(answer == "said", "{answer}");
        Ok(())
    })
    .await?;
    let reached = native.connect((added.device.mesh_ip, 8080), seconds(1.0));
    ensure!(reached.is_err(), "a bridged device was reached");
    Ok(())
}
