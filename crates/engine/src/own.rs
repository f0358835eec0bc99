//! Which container the agent itself runs in, if any: the one that it must never stop.
//!
//! Engines mount `/etc/hostname` and its like from a folder named after the container. In a pod these files are the
//! pause container's, so they only narrow the search; the volumes that this process sees decide then.

use crate::{id, ports::ListeningPorts, read::ObservedContainer};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// What this process can know of its own container without asking an engine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OwnContainer {
    /// Ids, or the short form of one, of containers that share files with this process.
    related: BTreeSet<String>,
    /// The mounts of this process: the root on the mount's own file system, and where it is mounted.
    mounts: Vec<(String, String)>,
    /// The folder of the process as `proc(5)` describes it.
    process: PathBuf,
}

impl OwnContainer {
    pub fn detect() -> Self {
        let mut own = Self::of_process("/proc/self");
        if own.related.is_empty() && in_container() {
            let hostname = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
            own.related
                .extend(Some(hostname.trim().to_owned()).filter(|name| is_id(name, id::SHORT)));
        }
        own
    }

    /// Reads the mounts of a process from its folder, as `proc(5)` describes it.
    pub fn of_process(directory: impl Into<PathBuf>) -> Self {
        let process = directory.into();
        let mounts = fs::read_to_string(process.join("mountinfo")).unwrap_or_default();
        Self {
            process,
            ..Self::from_mounts(&mounts)
        }
    }

    /// `proc(5)`: the fourth field is the mount's root on its own file system, the fifth is where it is mounted. Only
    /// the files that engines make for a container name that container; other lines may name other containers.
    fn from_mounts(mountinfo: &str) -> Self {
        let mounts = mountinfo.lines().filter_map(|line| {
            let mut fields = line.split(' ').skip(3);
            Some((fields.next()?.to_owned(), fields.next()?.to_owned()))
        });
        let mounts: Vec<_> = mounts.collect();
        let made_for_it = mounts.iter().filter(|(_, point)| {
            matches!(
                point.as_str(),
                "/etc/hostname" | "/etc/hosts" | "/etc/resolv.conf"
            )
        });
        let related =
            made_for_it.filter_map(|(root, _)| root.split('/').find(|part| is_id(part, id::DIGITS)));
        Self {
            related: related.map(str::to_owned).collect(),
            mounts,
            process: PathBuf::new(),
        }
    }

    /// Id of the container around this process, if it is among these.
    pub(crate) fn find<'a>(&self, containers: &'a BTreeMap<String, ObservedContainer>) -> Option<&'a str> {
        let is_named = |id: &str| self.related.iter().any(|known| id.starts_with(known.as_str()));
        let shares = |seen: &ObservedContainer| seen.network_of().is_some_and(is_named);
        let mut candidates = containers
            .iter()
            .filter(|(id, seen)| is_named(id) || shares(seen));
        let by_volume = candidates.find(|(_, seen)| self.sees_volumes_of(seen));
        let by_name = || containers.keys().find(|id| is_named(id));
        by_volume.map(|(id, _)| id).or_else(by_name).map(String::as_str)
    }

    /// Whether this process sees the container's volumes: engines keep a volume in a folder named after it.
    fn sees_volumes_of(&self, seen: &ObservedContainer) -> bool {
        seen.mounted.iter().any(|(volume, destination)| {
            self.mounts
                .iter()
                .any(|(root, point)| point == destination && root.split('/').any(|part| part == volume))
        })
    }

    /// The ports that are taken in the network of this process.
    pub(crate) fn listening(&self) -> ListeningPorts {
        let read = |table: &str| fs::read_to_string(self.process.join("net").join(table)).unwrap_or_default();
        ListeningPorts::parse(read, &sockets_of(&self.process))
    }
}

/// Inodes of the sockets that a process holds.
fn sockets_of(process: &Path) -> BTreeSet<u64> {
    let files = fs::read_dir(process.join("fd")).into_iter().flatten().flatten();
    let targets = files.filter_map(|file| fs::read_link(file.path()).ok());
    targets
        .filter_map(|target| {
            let number = target
                .to_str()?
                .strip_prefix("socket:[")?
                .strip_suffix(']')?
                .to_owned();
            number.parse().ok()
        })
        .collect()
}

/// Whether this process runs in a container of Docker or Podman: both leave a file at a known place.
pub fn in_container() -> bool {
    ["/.dockerenv", "/run/.containerenv"]
        .iter()
        .any(|marker| Path::new(marker).exists())
}

fn is_id(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read;
    use serde_json::json;

    const ID: &str = "4f1c0d1e2f3a4b5c6d7e8f901a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d";
    const OTHER: &str = "0000000000004b5c6d7e8f901a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d";

    fn container(id: &str, network: &str, volume: &str) -> (String, ObservedContainer) {
        let answer = json!({
            "Id": id, "Name": "/x", "HostConfig": {"NetworkMode": network},
            "Mounts": [{"Type": "volume", "Name": volume, "Destination": "/var/lib/flotilla"}],
        });
        (
            id.to_owned(),
            read::container(serde_json::from_value(answer).unwrap()),
        )
    }

    fn hostname_of(id: &str) -> String {
        format!(
            "1 0 0:1 / / rw - overlay overlay rw\n\
             2 1 8:1 /var/lib/docker/containers/{id}/hostname /etc/hostname rw - ext4 /dev/sda1 rw\n"
        )
    }

    #[test]
    fn a_container_knows_itself_by_the_mount_of_its_hostname() {
        let own = OwnContainer::from_mounts(&hostname_of(ID));
        let containers = [container(OTHER, "bridge", "a"), container(ID, "bridge", "b")].into();
        assert_eq!(own.find(&containers), Some(ID));
        assert_eq!(own.find(&[container(OTHER, "bridge", "a")].into()), None);
    }

    #[test]
    fn in_a_pod_it_is_known_by_its_volume_and_not_by_the_hostname_of_the_pause_container() {
        let volume = "3 1 8:1 /docker/volumes/flotilla-agent/_data /var/lib/flotilla rw - ext4 /dev/sda1 rw";
        let own = OwnContainer::from_mounts(&format!("{}{volume}", hostname_of(OTHER)));
        let pod = format!("container:{OTHER}");
        let containers = [
            container(OTHER, "bridge", "made-up-for-pause"),
            container("1", &pod, "another-volume"),
            container(ID, &pod, "flotilla-agent"),
        ];
        assert_eq!(own.find(&containers.into()), Some(ID));
        let gone = [container(ID, &pod, "flotilla-agent")];
        assert_eq!(
            own.find(&gone.into()),
            Some(ID),
            "also when the pause container is gone"
        );
    }

    #[test]
    fn a_process_on_the_device_is_not_one_of_the_containers_whose_mounts_it_sees() {
        let mounts = format!("2 1 0:5 / /var/lib/docker/containers/{ID}/mounts/shm rw - tmpfs shm rw");
        let own = OwnContainer::from_mounts(&mounts);
        assert_eq!(own.find(&[container(ID, "bridge", "b")].into()), None);
    }

    #[test]
    fn without_a_container_nothing_is_ones_own() {
        let containers = [container(ID, "bridge", "b")].into();
        assert_eq!(OwnContainer::default().find(&containers), None);
    }
}
