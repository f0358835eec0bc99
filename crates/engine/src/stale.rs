//! What an event of the engine makes out of date.
//!
//! Events name a thing; they do not describe it well enough to be relied on. So an event only marks, and what is marked
//! is read again. Marks gather while a read is under way and during a short pause before it, which turns the burst of
//! one `docker compose up` into a few reads.

use crate::{read, read_schedule::Subject};
use bollard::models::{EventMessage, EventMessageTypeEnum as Type};
use flotilla_protocol::inventory::Health;
use std::collections::{BTreeMap, BTreeSet};

/// The kinds of thing whose events matter, as the engine filters them.
pub(crate) const WATCHED_TYPES: [&str; 4] = ["container", "image", "volume", "network"];

/// The event of a health check.
const HEALTH: &str = "health_status";

#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct StaleMarks {
    /// Ids of containers.
    pub(crate) containers: BTreeSet<String>,
    /// The health that was last told of a container.
    pub(crate) health: BTreeMap<String, Health>,
    /// Ids of containers of which only a health check was told, without its result.
    pub(crate) checked: BTreeSet<String>,
    /// The list of containers: which of them changed is not known.
    pub(crate) list: bool,
    pub(crate) images: bool,
    pub(crate) volumes: bool,
    pub(crate) networks: bool,
}

impl StaleMarks {
    pub(crate) fn everything() -> Self {
        Self {
            containers: BTreeSet::new(),
            health: BTreeMap::new(),
            checked: BTreeSet::new(),
            list: true,
            images: true,
            volumes: true,
            networks: true,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What has to be read, except for [`Self::checked`]. `known` returns the health that is known of a container: a
    /// health that is told again costs no read.
    pub(crate) fn subjects(self, known: impl Fn(&str) -> Option<Health>) -> impl Iterator<Item = Subject> {
        let health = self.health.into_iter();
        let health = health.filter(move |(id, told)| known(id).as_ref() != Some(told));
        let containers = self.containers.into_iter().chain(health.map(|(id, _)| id));
        let lists = [
            (self.list, Subject::Containers),
            (self.images, Subject::Images),
            (self.volumes, Subject::Volumes),
            (self.networks, Subject::Networks),
        ];
        let lists = lists
            .into_iter()
            .filter_map(|(is_stale, list)| is_stale.then_some(list));
        lists.chain(containers.map(Subject::Container))
    }

    pub(crate) fn mark(&mut self, event: EventMessage) {
        let action = event.action.unwrap_or_default();
        let actor = event.actor.unwrap_or_default();
        let attribute = |name: &str| actor.attributes.as_ref().and_then(|all| all.get(name).cloned());
        match event.typ {
            Some(Type::CONTAINER) if action.starts_with(HEALTH) => {
                // Some engines tell of each check, whether it changed anything or not, and not what it found.
                match action.split_once(':').map(|(_, told)| read::health(told.trim())) {
                    Some(told) => self.health.extend(actor.id.map(|id| (id, told))),
                    None => self.checked.extend(actor.id),
                }
            }
            Some(Type::CONTAINER) if changes_container(&action) => {
                // A commit makes an image, and older engines have no event for that.
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

/// Whether an event may have changed a container. Health checks run a command every few seconds, and each run is three
/// events that change nothing.
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

    fn marks(typ: Type, action: &str) -> StaleMarks {
        let mut stale = StaleMarks::default();
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
        for action in ["create", "start", "die", "destroy", "rename", "pause"] {
            let stale = marks(Type::CONTAINER, action);
            assert_eq!(stale.containers, ["thing".to_owned()].into(), "{action}");
            assert!(!stale.images && !stale.volumes && !stale.networks);
        }
    }

    #[test]
    fn health_is_read_where_it_is_not_what_is_known() {
        let subjects = |action: &str, known: Option<Health>| -> Vec<Subject> {
            marks(Type::CONTAINER, action).subjects(|_| known).collect()
        };
        let changed = [Subject::Container("thing".to_owned())];
        assert_eq!(subjects("health_status: healthy", Some(Health::Healthy)), []);
        assert_eq!(
            subjects("health_status: unhealthy", Some(Health::Healthy)),
            changed
        );
        assert_eq!(subjects("health_status: healthy", None), changed);
        // Podman does not tell what the check found.
        let checked = marks(Type::CONTAINER, "health_status");
        assert_eq!(checked.checked, ["thing".to_owned()].into());
        assert_eq!(checked.subjects(|_| None).count(), 0);
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
