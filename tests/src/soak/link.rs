//! `soak link`: a link is broken in every way that the tests know, 20 times each.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use flotilla_protocol::device::DeviceStatus;

use crate::eventually::{always, seconds};
use crate::fleet::Fleet;
use crate::flotilla::ControlSetup;
use crate::lab::Lab;

/// Rounds of each kind of break.
const TIMES: u32 = 20;

/// How long the cable is pulled at the end: until the device is shown as offline.
const SILENCE: Duration = Duration::from_secs(120);

/// Reports for each break how long the device took to be back.
pub async fn link(lab: &Lab, say: &mut impl FnMut(String)) -> Result<()> {
    let mut fleet = Fleet::start(lab, ControlSetup::new(lab)?).await?;
    for round in 1..=TIMES {
        fleet.agent.kill()?;
        fleet.is_missed().await?;
        let begun = Instant::now();
        fleet.agent = fleet.setup.start(lab.machine(1))?;
        say(format!(
            "agent killed {round}: back after {:.2?}",
            back(&fleet, begun).await?
        ));
    }
    for round in 1..=TIMES {
        fleet.control.kill()?;
        // From half a second to ten seconds.
        always(seconds(f64::from(round) * 0.5), async || Ok(())).await?;
        let begun = Instant::now();
        fleet.control.start_again()?;
        say(format!(
            "control killed {round}: back after {:.2?}",
            back(&fleet, begun).await?
        ));
    }
    for round in 1..=TIMES {
        lab.machine(1).pull_cable()?;
        always(seconds(f64::from(round) * 3.0), async || Ok(())).await?;
        lab.machine(1).plug_cable()?;
        let begun = Instant::now();
        say(format!(
            "cable pulled {round}: back after {:.2?}",
            back(&fleet, begun).await?
        ));
    }
    lab.machine(1).pull_cable()?;
    always(SILENCE, async || Ok(())).await?;
    ensure!(
        fleet.control.device("nas").await?.status == DeviceStatus::Offline,
        "it is not missed"
    );
    lab.machine(1).plug_cable()?;
    let begun = Instant::now();
    say(format!(
        "two minutes of silence: back after {:.2?}",
        back(&fleet, begun).await?
    ));
    fleet.agent.program().ensure_running()
}

/// Waits until the device is back with its container; returns the time since `since`.
async fn back(fleet: &Fleet, since: Instant) -> Result<Duration> {
    fleet.is_back().await?;
    Ok(since.elapsed())
}
