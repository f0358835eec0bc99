//! Lists of all devices' containers, images and so on: one table, with the age of rows whose device can't be asked now.

use crate::{
    age::ago,
    args::List as Arguments,
    clock,
    failure::Failure,
    out::{self, Lines},
    table::Table,
};
use flotilla_client::Client;
use flotilla_protocol::{
    Timestamp,
    api::{List, ListContainers, ListImages, ListNetworks, ListStacks, ListVolumes, Request, Row},
    id::DeviceId,
    inventory::{Container, Health, Image, Network, PodRole, Port, Stack, StackFolder, Trouble, Volume},
    name::DeviceName,
    text::shown,
};
use serde::Serialize;

/// Shown for a date or a count that the engine does not tell.
const UNKNOWN: &str = "unknown";

const STANDARD_INPUT: &str = "from standard input";

/// The longest reason in a cell, in characters; the JSON has all of it.
const REASON_CHARS: usize = 60;

/// The most ports in a cell; the JSON has all of them.
const MOST_PORTS: usize = 12;

pub(crate) async fn containers(
    client: &Client,
    Arguments { devices, json }: Arguments,
) -> Result<(), Failure> {
    let heading = [
        "DEVICE",
        "CONTAINER",
        "STATUS",
        "STACK",
        "POD",
        "IMAGE",
        "PORTS",
        "AS OF",
    ];
    show(client, &ListContainers { devices }, json, (heading, container)).await
}

pub(crate) async fn stacks(client: &Client, Arguments { devices, json }: Arguments) -> Result<(), Failure> {
    let heading = ["DEVICE", "STACK", "RUNNING", "SERVICES", "FILES", "AS OF"];
    show(client, &ListStacks { devices }, json, (heading, stack)).await
}

pub(crate) async fn images(client: &Client, Arguments { devices, json }: Arguments) -> Result<(), Failure> {
    let heading = ["DEVICE", "IMAGE", "ID", "SIZE", "CREATED", "USED BY", "AS OF"];
    show(client, &ListImages { devices }, json, (heading, image)).await
}

pub(crate) async fn volumes(client: &Client, Arguments { devices, json }: Arguments) -> Result<(), Failure> {
    let heading = ["DEVICE", "VOLUME", "DRIVER", "STACK", "USED BY", "AS OF"];
    show(client, &ListVolumes { devices }, json, (heading, volume)).await
}

pub(crate) async fn networks(client: &Client, Arguments { devices, json }: Arguments) -> Result<(), Failure> {
    let heading = [
        "DEVICE",
        "NETWORK",
        "DRIVER",
        "SUBNETS",
        "STACK",
        "CONTAINERS",
        "AS OF",
    ];
    show(client, &ListNetworks { devices }, json, (heading, network)).await
}

/// The heading of a list, and the cells of a row beside it: of what, on which device, how old.
type Columns<T, const N: usize> = ([&'static str; N], fn(&T, String, String) -> [String; N]);

async fn show<R, T, const N: usize>(
    client: &Client,
    request: &R,
    json: bool,
    columns: Columns<T, N>,
) -> Result<(), Failure>
where
    R: Request<Response = List<Row<T>>>,
    T: Serialize,
{
    let list = client.send(request).await?;
    print(&flat(&list), json, || {
        table(&list, columns, clock::now()).render()
    })
}

/// Prints a list, and why it is old where it is.
pub(crate) fn print<T: Serialize>(
    list: &List<T>,
    json: bool,
    lines: impl FnOnce() -> Lines,
) -> Result<(), Failure> {
    out::answer(json, list, lines)?;
    if !json {
        let old = list.unreachable_devices.iter();
        old.for_each(|device| out::note(&device.reason));
    }
    Ok(())
}

/// A row as scripts rely on it: the fields of its item stand beside its own.
#[derive(Serialize)]
struct FlatRow<'a, T> {
    device: &'a DeviceName,
    device_id: DeviceId,
    #[serde(flatten)]
    item: &'a T,
    as_of: Timestamp,
}

fn flat<'a, T>(list: &'a List<Row<T>>) -> List<FlatRow<'a, T>> {
    let flat = |row: &'a Row<T>| FlatRow {
        device: &row.device,
        device_id: row.device_id,
        item: &row.item,
        as_of: row.as_of,
    };
    List {
        items: list.items.iter().map(flat).collect(),
        unreachable_devices: list.unreachable_devices.clone(),
        seq: list.seq,
    }
}

