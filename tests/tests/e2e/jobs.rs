//! Jobs that replace containers, while the agent, its mover or the engine is ended in the middle of them.
//!
//! The test writes a number into the file `fuse` in the agent's state directory: each process that runs a job then ends
//! after that many steps.

mod cases;

use std::convert::Infallible;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use flotilla_protocol::activity::{Action, Activity};
use flotilla_protocol::agent::PodPlacement;
use flotilla_protocol::api::{ListActivity, PlaceInPod};
use flotilla_protocol::device::NetworkMode;
use flotilla_tests::engine::WORKER;
use flotilla_tests::eventually::{eventually, seconds};
use flotilla_tests::install_text::{AGENT, InstallText, PAUSE};
use flotilla_tests::lab::{Lab, Machine, with_lab};
use flotilla_tests::modes::{ContainerDevice, ModeFleet};
use flotilla_tests::program::run;

/// Steps after which a placement can be interrupted: written, made, written, whole, written, stopped, set aside, named,
/// started, removed, over.
const POINTS_OF_A_PLACEMENT: u32 = 11;

struct Scene<'a> {
    modes: &'a ModeFleet,
    device: &'a ContainerDevice,
    machine: &'a Machine,
}

impl<'a> Scene<'a> {
    fn new(lab: &'a Lab, modes: &'a ModeFleet) -> Self {
        let device = &modes.devices[0];
        Self {
            modes,
            device,
            machine: device.machine(lab),
        }
    }

    /// A file in the agent's state directory, as seen from here.
    fn state(&self, name: &str) -> Result<PathBuf> {
        let source =
            r#"{{range .Mounts}}{{if eq .Destination "/var/lib/flotilla"}}{{.Source}}{{end}}{{end}}"#;
        Ok(PathBuf::from(self.inspect(AGENT, source)?).join(name))
    }

    fn inspect(&self, container: &str, what: &str) -> Result<String> {
        run(self.docker().args(["inspect", "--format", what, container]))
    }

    /// Starts the agent at once whenever it has ended: the engine itself would wait longer before each restart.
    async fn revive(&self) -> Result<Infallible> {
        run(self.docker().args(["update", "--restart=no", AGENT]))?;
        loop {
            if self.inspect(AGENT, "{{.State.Running}}")? == "false" {
                run(self.docker().args(["start", AGENT]))?;
            }
            tokio::time::sleep(seconds(0.1)).await;
        }
    }

    fn docker(&self) -> Command {
        self.machine.docker()
    }

    /// Names and states of the containers whose names have this beginning, sorted.
    fn shown(&self, beginning: &str) -> Result<Vec<String>> {
        let all = run(self
            .docker()
            .args(["ps", "--all", "--format", "{{.Names}} {{.State}}"]))?;
        let mut shown: Vec<_> = all
            .lines()
            .filter(|line| line.starts_with(beginning))
            .map(str::to_owned)
            .collect();
        shown.sort();
        Ok(shown)
    }

    async fn eventually_shown(&self, beginning: &str, expected: &[&str], within: f64) -> Result<()> {
        let what = format!("{beginning} is whole");
        eventually(&what, seconds(within), async || {
            let shown = self.shown(beginning)?;
            ensure!(shown == expected, "{shown:?}");
            Ok(())
        })
        .await
    }

    /// Waits until control lists the container.
    async fn eventually_listed(&self, container: &str) -> Result<()> {
        eventually("it is listed", seconds(5.0), async || {
            let row = self.modes.control.container(self.device.name(), container);
            row.await.map(drop)
        })
        .await
    }

    fn placing(&self, container: &str, member: bool) -> PlaceInPod {
        PlaceInPod {
            device: self.device.name().to_owned(),
            container: container.to_owned(),
            placement: PodPlacement { member },
        }
    }

    /// The error with which control refuses to put a container into the pod.
    async fn refused(&self, container: &str) -> Result<String> {
        let placed = self.modes.control.send(&self.placing(container, true)).await;
        Ok(placed.err().context("it was done")?.to_string())
    }

    async fn last(&self, action: Action) -> Result<Activity> {
        let log = self.modes.control.send(&ListActivity::default()).await?;
        let mut log = log.items.into_iter();
        log.find(|entry| entry.action == action)
            .context("nothing is told")
    }

    fn is_in_pod(&self, container: &str) -> Result<bool> {
        Ok(self
            .inspect(container, "{{.HostConfig.NetworkMode}}")?
            .starts_with("container:"))
    }
}

#[test]
fn whenever_the_agent_is_killed_the_old_or_the_new_container_runs_and_what_became_of_it_is_told() -> Result<()>
{
    with_lab(2, async |lab| {
        lab.machine(1).load_images()?;
        let modes = ModeFleet::start(lab, NetworkMode::Pause, &[InstallText::DockerRun]).await?;
        let scene = Scene::new(lab, &modes);
        scene
            .machine
            .docker_run(&["--name", "web1", "--stop-timeout", "1", WORKER])?;
        scene.eventually_listed("web1").await?;
        tokio::select! {
            outcome = killed_at_each_point(&scene) => outcome,
            failed = scene.revive() => failed.map(|never| match never {}),
        }
    })
}

