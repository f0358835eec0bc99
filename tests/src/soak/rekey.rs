//! `soak rekey`: bursts of pings with random pauses, while WireGuard makes new keys every two minutes and forgets the old
//! ones after three (WireGuard paper §6.1). A pause may end shortly before or after either moment, when a ping may find
//! no key.

use std::ops::RangeInclusive;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::dataplane::{Ends, Implementation, Underlay, round_trips};
use crate::eventually::seconds;
use crate::lab::Lab;

/// For how long pings are sent.
const TIME: Duration = Duration::from_secs(300);

/// Seconds between two bursts.
const PAUSES: RangeInclusive<f64> = 1.0..=40.0;

/// Pings in a burst.
const BURST: u32 = 5;

/// Runs between two of our data planes and between ours and wireguard-go, at the same time. Fails at the first ping
/// without an answer.
pub fn rekey(lab: &Lab, say: &(impl Fn(String) + Sync)) -> Result<()> {
    let pairs = [
        [Implementation::Ours, Implementation::Ours],
        [Implementation::Ours, Implementation::WireguardGo],
    ];
    thread::scope(|scope| {
        let running: Vec<_> = pairs
            .into_iter()
            .zip(0..)
            .map(|(implementations, number)| {
                scope.spawn(move || {
                    let machines = [lab.machine(1), lab.machine(2)];
                    let ends = Ends::start(machines, implementations, Underlay::V4, number)?;
                    pair(&ends, &|text| say(format!("{implementations:?}: {text}")))
                })
            })
            .collect();
        for pair in running {
            pair.join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        }
        Ok(())
    })
}

fn pair(ends: &Ends<'_>, say: &impl Fn(String)) -> Result<()> {
    let begun = Instant::now();
    let (mut requests, mut slowest) = (0, 0.0_f64);
    while begun.elapsed() < TIME {
        let pause = rand::random_range(PAUSES);
        // WireGuard changes its keys by time alone, so there is no event to wait for.
        thread::sleep(seconds(pause));
        let (times, lost) = round_trips(ends, BURST, "0.2")?;
        requests += BURST;
        slowest = slowest.max(times.last().copied().unwrap_or_default());
        ensure!(
            lost == 0,
            "{lost} of {BURST} requests lost after a pause of {pause:.1} s, {:.0?} after the start",
            begun.elapsed()
        );
        say(format!(
            "{BURST} answers after {pause:.1} s, the slowest in {:.1} ms",
            times.last().copied().unwrap_or_default() / 1e3
        ));
    }
    say(format!(
        "{requests} requests in {:.0?}, none lost, the slowest in {:.1} ms",
        begun.elapsed(),
        slowest / 1e3
    ));
    Ok(())
}
