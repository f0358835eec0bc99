//! Placements of containers in the pod as they went wrong elsewhere, one after the other on one device.

use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use flotilla_protocol::activity::Action;
use flotilla_protocol::device::NetworkMode;
use flotilla_tests::engine::WORKER;
use flotilla_tests::eventually::{eventually, seconds};
use flotilla_tests::install_text::{AGENT, InstallText};
use flotilla_tests::lab::{Lab, with_lab};
use flotilla_tests::modes::ModeFleet;
use flotilla_tests::program::run;

use super::Scene;

#[test]
fn cases_from_the_field() -> Result<()> {
    with_lab(2, async |lab| {
        lab.machine(1).load_images()?;
        let modes = ModeFleet::start(lab, NetworkMode::Pause, &[InstallText::DockerRun]).await?;
        let scene = Scene::new(lab, &modes);
        done_means_that_the_next_command_works(&scene).await?;
        one_that_gets_unhealthy_goes_back(&scene).await?;
        one_that_is_paused_is_to_be_unpaused_first(&scene).await?;
        one_that_is_slow_to_stop_survives_the_agents_end(&scene).await?;
        one_that_is_placed_survives_the_engines_end(lab, &modes).await
    })
}

/// Case A20.
async fn done_means_that_the_next_command_works(scene: &Scene<'_>) -> Result<()> {
    run(scene.docker().args(["create", "--name", "stopped20", WORKER]))?;
    let target = format!("{}/stopped20", scene.device.name());
    scene.eventually_listed("stopped20").await?;
    for words in [["pod", "add"], ["pod", "remove"], ["pod", "add"]] {
        scene.modes.control.cli(&[words[0], words[1], &target])?;
    }
    scene.modes.control.cli(&["start", &target])?;
    ensure!(scene.shown("stopped20")? == ["stopped20 running"]);
    Ok(())
}

/// Case A11.
async fn one_that_gets_unhealthy_goes_back(scene: &Scene<'_>) -> Result<()> {
    run(scene
        .docker()
        .args(["network", "create", "--subnet", "10.99.11.0/24", "a11"]))?;
    let check = "grep -q 000B630A /proc/net/route";
    let words = [
        "--name",
        "web11",
        "--network",
        "a11",
        "--health-cmd",
        check,
        "--health-interval",
        "1s",
    ];
    let more = ["--health-retries", "2", "--health-start-period", "2s", WORKER];
    let id = scene.machine.docker_run(&[&words[..], &more].concat())?;
    eventually("it is healthy", seconds(10.0), async || {
        ensure!(scene.inspect("web11", "{{.State.Health.Status}}")? == "healthy");
        Ok(())
    })
    .await?;
    let refused = scene.refused("web11").await?;
    ensure!(refused.contains("its health check fails there"), "{refused}");
    ensure!(scene.inspect("web11", "{{.Id}}")? == id);
    ensure!(scene.shown("web11")? == ["web11 running"]);
    Ok(())
}

/// Case A12.
async fn one_that_is_paused_is_to_be_unpaused_first(scene: &Scene<'_>) -> Result<()> {
    let words = ["--name", "paused12", "--publish", "18012:80", WORKER];
    let id = scene.machine.docker_run(&words)?;
    run(scene.docker().args(["pause", "paused12"]))?;
    scene.eventually_listed("paused12").await?;
    let refused = scene.refused("paused12").await?;
    ensure!(refused.contains("Unpause it first"), "{refused}");
    ensure!(scene.inspect("paused12", "{{.Id}} {{.State.Status}}")? == format!("{id} paused"));
    Ok(())
}

/// Case A6: the agent is killed after it asked for the stop of a container, which stops all the same, later.
async fn one_that_is_slow_to_stop_survives_the_agents_end(scene: &Scene<'_>) -> Result<()> {
    let program = r#"trap "echo stopping; sleep 8; exit 0" TERM; while :; do sleep 1; done"#;
    let words = [
        "--name",
        "slow",
        "--stop-timeout",
        "70",
        WORKER,
        "sh",
        "-c",
        program,
    ];
    let id = scene.machine.docker_run(&words)?;
    scene.eventually_listed("slow").await?;
    let request = scene.placing("slow", true);
    let placing = scene.modes.control.send(&request);
    let killing = async {
        eventually("it is stopping", seconds(10.0), async || {
            let log = run(scene.docker().args(["logs", "slow"]))?;
            ensure!(log.contains("stopping"), "{log}");
            Ok(())
        })
        .await?;
        let process = scene.inspect(AGENT, "{{.State.Pid}}")?;
        run(Command::new("kill").args(["-9", &process]))?;
        scene.eventually_shown("slow", &["slow running"], 10.0).await
    };
    let (placed, killed) = tokio::join!(placing, killing);
    killed?;
    ensure!(placed.is_err(), "{placed:?}");
    // The container stopped on the request of the killed agent, and was started again.
    eventually("it was started again", seconds(20.0), async || {
        ensure!(scene.inspect("slow", "{{.Id}} {{.State.Running}}")? == format!("{id} true"));
        let log = run(scene.docker().args(["logs", "slow"]))?;
        ensure!(log.contains("stopping"), "{log}");
        let (started, created) = (
            scene.inspect("slow", "{{.State.StartedAt}}")?,
            scene.inspect("slow", "{{.State.FinishedAt}}")?,
        );
        ensure!(started > created, "it did not stop yet");
        Ok(())
    })
    .await?;
    let last = scene.last(Action::ContainerMoved).await?;
    ensure!(
        !last.succeeded && last.details.contains("ended meanwhile"),
        "{last:?}"
    );
    Ok(())
}

/// A6: its engine is stopped and started while it stops, and the agent with it, as in a reboot.
async fn one_that_is_placed_survives_the_engines_end(lab: &mut Lab, modes: &ModeFleet) -> Result<()> {
    let scene = Scene::new(lab, modes);
    // An engine that ends waits for it.
    run(scene.docker().args(["rm", "--force", "slow"]))?;
    let program = r#"trap "echo stopping; sleep 3; exit 0" TERM; while :; do sleep 1; done"#;
    let words = ["--name", "rebooted", "--restart", "always", "--stop-timeout", "9"];
    let id = scene
        .machine
        .docker_run(&[&words[..], &[WORKER, "sh", "-c", program]].concat())?;
    scene.eventually_listed("rebooted").await?;
    let request = scene.placing("rebooted", true);
    let restarting = async {
        eventually("it is stopping", seconds(10.0), async || {
            let log = run(lab.machine(1).docker().args(["logs", &id]))?;
            ensure!(log.contains("stopping"), "{log}");
            Ok(())
        })
        .await?;
        lab.machine_mut(1).stop_engine()?;
        lab.machine_mut(1).start_engine()?;
        lab.machine(1).wait_for_engine(seconds(30.0))
    };
    let (placed, restarted) = tokio::join!(modes.control.send(&request), restarting);
    restarted?;
    let scene = Scene::new(lab, modes);
    scene
        .eventually_shown("rebooted", &["rebooted running"], 20.0)
        .await
        .with_context(|| format!("{placed:?}"))?;
    let is_moved = scene.is_in_pod("rebooted")?;
    eventually("what became of it is told", seconds(15.0), async || {
        let last = scene.last(Action::ContainerMoved).await?;
        ensure!(
            last.details.contains("rebooted") && last.details.contains("ended meanwhile"),
            "{last:?}"
        );
        ensure!(last.succeeded == is_moved, "{last:?}");
        Ok(())
    })
    .await
}
