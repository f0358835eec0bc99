//! Memory and processor time of a process, as the kernel counts them.

use std::fs;

use anyhow::{Context, Result};

/// Resident memory in KiB.
pub fn resident_kib(process: u32) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .context("no VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").trim().parse()?)
}

/// Processor time used so far, in seconds.
pub fn cpu_seconds(process: u32) -> Result<f64> {
    ticks(process, 11)
}

/// Processor time of the programs that this one started and that have ended, in seconds.
pub fn ended_cpu_seconds() -> Result<f64> {
    ticks(std::process::id(), 13)
}

/// The sum of a field behind the name of the process and the one after it: time of the program and of the system for it.
fn ticks(process: u32, first: usize) -> Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
    let fields: Vec<_> = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    let ticks = |field: usize| -> Result<f64> { Ok(fields.get(field).context("a short stat")?.parse()?) };
    Ok((ticks(first)? + ticks(first + 1)?) / rustix::param::clock_ticks_per_second() as f64)
}
