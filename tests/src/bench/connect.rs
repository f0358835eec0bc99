//! `connect-time`: how soon the first byte arrives between two devices, each behind a router, and how soon the path
//! between them is of its final kind; beside a TCP connection without a mesh out through the first of these routers.
//!
//! Each round starts a new fleet, so that no router and no device remembers an earlier round. The devices have not sent
//! each other anything before the first byte, but may have begun to probe each other, which they do once they have
//! their maps.

use std::time::Instant;

use anyhow::Result;
use flotilla_protocol::path::PathKind;

use super::{Figure, percentile};
use crate::eventually::seconds;
use crate::lab::{Lab, Nat, echo, on, ping};
use crate::mesh_fleet::{MeshFleet, OPEN};

const BENCH: &str = "connect-time";

const ROUNDS: usize = 20;

/// The kind of both routers, and the kind of the best path between them.
const NETWORKS: [(Nat, PathKind); 2] = [(Nat::Cone, PathKind::Direct), (Nat::Symmetric, PathKind::Relayed)];

/// Times of all rounds, in milliseconds.
#[derive(Debug, Default)]
struct Times {
    without: Vec<f64>,
    first_byte: Vec<f64>,
    final_path: Vec<f64>,
}

pub fn connect(report: &mut impl FnMut(Figure)) -> Result<()> {
    for (nat, kind) in NETWORKS {
        let mut times = Times::default();
        for _ in 0..ROUNDS {
            on(Lab::on_internet(&[nat, nat])?, async |lab| {
                round(lab, kind, &mut times).await
            })?;
        }
        for all in [&mut times.without, &mut times.first_byte, &mut times.final_path] {
            all.sort_by(f64::total_cmp);
        }
        for percent in [50, 95] {
            let figure = |what: &str, sorted: &[f64]| {
                let name = format!("{nat} to {nat}, {what}, p{percent}");
                Figure::new(BENCH, name, percentile(sorted, percent), "ms")
            };
            let without = percentile(&times.without, percent);
            report(figure("first byte", &times.first_byte).beside("TCP without a mesh", without));
            report(figure(path_name(kind), &times.final_path));
            report(figure("first byte without a mesh", &times.without));
        }
    }
    Ok(())
}

async fn round(lab: &Lab, kind: PathKind, times: &mut Times) -> Result<()> {
    let fleet = MeshFleet::start(lab).await?;
    let [from, to] = [lab.machine(1), lab.machine(2)];
    let outside = (*lab.control().ip(), OPEN);
    echo(outside)?;
    let begun = Instant::now();
    ping(&mut from.connect(outside, seconds(5.0))?)?;
    times.without.push(begun.elapsed().as_secs_f64() * 1000.0);

    let (_stream, first_byte) = fleet.first_byte(from, to, seconds(5.0))?;
    let final_path = fleet.eventually_by(kind, from, to, seconds(10.0)).await?;
    times.first_byte.push(first_byte.as_secs_f64() * 1000.0);
    times
        .final_path
        .push((first_byte + final_path).as_secs_f64() * 1000.0);
    Ok(())
}

fn path_name(kind: PathKind) -> &'static str {
    match kind {
        PathKind::Direct => "direct",
        _ => "relayed",
    }
}
