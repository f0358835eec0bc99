//! What an agent does with an engine, on engines of every age, without the rest of an agent.

use anyhow::{Context, Result, ensure};
use flotilla_protocol::inventory::{ContainerAction, ContainerState, EngineState};
use flotilla_tests::engine::WORKER;
use flotilla_tests::eventually::{eventually, seconds};
use flotilla_tests::followed::Followed;
use flotilla_tests::lab::{Engine, with_engines};

#[test]
fn containers_are_seen_stopped_and_started_on_engines_of_every_age() -> Result<()> {
    with_engines(&Engine::ALL, async |lab| {
        for (machine, engine) in lab.machines().iter().zip(Engine::ALL) {
            machine.load_images()?;
            let id = machine.docker_run(&["--name", "worker", WORKER])?;
            let followed = Followed::start(machine);
            let seen = followed.container("worker").await?;
            ensure!(seen.id == id && seen.state == ContainerState::Running, "{seen:?}");
            let Some(EngineState::Running(facts)) = followed.engine.state() else {
                anyhow::bail!("{engine:?} does not run");
            };
            if engine == Engine::Current {
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
