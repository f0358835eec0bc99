//! Files of the system that an installation replaces and removes.

use std::{fs, io, path::Path};

/// Replaces a file whole, because a running program cannot be written over. A missing folder is made.
pub(super) fn replace(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    flotilla_disk::replace(path, bytes, mode)
}

/// Removes the file if it exists.
pub(super) fn remove(file: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
