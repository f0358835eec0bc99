//! An address of the controller with its test and the trials by devices.

use flotilla_protocol::{
    Timestamp,
    api::{Fleet, ReachableAt},
    device::{Device, DeviceStatus},
    endpoint::Endpoint,
};
use std::sync::Arc;

/// An address of the controller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    pub endpoint: Endpoint,
    /// A person added it.
    pub added: bool,
    /// The result of the controller's own test; absent while it runs.
    pub own: Option<ReachableAt>,
    /// The trials by devices, failed ones first, then by name.
    pub trials: Vec<DeviceTrial>,
}

/// The trial of an address by a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceTrial {
    pub device: String,
    pub reached: bool,
    pub reason: Option<String>,
    pub at: Timestamp,
    /// The device reaches the controller by no other address.
    pub only_way: bool,
}

impl Address {
    /// The names of the devices that reached the address, or of those that did not.
    #[must_use]
    pub fn devices(&self, reached: bool) -> Vec<&str> {
        let trials = self.trials.iter().filter(|trial| trial.reached == reached);
        trials.map(|trial| trial.device.as_str()).collect()
    }

    /// The devices that would lose the controller with this address.
    #[must_use]
    pub fn depending(&self) -> Vec<&str> {
        let depending = self.trials.iter().filter(|trial| trial.only_way);
        depending.map(|trial| trial.device.as_str()).collect()
    }

    /// The moment of the newest trial.
    #[must_use]
    pub fn newest(&self) -> Option<Timestamp> {
        self.trials.iter().map(|trial| trial.at).max()
    }
}

/// All addresses in the order in which devices try them.
#[must_use]
pub fn addresses<'a>(
    fleet: &Fleet,
    devices: impl Iterator<Item = &'a Arc<Device>> + Clone,
    tests: &[ReachableAt],
) -> Vec<Address> {
    let address = |endpoint: &Endpoint| {
        let mut trials: Vec<_> = devices
            .clone()
            .filter(|device| is_counted(device))
            .filter_map(|device| trial_of(device, endpoint))
            .collect();
        trials.sort_by(|a, b| (a.reached, &a.device).cmp(&(b.reached, &b.device)));
        Address {
            added: fleet.added_endpoints.contains(endpoint),
            own: tests.iter().find(|test| test.endpoint == *endpoint).cloned(),
            endpoint: endpoint.clone(),
            trials,
        }
    };
    fleet.endpoints.iter().map(address).collect()
}

/// Whether the trials of a device count. Those of the agent on the controller's own computer say nothing about the way
/// to it.
fn is_counted(device: &Device) -> bool {
    !device.this_computer && device.status != DeviceStatus::Revoked
}

fn trial_of(device: &Device, endpoint: &Endpoint) -> Option<DeviceTrial> {
    let trial = device
        .endpoint_trials
        .iter()
        .find(|trial| trial.endpoint == *endpoint)?;
    let ways = device
        .endpoint_trials
        .iter()
        .filter(|trial| trial.reached)
        .count();
    Some(DeviceTrial {
        device: device.name.to_string(),
        reached: trial.reached,
        reason: trial.reason.clone(),
        at: trial.at,
        only_way: trial.reached && ways == 1,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(name: &str, extra: &str) -> Arc<Device> {
        let json = format!(
            r#"{{"id":"01937c5e-7b1a-7c3e-8b9e-0123456789ab","name":"{name}","status":"online","cordoned":false,
            "draining":false,"attention":[],"mesh_ip":"100.64.0.7","mode":"host","relay":"auto","tags":[],
            "as_of":"2026-01-01T00:00:00Z","created":"2026-01-01T00:00:00Z"{extra}}}"#
        );
        Arc::new(serde_json::from_str(&json).unwrap())
    }

    fn trials(first: bool, second: bool) -> String {
        format!(
            r#","endpoint_trials":[
            {{"endpoint":"10.0.0.1:7443","reached":{first},"at":"2026-01-01T00:00:00Z"}},
            {{"endpoint":"vpn.example.org:7443","reached":{second},"reason":"refused","at":"2026-01-01T00:01:00Z"}}]"#
        )
    }

    fn fleet() -> Fleet {
        let pin = format!("sha256//{}=", "A".repeat(43));
        let json = format!(
            r#"{{"id":"01937c5e-7b1a-7c3e-8b9e-0123456789ab","name":null,"version":"1",
            "endpoints":["10.0.0.1:7443","vpn.example.org:7443"],"added_endpoints":["vpn.example.org:7443"],
            "ca_pin":"{pin}","tls_pin":"{pin}","mesh_cidr":"100.64.0.0/16","as_of":"2026-01-01T00:00:00Z"}}"#
        );
        serde_json::from_str(&json).unwrap()
    }

    #[test]
    fn each_address_knows_who_reached_it_and_who_has_no_other() {
        let devices = [
            device("nas", &trials(true, true)),
            device("pi", &trials(false, true)),
            device(
                "desk",
                &format!(r#"{},"this_computer":true"#, trials(true, false)),
            ),
            device("new", ""),
        ];
        let found = addresses(&fleet(), devices.iter(), &[]);
        assert_eq!(found[0].devices(true), ["nas"]);
        assert_eq!(found[0].devices(false), ["pi"]);
        assert!(found[0].depending().is_empty() && !found[0].added);
        assert_eq!(found[1].devices(true), ["nas", "pi"]);
        assert_eq!(found[1].depending(), ["pi"]);
        assert!(found[1].added);
        assert_eq!(found[1].newest(), "2026-01-01T00:01:00Z".parse().ok());
    }

    #[test]
    fn a_revoked_device_says_nothing_any_more() {
        let revoked = device("nas", &trials(true, true)).as_ref().clone();
        let revoked = Arc::new(Device {
            status: DeviceStatus::Revoked,
            ..revoked
        });
        let found = addresses(&fleet(), [revoked].iter(), &[]);
        assert!(found.iter().all(|address| address.trials.is_empty()));
    }
}
