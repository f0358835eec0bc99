//! The addresses at which devices reach control.

use crate::{
    advertise,
    change::{Effect, Effects},
    core::Core,
};
use flotilla_protocol::endpoint::Endpoint;

/// Finds again the addresses of this computer and those that people added.
pub(crate) fn find_endpoints(core: &Core) -> Effects {
    let added = core.cache.lock().fleet.added_endpoints.clone();
    set_endpoints(
        core,
        advertise::endpoints(&core.advertised, &added, core.fleet_addr),
    )
}

/// Replaces control's addresses. If that changes them, pages and maps get the new ones, and then agents.
pub(crate) fn set_endpoints(core: &Core, endpoints: Vec<Endpoint>) -> Effects {
    let mut current = core.endpoints.lock();
    if *current == endpoints {
        return Effects::default();
    }
    current.clone_from(&endpoints);
    drop(current);
    core.cache.lock().set_own_endpoints(&endpoints);
    core.publish_fleet();
    Effects(vec![Effect::SendAllSettings])
}
