//! How many connections a process takes on: each takes a file descriptor, and the system gives only so many.
//!
//! Whoever opens connections from outside must never use up what the rest of the process needs to work: the
//! store, the programs that it starts, and above all the port at which its owner would look what is wrong.

/// As many as are ever asked for: far more than a fleet needs, and no limit that programs started by this one
/// would find odd.
#[cfg(unix)]
const WANTED: [u64; 3] = [
    65_536, // on Linux the owner of a process may mostly have that many
    10_240, // macOS gives no more, whatever it says that the limit is
    4_096,
];

/// Where files are not counted.
#[cfg(not(unix))]
const UNCOUNTED: u64 = 65_536;

/// Strangers at one time are kept few, however many files there are: each handshake costs time and 50 KiB.
const MOST_STRANGERS: u64 = 1024;

/// Guests on the port for this computer alone, and half of the strangers there.
const MOST_LOCAL: u64 = 256;

/// What the process keeps for everything else.
const MOST_KEPT: u64 = 1024;

/// Asks the system for as many file descriptors as this process may have, up to 65,536. Before, it has as few as
/// 1,024, most of all when it is started from a desktop.
pub fn raise_file_limit() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, getrlimit, setrlimit};
        for wanted in WANTED {
            let mut limit = getrlimit(Resource::Nofile);
            let reachable = limit.maximum.map_or(wanted, |maximum| maximum.min(wanted));
            if limit.current.is_none_or(|current| current >= reachable) {
                return;
            }
            limit.current = Some(reachable);
            if setrlimit(Resource::Nofile, limit).is_ok() {
                return;
            }
        }
    }
}

/// Connections of one port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Room {
    /// Who has shown nothing that counts.
    pub(crate) strangers: usize,
    /// Who has.
    pub(crate) guests: usize,
}

impl Room {
    /// The fleet port of a process that may have so many files.
    pub(crate) fn of_fleet_port(files: u64) -> Self {
        let (strangers, local) = (strangers(files), Self::of_local_port(files));
        let taken = kept(files) + strangers + (local.strangers + local.guests) as u64;
        Self {
            strangers: size(strangers),
            guests: size(files.saturating_sub(taken)),
        }
    }

    /// The port for this computer alone.
    pub(crate) fn of_local_port(files: u64) -> Self {
        let guests = size((files / 16).min(MOST_LOCAL));
        Self {
            // All come from one source, so that whoever has just come needs the room to say who it is before as
            // many others have come.
            strangers: 2 * guests,
            guests,
        }
    }
}

fn strangers(files: u64) -> u64 {
    (files / 4).min(MOST_STRANGERS)
}

fn kept(files: u64) -> u64 {
    (files / 4).min(MOST_KEPT)
}

fn size(connections: u64) -> usize {
    usize::try_from(connections).unwrap_or(usize::MAX).max(1)
}

/// How many files this process may have open.
pub(crate) fn files() -> u64 {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, getrlimit};
        let limit = getrlimit(Resource::Nofile);
        limit.current.unwrap_or(WANTED[0]).min(WANTED[0])
    }
    #[cfg(not(unix))]
    {
        UNCOUNTED
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quarter_of_the_files_stays_free_whatever_comes_and_a_small_process_holds_300_links() {
        for files in [64, 256, 1024, 4096, 10_240, 65_536] {
            let (fleet, local) = (Room::of_fleet_port(files), Room::of_local_port(files));
            let most = fleet.strangers + fleet.guests + local.strangers + local.guests;
            let free = files - most as u64;
            assert!(free >= (files / 4).min(1024), "{free} of {files}");
        }
        assert!(Room::of_fleet_port(1024).guests > 300);
        assert!(Room::of_fleet_port(65_536).guests > 60_000);
    }
}
