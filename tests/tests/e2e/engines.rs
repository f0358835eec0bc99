//! What an agent does with an engine, on each version of the engine, without the rest of an agent.

use anyhow::{Context, Result, ensure};
use flotilla_protocol::inventory::{ContainerAction, ContainerState, EngineState, Health};
use flotilla_tests::engine::WORKER;
use flotilla_tests::eventually::{eventually, seconds};
use flotilla_tests::followed_engine::FollowedEngine;
use flotilla_tests::lab::{EngineVersion, Lab, on, with_engines};
use flotilla_tests::podman::Podman;
use flotilla_tests::program::run;

#[test]
fn containers_are_seen_stopped_and_started_on_engines_of_every_age() -> Result<()> {
    with_engines(&EngineVersion::ALL, async |lab| {
        for (machine, engine) in lab.machines().iter().zip(EngineVersion::ALL) {
            machine.load_images()?;
            let id = machine.docker_run(&["--name", "worker", WORKER])?;
            let followed = FollowedEngine::start(machine);
            let seen = followed.container("worker").await?;
            ensure!(seen.id == id && seen.state == ContainerState::Running, "{seen:?}");
            let Some(EngineState::Running(facts)) = followed.engine.state() else {
                anyhow::bail!("{engine:?} does not run");
            };
            if engine == EngineVersion::Current {
                let minor = facts.api_version.strip_prefix("1.").context("another API")?;
                ensure!(minor.parse::<u32>()? >= 45, "{facts:?}");
            }
            for (action, state) in [
                (ContainerAction::Stop, ContainerState::Exited),
                (ContainerAction::Start, ContainerState::Running),
            ] {
                followed.engine.act(&id, action).await?;
                eventually("its row says so", seconds(3.0), async || {
                    let row = followed.container("worker").await?;
                    ensure!(row.state == state, "{engine:?}: {row:?}");
                    Ok(())
                })
                .await?;
            }
        }
        Ok(())
    })
}

#[test]
fn podman_is_followed_by_the_same_words() -> Result<()> {
    on(Lab::without_engines(1)?, async |lab| {
        let machine = lab.machine(1);
        let podman = Podman::start(machine)?;
        let words = [
            "run",
            "--detach",
            "--name=worker",
            "--health-cmd=true",
            "--health-interval=disable",
        ];
        run(podman.podman().args(words).arg(WORKER))?;
        let followed = FollowedEngine::at(machine.directory().join("run/podman/podman.sock"));
        let inventory = followed.inventory().await?;
        let [worker] = &inventory.containers[..] else {
            anyhow::bail!("{:?}", inventory.containers);
        };
        ensure!(worker.name == "worker" && worker.unread.is_none(), "{worker:?}");
        ensure!(
            worker.state == ContainerState::Running && worker.created.is_some(),
            "{worker:?}"
        );
        let images: Vec<_> = inventory
            .images
            .iter()
            .filter(|image| image.used_by == Some(1))
            .collect();
        ensure!(images.len() == 1, "{:?}", inventory.images);
        ensure!(!inventory.networks.is_empty());
        eventually("its health is seen", seconds(15.0), async || {
            // Podman sends the event of a check before its result is known, so one check is not enough.
            run(podman.podman().args(["healthcheck", "run", "worker"]))?;
            let worker = followed.container("worker").await?;
            ensure!(worker.health == Health::Healthy, "{worker:?}");
            Ok(())
        })
        .await?;
        run(podman.podman().args(["stop", "--time=1", "worker"]))?;
        eventually("it has ended", seconds(8.0), async || {
            let worker = followed.container("worker").await?;
            ensure!(worker.state == ContainerState::Exited, "{worker:?}");
            Ok(())
        })
        .await
    })
}
