//! `start-up`: how soon control is ready and a device online, and how much memory an idle agent uses.

use std::time::{Duration, Instant};

use anyhow::Result;

use super::Figure;
use super::process::resident_kib;
use crate::eventually::seconds;
use crate::flotilla::{Agent, Control};
use crate::lab::Lab;

pub async fn start(lab: &Lab, report: &mut impl FnMut(Figure)) -> Result<()> {
    let begun = Instant::now();
    let mut control = Control::start(lab)?;
    report(Figure::new(
        "start-up",
        "control ready, first start",
        begun.elapsed().as_secs_f64(),
        "s",
    ));
    control.stop()?;
    let begun = Instant::now();
    control.start_again()?;
    report(Figure::new(
        "start-up",
        "control ready, again",
        begun.elapsed().as_secs_f64(),
        "s",
    ));

    let added = control.add("nas").await?;
    let begun = Instant::now();
    let mut agent = Agent::start(lab.machine(1), &added)?;
    control.eventually_online("nas", seconds(20.0)).await?;
    report(Figure::new(
        "start-up",
        "agent started to online, enrolling",
        begun.elapsed().as_secs_f64(),
        "s",
    ));
    tokio::time::sleep(Duration::from_secs(10)).await;
    let resident = resident_kib(agent.program().id())? / 1024.0;
    report(Figure::new("start-up", "agent resident, idle", resident, "MiB"));
    Ok(())
}
