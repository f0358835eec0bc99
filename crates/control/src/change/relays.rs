//! Devices that relay other devices' packets: the owner promotes them, their settings tell them so, and every map lists
//! them.

use super::{Change, Effect, Effects};
use crate::{
    cache::{ClosedReason, DeviceEntry},
    core::Core,
    refusal::Refusal,
    store::{NewActivity, Relaying},
};
use flotilla_fleet::access::Caller;
use flotilla_protocol::{
    Code, activity::Action, agent::RELAY_MBIT_PER_SECOND, api::RelayChange, endpoint::Endpoint, id::DeviceId,
};

/// The port of a relay when its owner names none: firewalls that let links pass let it pass.
const PORT: u16 = 7443;

/// The largest limit in Mbit/s: that of the fastest line that a device can have.
const FASTEST: u32 = 100_000;

/// Makes a device a relay, or ends that.
pub(crate) async fn promote(
    core: &Core,
    caller: &Caller,
    device: DeviceId,
    change: RelayChange,
) -> Change<()> {
    let _write_guard = core.write_lock.lock().await;
    let entry = core.device(device)?;
    let relaying = if change.relay {
        Some(requested_relaying(&entry, &change)?)
    } else {
        None
    };
    let mut row = entry.row;
    if row.relaying == relaying {
        return Ok(((), Effects::default()));
    }
    row.relaying.clone_from(&relaying);
    core.store.save_device(&row).await?;
    let now = core.clock.now();
    core.cache.lock().set_row(&row, now);
    let (action, details) = match &relaying {
        Some(relaying) => (
            Action::RelayStarted,
            format!(
                "It passes packets on at port {}, up to {} Mbit/s.",
                relaying.port, relaying.mbit_per_second
            ),
        ),
        None => (Action::RelayEnded, "It passes nothing on any more.".to_owned()),
    };
    let record = NewActivity::new(caller.actor(), action, details).on(row.id, &row.name);
    let effects = vec![Effect::SendSettings(row.id), Effect::Record(record)];
    Ok(((), Effects(effects)))
}

fn requested_relaying(entry: &DeviceEntry, requested: &RelayChange) -> Result<Relaying, Refusal> {
    let name = &entry.row.name;
    if entry.row.enrolled.is_none() || entry.row.revoked.is_some() {
        return Err(Refusal(Code::Conflict.because(format!(
            "{name} is not enrolled, so it can't be a relay. Enroll it first."
        ))));
    }
    if entry.row.this_computer {
        return Err(Refusal(Code::Conflict.because(
            "The controller runs a relay on this computer already. Choose another device.",
        )));
    }
    if let Some(closed) = entry.closed_reason() {
        let why = match closed {
            ClosedReason::Bridge => "uses Bridge networking",
            ClosedReason::DockerDesktop => "has host networking of Docker Desktop's virtual machine",
        };
        return Err(Refusal(Code::Conflict.because(format!(
            "{name} {why}, so nothing can reach a relay on it. Choose a device with Host networking."
        ))));
    }
    let port = requested.port.unwrap_or(PORT);
    // The port after it answers the second reflexive probe, so there must be one.
    if port == 0 || port == u16::MAX {
        return Err(Refusal::invalid("port", "Choose a port from 1 to 65534."));
    }
    let address = requested
        .address
        .as_deref()
        .map(|text| address(text, port))
        .transpose()?;
    let mbit_per_second = requested.mbit_per_second.unwrap_or(RELAY_MBIT_PER_SECOND);
    if !(1..=FASTEST).contains(&mbit_per_second) {
        let why = format!("Choose a limit from 1 to {FASTEST} Mbit/s.");
        return Err(Refusal::invalid("mbit_per_second", why));
    }
    Ok(Relaying {
        port,
        address,
        mbit_per_second,
    })
}

/// Parses `HOST` or `HOST:PORT`; without a port, the relay's own is meant.
fn address(text: &str, port: u16) -> Result<Endpoint, Refusal> {
    let text = text.trim();
    if let Ok(ip) = text.trim_matches(['[', ']']).parse() {
        return Ok(Endpoint::from_ip(ip, port));
    }
    let parsed = if text.contains(':') {
        text.parse::<Endpoint>()
    } else {
        format!("{text}:{port}").parse()
    };
    parsed.map_err(|error| Refusal::invalid("address", error.to_string()))
}
