//! Fan-out lists: one table over all devices, with the age of what cannot be asked now.

use crate::{age::ago, args::List as Arguments, clock, failure::Failure, out, table::Table};
use flotilla_client::Client;
use flotilla_protocol::{
    Timestamp,
    api::{List, ListContainers, ListImages, ListNetworks, ListStacks, ListVolumes, Request, Row},
    inventory::{Container, Health, Image, Network, PodRole, Port, Stack, Volume},
};
use serde::Serialize;

pub(crate) async fn containers(client: &Client, list: Arguments) -> Result<(), Failure> {
    let request = ListContainers {
        devices: list.devices,
    };
    show(
        client,
        &request,
        list.json,
        [
            "DEVICE",
            "CONTAINER",
            "STATUS",
            "STACK",
            "POD",
            "IMAGE",
            "PORTS",
            "AS OF",
        ],
        container,
    )
    .await
}

pub(crate) async fn stacks(client: &Client, list: Arguments) -> Result<(), Failure> {
    let request = ListStacks {
        devices: list.devices,
    };
    show(
        client,
        &request,
        list.json,
        ["DEVICE", "STACK", "RUNNING", "SERVICES", "FILES", "AS OF"],
        stack,
    )
    .await
}

pub(crate) async fn images(client: &Client, list: Arguments) -> Result<(), Failure> {
    let request = ListImages {
        devices: list.devices,
    };
    show(
        client,
        &request,
        list.json,
        ["DEVICE", "IMAGE", "ID", "SIZE", "USED BY", "AS OF"],
        image,
    )
    .await
}

pub(crate) async fn volumes(client: &Client, list: Arguments) -> Result<(), Failure> {
    let request = ListVolumes {
        devices: list.devices,
    };
    show(
        client,
        &request,
        list.json,
        ["DEVICE", "VOLUME", "DRIVER", "STACK", "USED BY", "AS OF"],
        volume,
    )
    .await
}

pub(crate) async fn networks(client: &Client, list: Arguments) -> Result<(), Failure> {
    let request = ListNetworks {
        devices: list.devices,
    };
    show(
        client,
        &request,
        list.json,
        [
            "DEVICE",
            "NETWORK",
            "DRIVER",
            "SUBNETS",
            "STACK",
            "CONTAINERS",
            "AS OF",
        ],
        network,
    )
    .await
}

async fn show<R, T, const N: usize>(
    client: &Client,
    request: &R,
    json: bool,
    heading: [&'static str; N],
    cells: fn(&T, String, String) -> [String; N],
) -> Result<(), Failure>
where
    R: Request<Response = List<Row<T>>>,
    T: Serialize,
{
    let list = client.send(request).await?;
    if json {
        return Ok(out::json(&list)?);
    }
    out::print(&table(&list, heading, cells, clock::now()).render())?;
    for device in &list.unreachable_devices {
        out::note(&device.reason);
    }
    Ok(())
}

fn table<T, const N: usize>(
    list: &List<Row<T>>,
    heading: [&'static str; N],
    cells: fn(&T, String, String) -> [String; N],
    now: Timestamp,
) -> Table<N> {
    let mut table = Table::new(heading);
    for row in &list.items {
        let stale = list
            .unreachable_devices
            .iter()
            .any(|unreachable| unreachable.device == row.device);
        // A row of a device that answers is true now, however long ago it last changed.
        let age = if stale { ago(row.as_of, now) } else { String::new() };
        table.push(cells(&row.item, row.device.to_string(), age));
    }
    table
}

fn container(container: &Container, device: String, age: String) -> [String; 8] {
    let status = match container.health {
        Health::Unhealthy => format!("{} (unhealthy)", container.status),
        Health::Starting => format!("{} (health: starting)", container.status),
        Health::None | Health::Healthy | Health::Unknown => container.status.clone(),
    };
    let mut ports: Vec<_> = container.ports.iter().map(port).collect();
    ports.dedup();
    [
        device,
        container.name.clone(),
        status,
        container.stack.clone().unwrap_or_default(),
        container.pod.map(pod).unwrap_or_default().to_owned(),
        container.image.clone(),
        ports.join(", "),
        age,
    ]
}

/// Its part in the pod of its device.
fn pod(role: PodRole) -> &'static str {
    match role {
        PodRole::Pause => "pause",
        PodRole::Member => "member",
        PodRole::Unknown => "",
    }
}

/// `5432`, `8080→80`, `53/udp`. The address is left out: it is nearly always all of them, once for IPv4 and once for IPv6.
fn port(port: &Port) -> String {
    let protocol = if port.protocol == "tcp" {
        String::new()
    } else {
        format!("/{}", port.protocol)
    };
    match port.public {
        Some(public) if public != port.private => format!("{public}→{}{protocol}", port.private),
        _ => format!("{}{protocol}", port.private),
    }
}

fn stack(stack: &Stack, device: String, age: String) -> [String; 6] {
    let unhealthy = match stack.unhealthy {
        0 => String::new(),
        count => format!(" ({count} unhealthy)"),
    };
    [
        device,
        stack.name.clone(),
        format!("{}/{}{unhealthy}", stack.running, stack.total),
        stack.services.join(", "),
        stack.config_files.join(", "),
        age,
    ]
}

fn image(image: &Image, device: String, age: String) -> [String; 6] {
    let tags = if image.tags.is_empty() {
        "<none>".to_owned()
    } else {
        image.tags.join(", ")
    };
    [
        device,
        tags,
        short(&image.id),
        size(image.size_bytes),
        image.used_by.to_string(),
        age,
    ]
}

fn volume(volume: &Volume, device: String, age: String) -> [String; 6] {
    let used_by = volume.used_by.join(", ");
    [
        device,
        volume.name.clone(),
        volume.driver.clone(),
        volume.stack.clone().unwrap_or_default(),
        used_by,
        age,
    ]
}

fn network(network: &Network, device: String, age: String) -> [String; 7] {
    [
        device,
        network.name.clone(),
        network.driver.clone(),
        network.subnets.join(", "),
        network.stack.clone().unwrap_or_default(),
        network.containers.join(", "),
        age,
    ]
}

/// The part of an id that people compare.
fn short(id: &str) -> String {
    id.strip_prefix("sha256:")
        .unwrap_or(id)
        .chars()
        .take(12)
        .collect()
}

/// Bytes in powers of ten, as engines print image sizes.
pub(crate) fn size(bytes: u64) -> String {
    let mut value = bytes as f64;
    let mut unit = "B";
    for larger in ["kB", "MB", "GB", "TB"] {
        if value < 1000.0 {
            break;
        }
        value /= 1000.0;
        unit = larger;
    }
    if unit == "B" || value >= 100.0 {
        format!("{value:.0} {unit}")
    } else {
        format!("{value:.1} {unit}")
    }
}

#[cfg(test)]
mod tests;
