//! Which direct way is used: it is taken when it answers and is better, and left when it is silent.

use super::{
    Paths, Way,
    watch::{PathActivity, WatchVerdict},
};
use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

/// A way that something came by this recently can replace a lost one.
const RECENT: Duration = Duration::from_secs(10);
/// Within a class, another way must be faster by a fifth and by this much.
const MIN_GAIN: Duration = Duration::from_millis(3);
/// A packet through the relay makes this end use the relay too, when the direct way was silent for this long.
const FOLLOW_AFTER: Duration = Duration::from_millis(700);

impl Paths {
    pub(super) fn check_current(&mut self, now: Instant) {
        let Some(current) = self.current else {
            return self.watch.stop();
        };
        let activity = PathActivity {
            heard: self.current_heard(),
            sent: self.sent,
            warm: self.is_warm(now),
        };
        match self.watch.check(activity, now) {
            Some(WatchVerdict::Ping) => self.ping(Way::Direct(current), None, now),
            Some(WatchVerdict::Lost) => self.lose(now),
            None => {}
        }
    }

    /// Takes a way that just answered, if it is better than the one in use.
    pub(super) fn consider(&mut self, answered: SocketAddr, now: Instant) {
        let good = |address| {
            self.candidates
                .get(address)
                .and_then(|one| Some((one.class, one.good?)))
        };
        let Some((new_class, new)) = good(answered) else {
            return;
        };
        let better = match self.current.and_then(good) {
            None => true,
            Some((class, _)) if class != new_class => new_class < class,
            Some((_, old)) => {
                let clearly = old.rtt.mul_f32(0.8).min(old.rtt.saturating_sub(MIN_GAIN));
                let doubtful = self.watch.doubt().is_some_and(|since| old.heard <= since);
                doubtful || new.rtt < clearly
            }
        };
        if better && self.current != Some(answered) {
            self.use_way(answered, now);
        }
    }

    fn use_way(&mut self, address: SocketAddr, now: Instant) {
        (self.current, self.lost) = (Some(address), false);
        self.watch.begin(now);
        self.rounds.succeed(now);
        self.mtu.restart(now);
    }

    /// The peer sends through the relay. When nothing came directly for a while, this end does the same, because the
    /// peer has probably lost the direct way.
    pub(super) fn follow(&mut self, now: Instant) {
        if self.relay && self.current.is_some() && self.current_age(now) > FOLLOW_AFTER {
            self.candidates.doubt_all();
            self.current = None;
            self.relay_ping = Some(now);
            self.rounds.renew(now);
        }
    }

    pub(super) fn lose(&mut self, now: Instant) {
        let class = self.current().map(|(_, class)| class);
        if let Some(current) = self.current.take() {
            self.candidates.doubt(current);
        }
        self.watch.stop();
        match self.candidates.best(RECENT, now) {
            Some(address) => {
                self.use_way(address, now);
                // The better way may be back soon, and firewalls may open it only when both ends try.
                if self.current().map(|(_, class)| class) > class {
                    self.rounds.restart(now);
                }
            }
            None => {
                self.lost = true;
                self.relay_ping = self.relay.then_some(now);
                self.rounds.restart(now);
            }
        }
    }
}
