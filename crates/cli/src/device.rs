//! `flotilla device …`: a device's life from pending to removed.

use crate::{
    age::ago,
    args::{DeviceCommand, TagEdit},
    clock,
    failure::Failure,
    out, show,
    table::Table,
};
use flotilla_client::Client;
use flotilla_protocol::{
    Timestamp,
    api::{DeviceChange, GetDevice, ListDevices, RemoveDevice, RevokeDevice, TagChange, UpdateDevice},
    device::{Device, DeviceStatus, RelayPreference},
    name::Tag,
};

mod add;
mod mode;
mod push;

pub(crate) async fn run(client: &Client, command: DeviceCommand) -> Result<(), Failure> {
    match command {
        DeviceCommand::Add(arguments) => add::add(client, arguments).await,
        DeviceCommand::Rotate(arguments) => add::rotate(client, arguments).await,
        DeviceCommand::List { json } => list(client, json).await,
        DeviceCommand::Show { name, json } => show(client, name, json).await,
        DeviceCommand::Revoke { name } => revoke(client, name).await,
        DeviceCommand::Remove { name } => remove(client, name).await,
        DeviceCommand::Tag { name, changes } => tag(client, name, changes).await,
        DeviceCommand::Relay { name, preference } => relay(client, name, preference).await,
        DeviceCommand::Mode(arguments) => mode::change(client, arguments).await,
        DeviceCommand::KeepHost { name } => mode::keep_host(client, name).await,
        DeviceCommand::Vouch { name } => vouch(client, name).await,
        DeviceCommand::Push(arguments) => push::push(client, arguments).await,
        DeviceCommand::Rename { name, new } => rename(client, name, new.to_string()).await,
    }
}

async fn list(client: &Client, json: bool) -> Result<(), Failure> {
    let devices = client.send(&ListDevices).await?;
    Ok(out::answer(json, &devices, || {
        table(&devices.items, clock::now()).render()
    })?)
}

fn table(devices: &[Device], now: Timestamp) -> Table<8> {
    let mut table = Table::new([
        "NAME",
        "STATUS",
        "MESH ADDRESS",
        "MODE",
        "TAGS",
        "CONTAINERS",
        "AGENT",
        "LAST SEEN",
    ]);
    for device in devices {
        let last_seen = match device.status {
            DeviceStatus::Online => "now".to_owned(),
            _ => device.last_seen.map(|at| ago(at, now)).unwrap_or_default(),
        };
        table.push([
            device.name.to_string(),
            status(device),
            device.mesh_ip.to_string(),
            device.mode.to_string(),
            join(&device.tags),
            containers(device),
            device.agent_version.clone().unwrap_or_default(),
            last_seen,
        ]);
    }
    table
}

/// The device's status, with a mark where it needs attention.
pub(crate) fn status(device: &Device) -> String {
    let attention = if device.needs_attention() { " (!)" } else { "" };
    format!("{}{attention}", device.status)
}

/// `RUNNING/TOTAL` containers; empty before the device reported an engine.
fn containers(device: &Device) -> String {
    let counts = device.containers;
    let known = device.engine.as_ref();
    known.map_or_else(String::new, |_| format!("{}/{}", counts.running, counts.total))
}

pub(crate) fn join(tags: &[Tag]) -> String {
    tags.iter().map(Tag::as_str).collect::<Vec<_>>().join(", ")
}

async fn show(client: &Client, name: String, json: bool) -> Result<(), Failure> {
    let device = client.send(&GetDevice { device: name }).await?;
    Ok(out::answer(json, &device, || {
        show::device(&device, clock::now(), &clock::zone())
    })?)
}

async fn revoke(client: &Client, name: String) -> Result<(), Failure> {
    let device = client.send(&RevokeDevice { device: name }).await?;
    Ok(out::line(&format!(
        "{} is revoked. Its agent can never connect again.",
        device.name
    ))?)
}

async fn remove(client: &Client, name: String) -> Result<(), Failure> {
    let message = format!("{name} is removed.");
    client.send(&RemoveDevice { device: name }).await?;
    Ok(out::line(&message)?)
}

async fn update(client: &Client, device: String, change: DeviceChange) -> Result<Device, Failure> {
    Ok(client.send(&UpdateDevice { device, change }).await?)
}

async fn tag(client: &Client, name: String, edits: Vec<TagEdit>) -> Result<(), Failure> {
    let mut change = TagChange::default();
    for edit in edits {
        match edit {
            TagEdit::Add(tag) => change.add.push(tag.to_string()),
            TagEdit::Remove(tag) => change.remove.push(tag.to_string()),
        }
    }
    let change = DeviceChange {
        tags: Some(change),
        ..DeviceChange::default()
    };
    let device = update(client, name, change).await?;
    let message = match device.tags.as_slice() {
        [] => format!("{} has no tags.", device.name),
        tags => format!("{} is tagged {}.", device.name, join(tags)),
    };
    Ok(out::line(&message)?)
}

async fn relay(client: &Client, name: String, preference: RelayPreference) -> Result<(), Failure> {
    let change = DeviceChange {
        relay: Some(preference),
        ..DeviceChange::default()
    };
    let device = update(client, name, change).await?;
    Ok(out::line(&format!(
        "Access relay of {} is {}.",
        device.name, device.relay
    ))?)
}

async fn rename(client: &Client, name: String, new: String) -> Result<(), Failure> {
    let message = format!("{name} is now called {new}.");
    let change = DeviceChange {
        name: Some(new),
        ..DeviceChange::default()
    };
    update(client, name, change).await?;
    Ok(out::line(&message)?)
}

async fn vouch(client: &Client, name: String) -> Result<(), Failure> {
    let change = DeviceChange {
        vouched: Some(true),
        ..DeviceChange::default()
    };
    let device = update(client, name, change).await?;
    Ok(out::line(&format!(
        "{} is one machine, whatever its machine id says. It is back within two minutes.",
        device.name
    ))?)
}

#[cfg(test)]
mod tests;
