//! What a running agent notes for `flotilla-agent status`. Nothing depends on it.

use flotilla_protocol::{
    Timestamp, endpoint::Endpoint, inventory::EngineState, mesh::MeshReport, name::DeviceName, path::PeerPath,
};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use std::{
    fs,
    net::Ipv4Addr,
    path::{Path, PathBuf},
    sync::Arc,
};

const FILE: &str = "status.json";

/// The link, as the agent sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum LinkStatus {
    Up { since: Timestamp, endpoint: Endpoint },
    Down { since: Timestamp, reason: String },
}

impl LinkStatus {
    pub(crate) fn down(since: Timestamp, reason: String) -> Self {
        Self::Down { since, reason }
    }
}

/// The content of the file.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Notes {
    pub(crate) link: Option<LinkStatus>,
    pub(crate) engine: Option<EngineState>,
    pub(crate) mesh: Option<MeshStatus>,
}

impl Notes {
    /// What the agent that uses `state_dir` last noted; nothing where that cannot be read.
    pub(crate) fn read(state_dir: &Path) -> Self {
        let bytes = fs::read(state_dir.join(FILE)).ok();
        bytes
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .unwrap_or_default()
    }
}

/// The mesh, as this device sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MeshStatus {
    pub report: MeshReport,
    /// In the order of their names.
    pub peers: Vec<PeerStatus>,
}

/// A device that some rule connects with this one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PeerStatus {
    pub name: DeviceName,
    pub address: Ipv4Addr,
    /// Absent while nothing is known.
    pub path: Option<PeerPath>,
    /// Name of the relay that the path leads through.
    pub relay: Option<String>,
}

/// Where a running agent writes its notes.
#[derive(Debug, Clone)]
pub(crate) struct StatusFile {
    path: PathBuf,
    notes: Arc<Mutex<Notes>>,
}

impl StatusFile {
    pub(crate) fn new(state_dir: &Path) -> Self {
        Self {
            path: state_dir.join(FILE),
            notes: Arc::default(),
        }
    }

    /// Notes the link. A link that stays down for the same reason keeps the time at which it went down.
    pub(crate) fn set_link(&self, link: LinkStatus) {
        self.note(|notes| match (&notes.link, &link) {
            (Some(LinkStatus::Down { reason: old, .. }), LinkStatus::Down { reason: new, .. })
                if old == new => {}
            _ => notes.link = Some(link),
        });
    }

    pub(crate) fn set_engine(&self, engine: EngineState) {
        self.note(|notes| notes.engine = Some(engine));
    }

    pub(crate) fn set_mesh(&self, mesh: MeshStatus) {
        self.note(|notes| notes.mesh = Some(mesh));
    }

    pub(crate) fn clear_mesh(&self) {
        self.note(|notes| notes.mesh = None);
    }

    fn note(&self, change: impl FnOnce(&mut Notes)) {
        let mut notes = self.notes.lock();
        let before = notes.clone();
        change(&mut notes);
        if *notes != before
            && let Ok(text) = serde_json::to_vec(&*notes)
        {
            let noted = flotilla_disk::replace_for_readers(&self.path, &text, flotilla_disk::PRIVATE);
            if let Err(error) = noted {
                tracing::debug!(%error, "the status could not be noted");
            }
        }
    }
}
