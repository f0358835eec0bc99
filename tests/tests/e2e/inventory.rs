//! What each version of the engine has, as rows: no row is made up, none is left out, and none hides another.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};
use flotilla_protocol::agent::Report;
use flotilla_protocol::inventory::{Container, ContainerState, EngineState, Image, Port, Stack, Trouble};
use flotilla_tests::bench::process::cpu_seconds;
use flotilla_tests::engine::WORKER;
use flotilla_tests::eventually::{eventually, seconds};
use flotilla_tests::flotilla::{Agent, Control};
use flotilla_tests::followed_engine::FollowedEngine;
use flotilla_tests::handmade_image::HandmadeImage;
use flotilla_tests::lab::{CONTROL, EngineVersion, Lab, Machine, with_engines};
use flotilla_tests::program::{attempt, run};
use tokio::net::TcpListener;

/// Runs a container with the labels that Compose gives the containers of a project.
fn composed(machine: &Machine, project: &str, service: &str, folder: &str, files: &str) -> Result<String> {
    let name = format!("{project}-{service}-1");
    let label = |key: &str, value: &str| format!("--label=com.docker.compose.{key}={value}");
    machine.docker_run(&[
        "--name",
        &name,
        &label("project", project),
        &label("service", service),
        &label("container-number", "1"),
        &label("oneoff", "False"),
        &label("project.working_dir", folder),
        &label("project.config_files", files),
        WORKER,
    ])
}

#[test]
fn a_stack_is_what_compose_made_from_its_folders_and_says_where_they_are() -> Result<()> {
    with_engines(&EngineVersion::ALL, async |lab| {
        for machine in lab.machines() {
            machine.load_images()?;
            composed(machine, "app", "web", "/srv/one/app", "/srv/one/app/compose.yaml")?;
            composed(machine, "app", "api", "/srv/two/app", "/srv/two/app/compose.yaml")?;
            composed(machine, "piped", "a", "/root", "-")?;
            composed(
                machine,
                "pair",
                "a",
                "/srv/pair",
                "compose.yaml,compose.prod.yaml",
            )?;
            composed(machine, "comma", "a", "/srv/comma", "/srv/comma/a,b.yaml")?;
            composed(machine, "win", "a", r"C:\shop", r"C:\shop\docker-compose.yml")?;
            composed(machine, "none", "a", "", "")?;
            // An image committed from a project's container has its labels; a container of that image is in no stack.
            composed(machine, "shop", "web", "/srv/shop", "/srv/shop/compose.yaml")?;
            run(machine.docker().args(["commit", "shop-web-1", "committed:1"]))?;
            run(machine.docker().args(["rm", "--force", "shop-web-1"]))?;
            machine.docker_run(&["--name", "alone", "committed:1"])?;

            let followed = FollowedEngine::start(machine);
            let stacks = followed.inventory().await?.stacks;
            let names: Vec<_> = stacks.iter().map(|stack| stack.name.as_str()).collect();
            ensure!(
                names == ["app", "comma", "none", "pair", "piped", "win"],
                "{names:?}"
            );
            let files = |name: &str| -> Result<&Stack> {
                let stack = stacks.iter().find(|stack| stack.name == name);
                stack.with_context(|| format!("no stack {name}"))
            };
            let app = files("app")?;
            let folders: Vec<_> = app.folders.iter().map(|folder| folder.path.as_str()).collect();
            ensure!(
                folders == ["/srv/one/app", "/srv/two/app"] && app.total == 2,
                "{app:?}"
            );
            for (name, expected) in [
                ("piped", &["-"][..]),
                ("pair", &["/srv/pair/compose.yaml", "/srv/pair/compose.prod.yaml"]),
                ("comma", &["/srv/comma/a,b.yaml"]),
                ("win", &[r"C:\shop\docker-compose.yml"]),
                ("none", &[]),
            ] {
                let stack = files(name)?;
                ensure!(
                    stack.config_files == expected && stack.folders.is_empty(),
                    "{stack:?}"
                );
            }
            ensure!(followed.container("alone").await?.stack.is_none());
        }
        Ok(())
    })
}

