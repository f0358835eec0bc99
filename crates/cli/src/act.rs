//! `start`, `stop`, `restart`, `pod`: one container of one device.

use crate::{args::PodCommand, failure::Failure, out};
use flotilla_client::Client;
use flotilla_protocol::{
    agent::PodPlacement,
    api::{ActOnContainer, ListContainers, PlaceInPod},
    inventory::{Container, ContainerAction},
};
use std::str::FromStr;

/// `DEVICE/CONTAINER`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    device: String,
    container: String,
}

/// The text does not name a device and a container.
#[derive(Debug, thiserror::Error)]
#[error("write DEVICE/CONTAINER, for example nas/postgres")]
pub(crate) struct InvalidTarget;

impl FromStr for Target {
    type Err = InvalidTarget;

    fn from_str(text: &str) -> Result<Self, InvalidTarget> {
        match text.split_once('/') {
            Some((device, container)) if !device.is_empty() && !container.is_empty() => Ok(Self {
                device: device.to_owned(),
                container: container.to_owned(),
            }),
            _ => Err(InvalidTarget),
        }
    }
}

/// What is done, and the word for its having been done.
pub(crate) struct Verb(ContainerAction, &'static str);

pub(crate) const START: Verb = Verb(ContainerAction::Start, "started");
pub(crate) const STOP: Verb = Verb(ContainerAction::Stop, "stopped");
pub(crate) const RESTART: Verb = Verb(ContainerAction::Restart, "restarted");

pub(crate) async fn run(client: &Client, target: Target, verb: Verb) -> Result<(), Failure> {
    let Target { device, container } = target;
    let said = format!("{container} on {device} is {}.", verb.1);
    let action = verb.0;
    client
        .send(&ActOnContainer {
            device,
            container,
            action,
        })
        .await?;
    Ok(out::line(&said)?)
}

pub(crate) async fn place(client: &Client, command: PodCommand) -> Result<(), Failure> {
    let (target, member, place) = match command {
        PodCommand::Add { target } => (target, true, "in the pod"),
        PodCommand::Remove { target } => (target, false, "out of the pod"),
    };
    let Target { device, container } = target;
    let said = format!("{container} on {device} is {place}.");
    let placement = PodPlacement { member };
    if member {
        for loss in losses(client, &device, &container).await? {
            out::note(&loss);
        }
    }
    let place = PlaceInPod {
        device,
        container,
        placement,
    };
    // A container may take minutes to stop. Each request waits as long as an answer may take, and the device goes on
    // also when this command is ended.
    while let Some(doing) = client.send(&place).await?.goes_on {
        out::note(&doing);
    }
    Ok(out::line(&said)?)
}

/// What a container gives up by going into the pod, as control knows it now.
async fn losses(client: &Client, device: &str, container: &str) -> Result<Vec<String>, Failure> {
    let devices = vec![device.to_owned()];
    let all = client.send(&ListContainers { devices }).await?.items;
    let is_it = |it: &Container| it.name == container || it.id.starts_with(container);
    let found = all.into_iter().map(|row| row.item).find(is_it);
    let lost = found.map(|it| it.found_as.iter().map(|found| found.loss(&it.name)).collect());
    Ok(lost.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_names_both() {
        let target: Target = "nas/postgres".parse().unwrap();
        assert_eq!(
            (target.device.as_str(), target.container.as_str()),
            ("nas", "postgres")
        );
        for bad in ["nas", "nas/", "/postgres", ""] {
            assert!(bad.parse::<Target>().is_err(), "{bad}");
        }
    }
}
