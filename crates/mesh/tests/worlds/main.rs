//! Whole networks in virtual time: meshes behind NATs, relays that fail, people who change settings.
//!
//! `FLOTILLA_WORLDS_SECONDS` limits how long worlds are made, `FLOTILLA_WORLDS` how many, and `FLOTILLA_SEED` makes
//! one world again and prints its story.

#![expect(
    clippy::unwrap_used,
    reason = "the fixtures of a test fail by panicking, as it does"
)]
#![expect(clippy::print_stdout, reason = "a failed world tells its story")]

mod clock;
mod device;
mod disturb;
mod families;
mod firewall;
mod guarded;
mod hairpin;
mod internet;
mod judge;
mod maps;
mod matrix;
mod narrow;
mod nat;
mod preference;
mod reference;
mod rekey;
mod relay;
mod restart;
mod site;
mod stall;
mod story;
mod world;

use std::{
    env,
    panic::{AssertUnwindSafe, catch_unwind},
    time::{Duration, Instant},
};

fn setting(name: &str) -> Option<u64> {
    env::var(name).ok().map(|text| {
        text.parse()
            .unwrap_or_else(|_| panic!("{name} is no number: {text}"))
    })
}

#[test]
fn in_every_world_those_who_may_reach_each_other_do_and_no_others() {
    if let Some(seed) = setting("FLOTILLA_SEED") {
        return story::tell(seed, true);
    }
    let begin = Instant::now();
    let time = Duration::from_secs(setting("FLOTILLA_WORLDS_SECONDS").unwrap_or(20));
    let most = setting("FLOTILLA_WORLDS").unwrap_or(u64::MAX);
    let first = setting("FLOTILLA_FIRST_SEED").unwrap_or(1);
    let mut seed = first;
    while seed - first < most && (begin.elapsed() < time) {
        let outcome = catch_unwind(AssertUnwindSafe(|| story::tell(seed, false)));
        assert!(
            outcome.is_ok(),
            "world {seed} went wrong; see it again with FLOTILLA_SEED={seed}"
        );
        seed += 1;
    }
    println!("{} worlds", seed - first);
}
