//! Jobs on disk, a file for each, replaced whole.

use super::record::JobRecord;
use flotilla_protocol::id::JobId;
use std::{
    fs::{self, DirBuilder, File},
    io::{self, ErrorKind},
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

const FOLDER: &str = "jobs";
const SUFFIX: &str = "json";

/// Suffix of files that can't be read; they are left for a person to look at.
const ASIDE: &str = "unreadable";

/// The largest file that is read, in bytes. A record holds a name, some ids and an error text, a few kilobytes in all.
const ENTRY_BYTES: u64 = 256 * 1024;

#[derive(Debug, Clone)]
pub(super) struct Journal {
    dir: PathBuf,
}

impl Journal {
    pub(super) fn new(state_dir: &Path) -> Self {
        Self {
            dir: state_dir.join(FOLDER),
        }
    }

    /// Loads all records that can be read. Other files are put aside, so that a damaged one never keeps the agent from
    /// starting.
    pub(super) fn load(&self) -> Vec<JobRecord> {
        let files = match fs::read_dir(&self.dir) {
            Ok(files) => files,
            Err(error) if error.kind() == ErrorKind::NotFound => return Vec::new(),
            Err(error) => {
                tracing::error!(path = %self.dir.display(), %error, "the journal can't be read");
                return Vec::new();
            }
        };
        let paths = files.flatten().map(|file| file.path());
        let journaled = paths.filter(|path| path.extension().is_some_and(|it| it == SUFFIX));
        let mut records: Vec<_> = journaled.filter_map(|path| self.read(&path)).collect();
        records.sort_by_key(|record| record.id);
        records
    }

    fn read(&self, path: &Path) -> Option<JobRecord> {
        match read(path) {
            Ok(record) if self.path(record.id) == path => return Some(record),
            Ok(_) => {
                tracing::error!(path = %path.display(), "an entry of the journal is not where it belongs; it is put aside")
            }
            Err(error) => {
                tracing::error!(path = %path.display(), %error, "an entry of the journal can't be read; it is put aside")
            }
        }
        if let Err(error) = fs::rename(path, path.with_extension(ASIDE)) {
            tracing::error!(path = %path.display(), %error, "it can't be put aside");
        }
        None
    }

    /// Returns when the record would survive a power cut.
    pub(super) fn write(&self, record: &JobRecord) -> io::Result<()> {
        let made = DirBuilder::new().mode(0o700).create(&self.dir);
        match made {
            Ok(()) => {
                let above = self.dir.parent().unwrap_or(&self.dir);
                File::open(above)?.sync_all()?;
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
        let bytes = serde_json::to_vec_pretty(record)?;
        flotilla_disk::replace(&self.path(record.id), &bytes, flotilla_disk::PRIVATE)
    }

    pub(super) fn remove(&self, id: JobId) {
        match fs::remove_file(self.path(id)) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                tracing::warn!(job.id = %id, %error, "a job that is over is still written down");
            }
            _ => {}
        }
    }

    pub(super) fn state_dir(&self) -> Option<&Path> {
        self.dir.parent()
    }

    fn path(&self, id: JobId) -> PathBuf {
        self.dir.join(name(id))
    }
}

fn name(id: JobId) -> String {
    format!("{id}.{SUFFIX}")
}

fn read(path: &Path) -> io::Result<JobRecord> {
    if fs::metadata(path)?.len() > ENTRY_BYTES {
        return Err(ErrorKind::FileTooLarge.into());
    }
    let record: JobRecord = serde_json::from_slice(&fs::read(path)?)?;
    if record.is_readable() {
        Ok(record)
    } else {
        Err(io::Error::other("it was written by another version of the agent"))
    }
}
