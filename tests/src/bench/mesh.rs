//! `mesh-throughput` and `mesh-latency`: our data plane beside wireguard-go and boringtun-cli. They take turns in one run
//! on the same two machines, so that other load of the computer affects all of them alike.
//!
//! Gbit/s vary with the computer's load; Gbit per second of processor time (of both ends together) hardly do.

use std::fs;

use anyhow::{Context, Result};

use super::process::{cpu_seconds, resident_kib};
use super::{Figure, percentile};
use crate::dataplane::{Ends, Implementation, Transfer, Underlay, round_trips};
use crate::lab::Lab;

const IMPLEMENTATIONS: [Implementation; 3] = [
    Implementation::Ours,
    Implementation::WireguardGo,
    Implementation::Boringtun,
];

/// How many turns each program has; the median counts.
const ROUNDS: usize = 3;

/// Seconds of each transfer.
const LENGTH: u32 = 4;

pub fn throughput(lab: &Lab, report: &mut impl FnMut(Figure)) -> Result<()> {
    const BENCH: &str = "mesh-throughput";
    let pairs = pairs(lab)?;
    for streams in [1, 4] {
        let [mut speed, mut cost] = [(); 2].map(|()| IMPLEMENTATIONS.map(|_| Vec::new()));
        for _ in 0..ROUNDS {
            for (index, ends) in pairs.iter().enumerate() {
                let before = processor_time(ends)?;
                let arrived = Transfer::tcp(LENGTH, streams).run(ends)?;
                speed[index].push(arrived.gbit_per_second);
                cost[index].push((processor_time(ends)? - before) / arrived.gbit);
            }
        }
        let [speed, cost] = [speed, cost].map(|all| all.map(median));
        for (index, implementation) in IMPLEMENTATIONS.iter().enumerate() {
            let ending = if streams == 1 { "" } else { "s" };
            let name = |what: &str| format!("{}, {streams} stream{ending}{what}", name(*implementation));
            let beside = |figure: Figure, go: f64| match implementation {
                Implementation::Ours => figure.beside("wireguard-go", go),
                _ => figure,
            };
            report(beside(
                Figure::new(BENCH, name(""), speed[index], "Gbit/s"),
                speed[1],
            ));
            report(Figure::new(BENCH, name(", processor"), cost[index], "s/Gbit"));
            let per_second = Figure::new(BENCH, name(", yield"), 1.0 / cost[index], "Gbit/s of processor");
            report(beside(per_second, 1.0 / cost[1]));
        }
    }
    for (implementation, ends) in IMPLEMENTATIONS.iter().zip(&pairs) {
        let peak = peak_kib(ends.far.program.id())? / 1024.0;
        report(Figure::new(
            BENCH,
            format!("{}, resident at most", name(*implementation)),
            peak,
            "MiB",
        ));
    }
    Ok(())
}

pub fn latency(lab: &Lab, report: &mut impl FnMut(Figure)) -> Result<()> {
    const BENCH: &str = "mesh-latency";
    let pairs = pairs(lab)?;
    let mut times = IMPLEMENTATIONS.map(|_| Vec::new());
    for _ in 0..ROUNDS {
        for (index, ends) in pairs.iter().enumerate() {
            times[index].extend(round_trips(ends, 300, "0.01")?.0);
        }
    }
    let medians = times.map(median);
    for (index, implementation) in IMPLEMENTATIONS.iter().enumerate() {
        let round_trip = Figure::new(
            BENCH,
            format!("{}, round trip", name(*implementation)),
            medians[index],
            "us",
        );
        report(match implementation {
            Implementation::Ours => round_trip.beside("wireguard-go", medians[1]),
            _ => round_trip,
        });
        let resident = resident_kib(pairs[index].far.program.id())? / 1024.0;
        report(Figure::new(
            BENCH,
            format!("{}, resident, idle", name(*implementation)),
            resident,
            "MiB",
        ));
    }
    Ok(())
}

/// Starts two ends of each implementation, all on the same two machines.
fn pairs(lab: &Lab) -> Result<Vec<Ends<'_>>> {
    let machines = [lab.machine(1), lab.machine(2)];
    let start = |(number, implementation): (u8, Implementation)| {
        Ends::start(machines, [implementation; 2], Underlay::V4, number)
    };
    (0..).zip(IMPLEMENTATIONS).map(start).collect()
}

fn name(implementation: Implementation) -> &'static str {
    match implementation {
        Implementation::Ours => "flotilla",
        Implementation::WireguardGo => "wireguard-go",
        Implementation::Boringtun => "boringtun-cli",
        Implementation::Gotatun => "gotatun",
    }
}

pub(super) fn processor_time(ends: &Ends<'_>) -> Result<f64> {
    Ok(cpu_seconds(ends.near.program.id())? + cpu_seconds(ends.far.program.id())?)
}

pub(super) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    percentile(&values, 50)
}

fn peak_kib(process: u32) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .context("no VmHWM")?;
    Ok(line.trim().trim_end_matches(" kB").trim().parse()?)
}
