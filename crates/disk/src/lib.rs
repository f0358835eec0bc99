//! Replaces files so that whenever the program is killed or the power is cut, the old content is there or the new one,
//! never a mixture.
//!
//! The steps, in this order: write a temporary file beside it, force it to the disk, rename it over the old one, force
//! the folder to the disk. The temporary file has the name of the file with `.new` at the end, always the same, so that
//! what a crash leaves of a secret is gone with the next attempt. [`Disk`] is the layer below, so that a test can cut
//! the power between any two steps.

use std::{
    ffi::OsString,
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};
use tempfile::NamedTempFile;

/// The mode of files that only their owner may read.
pub const PRIVATE: u32 = 0o600;

/// Replaces or creates a file. When this returns without an error, the new content survives a power cut; otherwise the
/// old one does. The mode is set on Unix only.
///
/// # Errors
/// The folder is missing, is full or may not be written, or something other than a file has the temporary name.
pub fn replace(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    replace_on(&mut RealDisk, path, bytes, mode)
}

/// Replaces or creates a file that need not survive a power cut. A program that reads it meanwhile finds the old content
/// or the new one, whole. The mode is set on Unix only.
///
/// # Errors
/// As of [`replace`].
pub fn replace_for_readers(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let fresh = RealDisk.write(&beside(path), bytes, mode)?;
    RealDisk.rename(fresh, path)
}

fn replace_on(disk: &mut impl Disk, path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let fresh = disk.write(&beside(path), bytes, mode)?;
    disk.sync(&fresh)?;
    disk.rename(fresh, path)?;
    disk.sync_folder(folder(path))
}

fn beside(path: &Path) -> PathBuf {
    let mut fresh = OsString::from(path);
    fresh.push(".new");
    fresh.into()
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

trait Disk {
    type Fresh;
    /// Makes a new file in place of one that is there, and writes it.
    fn write(&mut self, path: &Path, bytes: &[u8], mode: u32) -> io::Result<Self::Fresh>;
    /// Returns when the file's content would survive a power cut.
    fn sync(&mut self, file: &Self::Fresh) -> io::Result<()>;
    fn rename(&mut self, file: Self::Fresh, to: &Path) -> io::Result<()>;
    /// Returns when the renames in a folder would survive a power cut.
    fn sync_folder(&mut self, folder: &Path) -> io::Result<()>;
}

/// The file system. A file that does not get its name is removed.
struct RealDisk;

impl Disk for RealDisk {
    type Fresh = NamedTempFile;

    fn write(&mut self, path: &Path, bytes: &[u8], mode: u32) -> io::Result<NamedTempFile> {
        // A file left by a crash may belong to another user, who could change it later.
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let name = path.file_name().unwrap_or_default();
        let mut file = tempfile::Builder::new()
            .prefix(name)
            .rand_bytes(0)
            .tempfile_in(folder(path))?;
        set_mode(file.as_file(), mode)?;
        file.write_all(bytes)?;
        Ok(file)
    }

    fn sync(&mut self, file: &NamedTempFile) -> io::Result<()> {
        file.as_file().sync_all()
    }

    fn rename(&mut self, file: NamedTempFile, to: &Path) -> io::Result<()> {
        file.persist(to)?;
        Ok(())
    }

    #[cfg(unix)]
    fn sync_folder(&mut self, folder: &Path) -> io::Result<()> {
        File::open(folder)?.sync_all()
    }

    /// Elsewhere a folder can't be opened, and a rename is forced to the disk by itself.
    #[cfg(not(unix))]
    fn sync_folder(&mut self, _: &Path) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(unix)]
fn set_mode(file: &File, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn set_mode(_: &File, _: u32) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests;
