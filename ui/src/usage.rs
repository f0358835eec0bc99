//! How much of a device is in use. A value that the device did not report has no figure.

use crate::format;
use flotilla_protocol::device::Device;

/// A resource of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    Cpu,
    Memory,
    Disk,
}

/// The used and the whole amount, in cores or bytes; `None` before the device reported both.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "a share needs no last digit")]
pub fn share(device: &Device, measure: Measure) -> Option<(f64, f64)> {
    let (usage, facts) = device.usage.as_ref().zip(device.facts.as_ref())?;
    let (used, all) = match measure {
        Measure::Cpu => (f64::from(usage.cpu_cores), f64::from(facts.cpus)),
        Measure::Memory => (usage.memory_bytes as f64, facts.memory_bytes as f64),
        Measure::Disk => (usage.disk_bytes as f64, facts.disk_bytes as f64),
    };
    (all > 0.0).then_some((used, all))
}

/// Both amounts in words: "1.5 of 4 cores", "9.8 GiB of 16 GiB".
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "bytes that came from whole numbers"
)]
pub fn amounts(measure: Measure, (used, all): (f64, f64)) -> String {
    let of = |words: fn(u64) -> String| format!("{} of {}", words(used as u64), words(all as u64));
    match measure {
        Measure::Cpu => format!("{used:.1} of {all:.0} cores"),
        Measure::Memory => of(format::memory),
        Measure::Disk => of(format::disk),
    }
}

/// Share and amounts, "61 %, 9.8 GiB of 16 GiB", or a dash where they are unknown.
#[must_use]
pub fn words(device: &Device, measure: Measure) -> String {
    share(device, measure).map_or_else(
        || format::NOTHING.to_owned(),
        |share| {
            format!(
                "{}, {}",
                format::percent(share.0, share.1),
                amounts(measure, share)
            )
        },
    )
}

/// The used share in whole percent.
#[must_use]
pub fn percent(device: &Device, measure: Measure) -> Option<u8> {
    share(device, measure).map(|(used, all)| format::share(used, all))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::dashboard::tests::device;
    use flotilla_protocol::device::{DeviceStatus, Usage};

    #[test]
    fn what_is_not_reported_is_a_dash_and_never_0() {
        let mut silent = device("nas", DeviceStatus::Online);
        silent.usage = None;
        assert_eq!(
            (percent(&silent, Measure::Cpu), words(&silent, Measure::Cpu)),
            (None, "–".to_owned())
        );
        // Its agent reports no disk.
        let odd = device("nas", DeviceStatus::Online);
        assert_eq!(words(&odd, Measure::Disk), "–");
        let mut idle = device("nas", DeviceStatus::Online);
        idle.usage = Some(Usage::default());
        assert_eq!(words(&idle, Measure::Cpu), "0 %, 0.0 of 4 cores");
    }
}
