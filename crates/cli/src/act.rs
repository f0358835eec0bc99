//! `start`, `stop`, `restart`, `pause`, `unpause`, `kill`, `recreate`, `rm`, `pod`: containers of devices.

use crate::{
    args::{Containers, Detach, PodCommand, Recreation, Removal},
    failure::Failure,
    jobs, out,
};
use flotilla_client::{Client, Error};
use flotilla_protocol::{
    api::{
        ActOnContainer, ActOnContainers, BeginPlacement, ContainerRef, Job, ListContainers,
        RecreateContainer, RemoveContainers, Request,
    },
    inventory::{Container, ContainerAction, find_container},
};
use std::str::FromStr;

/// `DEVICE/CONTAINER`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) device: String,
    pub(crate) container: String,
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

/// Acts on one container at once, and on several as a job.
pub(crate) async fn run(
    client: &Client,
    containers: Containers,
    action: ContainerAction,
) -> Result<(), Failure> {
    let Containers { targets, detach } = containers;
    let done = action.done();
    if let ([target], false) = (&targets[..], detach.detach) {
        let Target { device, container } = target.clone();
        let message = format!("{container} on {device} is {done}.");
        let act = ActOnContainer {
            device,
            container,
            action,
        };
        client.send(&act).await?;
        return Ok(out::line(&message)?);
    }
    let containers = references(targets);
    let message = format!("{} containers are {done}.", containers.len());
    let job = client.send(&ActOnContainers { action, containers }).await?;
    finish(client, &job, detach, &message).await
}

/// Removes containers as a job.
pub(crate) async fn remove(client: &Client, removal: Removal) -> Result<(), Failure> {
    let Removal { containers, volumes } = removal;
    let Containers { targets, detach } = containers;
    let message = match &targets[..] {
        [Target { device, container }] => format!("{container} on {device} is removed."),
        several => format!("{} containers are removed.", several.len()),
    };
    let containers = references(targets);
    let job = client.send(&RemoveContainers { containers, volumes }).await?;
    finish(client, &job, detach, &message).await
}

/// Recreates a container where it is, as a job.
pub(crate) async fn recreate(client: &Client, recreation: Recreation) -> Result<(), Failure> {
    let Recreation { target, detach } = recreation;
    let Target { device, container } = target;
    let message = format!("{container} on {device} is recreated.");
    let job = client.send(&RecreateContainer { device, container }).await?;
    finish(client, &job, detach, &message).await
}

fn references(targets: Vec<Target>) -> Vec<ContainerRef> {
    let reference = |Target { device, container }| ContainerRef { device, container };
    targets.into_iter().map(reference).collect()
}

/// Follows the job of a command, and says that it is done.
async fn finish(client: &Client, job: &Job, detach: Detach, message: &str) -> Result<(), Failure> {
    match jobs::follow(client, job.id, detach, false).await? {
        Some(_) => Ok(out::line(message)?),
        None => Ok(()),
    }
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
    let (message, detach) = (command.message(), command.detach());
    let job = begin_placement(client, command, out::note).await?;
    finish(client, &job, detach, &message).await
}

impl PodCommand {
    fn message(&self) -> String {
        let (target, place) = match self {
            Self::Add { target, .. } => (target, "in the pod"),
            Self::Remove { target, .. } => (target, "out of the pod"),
        };
        format!("{} on {} is {place}.", target.container, target.device)
    }

    fn detach(&self) -> Detach {
        let (Self::Add { detach, .. } | Self::Remove { detach, .. }) = self;
        *detach
    }
}

/// Begins to move a container. `note` gets what the container loses, before that.
async fn begin_placement(
    control: &impl Control,
    command: PodCommand,
    note: impl Fn(&str),
) -> Result<Job, Failure> {
    let (target, member) = match command {
        PodCommand::Add { target, .. } => (target, true),
        PodCommand::Remove { target, .. } => (target, false),
    };
    let Target { device, container } = target;
    if member {
        let devices = vec![device.clone()];
        let all = control.ask(&ListContainers { devices }).await?.items;
        let all: Vec<_> = all.into_iter().map(|row| row.item).collect();
        losses(&all, &container).iter().for_each(|loss| note(loss));
    }
    let begin = BeginPlacement {
        device,
        container,
        member,
    };
    Ok(control.ask(&begin).await?)
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
            "item": {
                "id": id, "name": name, "image": "postgres:17", "state": "running", "status": "Running", "health": "none",
                "ports": [], "found_as": found_as,
            },
        })
    }

    #[tokio::test]
    async fn what_a_container_loses_in_the_pod_is_said_before_it_is_moved() {
        let others = json!([{"network": "shop", "names": ["x"], "neighbors": []}]);
        let own = json!([{"network": "media", "names": ["db", "cafe"], "neighbors": ["web"]}]);
        let list = json!({"items": [row("cafe01", "other", &others), row("d00d", "cafe", &own)], "unreachable_devices": []});
        let job = json!({
            "id": "01937c5e-7b1a-7c3e-8b9e-0123456789ab", "kind": "placement", "state": "waiting", "title": "Put cafe into the pod",
            "caller": {"kind": "owner"}, "began": "2026-01-02T03:04:05Z", "step": "It begins.", "as_of": "2026-01-02T03:04:05Z",
        });
        let control = Played {
            answers: vec![list, job].into(),
            ..Played::default()
        };
        let command = PodCommand::Add {
            target: "nas/cafe".parse().unwrap(),
            detach: Detach { detach: false },
        };
        assert_eq!(command.message(), "cafe on nas is in the pod.");
        let note = |text: &str| control.story.borrow_mut().push(text.to_owned());
        begin_placement(&control, command, note).await.unwrap();
        let expected = [
            "GET /containers?device=nas",
            "On network media, it will no longer be found as db, cafe by web, and cafe will no longer find them by their names.",
            "POST /containers/placements",
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
