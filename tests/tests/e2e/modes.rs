//! Each network mode, with the agent installed by each text of Add Device: what can be reached, and what cannot.

use anyhow::{Context, Result, ensure};
use flotilla_protocol::api::ActOnContainer;
use flotilla_protocol::device::NetworkMode;
use flotilla_protocol::inventory::ContainerAction;
use flotilla_protocol::path::PathReason;
use flotilla_tests::engine::{WEB, WORKER};
use flotilla_tests::eventually::{eventually, seconds};
use flotilla_tests::install_text::{AGENT, InstallText, PAUSE, add_services};
use flotilla_tests::lab::{Lab, Machine, ping, with_lab};
use flotilla_tests::mesh_fleet::OPEN;
use flotilla_tests::modes::{ContainerDevice, ModeFleet, NATIVE};
use flotilla_tests::program::run;

/// The web page of the sample image.
const PAGE: &str = "hello from a sample container";
/// Ports of the two apps in a pod.
const APPS: [u16; 2] = [8081, 8082];

#[test]
fn in_host_mode_by_each_text_services_of_the_host_and_published_ports_are_reached() -> Result<()> {
    with_lab(4, async |lab| {
        for machine in lab.machines() {
            machine.load_images()?;
            machine.echo(OPEN)?;
            machine.docker_run(&["--name", "web", "--publish", "8080:80", WEB])?;
        }
        let modes = ModeFleet::start(lab, NetworkMode::Host, &InstallText::ALL).await?;
        for device in &modes.devices {
            host_is_reached(&modes, lab, device)
                .await
                .with_context(|| format!("{:?}", device.text))?;
            modes.recreate(device, device.machine(lab)).await?;
            host_is_reached(&modes, lab, device)
                .await
                .with_context(|| format!("{:?}, created anew", device.text))?;
        }
        Ok(())
    })
}

async fn host_is_reached(modes: &ModeFleet, lab: &Lab, device: &ContainerDevice) -> Result<()> {
    let (own, native) = (device.machine(lab), native(lab));
    eventually("a service of the host answers", seconds(10.0), async || {
        ping(&mut native.connect((device.mesh_ip(), OPEN), seconds(2.0))?)
    })
    .await?;
    serves(native, device, 8080)?;
    ping(&mut own.connect((modes.native.device.mesh_ip, OPEN), seconds(2.0))?)
}

#[test]
fn in_bridge_mode_by_each_text_nothing_is_reached_and_the_containers_are_managed() -> Result<()> {
    with_lab(4, async |lab| {
        for machine in lab.machines() {
            machine.load_images()?;
            machine.echo(OPEN)?;
            machine.docker_run(&["--name", "web", "--publish", "8080:80", WORKER])?;
        }
        let modes = ModeFleet::start(lab, NetworkMode::Bridge, &InstallText::ALL).await?;
        for device in &modes.devices {
            nothing_gets_in(&modes, lab, device)
                .await
                .with_context(|| format!("{:?}", device.text))?;
            modes.recreate(device, device.machine(lab)).await?;
            nothing_gets_in(&modes, lab, device)
                .await
                .with_context(|| format!("{:?}, created anew", device.text))?;
        }
        Ok(())
    })
}

async fn nothing_gets_in(modes: &ModeFleet, lab: &Lab, device: &ContainerDevice) -> Result<()> {
    let (own, native, name) = (device.machine(lab), native(lab), device.name());
    // A server in the agent's own network listens at the mesh address, and would answer.
    let network = format!("container:{AGENT}");
    let web = ["httpd", "-f", "-p", "8080", "-h", "/www"];
    own.docker_run(&[&["--name", "beside", "--network", &network, WEB], &web[..]].concat())?;
    // A connection that begins on the device gets through, which also shows that there is a path.
    let said = format!("echo said | nc -w 3 {} {OPEN}", modes.native.device.mesh_ip);
    eventually("the other device answers", seconds(10.0), async || {
        let mut ask = own.docker();
        ask.args(["exec", "beside", "sh", "-c", &said]);
        let answer = run(&mut ask)?;
        ensure!(answer == "said", "{answer}");
        Ok(())
    })
    .await?;
    let reached = native.connect((device.mesh_ip(), 8080), seconds(1.0));
    ensure!(reached.is_err(), "{name} was reached");
    eventually("the path says why", seconds(5.0), async || {
        let path = modes.path_to(name).await?;
        ensure!(path.why_code == PathReason::NoneMode, "{path:?}");
        Ok(())
    })
    .await?;
    run(own.docker().args(["rm", "--force", "beside"]))?;
    is_managed(modes, own, name).await
}

async fn is_managed(modes: &ModeFleet, machine: &Machine, name: &str) -> Result<()> {
    for (action, state) in [
        (ContainerAction::Stop, "exited"),
        (ContainerAction::Start, "running"),
    ] {
        let act = ActOnContainer {
            device: name.to_owned(),
            container: "web".to_owned(),
            action,
        };
        modes.control.send(&act).await?;
        eventually("its row says so", seconds(3.0), async || {
            let row = modes.control.container(name, "web").await?;
            let shown = serde_json::to_value(row.item.state)?;
            ensure!(shown == state, "{shown} and not {state}");
            Ok(())
        })
        .await?;
        let real = machine.container_state("web")?;
        ensure!(real == state, "the engine says {real} and not {state}");
    }
    Ok(())
}

