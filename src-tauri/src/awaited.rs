//! Finds in the live stream when a pending device comes online for the first time, for a notification. This computer is
//! left out: its own agent starts with the shell.

use flotilla_protocol::{
    api::{LiveFrame, Resource, ResourceRef},
    device::{Device, DeviceStatus},
    id::DeviceId,
    name::DeviceName,
};
use std::collections::BTreeSet;

/// Devices that are pending.
#[derive(Debug, Default)]
pub(crate) struct AwaitedDevices {
    awaited: BTreeSet<DeviceId>,
}

impl AwaitedDevices {
    /// Starts over with the whole list, after frames were missed.
    pub(crate) fn load(&mut self, devices: &[Device]) {
        let pending = devices
            .iter()
            .filter(|device| device.status == DeviceStatus::Pending && !device.this_computer);
        self.awaited = pending.map(|device| device.id).collect();
    }

    /// The device that this frame brings online for the first time.
    pub(crate) fn handle_frame(&mut self, frame: &LiveFrame) -> Option<DeviceName> {
        if let Some(ResourceRef::Device { device_id }) = &frame.remove {
            self.awaited.remove(device_id);
        }
        let Some(Resource::Device(device)) = &frame.upsert else {
            return None;
        };
        match device.status {
            DeviceStatus::Pending => {
                if !device.this_computer {
                    self.awaited.insert(device.id);
                }
                None
            }
            DeviceStatus::Online => self.awaited.remove(&device.id).then(|| device.name.clone()),
            DeviceStatus::Revoked | DeviceStatus::Quarantined => {
                self.awaited.remove(&device.id);
                None
            }
            DeviceStatus::Reconnecting | DeviceStatus::Offline | DeviceStatus::Unknown => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(status: &str) -> Device {
        serde_json::from_value(serde_json::json!({
            "id": "01937c5e-7b1a-7c3e-8b9e-0123456789ab", "name": "nas", "status": status, "cordoned": false,
            "draining": false, "attention": [], "mesh_ip": "100.64.0.7", "mode": "host", "relay": "auto", "tags": [],
            "as_of": "2026-01-02T03:04:05Z", "created": "2026-01-01T00:00:00Z",
        }))
        .unwrap()
    }

    fn after(awaited: &mut AwaitedDevices, status: &str) -> Option<String> {
        let upsert = Some(Resource::Device(Box::new(device(status))));
        let frame = LiveFrame {
            seq: 1,
            upsert,
            remove: None,
            reset: false,
        };
        awaited.handle_frame(&frame).map(String::from)
    }

    #[test]
    fn a_pending_device_is_news_once_when_it_comes_online() {
        let mut awaited = AwaitedDevices::default();
        assert_eq!(after(&mut awaited, "pending"), None);
        assert_eq!(after(&mut awaited, "online"), Some("nas".into()));
        assert_eq!(after(&mut awaited, "online"), None);
        assert_eq!(after(&mut awaited, "reconnecting"), None);
        assert_eq!(after(&mut awaited, "online"), None);
    }

    #[test]
    fn a_device_that_was_pending_before_the_stream_began_is_news_too() {
        let mut awaited = AwaitedDevices::default();
        awaited.load(&[device("pending")]);
        assert_eq!(after(&mut awaited, "offline"), None);
        assert_eq!(after(&mut awaited, "online"), Some("nas".into()));
        awaited.load(&[device("online")]);
        assert_eq!(after(&mut awaited, "online"), None);
    }

    #[test]
    fn this_computer_is_no_news() {
        let mut awaited = AwaitedDevices::default();
        let own = |status: &str| Device {
            this_computer: true,
            ..device(status)
        };
        awaited.load(&[own("pending")]);
        for status in ["pending", "online"] {
            let upsert = Some(Resource::Device(Box::new(own(status))));
            let frame = LiveFrame {
                seq: 1,
                upsert,
                remove: None,
                reset: false,
            };
            assert_eq!(awaited.handle_frame(&frame), None);
        }
    }

    #[test]
    fn a_revoked_device_is_no_longer_awaited() {
        let mut awaited = AwaitedDevices::default();
        after(&mut awaited, "pending");
        after(&mut awaited, "revoked");
        assert_eq!(after(&mut awaited, "online"), None);
    }
}
