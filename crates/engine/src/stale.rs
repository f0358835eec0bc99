//! What an event of the engine makes out of date.
//!
//! Events name a thing; they do not describe it well enough to be believed. So an event only marks, and what is
//! marked is read again. Marks gather while a read is under way and during a short pause before it, which turns
//! the burst of one `docker compose up` into a few reads.

use bollard::models::{EventMessage, EventMessageTypeEnum as Type};
use std::collections::BTreeSet;

/// The kinds of thing whose events matter, as the engine filters them.
pub(crate) const WATCHED_TYPES: [&str; 4] = ["container", "image", "volume", "network"];

#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Stale {
    /// Ids of containers.
    pub(crate) containers: BTreeSet<String>,
    pub(crate) images: bool,
    pub(crate) volumes: bool,
    pub(crate) networks: bool,
}

impl Stale {
    pub(crate) fn everything() -> Self {
        Self {
            containers: BTreeSet::new(),
            images: true,
            volumes: true,
            networks: true,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    pub(crate) fn mark(&mut self, event: EventMessage) {
        let action = event.action.unwrap_or_default();
        let actor = event.actor.unwrap_or_default();
        let attribute = |name: &str| actor.attributes.as_ref().and_then(|all| all.get(name).cloned());
        match event.typ {
            Some(Type::CONTAINER) if changes_container(&action) => {
                // Committing makes an image, and older engines have no event for that.
                self.images |= action == "commit";
                self.containers.extend(actor.id);
            }
            Some(Type::IMAGE) => self.images |= !matches!(action.as_str(), "push" | "save"),
            Some(Type::VOLUME) => self.volumes |= !matches!(action.as_str(), "mount" | "unmount"),
            Some(Type::NETWORK) => match action.as_str() {
                "connect" | "disconnect" => self.containers.extend(attribute("container")),
                _ => self.networks = true,
            },
            _ => {}
        }
    }
}

/// Health checks run a command every few seconds, and each run is three events that change nothing.
fn changes_container(action: &str) -> bool {
    let word = action.split(':').next().unwrap_or_default();
    !(word.starts_with("exec_")
        || matches!(
            word,
            "exec"
                | "attach"
                | "detach"
                | "resize"
                | "top"
                | "export"
                | "copy"
                | "archive-path"
                | "extract-to-dir"
        ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bollard::models::EventActor;

    fn marks(typ: Type, action: &str) -> Stale {
        let mut stale = Stale::default();
        stale.mark(EventMessage {
            typ: Some(typ),
            action: Some(action.into()),
            actor: Some(EventActor {
                id: Some("thing".into()),
                attributes: Some([("container".to_owned(), "c1".to_owned())].into()),
            }),
            ..EventMessage::default()
        });
        stale
    }

    #[test]
    fn a_container_event_marks_that_container_alone() {
        for action in [
            "create",
            "start",
            "die",
            "destroy",
            "rename",
            "pause",
            "health_status: healthy",
        ] {
            let stale = marks(Type::CONTAINER, action);
            assert_eq!(stale.containers, ["thing".to_owned()].into(), "{action}");
            assert!(!stale.images && !stale.volumes && !stale.networks);
        }
    }

    #[test]
    fn health_checks_and_mounts_cost_no_read() {
        for action in [
            "exec_create: /bin/check",
            "exec_start: /bin/check",
            "exec_die",
            "top",
            "resize",
        ] {
            assert!(marks(Type::CONTAINER, action).is_empty(), "{action}");
        }
        assert!(marks(Type::VOLUME, "mount").is_empty());
        assert!(marks(Type::DAEMON, "reload").is_empty());
    }

    #[test]
    fn joining_a_network_marks_the_container_that_joins() {
        assert_eq!(
            marks(Type::NETWORK, "connect").containers,
            ["c1".to_owned()].into()
        );
        assert!(marks(Type::NETWORK, "create").networks);
    }

    #[test]
    fn a_commit_marks_the_images_too() {
        assert!(marks(Type::CONTAINER, "commit").images);
        assert!(marks(Type::IMAGE, "pull").images && !marks(Type::IMAGE, "push").images);
    }
}
