//! Sums over the fleet, and over how many of its devices.

use flotilla_protocol::device::{Device, DeviceStatus};

/// The figures of the summary strip. Usage is summed over the devices that report it now.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sums {
    pub devices: usize,
    pub online: usize,
    pub offline: usize,
    pub pending: usize,
    pub reporting: usize,
    pub running: u64,
    pub unhealthy: u64,
    pub cpu: (f64, f64),
    pub memory: (u64, u64),
    pub disk: (u64, u64),
}

impl Sums {
    #[must_use]
    pub fn of<'a>(devices: impl Iterator<Item = &'a Device>) -> Self {
        let mut sums = Self::default();
        for device in devices.filter(|device| device.status != DeviceStatus::Revoked) {
            sums.add(device);
        }
        sums
    }

    fn add(&mut self, device: &Device) {
        self.devices += 1;
        self.running += u64::from(device.containers.running);
        self.unhealthy += u64::from(device.containers.unhealthy);
        match device.status {
            DeviceStatus::Online => self.online += 1,
            DeviceStatus::Pending => self.pending += 1,
            _ => self.offline += 1,
        }
        if let (DeviceStatus::Online, Some(usage), Some(facts)) =
            (device.status, &device.usage, &device.facts)
        {
            self.reporting += 1;
            self.cpu.0 += f64::from(usage.cpu_cores);
            self.cpu.1 += f64::from(facts.cpus);
            self.memory.0 += usage.memory_bytes;
            self.memory.1 += facts.memory_bytes;
            self.disk.0 += usage.disk_bytes;
            self.disk.1 += facts.disk_bytes;
        }
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
        let fleet = [
            device("a", DeviceStatus::Online),
            stale,
            device("gone", DeviceStatus::Revoked),
        ];
        let sums = Sums::of(fleet.iter());
        assert_eq!(
            (sums.devices, sums.online, sums.offline, sums.reporting),
            (2, 1, 1, 1)
        );
        assert_eq!((sums.cpu, sums.running), ((1.5, 4.0), 3));
    }
}
