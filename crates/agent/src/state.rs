//! The state directory: who this device is, and how to reach its control.
//!
//! Life cycle: empty → keys made for a token (`pending`) → enrolled (`identity`), and from there, when another
//! token is given, keys made for that one while the old identity still stands → enrolled anew. The keys are on
//! disk before they are first used, so an enrollment whose answer was lost is repeated with the same ones.
//!
//! Everything is one file, replaced whole: there is no moment at which a key and its certificate do not match.

pub(crate) mod certificate;
mod secret;
pub(crate) mod status_file;

pub(crate) use secret::Secret;

use flotilla_protocol::{
    Timestamp,
    agent::RelayDuty,
    endpoint::Endpoint,
    enroll::MeshAddress,
    id::{DeviceId, FleetId, TokenId},
    name::DeviceName,
    pin::Pin,
};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, File, TryLockError},
    io::{self, ErrorKind},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};
use tokio::sync::watch;

const FILE: &str = "agent.json";
const LOCK: &str = "lock";

/// The only form of the file so far.
const VERSION: u32 = 1;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct State {
    version: u32,
    pub(crate) identity: Option<Identity>,
    pub(crate) pending: Option<Keys>,
    /// Control's clock when the agent last heard from it.
    pub(crate) heard: Option<Timestamp>,
    /// Made up once on a machine that has no identifier of its own.
    pub(crate) machine_id: Option<String>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            version: VERSION,
            identity: None,
            pending: None,
            heard: None,
            machine_id: None,
        }
    }
}

/// Private keys, and the token that they were made for, of which only the public half is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Keys {
    pub(crate) token: TokenId,
    /// PKCS #8, PEM.
    pub(crate) tls: Secret,
    /// Base64.
    pub(crate) wireguard: Secret,
}

/// An enrolled device.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Identity {
    pub(crate) fleet_id: FleetId,
    pub(crate) device_id: DeviceId,
    pub(crate) device_name: DeviceName,
    pub(crate) keys: Keys,
    /// The device's certificate, PEM.
    pub(crate) certificate: String,
    /// The fleet CA's certificate, PEM.
    pub(crate) ca: String,
    pub(crate) ca_pin: Pin,
    /// Where control can be reached, best first.
    pub(crate) endpoints: Vec<Endpoint>,
    /// The address at which control was last found.
    pub(crate) last_good: Option<Endpoint>,
    pub(crate) mesh: MeshAddress,
    /// The relay that control wants this device to run.
    #[serde(default)]
    pub(crate) relay: Option<RelayDuty>,
}

/// Why the state cannot be used or kept. Every text says what to do.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StateError {
    #[error(
        "Another agent already uses {0}. Stop it (sudo systemctl stop flotilla-agent), or give this one a directory of its own with --state-dir."
    )]
    Locked(PathBuf),
    #[error(
        "The agent may not use its state directory {0}. Run it as the user that owns the directory, or as root."
    )]
    Denied(PathBuf),
    #[error(
        "The disk that holds {0} is full. Free some space; nothing was lost, and the agent tries again by itself."
    )]
    Full(PathBuf),
    #[error(
        "The file system that holds {0} is read-only. Make it writable, or give the agent another place with --state-dir."
    )]
    ReadOnly(PathBuf),
    #[error(
        "The agent's state in {path} is damaged ({reason}). Restore it from a backup; or delete it, rotate the device in Flotilla, and enroll it again."
    )]
    Damaged { path: PathBuf, reason: String },
    #[error("The agent's state in {0} was written by a newer agent. Install that version again.")]
    Newer(PathBuf),
    #[error("The state directory {path} cannot be used: {source}.")]
    Io { path: PathBuf, source: io::Error },
}

impl StateError {
    fn of(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            ErrorKind::PermissionDenied => Self::Denied(path),
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Self::Full(path),
            ErrorKind::ReadOnlyFilesystem => Self::ReadOnly(path),
            _ => Self::Io { path, source },
        }
    }

    /// Whether what is stored is at fault, so that trying again changes nothing.
    pub(crate) fn is_lasting(&self) -> bool {
        matches!(self, Self::Damaged { .. } | Self::Newer(_))
    }
}

/// The opened directory. It is locked until this value is dropped.
#[derive(Debug)]
pub(crate) struct StateDir {
    dir: PathBuf,
    _lock: File,
    state: Mutex<State>,
    changes: watch::Sender<()>,
}

impl StateDir {
    pub(crate) fn open(dir: &Path) -> Result<Self, StateError> {
        let failed = |source| StateError::of(dir, source);
        fs::create_dir_all(dir).map_err(failed)?;
        let metadata = fs::metadata(dir).map_err(failed)?;
        if metadata.permissions().mode() & 0o077 != 0 {
            fs::set_permissions(dir, fs::Permissions::from_mode(0o700)).map_err(failed)?;
        }
        let mut options = File::options();
        let lock = options
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(dir.join(LOCK))
            .map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(StateError::Locked(dir.to_owned())),
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        Ok(Self {
            dir: dir.to_owned(),
            _lock: lock,
            state: Mutex::new(load(dir)?.unwrap_or_default()),
            changes: watch::Sender::default(),
        })
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(crate) fn get(&self) -> State {
        self.state.lock().clone()
    }

    /// Signals every change from now on.
    pub(crate) fn watch(&self) -> watch::Receiver<()> {
        self.changes.subscribe()
    }

    /// Changes the state. When this returns without an error the change is on disk; else nothing changed.
    pub(crate) fn update(&self, change: impl FnOnce(&mut State)) -> Result<(), StateError> {
        let mut current = self.state.lock();
        let mut next = current.clone();
        change(&mut next);
        if next != *current {
            let failed = |source| StateError::of(&self.dir, source);
            let bytes = zeroize::Zeroizing::new(
                serde_json::to_vec_pretty(&next).map_err(|error| failed(error.into()))?,
            );
            flotilla_disk::replace(&self.dir.join(FILE), &bytes, flotilla_disk::PRIVATE).map_err(failed)?;
            *current = next;
            self.changes.send_replace(());
        }
        Ok(())
    }
}

/// Reads the state without the right to change it; `None` when there is none yet.
pub(crate) fn load(dir: &Path) -> Result<Option<State>, StateError> {
    #[derive(Deserialize)]
    struct Version {
        version: u32,
    }
    let path = dir.join(FILE);
    let bytes = match fs::read(&path) {
        Ok(bytes) => zeroize::Zeroizing::new(bytes),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(StateError::of(dir, error)),
    };
    // The parser's own words may quote the file, so only the place is repeated.
    let damaged = |error: serde_json::Error| StateError::Damaged {
        path: path.clone(),
        reason: format!("line {}, column {}", error.line(), error.column()),
    };
    let Version { version } = serde_json::from_slice(&bytes).map_err(damaged)?;
    if version > VERSION {
        return Err(StateError::Newer(dir.to_owned()));
    }
    serde_json::from_slice(&bytes).map(Some).map_err(damaged)
}

/// Whether a running agent holds the directory.
pub(crate) fn is_held(dir: &Path) -> bool {
    let Ok(lock) = File::open(dir.join(LOCK)) else {
        return false;
    };
    matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock))
}

#[cfg(test)]
mod tests;
