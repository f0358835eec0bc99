//! A pod on an engine: containers move into it and out, its pause container restarts, and the agent changes its mode.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use flotilla_client::Error;
use flotilla_protocol::Code;
use flotilla_protocol::agent::PodPlacement;
use flotilla_protocol::api::{ActOnContainer, PlaceInPod, Request};
use flotilla_protocol::device::NetworkMode;
use flotilla_protocol::inventory::{ContainerAction, PodRole};
use flotilla_tests::engine::WEB;
use flotilla_tests::eventually::{eventually, seconds};
use flotilla_tests::install_text::{AGENT, InstallText, PAUSE};
use flotilla_tests::lab::{EngineVersion, Lab, Machine, ping, with_engines};
use flotilla_tests::mesh_fleet::OPEN;
use flotilla_tests::modes::{ContainerDevice, ModeFleet};
use flotilla_tests::program::run;

/// The web page of the sample image.
const PAGE: &str = "hello from a sample container";

/// A device with a pod, its machine, and another machine that connects to it.
struct Scene<'a> {
    modes: &'a ModeFleet,
    device: &'a ContainerDevice,
    machine: &'a Machine,
    other: &'a Machine,
}

impl<'a> Scene<'a> {
    fn new(lab: &'a Lab, modes: &'a ModeFleet) -> Self {
        let device = &modes.devices[0];
        Self {
            modes,
            device,
            machine: device.machine(lab),
            other: lab.machine(2),
        }
    }

    /// Runs a web server at this port with these options of `docker run`. It ignores SIGTERM.
    fn serve(&self, name: &str, port: u16, words: &[&str]) -> Result<String> {
        let port = port.to_string();
        let command = [WEB, "httpd", "-f", "-p", &port, "-h", "/www"];
        self.machine
            .docker_run(&[&["--name", name, "--stop-timeout", "1"], words, &command].concat())
    }

    fn is_served(&self, port: u16) -> Result<()> {
        let answer = self.other.get((self.device.mesh_ip(), port), seconds(1.0))?;
        ensure!(answer.contains(PAGE), "{answer}");
        Ok(())
    }

    async fn eventually_served(&self, port: u16, within: f64) -> Result<()> {
        let what = format!("port {port} of the mesh address answers");
        eventually(&what, seconds(within), async || self.is_served(port)).await
    }

    fn is_unreached(&self, port: u16) -> Result<()> {
        let reached = self.other.connect((self.device.mesh_ip(), port), seconds(1.0));
        ensure!(reached.is_err(), "port {port} of the mesh address was reached");
        Ok(())
    }

    async fn place(&self, container: &str, member: bool) -> Result<()> {
        let placement = self.placement(container, member);
        self.modes.control.send(&placement).await.map(drop)
    }

    fn placement(&self, container: &str, member: bool) -> PlaceInPod {
        PlaceInPod {
            device: self.device.name().to_owned(),
            container: container.to_owned(),
            placement: PodPlacement { member },
        }
    }

    async fn act(&self, container: &str, action: ContainerAction) -> Result<()> {
        let action = self.action(container, action);
        self.modes.control.send(&action).await.map(drop)
    }

    fn action(&self, container: &str, action: ContainerAction) -> ActOnContainer {
        ActOnContainer {
            device: self.device.name().to_owned(),
            container: container.to_owned(),
            action,
        }
    }

    /// The message with which control refuses a request as a conflict.
    async fn refusal<R: Request>(&self, request: &R) -> Result<String> {
        let answer = self.modes.control.client()?.send(request).await;
        match answer {
            Err(Error::Problem(problem)) => {
                ensure!(problem.code == Code::Conflict, "{problem}");
                Ok(problem.message)
            }
            Err(error) => Err(error.into()),
            Ok(_) => anyhow::bail!("it was done"),
        }
    }

    async fn eventually_in_pod(&self, container: &str, role: Option<PodRole>) -> Result<()> {
        let what = format!("{container} is shown as {role:?}");
        eventually(&what, seconds(5.0), async || {
            let control = &self.modes.control;
            let row = control.container(self.device.name(), container).await?;
            ensure!(row.item.pod == role, "{:?}", row.item);
            Ok(())
        })
        .await
    }

