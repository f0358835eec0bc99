//! `soak strangers`: sieges of three minutes, in which every time limit of a stranger's connection passes several times.

use std::time::Duration;

use anyhow::{Result, ensure};
use flotilla_link::raise_file_limit;

use crate::bench::process::resident_kib;
use crate::flotilla::ControlSetup;
use crate::lab::Lab;
use crate::strangers::{Siege, Sources};

/// Limit of open files of control, fewer than there are strangers.
const FILES: u64 = 1024;
const STRANGERS: usize = 2000;

/// Length of each siege.
const LENGTH: Duration = Duration::from_secs(180);

/// What the API's p99 and the slowest device may take on a machine without other work.
const API_MS: f64 = 100.0;
const DEVICE_SECONDS: f64 = 2.0;

/// Sieges from one address, from many, and from one again: the last would show what the first left behind.
pub async fn strangers(lab: &Lab, say: &mut impl FnMut(String)) -> Result<()> {
    raise_file_limit();
    let control = ControlSetup::new(lab)?.with_files(FILES).start()?;
    let siege = Siege::prepare(&control).await?;
    for from in [Sources::One, Sources::Many, Sources::One] {
        let report = siege.run(from, STRANGERS, LENGTH).await?;
        let (p99, slowest) = (report.api_p99(), report.slowest);
        say(format!(
            "{STRANGERS} strangers from {from:?} for {LENGTH:?}: API p99 {p99:.1} ms of {}, devices at most {slowest:.2?} s \
             of {}, {:.0} MiB resident",
            report.api.len(),
            report.connected,
            resident_kib(control.process())? / 1024.0
        ));
        ensure!(p99 <= API_MS, "the API took {p99:.0} ms");
        ensure!(
            slowest.iter().all(|slowest| *slowest <= DEVICE_SECONDS),
            "devices took {slowest:?} s"
        );
    }
    Ok(())
}
