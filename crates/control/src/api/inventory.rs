//! The fan-out tables: containers, stacks, images, volumes and networks of all devices, answered from the cache.

use super::caller::{Asks, find_device};
use crate::{
    cache::{self, Listable},
    core::Core,
    refusal::Refusal,
};
use axum::{
    Json,
    extract::{RawQuery, State},
};
use flotilla_protocol::{
    Code,
    api::{List, Row},
    id::DeviceId,
    inventory::{Container, Image, Network, Stack, Volume},
};
use std::sync::Arc;

macro_rules! fan_out {
    ($name:ident, $item:ty) => {
        pub(super) async fn $name(
            State(core): State<Arc<Core>>,
            asks: Asks,
            RawQuery(query): RawQuery,
        ) -> Result<Json<List<Row<$item>>>, Refusal> {
            list(&core, &asks, query.as_deref()).map(Json)
        }
    };
}
fan_out!(containers, Container);
fan_out!(stacks, Stack);
fan_out!(images, Image);
fan_out!(volumes, Volume);
fan_out!(networks, Network);

fn list<T: Listable>(core: &Core, asks: &Asks, query: Option<&str>) -> Result<List<Row<T>>, Refusal> {
    let now = core.clock.now();
    let state = core.cache.lock();
    let devices = named_devices(&state, asks, query)?;
    Ok(state.list_rows(devices.as_deref(), &asks.scope(), now, |at| core.clock.moment(at)))
}

/// The devices that a query names; `None` when it names none, which means all devices.
pub(super) fn named_devices(
    state: &cache::State,
    asks: &Asks,
    query: Option<&str>,
) -> Result<Option<Vec<DeviceId>>, Refusal> {
    let mut named = Vec::new();
    for (key, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        if key != "device" {
            return Err(Refusal(
                Code::InvalidInput.because(format!("\"{key}\" is no filter here. Use device=NAME.")),
            )
            .with_field(key));
        }
        let entry = find_device(state, (&asks.caller, asks.verb), &value)?;
        named.push(entry.row.id);
    }
    Ok((!named.is_empty()).then_some(named))
}
