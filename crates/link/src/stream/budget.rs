//! How many streams may be open at a device: in all, and for each caller, so that no caller takes all of them.

use parking_lot::Mutex;
use std::{collections::BTreeMap, sync::Arc};

/// On whose behalf a stream is open.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Opener {
    /// Control's own work. It has no share of its own, because its number of streams follows from its own rules.
    Control,
    /// A session, a person or a token, by a name that no other one has.
    Caller(String),
}

/// Why there is no room for one more stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoRoom {
    /// So many are open in all.
    All(usize),
    /// So many are open on behalf of this caller.
    Share(usize),
}

/// Counts streams. Clones count the same ones.
#[derive(Debug, Clone)]
pub struct Budget {
    all: usize,
    share: usize,
    taken: Arc<Mutex<Taken>>,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    by_caller: BTreeMap<String, usize>,
}

/// The place of one open stream; dropping it gives the place back.
#[derive(Debug)]
pub struct Slot {
    budget: Budget,
    opener: Opener,
}

impl Budget {
    /// At most `all` streams at a time, and at most `share` of them of one caller.
    pub fn new(all: usize, share: usize) -> Self {
        Self {
            all,
            share,
            taken: Arc::default(),
        }
    }

    /// # Errors
    /// All places are taken, or all of the opener's.
    pub fn take(&self, opener: &Opener) -> Result<Slot, NoRoom> {
        let mut taken = self.taken.lock();
        if taken.all >= self.all {
            return Err(NoRoom::All(self.all));
        }
        if let Opener::Caller(caller) = opener {
            let own = taken.by_caller.entry(caller.clone()).or_default();
            if *own >= self.share {
                return Err(NoRoom::Share(self.share));
            }
            *own += 1;
        }
        taken.all += 1;
        Ok(Slot {
            budget: self.clone(),
            opener: opener.clone(),
        })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut taken = self.budget.taken.lock();
        taken.all -= 1;
        if let Opener::Caller(caller) = &self.opener
            && let Some(own) = taken.by_caller.get_mut(caller)
        {
            *own -= 1;
            if *own == 0 {
                taken.by_caller.remove(caller);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(name: &str) -> Opener {
        Opener::Caller(name.to_owned())
    }

    #[test]
    fn a_caller_has_its_share_and_all_together_the_whole() {
        let budget = Budget::new(5, 2);
        let mut one = vec![];
        for _ in 0..2 {
            one.push(budget.take(&caller("one")).unwrap());
        }
        assert_eq!(budget.take(&caller("one")).unwrap_err(), NoRoom::Share(2));
        let two = [(); 2].map(|()| budget.take(&caller("two")).unwrap());
        let own = budget.take(&Opener::Control).unwrap();
        for opener in [caller("three"), Opener::Control] {
            assert_eq!(budget.take(&opener).unwrap_err(), NoRoom::All(5));
        }
        drop(one.pop());
        assert_eq!(budget.take(&caller("two")).unwrap_err(), NoRoom::Share(2));
        drop((budget.take(&caller("one")).unwrap(), one, two, own));
        assert_eq!(budget.taken.lock().all, 0);
        assert!(
            budget.taken.lock().by_caller.is_empty(),
            "nothing is kept of callers that left"
        );
    }
}
