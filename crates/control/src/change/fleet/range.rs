//! Moves the mesh to another range. Every device keeps its place in it: the device at .7 stays at .7.

use crate::{
    cache::{State, overlaps},
    refusal::Refusal,
    store::{DeviceRow, FleetRow},
};
use flotilla_fleet::Cidr;
use flotilla_protocol::{Code, cidr::IpRange};

/// Allowed prefixes. Wider ranges take more addresses than a fleet needs, and narrower ones have no room for it.
const PREFIXES: std::ops::RangeInclusive<u8> = 8..=24;

/// The fleet and its devices in another range; `None` when it is the present range. `local` are the networks of the
/// computer that control runs on.
pub(crate) fn move_range(
    state: &State,
    text: &str,
    local: &[Cidr],
) -> Result<Option<(Cidr, FleetRow, Vec<DeviceRow>)>, Refusal> {
    let refused = |message: String| Refusal::new(Code::InvalidInput, message).with_field("mesh_cidr");
    let range: Cidr = text.trim().parse().map_err(|_| {
        refused("Write an IPv4 range as ADDRESS/PREFIX, for example 100.71.0.0/16.".to_owned())
    })?;
    if range.to_string() == state.fleet.mesh_cidr {
        return Ok(None);
    }
    if !PREFIXES.contains(&range.prefix()) {
        return Err(refused(
            "Choose a mesh range with a prefix from /8 to /24, for example 100.71.0.0/16.".to_owned(),
        ));
    }
    if !IpRange::from(range).is_private() {
        return Err(refused(format!(
            "{range} is not private, so devices would lose what is there on the internet. Choose a range inside 100.64.0.0/10, 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16."
        )));
    }
    let old: Cidr = state
        .fleet
        .mesh_cidr
        .parse()
        .map_err(|_| Refusal::new(Code::Internal, "The present mesh range is no range."))?;
    // This computer may have a route to the present mesh range, being on the mesh itself.
    let is_last_resort = |route: &Cidr| IpRange::from(*route).is_last_resort();
    let in_the_way = |route: &&Cidr| !is_last_resort(route) && **route != old && route.overlaps(&range);
    if let Some(route) = local.iter().find(in_the_way) {
        return Err(refused(format!(
            "This computer's network already uses {route}, which overlaps {range}. Choose another range."
        )));
    }
    refuse_overlaps(state, range)?;
    let moved = state.devices().map(|entry| {
        let mesh_ip = range.moved(entry.row.mesh_ip, &old).ok_or_else(|| {
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
        mesh_cidr: range.to_string(),
        ..state.fleet.clone()
    };
    Ok(Some((range, fleet, rows)))
}

/// Refuses a range that would cut a device off from its own networks.
fn refuse_overlaps(state: &State, range: Cidr) -> Result<(), Refusal> {
    let text = range.to_string();
    let present: Option<IpRange> = state.fleet.mesh_cidr.parse().ok();
    let cut_off = state.devices().filter(|entry| {
        // A device that enrolled again already has a route to the mesh's present range.
        let others: Vec<_> = entry
            .row
            .routes
            .iter()
            .filter(|route| Some(**route) != present)
            .copied()
            .collect();
        entry.row.revoked.is_none() && overlaps(&others, &text)
    });
    let names: Vec<_> = cut_off.map(|entry| entry.row.name.as_str()).collect();
    if names.is_empty() {
        return Ok(());
    }
    Err(Refusal::new(
        Code::Conflict,
        format!("Local networks of these devices overlap {range}, and joining would cut them off: {}. Choose another range.", names.join(", ")),
    )
    .with_field("mesh_cidr"))
}