async fn killed_at_each_point(scene: &Scene<'_>) -> Result<()> {
    let fuse = scene.state("fuse")?;
    let (mut is_in_pod, mut told) = (false, 0);
    for point in 1..=POINTS_OF_A_PLACEMENT {
        fs::write(&fuse, point.to_string())?;
        let answer = scene.modes.control.send(&scene.placing("web1", !is_in_pod)).await;
        scene
            .eventually_shown("web1", &["web1 running"], 10.0)
            .await
            .with_context(|| format!("killed at {point}, and then {answer:?}"))?;
        let is_moved = scene.is_in_pod("web1")? != is_in_pod;
        ensure!(answer.is_ok() == is_moved, "killed at {point}: {answer:?}");
        is_in_pod ^= is_moved;
        let last = scene.last(Action::ContainerMoved).await?;
        ensure!(last.id > told && last.succeeded == is_moved, "{last:?}");
        told = last.id;
        // An agent that is killed after the last step has nothing left to finish.
        let interrupted = last.details.contains("The agent had ended meanwhile");
        ensure!(
            interrupted || point == POINTS_OF_A_PLACEMENT,
            "killed at {point}: {last:?}"
        );
        eventually("it may be forgotten", seconds(15.0), async || {
            let left = fs::read_dir(scene.state("jobs")?)?.count();
            ensure!(left == 0, "{left} jobs are still written down");
            Ok(())
        })
        .await?;
    }
    Ok(fs::remove_file(&fuse)?)
}

#[test]
fn whenever_agent_or_mover_or_engine_end_the_agent_runs_in_one_network_or_the_other() -> Result<()> {
    with_lab(2, async |lab| {
        let modes = ModeFleet::start(lab, NetworkMode::Host, &[InstallText::DockerRun]).await?;
        let scene = Scene::new(lab, &modes);
        let before = modes.identity(scene.device).await?;
        let mut wanted = NetworkMode::Host;
        for steps in 1..=7 {
            wanted = match wanted {
                NetworkMode::Host => NetworkMode::Bridge,
                NetworkMode::Bridge if steps > 4 => NetworkMode::Pause,
                _ => NetworkMode::Host,
            };
            fs::write(scene.state("fuse")?, steps.to_string())?;
            // A process that is killed before the move has begun cannot answer.
            modes.change(scene.device, wanted).await.ok();
            let what = format!("killed each {steps} steps, it is whole");
            eventually(&what, seconds(60.0), async || {
                let shown = scene.shown(AGENT)?;
                ensure!(shown == [format!("{AGENT} running")], "{shown:?}");
                let left = fs::read_dir(scene.state("jobs")?)?.count();
                ensure!(left == 0, "its job is not over");
                Ok(())
            })
            .await?;
            modes
                .control
                .eventually_online(scene.device.name(), seconds(15.0))
                .await?;
            ensure!(modes.identity(scene.device).await? == before);
            let idle = scene.shown(PAUSE)?.len();
            ensure!(
                idle == usize::from(scene.is_in_pod(AGENT)?),
                "{idle} pause containers"
            );
        }
        fs::remove_file(scene.state("fuse")?)?;
        Ok(())
    })
}

#[test]
fn a_move_goes_on_when_its_engine_was_restarted_in_the_middle_of_it() -> Result<()> {
    with_lab(2, async |lab| {
        let modes = ModeFleet::start(lab, NetworkMode::Host, &[InstallText::DockerRun]).await?;
        let scene = Scene::new(lab, &modes);
        modes.change(scene.device, NetworkMode::Bridge).await?;
        // The mover waits until the new container works. The engine is not stopped before: while it ends, it would
        // create a folder in place of its socket for a container that it is starting.
        eventually("both are there", seconds(20.0), async || {
            let aside = scene.inspect(&format!("{AGENT}.flotilla-old"), "{{.State.Running}}")?;
            let new = scene.inspect(AGENT, "{{.State.Running}}")?;
            ensure!(
                (aside.as_str(), new.as_str()) == ("false", "true"),
                "{aside} {new}"
            );
            Ok(())
        })
        .await?;
        lab.machine_mut(1).stop_engine()?;
        lab.machine_mut(1).start_engine()?;
        lab.machine(1).wait_for_engine(seconds(30.0))?;
        let scene = Scene::new(lab, &modes);
        let agent = format!("{AGENT} running");
        scene.eventually_shown(AGENT, &[&agent], 20.0).await?;
        ensure!(scene.inspect(AGENT, "{{.HostConfig.NetworkMode}}")? == "bridge");
        modes.is_on_mesh(scene.device.name()).await
    })
}