/// The age of a row of a device that can't be asked. A row of a device that answers is true now, however long ago it
/// last changed.
pub(crate) fn age<T>(list: &List<T>, device: &DeviceName, as_of: Timestamp, now: Timestamp) -> String {
    let mut unreachable = list.unreachable_devices.iter();
    let is_old = unreachable.any(|unreachable| unreachable.device == *device);
    if is_old { ago(as_of, now) } else { String::new() }
}

fn table<T, const N: usize>(
    list: &List<Row<T>>,
    (heading, cells): Columns<T, N>,
    now: Timestamp,
) -> Table<N> {
    let rows = list.items.iter().map(|row| {
        let age = age(list, &row.device, row.as_of, now);
        cells(&row.item, row.device.to_string(), age)
    });
    Table::of(heading, rows)
}

fn container(container: &Container, device: String, age: String) -> [String; 8] {
    [
        device,
        container.name.clone(),
        status_of(container),
        container.stack.clone().unwrap_or_default(),
        container.pod.map(pod).unwrap_or_default().to_owned(),
        container.image.clone(),
        ports(&container.ports),
        age,
    ]
}

/// The container's part in the pod of its device.
fn pod(role: PodRole) -> &'static str {
    match role {
        PodRole::Pause => "pause",
        PodRole::Member => "member",
        PodRole::Unknown => "",
    }
}

/// The container's state, with what is wrong with it.
fn status_of(container: &Container) -> String {
    let mut status = container.status.clone();
    status += match container.health {
        Health::Unhealthy => " (unhealthy)",
        Health::Starting => " (health: starting)",
        Health::None | Health::Healthy | Health::Unknown => "",
    };
    if container.trouble() == Some(Trouble::NotStarted) {
        let failure = container.failure.as_deref().unwrap_or_default();
        status += &format!(", could not be started: {}", shown(failure, REASON_CHARS));
    }
    if let Some(unread) = &container.unread {
        status += &format!(" (not read: {})", shown(unread, REASON_CHARS));
    }
    status
}

/// The ports, each once: an engine publishes a port once for IPv4 and once for IPv6.
fn ports(ports: &[Port]) -> String {
    let mut words: Vec<_> = ports.iter().map(Port::to_string).collect();
    words.dedup();
    let more = words.len().saturating_sub(MOST_PORTS);
    words.truncate(MOST_PORTS);
    words.extend((more > 0).then(|| format!("and {more} more")));
    words.join(", ")
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
        files(stack),
        age,
    ]
}

/// The stack's Compose files. Two folders under one name are told apart here, because Compose does not.
fn files(stack: &Stack) -> String {
    let paths = |paths: &[String]| -> String {
        let words = paths
            .iter()
            .map(|path| if path == "-" { STANDARD_INPUT } else { path });
        words.collect::<Vec<_>>().join(", ")
    };
    if stack.folders.is_empty() {
        return paths(&stack.config_files);
    }
    let each = stack.folders.iter().map(|folder| {
        let StackFolder {
            path, config_files, ..
        } = folder;
        format!("{path} ({})", paths(config_files))
    });
    let each: Vec<_> = each.collect();
    format!("{} folders use this name: {}", each.len(), each.join(", "))
}

fn image(image: &Image, device: String, age: String) -> [String; 7] {
    [
        device,
        name_of(image),
        short(&image.id),
        size(image.size_bytes),
        image.created.map_or_else(|| UNKNOWN.to_owned(), date),
        image
            .used_by
            .map_or_else(|| UNKNOWN.to_owned(), |count| count.to_string()),
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

/// The image's tags; where it has none, its repository and digest.
fn name_of(image: &Image) -> String {
    if !image.tags.is_empty() {
        return image.tags.join(", ");
    }
    let mut digests = image.digests.iter();
    let by_digest = digests.find_map(|digest| {
        let (repository, digest) = digest.split_once('@')?;
        Some(format!("{repository}@{}", short(digest)))
    });
    by_digest.unwrap_or_else(|| "<none>".to_owned())
}

/// The day of a moment.
fn date(moment: Timestamp) -> String {
    moment.to_string().chars().take(10).collect()
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