#[test]
fn in_pause_mode_by_each_text_two_apps_share_the_mesh_address_and_the_host_is_not_reached() -> Result<()> {
    with_lab(4, async |lab| {
        for machine in lab.machines() {
            machine.load_images()?;
            machine.echo(OPEN)?;
        }
        let modes = ModeFleet::start(lab, NetworkMode::Pause, &InstallText::ALL).await?;
        for device in &modes.devices {
            start_apps(device.text, device.machine(lab))?;
            only_the_pod_is_reached(&modes, lab, device)
                .await
                .with_context(|| format!("{:?}", device.text))?;
            modes.recreate(device, device.machine(lab)).await?;
            only_the_pod_is_reached(&modes, lab, device)
                .await
                .with_context(|| format!("{:?}, created anew", device.text))?;
        }
        the_hosts_firewall_decides_about_the_pods_bridge(&modes, lab, &modes.devices[0]).await
    })
}

/// What ufw leaves of what a host forwards: a container may begin and is answered. Without the last rule, nothing passes.
const FORWARDED: &str = "table inet guard { chain forward { type filter hook forward priority 0; policy drop; \
    ct state established,related accept; iifname \"docker0\" accept; }; }";

/// A pod is reached behind a host whose filter refuses new connections from outside; of one whose host forwards nothing, the agent says
/// that control is away.
async fn the_hosts_firewall_decides_about_the_pods_bridge(
    modes: &ModeFleet,
    lab: &Lab,
    device: &ContainerDevice,
) -> Result<()> {
    let own = device.machine(lab);
    let restart = || run(own.docker().args(["restart", "--time", "2", AGENT])).map(drop);
    run(own.command("nft").arg(FORWARDED))?;
    restart()?;
    eventually("an app of the pod answers", seconds(20.0), async || {
        serves(native(lab), device, APPS[0])
    })
    .await?;
    modes.is_on_mesh(device.name()).await?;

    run(own
        .command("nft")
        .args(["flush", "chain", "inet", "guard", "forward"]))?;
    restart()?;
    let status = ["exec", AGENT, "/flotilla-agent", "status"];
    eventually("the agent says that control is away", seconds(20.0), async || {
        let told = run(own.docker().args(status))?;
        let is_away = told.contains("control cannot be reached") && told.contains("no answer in time");
        ensure!(is_away, "{told}");
        Ok(())
    })
    .await?;
    run(own.command("nft").args(["delete", "table", "inet", "guard"]))?;
    eventually("an app of the pod answers again", seconds(30.0), async || {
        serves(native(lab), device, APPS[0])
    })
    .await
}

/// Starts two apps in the pod: as services of the compose file where the pod was made by one, else by `docker run`.
fn start_apps(text: InstallText, machine: &Machine) -> Result<()> {
    let port = APPS.map(|port| port.to_string());
    if text == InstallText::Compose {
        return add_services(machine, &port.map(|port| service(&port)).concat());
    }
    let network = format!("container:{PAUSE}");
    for port in port {
        let name = format!("app-{port}");
        let app = ["httpd", "-f", "-p", &port, "-h", "/www"];
        machine.docker_run(&[&["--name", &name, "--network", &network, WEB], &app[..]].concat())?;
    }
    Ok(())
}

fn service(port: &str) -> String {
    format!(
        "  app-{port}:\n    image: {WEB}\n    pull_policy: never\n    \
         command: [httpd, -f, -p, \"{port}\", -h, /www]\n    \
         network_mode: service:pause\n    depends_on: [pause]\n"
    )
}

async fn only_the_pod_is_reached(modes: &ModeFleet, lab: &Lab, device: &ContainerDevice) -> Result<()> {
    let (own, native) = (device.machine(lab), native(lab));
    for port in APPS {
        eventually("an app of the pod answers", seconds(10.0), async || {
            serves(native, device, port)
        })
        .await?;
    }
    // The host's service answers on the local network, but not at the mesh address.
    ping(&mut native.connect((own.address(), OPEN), seconds(2.0))?)?;
    let reached = native.connect((device.mesh_ip(), OPEN), seconds(1.0));
    ensure!(reached.is_err(), "the host of {} was reached", device.name());
    let path = modes.path_to(device.name()).await?;
    ensure!(path.from.as_str() == NATIVE && path.rtt_ms.is_some(), "{path:?}");
    Ok(())
}

fn native(lab: &Lab) -> &Machine {
    lab.machine(lab.machines().len())
}

fn serves(from: &Machine, device: &ContainerDevice, port: u16) -> Result<()> {
    let answer = from.get((device.mesh_ip(), port), seconds(2.0))?;
    ensure!(answer.contains(PAGE), "{answer}");
    Ok(())
}
