//! One run of a lab: its id, its directory, the process that owns it, and the removal of all namespaces, cgroups,
//! processes, mounts and files that have its id in their name.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, geteuid, getpid, kill_process};

use crate::eventually::{eventually_blocking, seconds};
use crate::program::run;

/// Short, because engines put sockets below it and the path of a socket has at most 107 bytes.
const BASE: &str = "/tmp/flotilla-lab";

/// Where `ip netns` keeps the names of namespaces.
const NAMESPACES: &str = "/run/netns";

/// Where systemd-nspawn keeps a directory for each system, also after one that was killed.
const PROPAGATED: &str = "/run/systemd/nspawn/propagate";

/// A run. Dropping it removes everything of it.
#[derive(Debug)]
pub(super) struct Run {
    id: String,
    directory: PathBuf,
}

impl Run {
    /// Creates a run, after removing everything of runs whose owner is dead.
    pub(super) fn begin() -> Result<Self> {
        if !geteuid().is_root() {
            bail!("the lab makes network namespaces and starts engines in them, which needs root");
        }
        fs::create_dir_all(BASE)?;
        for entry in fs::read_dir(BASE)?.flatten() {
            let id = entry.file_name().to_string_lossy().into_owned();
            let run = Self {
                id,
                directory: entry.path(),
            };
            if run.owner_lives() {
                std::mem::forget(run);
            }
        }
        let id = format!("{:06x}", rand::random::<u32>() & 0x00ff_ffff);
        let run = Self {
            directory: Path::new(BASE).join(&id),
            id,
        };
        // The file `owner` is there before the directory has its name: a lab that starts at the same time would take a
        // directory without an owner for a dead run.
        let partial = Path::new(BASE).with_extension(&run.id);
        fs::create_dir(&partial)?;
        fs::write(
            partial.join("owner"),
            owner(getpid()).context("this process has no entry in /proc")?,
        )?;
        fs::rename(&partial, &run.directory)?;
        Ok(run)
    }

    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    /// The name of a namespace of this run, unique on this computer.
    pub(super) fn namespace(&self, name: &str) -> String {
        format!("fl-{}-{name}", self.id)
    }

    /// The cgroup below which the engine of a machine keeps its containers.
    pub(super) fn cgroup(&self, machine: &str) -> String {
        format!("/flotilla-{}/{machine}", self.id)
    }

    fn owner_lives(&self) -> bool {
        let Ok(recorded) = fs::read_to_string(self.directory.join("owner")) else {
            return false;
        };
        let id = recorded
            .split(' ')
            .next()
            .and_then(|id| Pid::from_raw(id.parse().ok()?));
        id.and_then(owner).is_some_and(|now| now == recorded)
    }

    fn namespaces(&self) -> Vec<String> {
        let prefix = self.namespace("");
        names_in(NAMESPACES)
            .filter(|name| name.starts_with(&prefix))
            .collect()
    }

    /// Processes in the namespaces or in the containers of this run, except this process.
    fn processes(&self) -> Vec<Pid> {
        // `ip netns pids` would list itself where this thread is in one of the namespaces.
        let number = |path: &Path| path.metadata().ok().map(|metadata| metadata.ino());
        let namespaces = self.namespaces();
        let numbers: Vec<_> = namespaces
            .iter()
            .filter_map(|name| number(&Path::new(NAMESPACES).join(name)))
            .collect();
        let is_inside = |process: &String| {
            let own = number(&Path::new("/proc").join(process).join("ns/net"));
            own.is_some_and(|own| numbers.contains(&own))
        };
        let in_namespaces = names_in("/proc").filter(is_inside);
        let lists = self
            .cgroups()
            .into_iter()
            .filter_map(|path| fs::read_to_string(path.join("cgroup.procs")).ok());
        let in_containers = lists.flat_map(|list| list.lines().map(str::to_owned).collect::<Vec<_>>());
        let ids = in_namespaces.chain(in_containers);
        ids.filter_map(|id| Pid::from_raw(id.parse().ok()?))
            .filter(|id| *id != getpid())
            .collect()
    }

