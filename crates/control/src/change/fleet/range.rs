//! Moves the mesh to another range. Every device keeps its place in it: the device at .7 stays at .7.

use crate::{
    cache::{State, overlaps},
    refusal::Refusal,
    store::{DeviceRow, FleetRow},
};
use flotilla_fleet::moved;
use flotilla_protocol::{
    Code,
    cidr::{IpRange, Ipv4Net},
};

/// Allowed prefixes. Wider ranges take more addresses than a fleet needs, and narrower ones have no room for it.
const PREFIXES: std::ops::RangeInclusive<u8> = 8..=24;

/// The fleet and its devices in another range; `None` when it is the present range. `local` are the networks of the
/// computer that control runs on.
pub(crate) fn move_range(
    state: &State,
    text: &str,
    local: &[IpRange],
) -> Result<Option<(Ipv4Net, FleetRow, Vec<DeviceRow>)>, Refusal> {
    let refused = |why: String| Refusal::invalid("mesh_cidr", why);
    let parsed = text.trim().parse::<IpRange>().ok();
    let Some((whole, range)) = parsed.and_then(|range| Some((range, range.v4()?))) else {
        let why = "Write an IPv4 range as ADDRESS/PREFIX, for example 100.71.0.0/16.";
        return Err(refused(why.to_owned()));
    };
    let old = state.fleet.mesh_cidr;
    if range == old {
        return Ok(None);
    }
    if !PREFIXES.contains(&range.prefix_len()) {
        return Err(refused(
            "Choose a mesh range with a prefix from /8 to /24, for example 100.71.0.0/16.".to_owned(),
        ));
    }
    if !whole.is_private() {
        return Err(refused(format!(
            "{range} is not private, so devices would lose what is there on the internet. Choose a range inside 100.64.0.0/10, 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16."
        )));
    }
    // This computer may have a route to the present mesh range, being on the mesh itself.
    let in_the_way =
        |route: &&IpRange| !route.is_last_resort() && **route != old.into() && route.overlaps(&whole);
    if let Some(route) = local.iter().find(in_the_way) {
        return Err(refused(format!(
            "This computer's network already uses {route}, which overlaps {range}. Choose another range."
        )));
    }
    refuse_overlaps(state, range)?;
    let moved = state.devices().map(|entry| {
        let mesh_ip = moved(entry.row.mesh_ip, old, range).ok_or_else(|| {
            refused(format!(
                "{range} is too small: {} has no place in it. Choose a wider range.",
                entry.row.name
            ))
        })?;
        Ok(DeviceRow {
            mesh_ip,
            ..entry.row.clone()
        })
    });
    let rows = moved.collect::<Result<Vec<_>, Refusal>>()?;
    let fleet = FleetRow {
        mesh_cidr: range,
        ..state.fleet.clone()
    };
    Ok(Some((range, fleet, rows)))
}

/// Refuses a range that would cut a device off from its own networks.
fn refuse_overlaps(state: &State, range: Ipv4Net) -> Result<(), Refusal> {
    let present = IpRange::from(state.fleet.mesh_cidr);
    let cut_off = state.devices().filter(|entry| {
        // A device that enrolled again already has a route to the mesh's present range.
        let others: Vec<_> = entry
            .row
            .routes
            .iter()
            .filter(|route| **route != present)
            .copied()
            .collect();
        entry.row.revoked.is_none() && overlaps(&others, range)
    });
    let names: Vec<_> = cut_off.map(|entry| entry.row.name.as_str()).collect();
    if names.is_empty() {
        return Ok(());
    }
    Err(Refusal(Code::Conflict.because(format!("Local networks of these devices overlap {range}, and joining would cut them off: {}. Choose another range.", names.join(", "))))
    .with_field("mesh_cidr"))
}
