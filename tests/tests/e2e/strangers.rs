//! A control that may have 1,024 files and is besieged by 2,000 strangers: its owner is answered, its links hold, and
//! its devices come in.

use anyhow::{Result, ensure};
use flotilla_link::raise_file_limit;
use flotilla_tests::eventually::seconds;
use flotilla_tests::flotilla::ControlSetup;
use flotilla_tests::lab::{Lab, on};
use flotilla_tests::strangers::{Siege, Sources};

const FILES: u64 = 1024;
const STRANGERS: usize = 2000;

#[test]
fn two_thousand_strangers_at_a_control_of_few_files_deafen_it_to_nobody() -> Result<()> {
    // Of this process, which is all the strangers.
    raise_file_limit();
    on(Lab::without_engines(0)?, async |lab| {
        let control = ControlSetup::new(lab)?.with_files(FILES).start()?;
        let siege = Siege::prepare(&control).await?;
        for from in [Sources::One, Sources::Many] {
            let report = siege.run(from, STRANGERS, seconds(8.0)).await?;
            let p99 = report.api_p99();
            println!(
                "{STRANGERS} strangers, from {from:?}: API p99 {p99:.1} ms of {}, devices at most {:.2?} s of {}",
                report.api.len(),
                report.slowest,
                report.connected
            );
            // Of a hundred milliseconds and of two seconds, where nothing else is at work.
            ensure!(p99 < 1000.0, "the API took {p99:.0} ms");
            ensure!(
                report.slowest.iter().all(|slowest| *slowest < 10.0),
                "{:?}",
                report.slowest
            );
        }
        Ok(())
    })
}