#[test]
fn a_hundred_published_ports_are_a_range_in_a_small_row() -> Result<()> {
    with_engines(&EngineVersion::ALL, async |lab| {
        for machine in lab.machines() {
            machine.load_images()?;
            let words = [
                "--name=range",
                "--publish=20000-20099:20000-20099/udp",
                "--publish=127.0.0.1:18016:80",
                WORKER,
            ];
            machine.docker_run(&words)?;
            let row = FollowedEngine::start(machine).container("range").await?;
            let mut ports: Vec<_> = row.ports.iter().map(Port::to_string).collect();
            ports.dedup();
            ensure!(ports == ["127.0.0.1:18016→80", "20000-20099/udp"], "{ports:?}");
            let loopback = row.ports.iter().filter(|port| port.is_on_loopback());
            ensure!(loopback.count() == 1, "{:?}", row.ports);
            let size = serde_json::to_string(&row)?.len();
            ensure!(size < 2000, "{size} bytes");
        }
        Ok(())
    })
}

#[test]
fn a_container_that_could_not_be_started_says_why_in_its_row() -> Result<()> {
    with_engines(&EngineVersion::ALL, async |lab| {
        for machine in lab.machines() {
            machine.load_images()?;
            run(machine.docker().args(["create", "--name=created", WORKER]))?;
            machine.docker_run(&["--name=holds", "--publish=18022:80", WORKER])?;
            for odd in [
                &["--name=clash", "--publish=18022:80", WORKER][..],
                &["--name=nobin", WORKER, "/no/such/binary"],
            ] {
                let tried = attempt(machine.docker().args(["run", "--detach"]).args(odd))?;
                ensure!(tried.code != Some(0), "it was started: {odd:?}");
            }
            let followed = FollowedEngine::start(machine);
            for (name, reason) in [
                ("clash", "port is already allocated"),
                ("nobin", "/no/such/binary"),
            ] {
                let row = followed.container(name).await?;
                ensure!(row.trouble() == Some(Trouble::NotStarted), "{row:?}");
                let failure = row.failure.unwrap_or_default();
                ensure!(failure.contains(reason), "{name}: {failure}");
            }
            let created = followed.container("created").await?;
            ensure!(
                created.trouble().is_none() && created.failure.is_none(),
                "{created:?}"
            );
            // Without the obstacle it starts, and its row has no failure.
            run(machine.docker().args(["rm", "--force", "holds"]))?;
            run(machine.docker().args(["start", "clash"]))?;
            eventually("it runs", seconds(3.0), async || {
                let row = followed.container("clash").await?;
                ensure!(
                    row.state == ContainerState::Running && row.failure.is_none(),
                    "{row:?}"
                );
                Ok(())
            })
            .await?;
        }
        Ok(())
    })
}

async fn image(followed: &FollowedEngine, is: impl Fn(&Image) -> bool) -> Result<Image> {
    let images = followed.inventory().await?.images;
    let found = images.iter().find(|image| is(image)).cloned();
    found.with_context(|| format!("not among {images:?}"))
}

