//! Whatever happens in a world, each job comes to its end, each act is done once or not at all, and what is recorded of
//! it is what was done.

use super::{agents::Agent, world::World, *};
use rand::Rng;

impl World {
    /// Lets everything work, until nothing is left to do.
    fn calm_down(&mut self) {
        self.is_calm = true;
        for _ in 0..20_000 {
            for _ in 0..3 {
                self.link();
            }
            self.event();
            let is_idle = self
                .control
                .as_ref()
                .is_some_and(|control| control.live.is_empty());
            if is_idle && self.links == [true; 3] && self.agents.iter().all(Agent::is_empty) {
                return;
            }
            if self.random.random_bool(0.01) {
                self.passed += 10_000;
            }
            // A link begins anew from time to time, so that devices list what they have left.
            if self.random.random_bool(0.005) && self.flights.is_empty() {
                for device in 0..3 {
                    self.is_calm = false;
                    self.cut_link(device);
                    self.is_calm = true;
                }
            }
        }
        panic!("not at rest: {:#?} {:#?}", self.control, self.agents);
    }

    fn record_of(&self, act: JobId) -> Option<&JobRecord> {
        let mut records = self.store.values();
        records.find(|record| record.acts.iter().any(|kept| kept.id == act))
    }

    fn check(&self) {
        let has_lost = self.store.values().flat_map(|record| &record.acts).any(|kept| {
            self.reopened.contains_key(&kept.id) || kept.outcome.as_ref().is_some_and(|outcome| outcome.lost)
        });
        for record in self.store.values() {
            assert!(record.state.is_over() && record.ended.is_some(), "{record:?}");
            for act in &record.acts {
                let outcome = act.outcome.as_ref().unwrap();
                let told = self.entries.get(&act.id).copied().unwrap_or(0);
                let reopened = self.reopened.get(&act.id).copied().unwrap_or(0);
                assert_eq!(told, 1 + reopened, "told once: {record:?}");
                if record.work.is_own() {
                    continue;
                }
                let device = (0..3).find(|n| device_id(*n) == act.target.device).unwrap();
                let done = self.agents[device].effects.get(&act.id).copied().unwrap_or(0);
                let expected = u32::from(outcome.state == JobState::Done);
                assert_eq!(done, expected, "done as it was told: {record:?}");
            }
        }
        for agent in &self.agents {
            let conflicts: Vec<_> = agent
                .conflicts
                .iter()
                .map(|(one, other)| [self.record_of(*one), self.record_of(*other)])
                .collect();
            assert!(
                has_lost || conflicts.is_empty(),
                "two on the same thing: {conflicts:#?}"
            );
            assert!(has_lost || agent.busiest <= AT_ONCE, "{} at once", agent.busiest);
        }
    }
}

fn seeds() -> u64 {
    let asked = std::env::var("FLOTILLA_JOB_SEEDS").ok();
    asked.and_then(|seeds| seeds.parse().ok()).unwrap_or(1_000)
}

#[test]
fn whatever_ends_at_any_moment_nothing_is_lost_and_nothing_is_done_twice() {
    let mut done = 0;
    for seed in 0..seeds() {
        let run = std::panic::catch_unwind(|| {
            let mut world = World::new(seed);
            world.drain();
            for _ in 0..200 {
                world.event();
            }
            world.calm_down();
            world.check();
            world
                .agents
                .iter()
                .map(|agent| agent.effects.len())
                .sum::<usize>()
        });
        done += run.unwrap_or_else(|panic| panic!("seed {seed}: {}", said(&panic)));
    }
    assert!(done > 1_000, "{done} acts are too few to say anything");
}

fn said(panic: &Box<dyn std::any::Any + Send>) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.unwrap_or_else(|| "it panicked".to_owned())
}
