//! The last network map on disk: what the device lives on while control is away.

use super::range::check_map;
use flotilla_protocol::{Timestamp, id::DeviceId, mesh::NetworkMap};
use serde::{Deserialize, Serialize};
use std::{
    fs,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

const FILE: &str = "map.json";

/// Least distance between the beginnings of two data planes: room for every number that one data plane ever uses, which
/// is 65,536 probes per millisecond and a change of its addresses in each.
const APART_MS: u64 = 60_000;

/// `map.json` in the state directory. It holds no key, but tells who is in the fleet, so only its owner may read it.
#[derive(Debug, Clone)]
pub(crate) struct MapFile {
    dir: PathBuf,
    /// The device that the map is for. After this machine was enrolled anew, the file may hold another device's map,
    /// which is of no use.
    device: DeviceId,
}

/// The stored network map, with what the next data plane takes over from the last one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MapRecord {
    /// The UDP port of the last data plane, by which peers and NATs know this device.
    pub(crate) listen_port: u16,
    /// When the last data plane began, in milliseconds since 1970. Peers remember that, too.
    #[serde(default)]
    pub(crate) began: u64,
    pub(crate) map: NetworkMap,
}

impl MapRecord {
    /// The record of a first map, before any data plane.
    pub(crate) fn new(map: NetworkMap) -> Self {
        Self {
            listen_port: 0,
            began: 0,
            map,
        }
    }

    /// The beginning of a data plane that starts now: after the last one's, even where the clock was set back
    /// meanwhile.
    pub(crate) fn next_beginning(&self, now: Timestamp) -> u64 {
        let now = u64::try_from(now.as_millisecond()).unwrap_or_default();
        now.max(self.began.saturating_add(APART_MS))
    }
}

#[derive(Serialize, Deserialize)]
struct FileContent {
    device: DeviceId,
    #[serde(flatten)]
    record: MapRecord,
}

impl MapFile {
    pub(crate) fn new(dir: &Path, device: DeviceId) -> Self {
        Self {
            dir: dir.to_owned(),
            device,
        }
    }

    /// Loads the map. One that cannot be read, or may not be in force, counts as none: control sends it again.
    pub(crate) fn load(&self) -> Option<MapRecord> {
        let bytes = match fs::read(self.dir.join(FILE)) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => return None,
            Err(error) => {
                tracing::warn!(%error, "the network map cannot be read; waiting for control to send it");
                return None;
            }
        };
        match serde_json::from_slice::<FileContent>(&bytes) {
            Ok(stored) => Some(stored.record).filter(|record| {
                let refused = check_map(&record.map).err();
                if let Some(reason) = &refused {
                    tracing::warn!(%reason, "the network map on disk is not taken");
                }
                refused.is_none() && stored.device == self.device
            }),
            Err(error) => {
                tracing::warn!(%error, "the network map on disk is damaged; waiting for control to send it");
                None
            }
        }
    }

    /// When this returns without an error the map survives a power cut.
    pub(crate) fn store(&self, record: &MapRecord) -> io::Result<()> {
        let stored = FileContent {
            device: self.device,
            record: record.clone(),
        };
        let bytes = serde_json::to_vec(&stored)?;
        flotilla_disk::replace(&self.dir.join(FILE), &bytes, flotilla_disk::PRIVATE)
    }

    /// Deletes the map of a device that has left the mesh.
    pub(crate) fn delete(&self) {
        match fs::remove_file(self.dir.join(FILE)) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                tracing::warn!(%error, "the network map could not be deleted");
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mesh::samples::map;
    use std::os::unix::fs::PermissionsExt as _;

    fn record(revision: u64) -> MapRecord {
        MapRecord {
            listen_port: 41_641,
            began: 1_700_000_000_000,
            map: map(revision),
        }
    }

    fn file(dir: &Path) -> MapFile {
        MapFile::new(dir, "01937c5e-7b1a-7c3e-8b9e-0123456789ac".parse().unwrap())
    }

    #[test]
    fn a_stored_map_is_there_after_a_restart_and_only_its_owner_may_read_it() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(file(dir.path()).load(), None);
        file(dir.path()).store(&record(7)).unwrap();
        assert_eq!(file(dir.path()).load(), Some(record(7)));
        let mode = fs::metadata(dir.path().join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        file(dir.path()).delete();
        assert_eq!(file(dir.path()).load(), None);
        file(dir.path()).delete();
    }

    #[test]
    fn the_map_of_another_device_and_a_damaged_one_are_none() {
        let dir = tempfile::tempdir().unwrap();
        file(dir.path()).store(&record(7)).unwrap();
        let other = "01937c5e-7b1a-7c3e-8b9e-0123456789ad".parse().unwrap();
        assert_eq!(MapFile::new(dir.path(), other).load(), None);
        let whole = fs::read(dir.path().join(FILE)).unwrap();
        for length in 0..whole.len() {
            fs::write(dir.path().join(FILE), &whole[..length]).unwrap();
            assert_eq!(file(dir.path()).load(), None);
        }
    }
    #[test]
    fn a_data_plane_begins_after_the_one_before_it_whatever_the_clock_says() {
        let at = |unix_ms| Timestamp::from_millisecond(unix_ms).unwrap();
        let mut record = MapRecord::new(map(7));
        assert_eq!(record.next_beginning(at(1_700_000_000_000)), 1_700_000_000_000);
        record.began = 1_700_000_000_000;
        let later = record.next_beginning(at(1_700_000_900_000));
        assert_eq!(later, 1_700_000_900_000);
        let hours_back = record.next_beginning(at(1_699_980_000_000));
        let before_the_epoch = record.next_beginning(at(-1));
        assert!(hours_back > record.began && before_the_epoch > record.began);
    }

    #[test]
    fn a_file_from_before_beginnings_were_kept_is_read() {
        let dir = tempfile::tempdir().unwrap();
        file(dir.path()).store(&record(7)).unwrap();
        let mut stored: serde_json::Value =
            serde_json::from_slice(&fs::read(dir.path().join(FILE)).unwrap()).unwrap();
        stored.as_object_mut().unwrap().remove("began");
        fs::write(dir.path().join(FILE), stored.to_string()).unwrap();
        assert_eq!(file(dir.path()).load().map(|record| record.began), Some(0));
    }
}
