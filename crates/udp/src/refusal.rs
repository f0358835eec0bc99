//! The meaning of the system's errors for a run, and the destinations that get no runs for a while.

use std::{
    collections::BTreeMap,
    io,
    net::SocketAddr,
    time::{Duration, Instant},
};

/// How long a destination that refused a run gets single datagrams.
const PAUSE: Duration = Duration::from_secs(60);

/// Destinations that are remembered. When there are more, all are forgotten, and each costs one more failing call.
const MAX_REMEMBERED: usize = 1024;

#[cfg(unix)]
mod code {
    use rustix::io::Errno;
    pub(super) const TOO_LARGE: i32 = Errno::MSGSIZE.raw_os_error();
    pub(super) const OF_RUNS: [i32; 3] = [Errno::INVAL.raw_os_error(), Errno::IO.raw_os_error(), TOO_LARGE];
    pub(super) const OF_SOURCES: [i32; 3] = [
        Errno::INVAL.raw_os_error(),
        Errno::ADDRNOTAVAIL.raw_os_error(),
        Errno::NETUNREACH.raw_os_error(),
    ];
}

/// Windows sockets have error numbers of their own, and no runs.
#[cfg(not(unix))]
mod code {
    pub(super) const TOO_LARGE: i32 = 10_040;
    pub(super) const OF_RUNS: [i32; 2] = [10_022, TOO_LARGE];
    pub(super) const OF_SOURCES: [i32; 3] = [10_022, 10_049, 10_051];
}

/// The datagram is larger than the MTU of the interface that it would leave by.
pub(crate) fn is_too_large(error: &io::Error) -> bool {
    error.raw_os_error() == Some(code::TOO_LARGE)
}

/// The run was refused, and its datagrams may pass one by one: the interface cannot cut runs, the system takes fewer
/// datagrams in one call, or the datagrams are too large (older kernels report all three alike).
pub(crate) fn is_of_a_run(error: &io::Error) -> bool {
    is_one_of(error, &code::OF_RUNS)
}

/// The source address is not one of this system's; it may have been removed.
pub(crate) fn is_of_a_source(error: &io::Error) -> bool {
    is_one_of(error, &code::OF_SOURCES)
}

fn is_one_of(error: &io::Error, codes: &[i32]) -> bool {
    error.raw_os_error().is_some_and(|code| codes.contains(&code))
}

/// Until when each destination gets no runs.
#[derive(Debug, Default)]
pub(crate) struct Refusals(BTreeMap<SocketAddr, Instant>);

impl Refusals {
    pub(crate) fn has(&self, destination: SocketAddr, now: Instant) -> bool {
        self.0.get(&destination).is_some_and(|until| *until > now)
    }

    pub(crate) fn note(&mut self, destination: SocketAddr, now: Instant) {
        if self.0.len() >= MAX_REMEMBERED {
            self.0.retain(|_, until| *until > now);
        }
        if self.0.len() >= MAX_REMEMBERED {
            self.0.clear();
        }
        self.0.insert(destination, now + PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn destinations_that_refuse_are_bounded_and_the_last_one_is_known() {
        let (mut refusals, now) = (Refusals::default(), Instant::now());
        let destination = |number: u32| SocketAddr::from((number.to_be_bytes(), 7));
        for number in 0..100_000 {
            refusals.note(destination(number), now);
            assert!(refusals.0.len() <= MAX_REMEMBERED);
        }
        assert!(refusals.has(destination(99_999), now));
        let later = now + PAUSE;
        assert!(!refusals.has(destination(99_999), later));
    }
}