    fn inspect(&self, container: &str, what: &str) -> Result<String> {
        run(self
            .machine
            .docker()
            .args(["inspect", "--format", what, container]))
    }

    async fn eventually_networked(&self, container: &str, mode: &str) -> Result<()> {
        let what = format!("{container} is in the network {mode}");
        eventually(&what, seconds(20.0), async || {
            let found = self.inspect(container, "{{.HostConfig.NetworkMode}} {{.State.Running}}")?;
            ensure!(found == format!("{mode} true"), "{found}");
            Ok(())
        })
        .await
    }
}

#[test]
fn containers_are_put_into_a_pod_and_taken_out_and_two_on_one_port_are_refused() -> Result<()> {
    in_and_out(EngineVersion::Installed)
}

#[test]
fn containers_are_put_into_a_pod_of_a_current_engine_and_taken_out() -> Result<()> {
    in_and_out(EngineVersion::Current)
}

fn in_and_out(engine: EngineVersion) -> Result<()> {
    with_engines(&[engine, EngineVersion::Installed], async |lab| {
        lab.machine(1).load_images()?;
        lab.machine(1).echo(OPEN)?;
        let modes = ModeFleet::start(lab, NetworkMode::Pause, &[InstallText::DockerRun]).await?;
        let scene = Scene::new(lab, &modes);
        scene.eventually_in_pod(PAUSE, Some(PodRole::Pause)).await?;
        scene.eventually_in_pod(AGENT, Some(PodRole::Member)).await?;

        // One container that is outside of the pod, and one that is created inside.
        scene.serve(
            "web1",
            8081,
            &["--publish", "18081:8081", "--volume", "/data", "--env", "A=1"],
        )?;
        run(scene
            .machine
            .docker()
            .args(["exec", "web1", "touch", "/data/kept"]))?;
        scene.serve("web2", 8082, &["--network", &format!("container:{PAUSE}")])?;
        scene.eventually_served(8082, 10.0).await?;
        scene.is_unreached(8081)?;
        scene.eventually_in_pod("web1", None).await?;
        scene.place("web1", true).await?;
        scene.eventually_served(8081, 5.0).await?;
        scene.eventually_in_pod("web1", Some(PodRole::Member)).await?;
        run(scene.machine.docker().args(["exec", "web1", "ls", "/data/kept"]))?;
        ensure!(scene.inspect("web1", "{{.Config.Env}}")?.contains("A=1"));
        scene.is_unreached(OPEN)?;
        ping(
            &mut scene
                .other
                .connect((scene.machine.address(), OPEN), seconds(2.0))?,
        )?;

        two_on_one_port_are_refused(&scene).await?;
        an_image_decides_nothing(&scene).await?;

        scene.place("web1", false).await?;
        scene.eventually_in_pod("web1", None).await?;
        scene.is_unreached(8081)?;
        let own = scene.machine.address();
        eventually("its published port answers again", seconds(5.0), async || {
            let answer = scene.other.get((own, 18081), seconds(1.0))?;
            ensure!(answer.contains(PAGE), "{answer}");
            Ok(())
        })
        .await?;
        run(scene.machine.docker().args(["exec", "web1", "ls", "/data/kept"])).map(drop)
    })
}

