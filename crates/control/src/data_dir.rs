//! The data directory: readable by its owner only, locked by one Flotilla at a time. Its files are replaced as a whole.

use crate::start::StartError;
use std::{
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{self, Read, Seek, Write},
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

#[cfg(unix)]
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};

const LOCK: &str = "lock";

/// Attempts to take the lock. A program that asks whether control runs holds it for an instant, and must not keep
/// control from starting.
const ATTEMPTS: u32 = 5;

/// The pause between attempts. The system's locks have no time limit: they wait for ever or not at all. So this thread
/// sleeps, 80 ms at most in all, when control starts and nothing else runs.
const BETWEEN: Duration = Duration::from_millis(20);

/// An open data directory. Dropping it releases the lock.
#[derive(Debug)]
pub(crate) struct DataDir {
    path: PathBuf,
    _lock: File,
}

impl DataDir {
    /// Creates the directory when absent and takes its lock.
    ///
    /// # Errors
    /// Another process holds the lock, or the directory cannot be used.
    pub(crate) fn open(path: &Path) -> Result<Self, StartError> {
        let unusable = |source| StartError::DataDir {
            path: path.to_owned(),
            source,
        };
        create_private(path).map_err(unusable)?;
        let mut lock = private_options()
            .read(true)
            .open(path.join(LOCK))
            .map_err(unusable)?;
        match try_lock(&lock) {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                let holder = lock
                    .read_to_string(&mut holder)
                    .ok()
                    .and_then(|_| holder.trim().parse().ok());
                return Err(StartError::Locked {
                    dir: path.to_owned(),
                    holder,
                });
            }
            Err(TryLockError::Error(source)) => return Err(unusable(source)),
        }
        let path = path.canonicalize().map_err(unusable)?;
        lock.set_len(0)
            .and_then(|()| lock.rewind())
            .and_then(|()| writeln!(lock, "{}", std::process::id()))
            .map_err(unusable)?;
        Ok(Self { path, _lock: lock })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// A file that is read and written while control runs.
    pub(crate) fn replaced_file(&self, name: &str) -> ReplacedFile {
        ReplacedFile(self.file(name))
    }

    /// The file's text, or `None` when there is no such file.
    pub(crate) fn read(&self, name: &str) -> Result<Option<String>, StartError> {
        let read = self.replaced_file(name).read();
        read.map_err(|source| self.unusable(name, source))
    }

    /// Replaces a file whole: a crash leaves the old text or the new one.
    pub(crate) fn write(&self, name: &str, text: &str) -> Result<(), StartError> {
        let written = self.replaced_file(name).write(text);
        written.map_err(|source| self.unusable(name, source))
    }

    fn unusable(&self, name: &str, source: io::Error) -> StartError {
        let path = self.file(name);
        StartError::DataDir { path, source }
    }

    /// Makes a file, unless it exists, that only its owner may read; answers its path, for other code to open.
    pub(crate) fn private_file(&self, name: &str) -> io::Result<PathBuf> {
        let path = self.file(name);
        let file = private_options().open(&path)?;
        #[cfg(unix)]
        file.set_permissions(fs::Permissions::from_mode(0o600))?;
        drop(file);
        Ok(path)
    }

    pub(crate) fn remove(&self, name: &str) {
        if let Err(error) = fs::remove_file(self.file(name)) {
            tracing::debug!(file.name = name, %error, "file not removed");
        }
    }
}

/// A file of the data directory. It does not hold the directory's lock.
#[derive(Debug)]
pub(crate) struct ReplacedFile(PathBuf);

impl ReplacedFile {
    /// The file's text, or `None` when there is no such file.
    pub(crate) fn read(&self) -> io::Result<Option<String>> {
        match fs::read_to_string(&self.0) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Replaces the file whole: a crash leaves the old text or the new one.
    pub(crate) fn write(&self, text: &str) -> io::Result<()> {
        flotilla_disk::replace(&self.0, text.as_bytes(), flotilla_disk::PRIVATE)
    }
}

fn try_lock(lock: &File) -> Result<(), TryLockError> {
    for _ in 1..ATTEMPTS {
        match lock.try_lock() {
            Err(TryLockError::WouldBlock) => thread::sleep(BETWEEN),
            outcome => return outcome,
        }
    }
    lock.try_lock()
}

fn create_private(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    builder.mode(0o700);
    builder.create(path)?;
    #[cfg(unix)]
    if fs::metadata(path)?.permissions().mode() & 0o077 != 0 {
        fs::set_permissions(path, fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

fn private_options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create(true);
    #[cfg(unix)]
    options.mode(0o600);
    options
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn everything_in_it_is_private_even_when_the_directory_was_not() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("flotilla");
        fs::create_dir(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        let dir = DataDir::open(&path).unwrap();
        dir.write("key", "secret").unwrap();
        fs::write(dir.file("database"), "rows").unwrap();
        let database = dir.private_file("database").unwrap();
        assert_eq!(fs::read_to_string(&database).unwrap(), "rows");
        for (path, mode) in [(&path, 0o700), (&dir.file("key"), 0o600), (&database, 0o600)] {
            assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, mode);
        }
        assert_eq!(dir.read("key").unwrap().as_deref(), Some("secret"));
        assert_eq!(dir.read("other").unwrap(), None);
    }

    #[test]
    fn a_second_flotilla_is_told_who_holds_the_directory() {
        let parent = tempfile::tempdir().unwrap();
        let first = DataDir::open(parent.path()).unwrap();
        let error = DataDir::open(parent.path()).unwrap_err();
        assert!(matches!(error, StartError::Locked { holder: Some(pid), .. } if pid == std::process::id()));
        assert!(error.to_string().contains("--data-dir"), "{error}");
        drop(first);
        assert!(DataDir::open(parent.path()).is_ok());
    }

    #[test]
    fn a_program_that_asks_for_the_lock_does_not_keep_control_from_starting() {
        let parent = tempfile::tempdir().unwrap();
        drop(DataDir::open(parent.path()).unwrap());
        let asking = File::open(parent.path().join(LOCK)).unwrap();
        asking.try_lock_shared().unwrap();
        let starts = thread::spawn({
            let path = parent.path().to_owned();
            move || DataDir::open(&path)
        });
        drop(asking);
        assert!(starts.join().unwrap().is_ok());
    }

    #[test]
    fn a_directory_that_is_a_file_is_refused_with_its_path() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("taken");
        fs::write(&path, "mine").unwrap();
        let error = DataDir::open(&path).unwrap_err();
        assert!(error.to_string().contains("taken"), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
    }
}
