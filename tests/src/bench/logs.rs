//! `logs`: how fast a log is read to its end, beside `docker logs` on the same device in the same run; what that costs our
//! programs; and how soon a new line is there.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use flotilla_protocol::api::{LogOf, WatchLog};
use flotilla_protocol::log::LogQuery;
use flotilla_protocol::stream::Event;
use tokio::time::sleep;

use super::process::{cpu_seconds, ended_cpu_seconds, resident_kib};
use super::{Figure, percentile};
use crate::clock;
use crate::engine::WORKER;
use crate::eventually::{eventually, seconds};
use crate::fleet::Fleet;
use crate::flotilla::ControlSetup;
use crate::lab::Lab;
use crate::program::run;

/// Lines of the log, of a hundred bytes.
const LINES: usize = 1_000_000;
const LINE: usize = 100;

/// How often both read it, one after the other.
const ROUNDS: usize = 5;

/// The bytes of a line that is never over.
const ENDLESS: usize = 1_000_000_000;

/// Lines whose delay is measured, one every so often.
const FOLLOWED: usize = 100;
const EVERY: &str = "0.05";

pub async fn logs(lab: &Lab, report: &mut impl FnMut(Figure)) -> Result<()> {
    let control = ControlSetup {
        log: "warn".to_owned(),
        ..ControlSetup::new(lab)?
    };
    let mut fleet = Fleet::start(lab, control).await?;
    read(lab, &mut fleet, report).await?;
    endless(lab, &mut fleet, report).await?;
    follow(lab, &fleet, report).await
}

async fn read(lab: &Lab, fleet: &mut Fleet, report: &mut impl FnMut(Figure)) -> Result<()> {
    let machine = lab.machine(1);
    let script = format!("yes {} | head -n {LINES}", "x".repeat(LINE - 1));
    machine.docker_run(&["--name", "long", WORKER, "sh", "-c", &script])?;
    eventually("all is written", seconds(120.0), async || {
        ensure!(machine.container_state("long")? == "exited");
        Ok(())
    })
    .await?;
    fleet.control.container_shows("nas", "long").await?;
    let megabytes = (LINES * LINE) as f64 / 1e6;
    let (mut ours, mut dockers) = (Vec::new(), Vec::new());
    let processes = [fleet.control.process(), fleet.agent.program().id()];
    let used = || {
        processes
            .iter()
            .map(|process| cpu_seconds(*process))
            .chain([ended_cpu_seconds()])
            .sum::<Result<f64>>()
    };
    let mut cost = 0.0;
    for _ in 0..ROUNDS {
        dockers.push(megabytes / taken(machine.docker().args(["logs", "long"]))?);
        let before = used()?;
        ours.push(megabytes / taken(fleet.control.command().args(["logs", "nas/long"]))?);
        cost += used()? - before;
    }
    ours.sort_by(f64::total_cmp);
    dockers.sort_by(f64::total_cmp);
    let speed = Figure::new("logs", "read to the end", percentile(&ours, 50), "MB/s");
    report(speed.beside("docker logs", percentile(&dockers, 50)));
    let each = cost / (ROUNDS as f64 * megabytes / 1000.0);
    report(Figure::new(
        "logs",
        "agent, control and command line",
        each,
        "CPU s/GB",
    ));
    Ok(())
}

/// The most memory of our programs while a line of a gigabyte is read, and while short lines are read as fast as they are
/// written.
async fn endless(lab: &Lab, fleet: &mut Fleet, report: &mut impl FnMut(Figure)) -> Result<()> {
    let machine = lab.machine(1);
    let hostile = [
        (
            "line",
            format!("head -c {ENDLESS} /dev/zero | tr '\\0' x"),
            "a line of a gigabyte",
        ),
        (
            "flood",
            "yes | head -n 3000000".to_owned(),
            "3,000,000 lines at once",
        ),
    ];
    for (name, script, what) in hostile {
        machine.docker_run(&["--name", name, WORKER, "sh", "-c", &script])?;
        fleet.control.container_shows("nas", name).await?;
        let processes = [fleet.control.process(), fleet.agent.program().id()];
        let target = format!("nas/{name}");
        let mut command = fleet.control.command();
        command
            .args(["logs", "--follow", &target, "--grep", "y|xxxx"])
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut reading = command.spawn()?;
        let mut most = [0.0_f64; 3];
        while reading.try_wait()?.is_none() {
            for (most, process) in most.iter_mut().zip(processes.into_iter().chain([reading.id()])) {
                // The command line may have ended by itself.
                *most = most.max(resident_kib(process).unwrap_or_default() / 1024.0);
            }
            sleep(Duration::from_millis(20)).await;
        }
        for (most, program) in most.into_iter().zip(["control", "agent", "command line"]) {
            let figure = format!("most memory of {program}, {what}");
            report(Figure::new("logs", figure, most, "MiB"));
        }
        run(machine.docker().args(["rm", "--force", name]))?;
    }
    Ok(())
}

/// Seconds until a command has printed all.
fn taken(command: &mut Command) -> Result<f64> {
    let begun = Instant::now();
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).status()?;
    ensure!(status.success(), "it ended with {status}");
    Ok(begun.elapsed().as_secs_f64())
}

/// The time from the moment at which the engine took a line to that at which a program has it.
async fn follow(lab: &Lab, fleet: &Fleet, report: &mut impl FnMut(Figure)) -> Result<()> {
    let script = format!("while sleep {EVERY}; do echo tick; done");
    lab.machine(1)
        .docker_run(&["--name", "ticking", WORKER, "sh", "-c", &script])?;
    fleet.control.container_shows("nas", "ticking").await?;
    let of = LogOf {
        device: "nas".to_owned(),
        container: "ticking".to_owned(),
    };
    let query = LogQuery {
        follow: true,
        tail: Some(0),
        ..LogQuery::default()
    };
    let mut log = fleet.control.client()?.open::<WatchLog>(&of, query).await?;
    let mut delays = Vec::new();
    while delays.len() < FOLLOWED {
        let Some(Event::Item(batch)) = log.next().await else {
            anyhow::bail!("the log ended");
        };
        let now = clock::now();
        for piece in batch.pieces {
            let delay = Duration::try_from(now.duration_since(piece.at.context("no time")?))?;
            delays.push(delay.as_secs_f64() * 1000.0);
        }
    }
    delays.sort_by(f64::total_cmp);
    for percent in [50, 95] {
        let figure = format!("a new line, p{percent}");
        report(Figure::new("logs", figure, percentile(&delays, percent), "ms"));
    }
    Ok(())
}
