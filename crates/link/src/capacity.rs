//! How many connections a process accepts: each takes a file descriptor, and the system gives a limited number.
//!
//! Connections from outside must never use up the files that the rest of the process needs: for the store, for the
//! programs that it starts, and above all for the port at which its owner would look what is wrong.

/// The most files that are ever asked for: far more than a fleet needs, and a limit that programs started by this one
/// can work with. Where the system refuses a value, the next one is tried.
#[cfg(unix)]
const WANTED: [u64; 3] = [
    65_536, // on Linux the hard limit is mostly higher
    10_240, // macOS gives no more, even where the reported hard limit is higher
    4_096,
];

/// The number to assume where the system has no limit on files.
#[cfg(not(unix))]
const ASSUMED_FILES: u64 = 65_536;

/// The most strangers at one time, however many files there are: each handshake costs processor time and 50 KiB.
const MAX_STRANGERS: u64 = 1024;

/// The most guests on the port for this computer alone; it may have twice as many strangers.
const MAX_LOCAL: u64 = 256;

/// The most files that are kept back for the rest of the process.
const MAX_RESERVED: u64 = 1024;

/// Raises the limit on open files as far as the system allows, up to 65,536. A process may start with as few as 1,024,
/// above all when it is started from a desktop.
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

/// The limits on connections of one port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Capacity {
    /// Connections without access.
    pub(crate) strangers: usize,
    /// Connections with access.
    pub(crate) guests: usize,
}

impl Capacity {
    /// The limits of the fleet port, for a process that may have so many files.
    pub(crate) fn of_fleet_port(files: u64) -> Self {
        let (strangers, local) = (strangers(files), Self::of_local_port(files));
        let taken = reserved(files) + strangers + (local.strangers + local.guests) as u64;
        Self {
            strangers: size(strangers),
            guests: size(files.saturating_sub(taken)),
        }
    }

    /// The limits of the port for this computer alone.
    pub(crate) fn of_local_port(files: u64) -> Self {
        let guests = size((files / 16).min(MAX_LOCAL));
        Self {
            // All connections come from one source there, so a newcomer needs time to show its access before that many
            // others have come and evict it.
            strangers: 2 * guests,
            guests,
        }
    }
}

fn strangers(files: u64) -> u64 {
    (files / 4).min(MAX_STRANGERS)
}

fn reserved(files: u64) -> u64 {
    (files / 4).min(MAX_RESERVED)
}

fn size(connections: u64) -> usize {
    usize::try_from(connections).unwrap_or(usize::MAX).max(1)
}

/// The number of files that this process may have open.
pub(crate) fn files() -> u64 {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, getrlimit};
        let limit = getrlimit(Resource::Nofile);
        limit.current.unwrap_or(WANTED[0]).min(WANTED[0])
    }
    #[cfg(not(unix))]
    {
        ASSUMED_FILES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quarter_of_the_files_stays_free_whatever_comes_and_a_small_process_holds_300_links() {
        for files in [64, 256, 1024, 4096, 10_240, 65_536] {
            let (fleet, local) = (Capacity::of_fleet_port(files), Capacity::of_local_port(files));
            let most = fleet.strangers + fleet.guests + local.strangers + local.guests;
            let free = files - most as u64;
            assert!(free >= (files / 4).min(1024), "{free} of {files}");
        }
        assert!(Capacity::of_fleet_port(1024).guests > 300);
        assert!(Capacity::of_fleet_port(65_536).guests > 60_000);
    }
}
