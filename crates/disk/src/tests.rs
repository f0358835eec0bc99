//! A disk whose power may be cut at any step, and that then keeps any part of what was not forced to it.

use super::*;
use proptest::prelude::*;
use std::{collections::BTreeMap, path::PathBuf};

#[derive(Debug, Clone, Default)]
struct File {
    durable: Vec<u8>,
    cached: Vec<u8>,
}

/// Content by inode, names by path; both have a durable and a cached side.
#[derive(Debug, Clone, Default)]
struct FrailDisk {
    files: BTreeMap<u32, File>,
    durable_names: BTreeMap<PathBuf, u32>,
    cached_names: BTreeMap<PathBuf, u32>,
    /// Steps until the power is cut.
    steps: usize,
}

impl FrailDisk {
    fn step(&mut self) -> io::Result<()> {
        self.steps = self
            .steps
            .checked_sub(1)
            .ok_or_else(|| io::Error::other("power cut"))?;
        Ok(())
    }

    /// What is found after the power came back: of everything cached, some reached the disk, and of a content
    /// perhaps only a part.
    fn after_power_cut(&self, names_survive: bool, bytes_that_survive: usize, path: &Path) -> Vec<u8> {
        let names = if names_survive {
            &self.cached_names
        } else {
            &self.durable_names
        };
        let file = &self.files[&names[path]];
        if file.cached == file.durable {
            return file.durable.clone();
        }
        let kept = bytes_that_survive.min(file.cached.len());
        file.cached[..kept].to_vec()
    }
}

impl Disk for FrailDisk {
    type Fresh = PathBuf;

    fn write(&mut self, path: &Path, bytes: &[u8], _: u32) -> io::Result<PathBuf> {
        self.step()?;
        let inode = self.files.len() as u32;
        self.cached_names.insert(path.to_owned(), inode);
        self.files.entry(inode).or_default().cached = bytes.to_vec();
        Ok(path.to_owned())
    }

    fn sync(&mut self, path: &PathBuf) -> io::Result<()> {
        self.step()?;
        let file = self.files.get_mut(&self.cached_names[path]).unwrap();
        file.durable = file.cached.clone();
        Ok(())
    }

    fn rename(&mut self, from: PathBuf, to: &Path) -> io::Result<()> {
        self.step()?;
        let inode = self.cached_names.remove(&from).unwrap();
        self.cached_names.insert(to.to_owned(), inode);
        Ok(())
    }

    fn sync_folder(&mut self, _: &Path) -> io::Result<()> {
        self.step()?;
        self.durable_names = self.cached_names.clone();
        Ok(())
    }
}

proptest! {
    #[test]
    fn whenever_the_power_is_cut_the_old_or_the_new_content_is_there(
        contents in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..20), 2..5),
        steps in 4..40_usize,
        names_survive: bool,
        bytes_that_survive in 0..20_usize,
    ) {
        let path = Path::new("/state/agent.json");
        let mut disk = FrailDisk { steps, ..FrailDisk::default() };
        let mut acknowledged = None;
        let mut attempted = None;
        for content in &contents {
            attempted = Some(content);
            if replace_on(&mut disk, path, content, PRIVATE).is_err() { break; }
            acknowledged = Some(content);
        }
        let found = disk.after_power_cut(names_survive, bytes_that_survive, path);
        prop_assert!(Some(&found) == acknowledged || Some(&found) == attempted, "{found:?}");
    }
}

#[cfg(unix)]
#[test]
fn a_real_file_is_replaced_and_has_the_mode_that_it_should_have() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("agent.json");
    for (content, mode) in [("one", PRIVATE), ("two", 0o755), ("three", PRIVATE)] {
        for replace in [replace, replace_for_readers] {
            replace(&path, content.as_bytes(), mode).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), content);
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, mode);
            assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        }
    }
}

#[test]
fn what_a_crash_left_is_replaced_and_a_failure_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("agent.json");
    fs::write(beside(&path), "half a key").unwrap();
    replace(&path, b"old", PRIVATE).unwrap();
    assert!(!beside(&path).exists());
    // A folder can't be replaced by a file, not even by root.
    let taken = dir.path().join("taken");
    fs::create_dir_all(taken.join("by")).unwrap();
    assert!(replace(&taken, b"a secret", PRIVATE).is_err());
    assert!(!beside(&taken).exists());
    fs::create_dir(beside(&path)).unwrap();
    assert!(replace(&path, b"new", PRIVATE).is_err());
    assert_eq!(fs::read(&path).unwrap(), b"old");
}