async fn two_on_one_port_are_refused(scene: &Scene<'_>) -> Result<()> {
    let clash = |name: &str, other: &str| {
        let port = format!("port 8081/tcp in this pod is {other}'s");
        format!("{name} can't start: {port}. Stop {other}, or change the port of {name}.")
    };
    scene.serve("web3", 8081, &["--expose", "8081"])?;
    scene.eventually_in_pod("web3", None).await?;
    let reason = scene.refusal(&scene.placement("web3", true)).await?;
    ensure!(reason == clash("web3", "web1"), "{reason}");
    ensure!(
        scene.inspect("web3", "{{.State.Running}}")? == "true",
        "it was touched"
    );

    scene.act("web1", ContainerAction::Stop).await?;
    scene.place("web3", true).await?;
    scene.eventually_served(8081, 5.0).await?;
    scene.eventually_in_pod("web3", Some(PodRole::Member)).await?;
    let reason = scene
        .refusal(&scene.action("web1", ContainerAction::Start))
        .await?;
    ensure!(reason == clash("web1", "web3"), "{reason}");
    let reason = scene.refusal(&scene.action(PAUSE, ContainerAction::Stop)).await?;
    ensure!(reason.contains("holds the network"), "{reason}");
    run(scene.machine.docker().args(["rm", "--force", "web3"]))?;
    scene.act("web1", ContainerAction::Start).await?;
    scene.eventually_served(8081, 5.0).await
}

/// Labels of an image decide nothing, here those of an agent, of the host's network before the pod, and of a stack.
async fn an_image_decides_nothing(scene: &Scene<'_>) -> Result<()> {
    let labels = r#"LABEL app.flotilla.agent=true io.flotilla.pod=pause io.flotilla.before-pod="{\"mode\":\"host\"}" com.docker.compose.project=media com.docker.compose.service=web"#;
    let docker = || scene.machine.docker();
    run(docker().args(["commit", "--change", labels, "web1", "evil:1"]))?;
    let network = format!("container:{PAUSE}");
    let command = ["evil:1", "httpd", "-f", "-p", "8084", "-h", "/www"];
    let words = ["--name", "evil", "--network", &network, "--stop-timeout", "1"];
    scene.machine.docker_run(&[&words[..], &command].concat())?;
    scene.eventually_in_pod("evil", Some(PodRole::Member)).await?;
    let row = scene.modes.control.container(scene.device.name(), "evil").await?;
    ensure!(!row.item.is_agent && row.item.stack.is_none(), "{:?}", row.item);

    scene.place("evil", false).await?;
    ensure!(
        scene
            .inspect("evil", "{{.Config.Labels}}")?
            .contains("before-pod"),
        "not the image's labels"
    );
    scene.eventually_networked("evil", "bridge").await?;
    scene.eventually_in_pod("evil", None).await?;
    scene.act("evil", ContainerAction::Stop).await?;
    ensure!(
        scene.inspect("evil", "{{.State.Running}}")? == "false",
        "it runs on"
    );
    run(docker().args(["rm", "evil"])).map(drop)
}

#[test]
fn members_follow_a_pause_container_that_is_restarted_and_one_that_is_recreated() -> Result<()> {
    with_engines(&[EngineVersion::Current; 2], async |lab| {
        lab.machine(1).load_images()?;
        let modes = ModeFleet::start(lab, NetworkMode::Pause, &[InstallText::DockerRun]).await?;
        let scene = Scene::new(lab, &modes);
        let network = format!("container:{PAUSE}");
        for (name, port) in [("web1", 8081), ("web2", 8082)] {
            scene.serve(name, port, &["--network", &network])?;
        }
        for port in [8081, 8082] {
            scene.eventually_served(port, 10.0).await?;
        }
        let before = modes.identity(scene.device).await?;

        run(scene.machine.docker().args(["restart", "--time", "1", PAUSE]))?;
        let took = follows(&scene, "restarted").await?;
        println!("the pause container was restarted: its members answer after {took:.1?}");
        ensure!(modes.identity(scene.device).await? == before);

        let image = scene.inspect(AGENT, "{{.Config.Image}}")?;
        run(scene.machine.docker().args(["rm", "--force", PAUSE]))?;
        let words = [
            "--name",
            PAUSE,
            "--restart",
            "always",
            "--pull",
            "never",
            &image,
            "pause",
        ];
        let pause = scene.machine.docker_run(&words)?;
        let took = follows(&scene, "recreated").await?;
        println!("the pause container was recreated: its members answer after {took:.1?}");
        ensure!(modes.identity(scene.device).await? == before);
        for name in ["web1", "web2", AGENT] {
            scene
                .eventually_networked(name, &format!("container:{pause}"))
                .await?;
        }
        Ok(())
    })
}

