//! Which container the agent itself runs in, if any: the one that it must never stop.

/// The id, or its first 12 digits, of the container around this process.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OwnContainer(Option<String>);

impl OwnContainer {
    /// Looks at the mounts and the host name of this process.
    #[must_use]
    pub fn detect() -> Self {
        let read = |path| std::fs::read_to_string(path).unwrap_or_default();
        let hostname = read("/proc/sys/kernel/hostname");
        Self::from_mounts(&read("/proc/self/mountinfo")).unwrap_or_else(|| {
            Self(
                is_id(hostname.trim(), 12)
                    .then(|| hostname.trim().to_owned())
                    .filter(|_| in_container()),
            )
        })
    }

    /// Engines bind-mount `/etc/hostname` and its like from a folder named after the container (`proc(5)`:
    /// the fourth field is the mount's root on its own file system, the fifth is where it is mounted). Other
    /// lines may name other people's containers.
    fn from_mounts(mountinfo: &str) -> Option<Self> {
        mountinfo.lines().find_map(|line| {
            let mut fields = line.split(' ').skip(3);
            let (root, point) = (fields.next()?, fields.next()?);
            matches!(point, "/etc/hostname" | "/etc/hosts" | "/etc/resolv.conf").then_some(())?;
            let id = root.split('/').find(|part| is_id(part, 64))?;
            Some(Self(Some(id.to_owned())))
        })
    }

    #[must_use]
    pub fn is(&self, container_id: &str) -> bool {
        self.0.as_deref().is_some_and(|own| container_id.starts_with(own))
    }
}

/// Whether this process runs in a container of Docker or Podman: both leave a file at a known place.
#[must_use]
pub fn in_container() -> bool {
    ["/.dockerenv", "/run/.containerenv"]
        .iter()
        .any(|marker| std::path::Path::new(marker).exists())
}

fn is_id(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "4f1c0d1e2f3a4b5c6d7e8f901a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d";

    #[test]
    fn a_container_knows_itself_by_the_mount_of_its_hostname() {
        let mounts = format!(
            "1 0 0:1 / / rw - overlay overlay rw\n\
             2 1 8:1 /var/lib/docker/containers/{ID}/hostname /etc/hostname rw - ext4 /dev/sda1 rw"
        );
        let own = OwnContainer::from_mounts(&mounts).unwrap();
        assert!(own.is(ID));
        assert!(!own.is(&"0".repeat(64)));
    }

    #[test]
    fn a_process_on_the_device_is_not_one_of_the_containers_whose_mounts_it_sees() {
        let mounts = format!("2 1 0:5 / /var/lib/docker/containers/{ID}/mounts/shm rw - tmpfs shm rw");
        assert_eq!(OwnContainer::from_mounts(&mounts), None);
    }

    #[test]
    fn without_a_container_nothing_is_ones_own() {
        assert!(!OwnContainer::default().is(ID));
    }
}
