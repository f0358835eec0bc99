//! The lab itself: machines have networks and engines of their own, and nothing is left of a lab that was dropped.

use std::path::Path;

use anyhow::{Result, ensure};
use flotilla_tests::engine::WEB;
use flotilla_tests::eventually::{eventually, eventually_blocking, seconds};
use flotilla_tests::lab::{Lab, with_lab};
use flotilla_tests::program::run;
use flotilla_tests::systemd::System;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[test]
fn machines_have_engines_of_their_own_and_a_pulled_cable_loses_everything() -> Result<()> {
    with_lab(2, async |lab| {
        let [first, second] = lab.machines() else {
            unreachable!("two were asked for")
        };
        let id = |machine: &flotilla_tests::lab::Machine| {
            run(machine.docker().args(["info", "--format", "{{.ID}} {{.Name}}"]))
        };
        let [first_id, second_id] = [id(first)?, id(second)?];
        ensure!(
            first_id != second_id && first_id.ends_with(" h1") && second_id.ends_with(" h2"),
            "{first_id} {second_id}"
        );

        first.load_images()?;
        first.docker_run(&["--name", "web", "--publish", "80:80", WEB])?;
        ensure!(first.container_state("web")? == "running");
        let page = || async { get(&format!("{}:80", first.address())).await };
        eventually("the published page", seconds(5.0), page).await?;

        first.pull_cable()?;
        let lost = tokio::time::timeout(seconds(1.0), page()).await;
        ensure!(lost.is_err(), "packets pass a pulled cable: {lost:?}");
        first.plug_cable()?;
        eventually("the page again", seconds(5.0), page).await.map(drop)
    })
}

#[test]
fn a_lab_leaves_nothing_behind() -> Result<()> {
    let lab = Lab::start(1)?;
    let machine = lab.machine(1);
    machine.load_images()?;
    machine.docker_run(&["--name", "web", WEB])?;
    let process = run(machine
        .docker()
        .args(["inspect", "--format", "{{.State.Pid}}", "web"]))?;
    let [process, namespace] = [Path::new("/proc").join(process), machine.network()];
    let directory = machine.directory().to_owned();
    ensure!(process.exists() && namespace.exists() && directory.exists());
    drop(lab);
    // The process was killed; its entry in /proc stays until the system's first process has reaped it.
    eventually_blocking("the container is gone", seconds(5.0), || {
        ensure!(!process.exists(), "{} is there", process.display());
        Ok(())
    })?;
    ensure!(!namespace.exists(), "the namespace is still there");
    ensure!(!directory.exists(), "the files are still there");
    Ok(())
}

async fn get(address: &str) -> Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n").await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    ensure!(answer.contains("hello from a sample container"), "{answer}");
    Ok(answer)
}

#[test]
fn a_machine_boots_systemd_beside_its_engine() -> Result<()> {
    with_lab(1, async |lab| {
        let machine = lab.machine(1);
        let system = System::boot(machine)?;
        ensure!(run(system.command("hostname").arg("-s"))? == "h1");
        ensure!(system.paste("sudo stat -c %G /run/docker.sock")? == "docker");
        ensure!(system.unit("dbus.service", "ActiveState")? == "active");
        ensure!(
            system
                .paste("ip -brief address show eth0")?
                .contains(&machine.address().to_string())
        );
        Ok(())
    })
}
