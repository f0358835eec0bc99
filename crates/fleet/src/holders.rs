//! Whether two agents take turns with one identity.
//!
//! An agent makes up a name for each run and keeps it until it ends, and the newest link of a device always wins. An
//! agent that restarts gets a new name, and one that moves or loses its network keeps its name, so a name that was
//! replaced does not come back. If it does, two agents run, whether or not their machines have the same id.

use std::collections::VecDeque;

/// How many runs are remembered of one device. Two agents that take turns are found by the last two; the bound is for
/// a device whose agent restarts again and again.
const MAX_REMEMBERED: usize = 32;

/// An agent that holds its device's link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The name that the agent made up for this run; empty for an agent that sends none.
    pub run: String,
    pub hostname: String,
    pub address: String,
}

/// The agents that held one device's link, the newest last.
#[derive(Debug, Clone, Default)]
pub struct Holders(VecDeque<Holder>);

impl Holders {
    /// An agent takes the link. Returns the holder that it replaces, if that one had replaced this agent before. An
    /// agent that sends no name for its run is not judged: two runs of it would look like one that came back.
    pub fn handle_link(&mut self, holder: Holder) -> Option<Holder> {
        if holder.run.is_empty() {
            return None;
        }
        let before = self.0.back().filter(|before| before.run != holder.run).cloned();
        let known = self.0.iter().position(|known| known.run == holder.run);
        match known {
            Some(at) => drop(self.0.remove(at)),
            None if self.0.len() == MAX_REMEMBERED => drop(self.0.pop_front()),
            None => {}
        }
        self.0.push_back(holder);
        before.filter(|_| known.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn holder(run: u32, address: &str) -> Holder {
        Holder {
            run: format!("run-{run}"),
            hostname: "nas".to_owned(),
            address: address.to_owned(),
        }
    }

    #[test]
    fn an_agent_that_was_replaced_and_comes_back_gives_both_away() {
        let mut holders = Holders::default();
        assert_eq!(holders.handle_link(holder(1, "192.0.2.1")), None);
        assert_eq!(
            holders.handle_link(holder(2, "192.0.2.2")),
            None,
            "it may be the same, restarted"
        );
        assert_eq!(
            holders.handle_link(holder(1, "192.0.2.1")),
            Some(holder(2, "192.0.2.2"))
        );
    }

    #[test]
    fn an_agent_that_is_updated_and_set_back_to_one_that_tells_no_run_is_one() {
        let silent = || Holder {
            run: String::new(),
            ..holder(0, "192.0.2.1")
        };
        let mut holders = Holders::default();
        for link in [silent(), holder(1, "192.0.2.1"), silent(), silent()] {
            assert_eq!(holders.handle_link(link), None);
        }
    }

    #[test]
    fn one_agent_that_moves_from_network_to_network_is_one() {
        let mut holders = Holders::default();
        for address in ["192.0.2.1", "198.51.100.2", "192.0.2.1", "198.51.100.2"] {
            assert_eq!(holders.handle_link(holder(1, address)), None);
        }
    }

    proptest! {
        #[test]
        fn one_machine_however_often_it_restarts_and_dials_is_never_two(links in proptest::collection::vec(1usize..4, 0..80)) {
            let mut holders = Holders::default();
            for (run, links) in links.into_iter().enumerate() {
                for _ in 0..links {
                    prop_assert_eq!(holders.handle_link(holder(run.try_into().unwrap(), "192.0.2.1")), None);
                }
            }
            prop_assert!(holders.0.len() <= MAX_REMEMBERED);
        }
    }
}
