//! The computer that control runs on, which is a device like any other once its agent enrolls.

use super::{
    offer::{new_row, offer},
    parse_name,
};
use crate::{
    change::{Change, Effect, Effects, policy},
    core::Core,
    store::NewActivity,
};
use flotilla_fleet::enrollment;
use flotilla_protocol::{
    activity::{Action, Actor},
    enroll::ConfigFile,
};

/// Makes an offer for the computer that control runs on; `None` when it is enrolled.
pub(crate) async fn local_enrollment(core: &Core, hostname: &str) -> Change<Option<ConfigFile>> {
    let _write_guard = core.write_lock.lock().await;
    let this_computer = core
        .cache
        .lock()
        .devices()
        .find(|entry| entry.row.this_computer)
        .cloned();
    let (row, action) = match this_computer {
        Some(entry) if entry.row.enrolled.is_some() && entry.row.revoked.is_none() => {
            return Ok((None, Effects::default()));
        }
        Some(entry) => (entry.row, Action::DeviceRotated),
        None => {
            let mut row = new_row(core, &local_name(core, hostname))?;
            row.this_computer = true;
            (row, Action::DeviceAdded)
        }
    };
    let config = offer(core, row, enrollment::USUAL).await?;
    let details = "This computer got a token for its own agent.";
    let record = NewActivity::new(Actor::Control, action, details).on(config.device_id, &config.device_name);
    let mut effects = policy::apply_starting_policy(core).await?;
    effects.0.insert(0, Effect::Record(record));
    Ok((Some(config), effects))
}

/// A free device name made from the host name, or a proposed one when no usable letter is left of it.
fn local_name(core: &Core, hostname: &str) -> String {
    let label = hostname
        .split('.')
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    let mapped: String = label
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .take(60)
        .collect();
    // Systems without a name call themselves so.
    let name = match mapped.trim_matches('-') {
        "localhost" | "none" => "",
        name => name,
    };
    let numbered = (2..100).map(|n| format!("{name}-{n}"));
    let mut candidates = std::iter::once(name.to_owned()).chain(numbered);
    candidates
        .find(|name| parse_name(core, name, None).is_ok())
        .unwrap_or_else(|| core.propose_name())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::devices::add;
    use crate::{effects::complete, testbed::Testbed};
    use flotilla_fleet::access::Caller;
    use flotilla_protocol::api::AddDevice;
    use std::collections::BTreeSet;

    #[tokio::test]
    async fn a_computer_that_is_called_like_a_device_gets_a_number() {
        let bed = Testbed::new().await;
        let device = |name: &str| AddDevice {
            name: Some(name.to_owned()),
            ..AddDevice::default()
        };
        for (taken, expected) in [("nas", "nas-2"), ("nas-2", "nas-3")] {
            complete(&bed.core, add(&bed.core, &Caller::owner(), device(taken)))
                .await
                .unwrap();
            assert_eq!(local_name(&bed.core, "NAS.local."), expected);
        }
        let config = local_enrollment(&bed.core, "nas");
        let config = complete(&bed.core, config).await.unwrap().unwrap();
        assert_eq!(config.device_name.as_str(), "nas-3");
        let addresses: BTreeSet<_> = bed
            .core
            .cache
            .lock()
            .devices()
            .map(|entry| entry.row.mesh_ip)
            .collect();
        assert_eq!(addresses.len(), 3);
        // A long host name is cut to 60 characters, so that a number fits behind it when the name is taken.
        let long = "a".repeat(64);
        complete(&bed.core, add(&bed.core, &Caller::owner(), device(&long[..60])))
            .await
            .unwrap();
        assert_eq!(local_name(&bed.core, &long), format!("{}-2", &long[..60]));
    }

    #[tokio::test]
    async fn whatever_this_computer_is_called_its_device_has_a_name_that_people_can_say() {
        let long = "a".repeat(64);
        for (hostname, expected) in [
            ("NAS.local.", Some("nas")),
            ("K\u{fc}che", Some("k-che")),
            (&long, Some(&long[..60])),
            ("localhost", None),
            ("localhost.localdomain", None),
            ("", None),
            ("(none)", None),
            ("...", None),
            ("\u{65e5}\u{672c}", None),
        ] {
            let bed = Testbed::new().await;
            let config = local_enrollment(&bed.core, hostname);
            let config = complete(&bed.core, config).await.unwrap().unwrap();
            let name = config.device_name.as_str();
            match expected {
                Some(expected) => assert_eq!(name, expected),
                None => assert!(
                    name.contains('-') && name != "localhost",
                    "{hostname:?} became {name}"
                ),
            }
        }
    }
}