#[test]
fn an_image_is_known_by_its_digest_and_a_date_that_means_nothing_is_none() -> Result<()> {
    with_engines(&EngineVersion::ALL, async |lab| {
        let pulled = HandmadeImage::new(Some("2026-01-02T03:04:05Z"))?;
        let listener = TcpListener::bind((CONTROL, 5000)).await?;
        let digest = pulled.serve("team/app", listener)?;
        let name = format!("{CONTROL}:5000/team/app@{digest}");
        for machine in lab.machines() {
            run(machine.docker().args(["pull", &name]))?;
            run(machine.docker().args(["create", "--name=pinned", &name]))?;
            let dates = [
                None,
                Some("0001-01-01T00:00:00Z"),
                Some("1970-01-01T00:00:00Z"),
                Some("1980-01-01T00:00:01Z"),
                Some("2106-02-07T06:28:16Z"),
            ];
            for (number, date) in dates.into_iter().enumerate() {
                let file = machine.directory().join("made.tar");
                fs::write(
                    &file,
                    HandmadeImage::new(date)?.archive(&format!("made:{number}"))?,
                )?;
                run(machine.docker().args(["load", "--input"]).arg(&file))?;
            }
            let followed = FollowedEngine::start(machine);
            let pinned = image(&followed, |image| image.digests.contains(&name)).await?;
            ensure!(pinned.tags.is_empty() && pinned.used_by == Some(1), "{pinned:?}");
            ensure!(
                pinned
                    .created
                    .is_some_and(|date| date.as_second() == 1_767_323_045),
                "{pinned:?}"
            );
            for number in 0..dates.len() {
                let made = format!("made:{number}");
                let made = image(&followed, |image| image.tags.contains(&made)).await?;
                ensure!(made.created.is_none() && made.used_by == Some(0), "{made:?}");
            }
        }
        Ok(())
    })
}

#[test]
fn two_networks_of_one_name_have_each_their_own_containers() -> Result<()> {
    with_engines(&[EngineVersion::Installed], async |lab| {
        let machine = lab.machine(1);
        machine.load_images()?;
        for name in ["on-one", "on-two"] {
            // Not by `docker`, which asks the engine to refuse a second network of the same name.
            let mut create = std::process::Command::new("curl");
            create
                .args(["--silent", "--fail", "--unix-socket"])
                .arg(machine.socket());
            create.args([
                "--header",
                "Content-Type: application/json",
                "--data",
                r#"{"Name":"twin"}"#,
            ]);
            let made = run(create.arg("http://docker/networks/create"))?;
            let made: serde_json::Value = serde_json::from_str(&made)?;
            let id = made["Id"].as_str().context("no id")?;
            machine.docker_run(&["--name", name, WORKER])?;
            run(machine.docker().args(["network", "connect", id, name]))?;
            run(machine.docker().args(["network", "disconnect", "bridge", name]))?;
        }
        let networks = FollowedEngine::start(machine).inventory().await?.networks;
        let twins = networks.iter().filter(|network| network.name == "twin");
        let mut held: Vec<_> = twins.map(|network| network.containers.join(" ")).collect();
        held.sort();
        ensure!(held == ["on-one", "on-two"], "{held:?}");
        Ok(())
    })
}

/// Containers that come back with their engine, each with a health check every second, and those that never come up.
const RETURNING: usize = 20;
const CRASHING: usize = 5;

/// A name with every kind of sign that engines take.
const SIGNS: &str = "A_22.x-Y";

/// How long events without end are followed, and what part of a processor that may cost: of a release build, the
/// agent takes a hundredth of it.
const STORM: Duration = Duration::from_secs(10);
const SHARE: f64 = 0.25;

/// All at once, since each waits for the disk more than for a processor.
fn start_all(machine: &Machine) -> Result<()> {
    let checked = ["--health-cmd=true", "--health-interval=1s", "--health-timeout=1s"];
    let returning = (0..RETURNING).map(|number| {
        let name = format!("--name=returns-{number}");
        (name, [&["--restart=always"], &checked[..], &[WORKER]].concat())
    });
    let crashing = (0..CRASHING).map(|number| {
        let name = format!("--name=crashes-{number}");
        (name, vec!["--restart=always", WORKER, "false"])
    });
    let odd = (format!("--name={SIGNS}"), vec![WORKER]);
    let all: Vec<_> = returning.chain(crashing).chain([odd]).collect();
    thread::scope(|scope| {
        let run = |(name, words): &(String, Vec<&str>)| {
            machine.docker_run(&[&[name.as_str()], &words[..]].concat())
        };
        let started: Vec<_> = all.iter().map(|one| scope.spawn(move || run(one))).collect();
        for one in started {
            one.join().map_err(|_| anyhow!("a container was not started"))??;
        }
        Ok(())
    })
}

