//! The agent for aarch64, run by an emulator. The emulator is called by name, since not every kernel lets a process
//! register one for all programs of that processor.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use flotilla_protocol::api::ActOnContainer;
use flotilla_protocol::device::Device;
use flotilla_protocol::inventory::{ContainerAction, EngineState};
use flotilla_tests::artifacts;
use flotilla_tests::engine::WORKER;
use flotilla_tests::eventually::{eventually, seconds};
use flotilla_tests::flotilla::{AgentSetup, Control, install_line, with_flags};
use flotilla_tests::lab::{Lab, Machine, on, with_lab};
use flotilla_tests::program::{Program, command, run};
use flotilla_tests::systemd::System;

const EMULATOR: &str = "qemu-aarch64-static";
/// Stands in for `uname` on a system that the installer shall take for one of aarch64.
const UNAME: &str = r#"[ "$1" = -m ] && echo aarch64 || exec /usr/bin/uname "$@""#;

/// The agent with these arguments under the emulator, on this computer.
fn emulated(words: &[&str]) -> Result<Command> {
    let mut emulator = command(EMULATOR, [agent()?]);
    emulator.args(words);
    Ok(emulator)
}

fn agent() -> Result<PathBuf> {
    let agent = artifacts::lookup_agents().map(|agents| agents.join("aarch64-linux/flotilla-agent"));
    match agent {
        Some(agent) if agent.exists() => Ok(agent),
        _ => bail!("no agent for aarch64 was built: run `cargo xtask test --only e2e aarch64`"),
    }
}

#[test]
fn an_agent_for_aarch64_runs_and_tells_its_version() -> Result<()> {
    let version = run(&mut emulated(&["version"])?)?;
    let native = run(&mut command(artifacts::agent()?, ["version"]))?;
    ensure!(
        version == native && !version.is_empty(),
        "{version} beside {native}"
    );
    Ok(())
}

#[test]
fn an_agent_for_aarch64_enrolls_holds_its_link_and_manages_containers() -> Result<()> {
    with_lab(1, async |lab| {
        let machine = lab.machine(1);
        machine.load_images()?;
        machine.docker_run(&["--name", "worker", WORKER])?;
        let mut control = Control::start(lab)?;
        let added = control.add("pi").await?;
        let setup = AgentSetup::new(machine, &added)?;
        let mut agent = start(machine, &setup)?;

        let device = control.eventually_online("pi", seconds(30.0)).await?;
        let facts = device.facts.as_ref().context("no facts")?;
        ensure!(
            facts.arch == "aarch64" && facts.cpus > 0 && facts.memory_bytes > 0,
            "{facts:?}"
        );
        eventually("its container", seconds(10.0), async || {
            control.container("pi", "worker").await
        })
        .await?;
        let stop = ActOnContainer {
            device: "pi".to_owned(),
            container: "worker".to_owned(),
            action: ContainerAction::Stop,
        };
        control.send(&stop).await?;
        ensure!(machine.container_state("worker")? == "exited");
        let mesh = the_mesh_is_a_state(&control, &mut agent).await?;
        println!("under emulation: {mesh}");

        control.stop()?;
        control.start_again()?;
        let again = control.eventually_online("pi", seconds(35.0)).await?;
        ensure!(again.id == device.id);
        let status = run(emulated(&["status", "--json", "--state-dir"])?.arg(&setup.state_dir))?;
        ensure!(status.contains(r#""name":"pi""#), "{status}");
        let ended = agent.terminate(seconds(10.0))?;
        ensure!(ended.code() == Some(0), "it ended with {ended}");
        Ok(())
    })
}

fn start(machine: &Machine, setup: &AgentSetup) -> Result<Program> {
    let mut agent = machine.command(EMULATOR);
    agent
        .arg(self::agent()?)
        .args(["run", "--state-dir"])
        .arg(&setup.state_dir);
    agent
        .arg("--config")
        .arg(setup.config.as_ref().context("no config file")?);
    Program::start(agent.env("RUST_LOG", "info"), machine.directory(), "agent")
}

/// Waits until the device reports a state of the mesh. The emulator may lack the calls that make an interface; the
/// device has to say so then, and to be managed all the same.
async fn the_mesh_is_a_state(control: &Control, agent: &mut Program) -> Result<String> {
    let device: Device = eventually("it tells how its mesh is", seconds(10.0), async || {
        let device = control.device("pi").await?;
        ensure!(device.mesh.is_some(), "nothing");
        Ok(device)
    })
    .await?;
    ensure!(
        matches!(device.engine, Some(EngineState::Running(_))),
        "{:?}",
        device.engine
    );
    ensure!(!agent.log()?.contains("panicked"));
    agent.ensure_running()?;
    Ok(format!("{:?}", device.mesh))
}

#[test]
fn each_processor_is_served_its_own_agent() -> Result<()> {
    on(Lab::without_engines(1)?, async |lab| {
        let system = System::boot(lab.machine(1))?;
        let control = Control::start(lab)?;
        let added = control.add("pi").await?;
        let line = with_flags(install_line(&added)?, "--as-root --skip-docker");
        system.stand_in("uname", UNAME)?;
        let outcome = system.attempt(&line)?;
        ensure!(
            outcome.said.contains("download the agent for aarch64"),
            "{}",
            outcome.said
        );
        // The installer runs the agent last, which fails unless this kernel runs programs of that processor.
        let installed = system.paste("sha256sum </usr/local/bin/flotilla-agent")?;
        let built = run(command("sha256sum", [agent()?]).env("LC_ALL", "C"))?;
        let digest = |text: &str| text.split(' ').next().unwrap_or_default().to_owned();
        ensure!(digest(&installed) == digest(&built), "{installed} is not {built}");
        ensure!(run(emulated(&["version"])?.env_clear())?.starts_with("flotilla-agent "));
        Ok(())
    })
}

#[test]
fn each_engine_is_served_the_image_of_its_architecture() -> Result<()> {
    with_lab(1, async |lab| {
        let machine = lab.machine(1);
        let control = Control::start(lab)?;
        let added = control.add("box").await?;
        let text = added.docker_run.as_deref().context("no docker command")?;
        // Without the last command, which runs the image that was loaded.
        let load = text
            .find("docker run")
            .map(|run| text[..run].trim_end().trim_end_matches("&&"));
        let load = load.context("it runs nothing")?;
        let config: toml::Table = added.config.as_deref().context("no config file")?.parse()?;
        let image = config["agent_image"].as_str().context("no image")?;

        for architecture in ["amd64", "arm64"] {
            let docker = format!(
                "#!/bin/sh\n[ \"$1\" = version ] && echo {architecture} && exit\nexec /usr/bin/docker \"$@\"\n"
            );
            let directory = machine.directory().join("stand-ins");
            fs::create_dir_all(&directory)?;
            fs::write(directory.join("docker"), docker)?;
            fs::set_permissions(directory.join("docker"), fs::Permissions::from_mode(0o755))?;
            machine.paste(&format!("PATH={}:$PATH\n{load}", directory.display()))?;
            let mut inspect = machine.docker();
            inspect.args([
                "image",
                "inspect",
                "--format",
                "{{.Architecture}} {{.Os}} {{.Config.Entrypoint}}",
            ]);
            let found = run(inspect.arg(image))?;
            ensure!(
                found == format!("{architecture} linux [/flotilla-agent]"),
                "{found}"
            );
        }
        Ok(())
    })
}