    /// The run's directories in the cgroup trees, the deepest first.
    fn cgroups(&self) -> Vec<PathBuf> {
        let name = format!("flotilla-{}", self.id);
        let root = Path::new("/sys/fs/cgroup");
        let hierarchies = fs::read_dir(root)
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path());
        let tops = hierarchies
            .chain([root.to_owned()])
            .map(|hierarchy| hierarchy.join(&name));
        let mut found = Vec::new();
        for top in tops.filter(|top| top.is_dir()) {
            directories_below(&top, &mut found);
            found.push(top);
        }
        found
    }

    /// Resumes paused containers, whose processes could not be killed otherwise. Cgroups of version 1 have the first of
    /// the two files, those of version 2 the second.
    fn thaw(&self) {
        for directory in self.cgroups() {
            for (file, word) in [("freezer.state", "THAWED"), ("cgroup.freeze", "0")] {
                let file = directory.join(file);
                if file.exists() {
                    fs::write(file, word).ok();
                }
            }
        }
    }

    fn remove(&self) -> Result<()> {
        self.thaw();
        eventually_blocking("the programs of the lab end", seconds(10.0), || {
            let left = self.processes();
            for id in &left {
                kill_process(*id, Signal::KILL).ok();
            }
            if left.is_empty() {
                Ok(())
            } else {
                bail!("{left:?} still run")
            }
        })?;
        for directory in self.cgroups() {
            fs::remove_dir(directory).ok();
        }
        for namespace in self.namespaces() {
            run(Command::new("ip").args(["netns", "del", &namespace]))?;
        }
        for mount in mounts_below(&self.directory)? {
            run(Command::new("umount").args(["--lazy", &mount]))?;
        }
        // Left by a booted system that was killed.
        let prefix = self.namespace("");
        for name in names_in(PROPAGATED).filter(|name| name.starts_with(&prefix)) {
            fs::remove_dir(Path::new(PROPAGATED).join(name)).ok();
        }
        Ok(fs::remove_dir_all(&self.directory)?)
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        if let Err(error) = self.remove() {
            super::say(&format!("the lab {} could not be removed: {error:#}", self.id));
        }
    }
}

/// The log files of a run: `*.log` in its directory and one level below, sorted.
pub(super) fn logs(directory: &Path) -> Vec<PathBuf> {
    let mut directories = vec![directory.to_owned()];
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    directories.extend(
        entries
            .filter(|entry| entry.path().is_dir())
            .map(|entry| entry.path()),
    );
    let files = directories
        .iter()
        .flat_map(|directory| fs::read_dir(directory).into_iter().flatten());
    let mut logs: Vec<_> = files
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "log"))
        .collect();
    logs.sort();
    logs
}

/// A process id with the time at which the process started, since ids are reused; `None` when there is no such process.
fn owner(id: Pid) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{}/stat", id.as_raw_nonzero())).ok()?;
    let started = stat.rsplit(')').next()?.split_whitespace().nth(19)?.to_owned();
    Some(format!("{} {started}", id.as_raw_nonzero()))
}

fn names_in(directory: &str) -> impl Iterator<Item = String> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned())
}

fn directories_below(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        if entry.path().is_dir() {
            directories_below(&entry.path(), found);
            found.push(entry.path());
        }
    }
}

fn mounts_below(directory: &Path) -> Result<Vec<String>> {
    let mounts = fs::read_to_string("/proc/self/mounts")?;
    let points = mounts.lines().filter_map(|line| line.split(' ').nth(1));
    let mut below: Vec<_> = points
        .filter(|point| Path::new(point).starts_with(directory))
        .map(str::to_owned)
        .collect();
    below.reverse();
    Ok(below)
}