async fn follows(scene: &Scene<'_>, how: &str) -> Result<Duration> {
    let begun = Instant::now();
    for port in [8081, 8082] {
        scene
            .eventually_served(port, 30.0)
            .await
            .with_context(|| scene.agent_log())?;
    }
    let took = begun.elapsed();
    ensure!(took < seconds(10.0), "{how}: only after {took:.1?}");
    scene.modes.is_on_mesh(scene.device.name()).await?;
    Ok(took)
}

impl Scene<'_> {
    fn agent_log(&self) -> String {
        let logs = self
            .machine
            .docker()
            .args(["logs", "--tail", "30", AGENT])
            .output();
        logs.map(|logs| String::from_utf8_lossy(&logs.stderr).into_owned())
            .unwrap_or_default()
    }
}

#[test]
fn a_pod_comes_back_with_its_engine() -> Result<()> {
    with_engines(&[EngineVersion::Installed; 2], async |lab| {
        lab.machine(1).load_images()?;
        let modes = ModeFleet::start(lab, NetworkMode::Pause, &[InstallText::DockerRun]).await?;
        let network = format!("container:{PAUSE}");
        let scene = Scene::new(lab, &modes);
        scene.serve("web1", 8081, &["--network", &network, "--restart", "always"])?;
        scene.eventually_served(8081, 10.0).await?;
        let before = modes.identity(scene.device).await?;

        lab.machine_mut(1).stop_engine()?;
        lab.machine_mut(1).start_engine()?;
        lab.machine(1).wait_for_engine(seconds(30.0))?;
        let scene = Scene::new(lab, &modes);
        scene
            .eventually_served(8081, 30.0)
            .await
            .with_context(|| scene.agent_log())?;
        ensure!(modes.identity(scene.device).await? == before);
        Ok(())
    })
}

#[test]
fn an_agent_moves_from_mode_to_mode_when_control_says_so() -> Result<()> {
    with_engines(&[EngineVersion::Current; 2], async |lab| {
        lab.machine(1).load_images()?;
        lab.machine(1).echo(OPEN)?;
        let modes = ModeFleet::start(lab, NetworkMode::Host, &[InstallText::DockerRun]).await?;
        let scene = Scene::new(lab, &modes);
        let (device, address) = (scene.device, scene.device.mesh_ip());
        let host_answers = async || ping(&mut scene.other.connect((address, OPEN), seconds(1.0))?);
        eventually("the host answers", seconds(10.0), host_answers).await?;
        let before = modes.identity(device).await?;

        modes.change(device, NetworkMode::Bridge).await?;
        scene.eventually_networked(AGENT, "bridge").await?;
        modes.is_on_mesh(device.name()).await?;
        scene.is_unreached(OPEN)?;
        ensure!(modes.identity(device).await? == before);

        modes.change(device, NetworkMode::Pause).await?;
        eventually("the pause container runs", seconds(10.0), async || {
            ensure!(scene.inspect(PAUSE, "{{.State.Running}}")? == "true");
            Ok(())
        })
        .await?;
        let pause = scene.inspect(PAUSE, "{{.Id}}")?;
        scene
            .eventually_networked(AGENT, &format!("container:{pause}"))
            .await?;
        scene.serve("web1", 8081, &["--network", &format!("container:{PAUSE}")])?;
        scene.eventually_served(8081, 20.0).await?;
        scene.is_unreached(OPEN)?;
        ensure!(modes.identity(device).await? == before);
        run(scene.machine.docker().args(["rm", "--force", "web1"]))?;

        modes.change(device, NetworkMode::Host).await?;
        scene.eventually_networked(AGENT, "host").await?;
        eventually("the host answers again", seconds(20.0), host_answers).await?;
        ensure!(modes.identity(device).await? == before);
        eventually("nothing is left over", seconds(5.0), async || {
            let left = run(scene
                .machine
                .docker()
                .args(["ps", "--all", "--format", "{{.Names}}"]))?;
            ensure!(left == AGENT, "{left}");
            Ok(())
        })
        .await
    })
}
