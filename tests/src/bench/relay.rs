//! `relay-throughput`: how much passes through a relay, beside socat, which forwards the same packets without reading
//! them, and beside no program between the clients. All take turns on the loopback of one computer.
//!
//! The clients send runs of full packets and keep a limited window of packets in flight, as TCP does.

use std::process::Command;

use anyhow::{Context, Result};
use serde::Deserialize;

use super::process::{cpu_seconds, resident_kib};
use super::{Figure, percentile};
use crate::artifacts;
use crate::eventually::{eventually_blocking, seconds};
use crate::lab::Lab;
use crate::program::{Program, command, run};

const BENCH: &str = "relay-throughput";

/// How many turns each program has; the median counts.
const ROUNDS: usize = 5;

/// Seconds of each load.
const LENGTH: &str = "3";

const FORWARDED: &str = "127.0.0.1:7001";
const ARRIVES: &str = "127.0.0.1:7002";

/// What a relay prints when it is ready: its address, and a ticket for each of the two clients.
#[derive(Deserialize)]
struct RelayAddress {
    address: String,
    tickets: [String; 2],
}

#[derive(Deserialize)]
struct Load {
    gbit: f64,
    seconds: f64,
}

/// What is between the two clients, and its figures.
struct Intermediary {
    name: &'static str,
    program: Option<Program>,
    arguments: Vec<String>,
    speeds: Vec<f64>,
    costs: Vec<f64>,
}

pub fn throughput(lab: &Lab, report: &mut impl FnMut(Figure)) -> Result<()> {
    let mut intermediaries = [relay(lab)?, socat(lab)?, nothing()];
    for _ in 0..ROUNDS {
        for intermediary in &mut intermediaries {
            intermediary.measure()?;
        }
    }
    let [ours, socat, direct] = intermediaries
        .each_ref()
        .map(|intermediary| median(&intermediary.speeds));
    let speed = Figure::new(BENCH, "relay", ours, "Gbit/s");
    report(speed.clone().beside("socat", socat));
    report(speed.beside("nothing in between", direct));
    report(Figure::new(BENCH, "socat", socat, "Gbit/s"));
    report(Figure::new(BENCH, "nothing in between", direct, "Gbit/s"));
    let [cost, other] = [0, 1].map(|index: usize| median(&intermediaries[index].costs));
    report(Figure::new(BENCH, "relay, processor", cost, "s/Gbit").beside("socat", other));
    if let Some(relay) = &intermediaries[0].program {
        let resident = resident_kib(relay.id())? / 1024.0;
        report(Figure::new(BENCH, "relay, resident", resident, "MiB"));
    }
    Ok(())
}

impl Intermediary {
    fn new(name: &'static str, program: Option<Program>, arguments: Vec<String>) -> Self {
        Self {
            name,
            program,
            arguments,
            speeds: Vec::new(),
            costs: Vec::new(),
        }
    }

    fn measure(&mut self) -> Result<()> {
        let used = || {
            self.program
                .as_ref()
                .map_or(Ok(0.0), |program| cpu_seconds(program.id()))
        };
        let before = used()?;
        let output = run(Command::new(artifacts::relay_load()?).args(&self.arguments))
            .with_context(|| format!("a load through {}", self.name))?;
        let load: Load = serde_json::from_str(&output)?;
        let cost = (used()? - before) / load.gbit;
        self.speeds.push(load.gbit / load.seconds);
        self.costs.push(cost);
        Ok(())
    }
}

fn relay(lab: &Lab) -> Result<Intermediary> {
    let directory = lab.directory("relay")?;
    let program = Program::start(
        &mut command(artifacts::relay_load()?, ["serve"]),
        &directory,
        "relay",
    )?;
    let serving: RelayAddress = eventually_blocking("the relay serves", seconds(10.0), || {
        Ok(serde_json::from_str(&program.output()?)?)
    })?;
    let [one, other] = serving.tickets;
    let arguments = ["send".into(), LENGTH.into(), serving.address, one, other];
    Ok(Intermediary::new("the relay", Some(program), arguments.into()))
}

fn socat(lab: &Lab) -> Result<Intermediary> {
    let directory = lab.directory("socat")?;
    let (from, to) = ("UDP4-RECV:7001,bind=127.0.0.1", format!("UDP4-SENDTO:{ARRIVES}"));
    let program = Program::start(&mut command("socat", ["-u", from, &to]), &directory, "socat")?;
    let arguments = ["plain", LENGTH, ARRIVES, FORWARDED].map(str::to_owned);
    Ok(Intermediary::new("socat", Some(program), arguments.into()))
}

fn nothing() -> Intermediary {
    let arguments = ["plain", LENGTH, ARRIVES, ARRIVES].map(str::to_owned);
    Intermediary::new("nothing", None, arguments.into())
}

fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    percentile(&values, 50)
}
