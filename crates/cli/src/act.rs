//! `start`, `stop`, `restart`, `pod`: one container of one device.

use crate::{args::PodCommand, failure::Failure, out};
use flotilla_client::{Client, Error};
use flotilla_protocol::{
    agent::PodPlacement,
    api::{ActOnContainer, ListContainers, PlaceInPod, Request},
    inventory::{Container, ContainerAction, find_container},
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

/// An action, and the word that tells that it is done.
pub(crate) struct Verb(ContainerAction, &'static str);

pub(crate) const START: Verb = Verb(ContainerAction::Start, "started");
pub(crate) const STOP: Verb = Verb(ContainerAction::Stop, "stopped");
pub(crate) const RESTART: Verb = Verb(ContainerAction::Restart, "restarted");

pub(crate) async fn run(client: &Client, target: Target, verb: Verb) -> Result<(), Failure> {
    let Target { device, container } = target;
    let message = format!("{container} on {device} is {}.", verb.1);
    let action = verb.0;
    client
        .send(&ActOnContainer {
            device,
            container,
            action,
        })
        .await?;
    Ok(out::line(&message)?)
}

/// The calls of control that a command makes, so that a test can play control.
trait Control {
    async fn ask<R: Request>(&self, request: &R) -> Result<R::Response, Error>;
}

impl Control for Client {
    async fn ask<R: Request>(&self, request: &R) -> Result<R::Response, Error> {
        self.send(request).await
    }
}

pub(crate) async fn place(client: &Client, command: PodCommand) -> Result<(), Failure> {
    let message = move_container(client, command, out::note).await?;
    Ok(out::line(&message)?)
}

/// Moves a container and returns what was done. `note` gets what the container loses, before it is moved, and then each
/// step.
async fn move_container(
    control: &impl Control,
    command: PodCommand,
    note: impl Fn(&str),
) -> Result<String, Failure> {
    let (target, member, place) = match command {
        PodCommand::Add { target } => (target, true, "in the pod"),
        PodCommand::Remove { target } => (target, false, "out of the pod"),
    };
    let Target { device, container } = target;
    let message = format!("{container} on {device} is {place}.");
    let placement = PodPlacement { member };
    if member {
        let devices = vec![device.clone()];
        let all = control.ask(&ListContainers { devices }).await?.items;
        let all: Vec<_> = all.into_iter().map(|row| row.item).collect();
        losses(&all, &container).iter().for_each(|loss| note(loss));
    }
    let place = PlaceInPod {
        device,
        container,
        placement,
    };
    // A container may take minutes to stop. Each request waits as long as an answer may take, and the device goes on
    // also when this command is ended.
    while let Some(doing) = control.ask(&place).await?.goes_on {
        note(&doing);
    }
    Ok(message)
}

/// Sentences about what a container loses by going into the pod; it is the one that control finds by this text.
fn losses(all: &[Container], text: &str) -> Vec<String> {
    let Ok(container) = find_container(all.iter(), text) else {
        return Vec::new();
    };
    let found = container.found_as.iter();
    found.map(|found| found.loss(&container.name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use std::cell::RefCell;

    /// Plays control, and keeps what it was asked for beside what people were told.
    #[derive(Default)]
    struct Played {
        answers: RefCell<Vec<Value>>,
        story: RefCell<Vec<String>>,
    }

    impl Control for Played {
        async fn ask<R: Request>(&self, request: &R) -> Result<R::Response, Error> {
            self.story
                .borrow_mut()
                .push(format!("{} {}", R::METHOD.as_str(), request.path()));
            let answer = self.answers.borrow_mut().remove(0);
            Ok(serde_json::from_value(answer).unwrap())
        }
    }

    fn row(id: &str, name: &str, found_as: &Value) -> Value {
        json!({
            "device": "nas", "device_id": "01937c5e-7b1a-7c3e-8b9e-0123456789ab", "as_of": "2026-01-02T03:04:05Z",
            "id": id, "name": name, "image": "postgres:17", "state": "running", "status": "Running", "health": "none",
            "ports": [], "found_as": found_as,
        })
    }

    #[tokio::test]
    async fn what_a_container_loses_in_the_pod_is_said_before_it_is_moved() {
        let others = json!([{"network": "shop", "names": ["x"], "neighbors": []}]);
        let own = json!([{"network": "media", "names": ["db", "cafe"], "neighbors": ["web"]}]);
        let list = json!({"items": [row("cafe01", "other", &others), row("d00d", "cafe", &own)], "unreachable_devices": []});
        let control = Played {
            answers: vec![list, json!({"goes_on": "cafe is made anew."}), json!({})].into(),
            ..Played::default()
        };
        let target = "nas/cafe".parse().unwrap();
        let note = |text: &str| control.story.borrow_mut().push(text.to_owned());
        let message = move_container(&control, PodCommand::Add { target }, note)
            .await
            .unwrap();
        assert_eq!(message, "cafe on nas is in the pod.");
        let place = "POST /devices/nas/containers/cafe/pod";
        let expected = [
            "GET /containers?device=nas",
            "On network media, it will no longer be found as db, cafe by web, and cafe will no longer find them by their names.",
            place,
            "cafe is made anew.",
            place,
        ];
        assert_eq!(*control.story.borrow(), expected);
    }

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
