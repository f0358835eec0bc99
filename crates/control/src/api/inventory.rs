//! The fan-out tables: containers, stacks, images, volumes and networks of all devices, answered from the cache.

use super::caller::{Answer, Asks};
use crate::{
    cache::{self, Listable},
    refusal::Refusal,
};
use axum::{Json, extract::RawQuery};
use flotilla_protocol::{
    api::{List, Row},
    id::DeviceId,
    inventory::{Container, Image, Network, Stack, Volume},
};

macro_rules! fan_out {
    ($name:ident, $item:ty) => {
        pub(super) async fn $name(asks: Asks, RawQuery(query): RawQuery) -> Answer<List<Row<$item>>> {
            list(&asks, query.as_deref())
        }
    };
}
fan_out!(containers, Container);
fan_out!(stacks, Stack);
fan_out!(images, Image);
fan_out!(volumes, Volume);
fan_out!(networks, Network);

fn list<T: Listable>(asks: &Asks, query: Option<&str>) -> Answer<List<Row<T>>> {
    let core = &asks.core;
    let now = core.clock.now();
    let state = core.cache.lock();
    let devices = named_devices(&state, asks, query)?;
    let rows = state.list_rows(devices.as_deref(), &asks.scope(), now, |at| core.clock.moment(at));
    Ok(Json(rows))
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
            let why = format!("\"{key}\" is no filter here. Use device=NAME.");
            return Err(Refusal::invalid(key, why));
        }
        named.push(asks.find(state, &value)?.row.id);
    }
    Ok((!named.is_empty()).then_some(named))
}