#[test]
fn an_engine_that_restarts_is_away_once_and_all_its_containers_are_right_soon_after() -> Result<()> {
    with_engines(&[EngineVersion::Current], async |lab| {
        let machine = lab.machine(1);
        machine.load_images()?;
        start_all(machine)?;
        let (share, late) = an_agent_keeps_up_with_checks_and_crashes(lab).await?;
        println!(
            "the agent took {:.1} % of a processor, rows were right after {late:.1?}",
            share * 100.0
        );

        let returning = async |followed: &FollowedEngine| -> Result<Vec<Container>> {
            let rows = followed.inventory().await?.containers.into_iter();
            Ok(rows.filter(|row| row.name.starts_with("returns-")).collect())
        };
        let followed = FollowedEngine::start(lab.machine(1));
        ensure!(returning(&followed).await?.len() == RETURNING);
        let mut watch = followed.engine.watch();
        lab.machine_mut(1).stop_engine()?;
        lab.machine_mut(1).start_engine()?;
        lab.machine(1).wait_for_engine(seconds(30.0))?;
        let running = |row: &Container| row.state == ContainerState::Running && row.unread.is_none();
        eventually("all of them run", seconds(5.0), async || {
            let state = followed.engine.state();
            ensure!(matches!(state, Some(EngineState::Running(_))), "{state:?}");
            let rows = returning(&followed).await?;
            ensure!(rows.len() == RETURNING && rows.iter().all(running), "{rows:?}");
            Ok(())
        })
        .await?;
        let mut states = Vec::new();
        while let Ok(Some(report)) = tokio::time::timeout(seconds(0.2), watch.next()).await {
            if let Report::Engine(state) = report {
                states.push(state);
            }
        }
        // A watch that is read late may skip the engine's absence, but reports no other state.
        let away = states
            .iter()
            .filter(|state| !matches!(state, EngineState::Running(_)));
        ensure!(away.count() <= 1 && states.len() <= 3, "{states:?}");
        Ok(())
    })
}

/// Answers which part of a processor the agent took, and how long after a command the slowest row was right.
async fn an_agent_keeps_up_with_checks_and_crashes(lab: &Lab) -> Result<(f64, Duration)> {
    let control = Control::start(lab)?;
    let added = control.add("nas").await?;
    let mut agent = Agent::start(lab.machine(1), &added)?;
    control.eventually_online("nas", seconds(10.0)).await?;
    let is = async |name: &str, state: ContainerState| {
        let begun = Instant::now();
        eventually(&format!("{name} is {state:?}"), seconds(10.0), async || {
            let row = control.container("nas", name).await?.item;
            ensure!(row.state == state, "{row:?}");
            Ok(())
        })
        .await?;
        anyhow::Ok(begun.elapsed())
    };
    for number in 0..CRASHING {
        is(&format!("crashes-{number}"), ContainerState::Restarting).await?;
    }
    let process = agent.program().id();
    let (begun, before) = (Instant::now(), cpu_seconds(process)?);
    let mut late = Duration::ZERO;
    while begun.elapsed() < STORM {
        run(lab.machine(1).docker().args(["stop", SIGNS]))?;
        late = late.max(is(SIGNS, ContainerState::Exited).await?);
        control.cli(&["start", &format!("nas/{SIGNS}")])?;
        late = late.max(is(SIGNS, ContainerState::Running).await?);
        tokio::time::sleep(seconds(1.0)).await;
    }
    let share = (cpu_seconds(process)? - before) / begun.elapsed().as_secs_f64();
    ensure!(share < SHARE, "{share} of a processor");
    Ok((share, late))
}
