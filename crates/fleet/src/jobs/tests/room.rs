//! How many acts there may be at once.

use super::*;

/// A job of so many containers of a device that is away.
fn draft(n: u128, caller: Actor, acts: usize) -> JobRecord {
    let targets = (0..acts).map(|nth| target(0, &format!("c{n}-{nth}"))).collect();
    let mut fresh = n * 10_000;
    JobRecord::draft(id(n), bulk(targets), caller, clock(0), || {
        fresh += 1;
        id(fresh)
    })
}

/// Begins jobs until one is refused; answers of how many acts they are, and why.
fn begin_all(jobs: &mut Jobs, caller: &Actor, first: u128, acts: usize) -> (usize, Obstacle) {
    let mut begun = 0;
    for n in first..first + 1_000 {
        let draft = draft(n, caller.clone(), acts);
        if let Some(obstacle) = jobs.find_obstacle(&draft) {
            return (begun, obstacle);
        }
        jobs.adopt(draft, Origin::New, (clock(0), Instant::now()));
        begun += acts;
    }
    panic!("{begun} acts, and no end");
}

fn share(most: usize) -> Obstacle {
    Obstacle::Crowd { most, is_own: true }
}

fn token(n: u128) -> Actor {
    Actor::Token {
        name: format!("t{n}"),
    }
}

#[test]
fn a_caller_that_begins_jobs_in_a_loop_has_its_share_and_the_owner_can_act_all_the_same() {
    let mut jobs = Jobs::default();
    for n in 0..4 {
        let full = (CALLER_ACTS, share(CALLER_ACTS));
        assert_eq!(begin_all(&mut jobs, &token(n), 1_000 * n, 500), full);
    }
    let all = Obstacle::Crowd {
        most: MOST_ACTS,
        is_own: false,
    };
    assert_eq!(begin_all(&mut jobs, &token(9), 9_000, 1), (0, all));
    assert_eq!(
        begin_all(&mut jobs, &Actor::Owner, 10_000, 1_000),
        (CALLER_ACTS, share(CALLER_ACTS))
    );
}

#[test]
fn a_device_that_claims_jobs_without_end_gets_a_few_of_them() {
    let mut jobs = Jobs::default();
    let device = Actor::Device { name: "d0".into() };
    assert_eq!(
        begin_all(&mut jobs, &device, 0, 1),
        (DEVICE_ACTS, share(DEVICE_ACTS))
    );
    assert_eq!(jobs.find_obstacle(&draft(2_000, token(1), 1)), None);
}
