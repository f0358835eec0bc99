//! Replacing a file so that a crash at any moment leaves the old content or the new, never a mixture.
//!
//! The steps, in this order: write a temporary file beside it, force it to the disk, rename it over the old one, force
//! the folder to the disk. [`Disk`] is the layer below, so that a test can cut the power between any two steps.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

pub(crate) trait Disk {
    /// Creates or empties a file that only its owner may read, and writes it.
    fn write(&mut self, path: &Path, bytes: &[u8]) -> io::Result<()>;
    /// Returns when the file's content would survive a power cut.
    fn sync(&mut self, path: &Path) -> io::Result<()>;
    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()>;
    /// Returns when the renames in a folder would survive a power cut.
    fn sync_dir(&mut self, dir: &Path) -> io::Result<()>;
}

/// Replaces the file `name` in `dir`.
pub(crate) fn replace(disk: &mut impl Disk, dir: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let (fresh, path) = (dir.join(format!("{name}.new")), dir.join(name));
    disk.write(&fresh, bytes)?;
    disk.sync(&fresh)?;
    disk.rename(&fresh, &path)?;
    disk.sync_dir(dir)
}

/// The file system.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RealDisk;

impl Disk for RealDisk {
    fn write(&mut self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut options = OpenOptions::new();
        options
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(path)?
            .write_all(bytes)
    }

    fn sync(&mut self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn sync_dir(&mut self, dir: &Path) -> io::Result<()> {
        File::open(dir)?.sync_all()
    }
}

#[cfg(test)]
mod tests;
