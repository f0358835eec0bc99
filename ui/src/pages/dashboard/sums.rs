//! Sums over the devices of the fleet.

use crate::{
    urgency,
    usage::{self, Measure},
};
use flotilla_protocol::device::{Device, DeviceStatus};

/// The figures of the summary strip. Containers and usage are summed over the online devices that report them; usage as
/// the used and the whole amount.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sums {
    pub devices: usize,
    pub online: usize,
    pub offline: usize,
    pub pending: usize,
    pub reporting: usize,
    /// The number of online devices whose engine was reported.
    pub counted: usize,
    pub running: u64,
    pub troubled: usize,
    pub cpu: (f64, f64),
    pub memory: (f64, f64),
    pub disk: (f64, f64),
}

impl Sums {
    #[must_use]
    pub fn of<'a>(devices: impl Iterator<Item = &'a Device>) -> Self {
        let devices: Vec<_> = devices.collect();
        let mut sums = Self {
            troubled: urgency::troubled(devices.iter().copied()),
            ..Self::default()
        };
        for device in devices
            .into_iter()
            .filter(|device| device.status != DeviceStatus::Revoked)
        {
            sums.add(device);
        }
        sums
    }

    fn add(&mut self, device: &Device) {
        self.devices += 1;
        match device.status {
            DeviceStatus::Online => self.online += 1,
            DeviceStatus::Pending => self.pending += 1,
            _ => self.offline += 1,
        }
        if device.status != DeviceStatus::Online {
            return;
        }
        self.counted += usize::from(device.engine.is_some());
        self.running += u64::from(device.containers.running);
        let parts = [
            (Measure::Cpu, &mut self.cpu),
            (Measure::Memory, &mut self.memory),
            (Measure::Disk, &mut self.disk),
        ];
        let mut reports = false;
        for (measure, sum) in parts {
            if let Some((used, all)) = usage::share(device, measure) {
                (sum.0, sum.1) = (sum.0 + used, sum.1 + all);
                reports = true;
            }
        }
        self.reporting += usize::from(reports);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::dashboard::tests::device;

    #[test]
    fn only_devices_that_report_now_are_summed() {
        let mut stale = device("old", DeviceStatus::Offline);
        stale.containers.running = 3;
        let mut current = device("a", DeviceStatus::Online);
        current.containers.running = 2;
        let fleet = [current, stale, device("gone", DeviceStatus::Revoked)];
        let sums = Sums::of(fleet.iter());
        assert_eq!(
            (sums.devices, sums.online, sums.offline, sums.reporting),
            (2, 1, 1, 1)
        );
        assert_eq!((sums.cpu, sums.running), ((1.5, 4.0), 2));
    }
}
