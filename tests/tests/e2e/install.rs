//! The installer on a booted Debian: a first install, a repair, another user, an uninstall that leaves nothing; and a
//! system without Docker.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use flotilla_protocol::api::{DeviceAdded, RotateDevice, TokenLifetime};
use flotilla_protocol::device::{Device, DeviceStatus};
use flotilla_protocol::inventory::EngineState;
use flotilla_tests::engine::WEB;
use flotilla_tests::eventually::{eventually, seconds};
use flotilla_tests::flotilla::{Control, install_line, with_flags};
use flotilla_tests::lab::with_lab;
use flotilla_tests::systemd::System;

const UNIT: &str = "flotilla-agent.service";
const UNIT_FILE: &str = "/etc/systemd/system/flotilla-agent.service";
const BINARY: &str = "/usr/local/bin/flotilla-agent";
const CONFIG: &str = "/etc/flotilla/device.toml";

/// Format of `find` that says of a file that it exists with which type, mode and owner. Other programs may change its
/// contents.
const EXISTENCE: &str = "%p %y %m %U:%G\n";

#[test]
fn a_device_is_installed_repaired_run_as_root_and_removed_without_a_trace() -> Result<()> {
    with_lab(1, async |lab| {
        let system = System::boot(lab.machine(1))?;
        let control = Control::start(lab)?;
        let before = system.files(EXISTENCE)?;
        let added = control.add("nas").await?;
        let line = install_line(&added)?;
        let device = installed(&system, &control, line).await?;
        ensure!(device.id == added.device.id && device.mesh_ip == added.device.mesh_ip);

        // The same line again repairs a broken installation.
        let digest = system.paste(&format!("sha256sum {BINARY}"))?;
        let broken = format!("systemctl stop {UNIT}; rm {UNIT_FILE} {CONFIG}; echo broken >{BINARY}");
        system.paste(&broken)?;
        let repaired = installed(&system, &control, line).await?;
        ensure!(
            repaired.id == device.id && repaired.certificate == device.certificate,
            "it came back as another device"
        );
        ensure!(system.paste(&format!("sha256sum {BINARY}"))? == digest);

        // A new line for the same device: the agent runs as root, and then as flotilla again.
        let anew = rotated(&control).await?;
        let line = install_line(&anew)?;
        for (flags, user) in [("--as-root", "root"), ("", "flotilla")] {
            let again = installed(&system, &control, &with_flags(line, flags)).await?;
            ensure!(
                again.id == device.id
                    && again.mesh_ip == device.mesh_ip
                    && again.certificate != device.certificate,
                "with {flags:?}: {again:?}"
            );
            ensure!(system.unit(UNIT, "User")? == user, "with {flags:?}");
            let owner = system.paste(&format!("stat -c '%a %U' {CONFIG}"))?;
            ensure!(owner == format!("600 {user}"), "the config file is {owner}");
        }
        ensure!(control.devices().await?.len() == 1, "it is there twice");

        let outcome = system.attempt(&with_flags(line, "--uninstall"))?;
        outcome.ended_with(0, &["stop and remove the service", "remove the user flotilla"])?;
        is_gone(&system, &before)?;
        control
            .eventually_is("nas", DeviceStatus::Reconnecting, seconds(5.0))
            .await
            .map(drop)
    })
}

/// Pastes an install line, and waits until the device is online with its engine.
async fn installed(system: &System, control: &Control, line: &str) -> Result<Device> {
    let outcome = system.attempt(line)?;
    outcome.ended_with(
        0,
        &[
            "download the agent for",
            "write /etc/flotilla/device.toml",
            "install and start the service",
            "Done. nas appears in Flotilla",
        ],
    )?;
    let device = eventually("online, with its engine", seconds(10.0), async || {
        let device = control.device("nas").await?;
        let engine = matches!(device.engine, Some(EngineState::Running(_)));
        ensure!(device.status == DeviceStatus::Online && engine, "{device:?}");
        Ok(device)
    });
    device
        .await
        .with_context(|| system.journal(UNIT).unwrap_or_default())
}

async fn rotated(control: &Control) -> Result<DeviceAdded> {
    let rotate = RotateDevice {
        device: "nas".to_owned(),
        lifetime: TokenLifetime::default(),
    };
    control.send(&rotate).await
}

/// Fails when the uninstall left a file. The backups that the system's own programs make of its lists of users do not
/// count.
fn is_gone(system: &System, before: &BTreeSet<String>) -> Result<()> {
    let after = system.files(EXISTENCE)?;
    let is_copy = |line: &str| {
        ["/etc/passwd-", "/etc/group-", "/etc/shadow-", "/etc/gshadow-"]
            .iter()
            .any(|path| line.starts_with(path))
    };
    let left: Vec<_> = before
        .symmetric_difference(&after)
        .filter(|line| !is_copy(line))
        .collect();
    ensure!(left.is_empty(), "it left {left:#?}");
    ensure!(system.unit(UNIT, "LoadState")? == "not-found");
    let user = system.attempt("id flotilla")?;
    user.ended_with(1, &["no such user"])
}

#[test]
fn docker_is_installed_where_it_is_missing_unless_it_is_not_wanted() -> Result<()> {
    with_lab(1, async |lab| {
        let machine = lab.machine(1);
        machine.load_images()?;
        machine.docker_run(&["--name", "web", WEB])?;
        let system = System::boot_without_docker(machine)?;
        let control = Control::start(lab)?;
        let added = control.add("nas").await?;
        let line = install_line(&added)?;

        let outcome = system.attempt(&with_flags(line, "--skip-docker"))?;
        outcome.ended_with(
            0,
            &["no container engine here and --skip-docker was given", "Done."],
        )?;
        without_an_engine(&control).await?;

        let outcome = system.attempt(line)?;
        outcome.ended_with(0, &["Docker could not be installed", "Done."])?;
        without_an_engine(&control).await?;

        system.offer_docker()?;
        let device = installed(&system, &control, line).await?;
        ensure!(device.id == added.device.id);
        ensure!(system.unit("docker.service", "UnitFileState")? == "enabled");
        ensure!(system.paste("id -nG flotilla")? == "flotilla docker");
        eventually("the engine's containers", seconds(5.0), async || {
            control.container("nas", "web").await
        })
        .await
        .map(drop)
    })
}

/// Waits until the device is online and gives a reason why it has no engine.
async fn without_an_engine(control: &Control) -> Result<()> {
    eventually("online without an engine", seconds(10.0), async || {
        let device = control.device("nas").await?;
        let reason = device.engine.as_ref().and_then(EngineState::reason);
        ensure!(
            device.status == DeviceStatus::Online && reason.is_some_and(|reason| !reason.is_empty()),
            "{device:?}"
        );
        Ok(())
    })
    .await
}
