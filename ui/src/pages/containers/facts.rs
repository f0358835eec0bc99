//! The facts of a container in the panel.

use super::pod::addresses;
use crate::{
    components::{
        badge::Status,
        facts::{Fact, Value},
    },
    copy::{containers as copy, pods},
    format,
    pages::inventory_table::{Details, date, device_link},
    store::use_store,
    tables::containers::ports::published,
};
use flotilla_protocol::{
    api::Row,
    inventory::{Container, PodRole},
};

/// What the panel says of a container.
pub(crate) fn details(row: &Row<Container>) -> Details {
    let container = &row.item;
    Details {
        name: container.name.clone(),
        facts: vec![
            Fact::new(copy::STATE, Status::of_container(container)),
            Fact::new(copy::DEVICE, device_link(row)),
            Fact::new(copy::STACK, container.stack.clone()),
            Fact::new(copy::SERVICE, container.service.clone()),
            Fact::new(copy::IMAGE, Value::mono(&container.image)),
            Fact::new(copy::PORTS, published(container, false)),
            Fact::new(pods::POD, pod(row)),
            Fact::new(copy::NOT_STARTED, container.failure.clone()),
            Fact::new(copy::NOT_READ, container.unread.clone()),
            Fact::new(copy::STARTED, container.started),
            Fact::new(copy::FINISHED, container.finished),
            Fact::new(copy::CREATED, date(container.created)),
            Fact::new(copy::RESTARTS, container.restarts.to_string()),
            Fact::new(copy::NETWORKS, container.networks.clone()),
            Fact::new(copy::VOLUMES, container.volumes.clone()),
            Fact::new(copy::ID, Value::mono(format::short_id(&container.id))),
        ],
    }
}

/// The role of the container in its device's pod, and its addresses there.
fn pod(row: &Row<Container>) -> Vec<String> {
    let Some(role) = row.item.pod else {
        return Vec::new();
    };
    let device = use_store().lookup_device(&row.device_id.to_string());
    let ip = device.map(|device| device.mesh_ip);
    let what = match role {
        PodRole::Pause => pods::HOLDS,
        _ if row.item.is_agent => pods::IS_AGENT,
        _ => "",
    };
    let own = ip.map(|ip| addresses(ip, &row.item)).unwrap_or_default();
    let own = own.iter().map(super::pod::Address::words);
    [pods::at(ip), what.to_owned()]
        .into_iter()
        .filter(|line| !line.is_empty())
        .chain(own)
        .collect()
}
