//! `mesh-narrow`: one TCP stream over lines with a smaller MTU than Ethernet, each beside a line of 1,500 bytes in the
//! same round, with and without ICMP errors of routers. Gbit per second of processor time vary less than Gbit/s with
//! other load of the computer.

use anyhow::{Result, ensure};

use super::Figure;
use super::mesh::{median, processor_time};
use crate::dataplane::{Ends, Transfer, Underlay};
use crate::lab::{IcmpErrors, Lab};

const BENCH: &str = "mesh-narrow";

/// The MTU of a line, the IP version under the tunnel, whether routers send ICMP errors, and the largest packet that
/// then fits through the tunnel.
pub type Line = (u16, Underlay, IcmpErrors, u16);

/// The lines that are measured. The others are compared with the first.
pub const LINES: [Line; 9] = [
    (1500, Underlay::V4, IcmpErrors::Sent, 1420),
    (1460, Underlay::V4, IcmpErrors::Sent, 1400),
    (1460, Underlay::V4, IcmpErrors::Dropped, 1400),
    (1400, Underlay::V4, IcmpErrors::Sent, 1340),
    (1400, Underlay::V4, IcmpErrors::Dropped, 1340),
    (1380, Underlay::V4, IcmpErrors::Sent, 1320),
    (1380, Underlay::V4, IcmpErrors::Dropped, 1320),
    (1492, Underlay::V6, IcmpErrors::Sent, 1412),
    (1492, Underlay::V6, IcmpErrors::Dropped, 1412),
];

/// How many turns each line has; the median counts.
const ROUNDS: u8 = 3;

/// Seconds of each transfer.
const LENGTH: u32 = 4;

pub fn narrow(lab: &Lab, report: &mut impl FnMut(Figure)) -> Result<()> {
    let [mut speeds, mut yields] = [(); 2].map(|()| LINES.map(|_| Vec::new()));
    for round in 0..ROUNDS {
        for (number, (line, underlay, routers, carries)) in (0..).zip(LINES) {
            lab.set_line(line, routers)?;
            let pair = round * 9 + number;
            let ends = Ends::at_line(lab, underlay, pair)?;
            for end in [&ends.near, &ends.far] {
                end.eventually_carries(carries)?;
            }
            let before = processor_time(&ends)?;
            let arrived = Transfer::tcp(LENGTH, 1).run(&ends)?;
            speeds[usize::from(number)].push(arrived.gbit_per_second);
            yields[usize::from(number)].push(arrived.gbit / (processor_time(&ends)? - before));
        }
    }
    ensure!(lab.fragments()? == 0, "there were fragments");
    for (figures, what, unit) in [(speeds, "", "Gbit/s"), (yields, ", yield", "Gbit/s of processor")] {
        let wide = figures[0].clone();
        for ((line, underlay, routers, carries), figures) in LINES.into_iter().zip(figures) {
            let icmp = match routers {
                IcmpErrors::Sent => "routers tell",
                IcmpErrors::Dropped => "routers keep silent",
            };
            let ratios = figures.iter().zip(&wide).map(|(figure, wide)| figure / wide);
            let ratio = median(ratios.collect());
            let figure = median(figures);
            let name = format!("{line} under {underlay:?}, {icmp}, packets of {carries}{what}");
            report(Figure::new(BENCH, name, figure, unit).beside("a line of 1500", figure / ratio));
        }
    }
    Ok(())
}
