//! Whether a world that has come to rest is as the reference says: who is answered, and by which way.

use crate::world::World;
use flotilla_protocol::{
    device::RelayPreference,
    path::{PathKind, PathReason},
};
use std::time::Duration;

pub(crate) fn judge(world: &mut World) {
    let count = world.devices.len();
    let pairs: Vec<_> = (0..count)
        .flat_map(|a| (0..count).map(move |b| (a, b)))
        .filter(|(a, b)| a != b)
        .collect();
    for (from, to) in &pairs {
        judge_reach(world, *from, *to);
    }
    world.run_for(Duration::from_secs(15));
    for (from, to) in pairs {
        if world.reaches(from, to) == Some(true) {
            judge_path(world, from, to);
        }
    }
}

fn judge_reach(world: &mut World, from: usize, to: usize) {
    if world.devices[from].asleep {
        return;
    }
    let mut answered = false;
    for _ in 0..6 {
        let number = world.request(from, to);
        world.run_for(Duration::from_millis(1500));
        answered |= world.is_answered(from, number);
    }
    let expected = world.reaches(from, to);
    assert!(
        expected.is_none_or(|expected| expected == answered),
        "{from} → {to}: answered {answered}, should {expected:?}"
    );
}

fn judge_path(world: &World, from: usize, to: usize) {
    let path = world.path(from, to);
    let kind = path.why.kind();
    let verdict = world.verdict(from, to);
    assert!(
        verdict.allows(path.why),
        "{from} → {to}: {path:?}, should {verdict:?}"
    );
    let devices = [from, to].map(|number| &world.devices[number]);
    if devices
        .iter()
        .any(|device| device.preference == RelayPreference::Always)
    {
        assert_eq!(path.why, PathReason::RelayAlways, "{from} → {to}");
    } else if kind == PathKind::Relayed && devices.iter().any(|device| world.sites[device.site].blocked) {
        assert_eq!(path.why, PathReason::RelayUdpBlocked, "{from} → {to}");
    }
}
