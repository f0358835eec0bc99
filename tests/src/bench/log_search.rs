//! `log-search`: how soon a search through the logs of a fleet has its first line of a recent range, how fast it is read
//! through, beside `docker logs | grep -c` of the same containers in the same run, and the memory of an agent meanwhile.

use std::process::{Child, Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use flotilla_protocol::Timestamp;
use flotilla_protocol::api::{LogSearch, SearchItem, SearchLogs};
use flotilla_protocol::stream::Event;

use super::process::resident_kib;
use super::{Figure, percentile};
use crate::clock;
use crate::engine::WORKER;
use crate::eventually::{eventually, seconds};
use crate::flotilla::{AgentSetup, Control, ControlSetup};
use crate::lab::{Lab, Machine};

/// Containers of each device, and megabytes of lines in each; `FLOTILLA_SEARCH_MB` says another number of them.
const CONTAINERS: usize = 10;
const MEGABYTES: usize = 100;

/// Bytes of a line.
const LINE: usize = 100;

/// Logs that are read at a time on each device, here and there.
const AT_A_TIME: usize = 2;

/// How often all is searched for a line of the recent range.
const ROUNDS: usize = 9;

pub async fn log_search(lab: &Lab, report: &mut impl FnMut(Figure)) -> Result<()> {
    let megabytes = match std::env::var("FLOTILLA_SEARCH_MB") {
        Ok(text) => text.parse().context("FLOTILLA_SEARCH_MB is no number")?,
        Err(_) => MEGABYTES,
    };
    let control = ControlSetup {
        log: "warn".to_owned(),
        ..ControlSetup::new(lab)?
    };
    let control = control.start()?;
    let mut agents = Vec::new();
    for (number, machine) in lab.machines().iter().enumerate() {
        machine.load_images()?;
        write(machine, megabytes).await?;
        let device = format!("device{number}");
        let added = control.add(&device).await?;
        agents.push(AgentSetup::new(machine, &added)?.start(machine)?);
        control.eventually_online(&device, seconds(35.0)).await?;
        for name in names() {
            control.container_shows(&device, &name).await?;
        }
    }
    let since = clock::now();
    for machine in lab.machines() {
        for name in names() {
            let done = machine
                .docker()
                .args(["exec", &name, "touch", "/over"])
                .status()?;
            ensure!(done.success(), "{name} is not told to end");
        }
        for name in names() {
            eventually("it has ended", seconds(30.0), async || {
                ensure!(machine.container_state(&name)? == "exited");
                Ok(())
            })
            .await?;
        }
    }
    first(&control, since, report).await?;
    let processes: Vec<_> = agents.iter_mut().map(|agent| agent.program().id()).collect();
    all(lab, (&control, &processes), megabytes, report).await
}

fn names() -> impl Iterator<Item = String> {
    (0..CONTAINERS).map(|number| format!("long{number}"))
}

/// Starts the containers; returns when each has written its lines. It writes one more line when it is told to end.
async fn write(machine: &Machine, megabytes: usize) -> Result<()> {
    let lines = megabytes * 1_000_000 / LINE;
    let script = format!(
        "yes {} | head -n {lines}; touch /written; while ! [ -e /over ]; do sleep 0.2; done; echo a needle",
        "x".repeat(LINE - 1)
    );
    for name in names() {
        machine.docker_run(&["--name", &name, WORKER, "sh", "-c", &script])?;
    }
    for name in names() {
        eventually("all is written", seconds(600.0), async || {
            let written = machine
                .docker()
                .args(["exec", &name, "ls", "/written"])
                .output()?;
            ensure!(written.status.success());
            Ok(())
        })
        .await?;
    }
    Ok(())
}

/// The time from asking to the first line, of a range that has just begun.
async fn first(control: &Control, since: Timestamp, report: &mut impl FnMut(Figure)) -> Result<()> {
    let mut delays = Vec::new();
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        let mut search = control
            .client()?
            .open::<SearchLogs>(&(), wanted("needle", Some(since)))
            .await?;
        loop {
            match search.next().await {
                Some(Event::Item(SearchItem::Lines(_))) => break,
                Some(Event::Item(_)) => {}
                end => anyhow::bail!("nothing is found: {end:?}"),
            }
        }
        delays.push(begun.elapsed().as_secs_f64() * 1000.0);
    }
    delays.sort_by(f64::total_cmp);
    for percent in [50, 95] {
        let figure = format!("first line of a recent range, p{percent}");
        report(Figure::new(
            "log-search",
            figure,
            percentile(&delays, percent),
            "ms",
        ));
    }
    Ok(())
}

fn wanted(expression: &str, since: Option<Timestamp>) -> LogSearch {
    LogSearch {
        grep: Some(expression.to_owned()),
        since,
        ..LogSearch::default()
    }
}

/// Reads all logs through, ours and theirs.
async fn all(
    lab: &Lab,
    (control, agents): (&Control, &[u32]),
    megabytes: usize,
    report: &mut impl FnMut(Figure),
) -> Result<()> {
    let bytes = (lab.machines().len() * CONTAINERS * megabytes) as f64;
    let begun = Instant::now();
    let mut search = control
        .client()?
        .open::<SearchLogs>(&(), wanted("needle", None))
        .await?;
    let (mut found, mut most) = (0, 0.0_f64);
    while let Some(Event::Item(item)) = search.next().await {
        if let SearchItem::Lines(lines) = item {
            found += lines.pieces.len();
        }
        for agent in agents {
            most = most.max(resident_kib(*agent)? / 1024.0);
        }
    }
    let ours = bytes / begun.elapsed().as_secs_f64();
    ensure!(
        found == lab.machines().len() * CONTAINERS,
        "{found} lines are found"
    );
    let begun = Instant::now();
    docker_all(lab)?;
    let dockers = bytes / begun.elapsed().as_secs_f64();
    let speed = Figure::new("log-search", "all logs", ours, "MB/s");
    report(speed.beside("docker logs | grep -c", dockers));
    report(Figure::new("log-search", "most memory of an agent", most, "MiB"));
    Ok(())
}

/// Counts the lines with `docker logs | grep -c`, as many at a time on each machine as ours.
fn docker_all(lab: &Lab) -> Result<()> {
    let names: Vec<_> = names().collect();
    for pair in names.chunks(AT_A_TIME) {
        let mut running = Vec::new();
        for machine in lab.machines() {
            for name in pair {
                running.extend(counted(machine, name)?);
            }
        }
        for mut program in running {
            program.wait()?;
        }
    }
    Ok(())
}

fn counted(machine: &Machine, name: &str) -> Result<[Child; 2]> {
    let mut logs = machine
        .docker()
        .args(["logs", name])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let lines = logs.stdout.take().context("no output")?;
    let grep = Command::new("grep")
        .args(["-c", "needle"])
        .stdin(lines)
        .stdout(Stdio::null())
        .spawn()?;
    Ok([logs, grep])
}
