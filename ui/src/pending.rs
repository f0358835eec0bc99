//! What the page waits for before it is complete: code that is being fetched, and lists that are loaded for the first
//! time. Code that waits takes a [`Hold`], so that there is no list of all that may wait.

use leptos::prelude::*;

/// How many holds there are. A handle: copies share the same count.
#[derive(Debug, Clone, Copy)]
pub struct Pending(RwSignal<usize>);

/// Something that the page waits for, until this value is dropped.
#[derive(Debug)]
#[must_use = "the page waits only while the hold is kept"]
pub struct Hold(RwSignal<usize>);

impl Pending {
    /// Provides the count to the components below.
    pub fn provide() -> Self {
        let pending = Self(RwSignal::new(0));
        provide_context(pending);
        pending
    }

    pub fn hold(self) -> Hold {
        self.0.update(|holds| *holds += 1);
        Hold(self.0)
    }

    /// Whether the page waits for anything.
    #[must_use]
    pub fn any(self) -> bool {
        self.0.get() > 0
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        // The signal is gone only together with the page.
        self.0.try_update(|holds| *holds -= 1);
    }
}

#[must_use]
pub fn use_pending() -> Pending {
    expect_context()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_waits_until_the_last_hold_is_dropped() {
        let owner = Owner::new();
        owner.set();
        let pending = Pending::provide();
        let (code, list) = (pending.hold(), pending.hold());
        drop(code);
        assert!(pending.any());
        drop(list);
        assert!(!pending.any());
    }
}
