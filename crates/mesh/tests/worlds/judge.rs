//! Whether a world that has come to rest is as the reference says: which devices are answered, by which paths, and
//! with which sizes.

use crate::{
    device::{Device, TUN},
    nat::Depends,
    world::World,
};
use flotilla_protocol::{
    device::RelayPreference,
    path::{PathKind, PathReason},
};
use std::{net::SocketAddr, time::Duration};

/// By then the size of a path is found, both ways: each of six sizes is tried for 750 ms, the one in use after 2 s.
const SIZES_FOUND: u32 = 20;
/// So many answers are no coincidence.
const ANSWERS: usize = 3;

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
    let reached: Vec<_> = pairs
        .into_iter()
        .filter(|(from, to)| world.reaches(*from, *to) == Some(true))
        .collect();
    for (from, to) in &reached {
        judge_path(world, *from, *to);
    }
    judge_sizes(world, &reached);
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
    if kind == PathKind::Relayed {
        judge_reason(world, path.why, [from, to]);
    }
}

/// Whether the reason for a relayed path is right. Two ends without a common family, and NATs that do not hairpin,
/// have no reason of their own: the ends go on trying. Whether a NAT's mapping depends on the address alone cannot be
/// told with a single relay.
fn judge_reason(world: &World, why: PathReason, pair: [usize; 2]) {
    let ends = pair.map(|number| &world.devices[number]);
    let any = |test: &dyn Fn(&Device) -> bool| ends.iter().any(|end| test(end));
    let mapping = |end: &Device| world.outermost(end).map(|kind| kind.mapping);
    let right: &[PathReason] = if any(&|end| end.preference == RelayPreference::Always) {
        &[PathReason::RelayAlways]
    } else if any(&|end| world.sites[end.site].blocked) {
        &[PathReason::RelayUdpBlocked]
    } else if ends
        .iter()
        .all(|end| mapping(end) == Some(Depends::AddressAndPort) && end.has_ipv4())
    {
        &[PathReason::RelayHardNat]
    } else if any(&|end| mapping(end).is_some_and(|mapping| mapping != Depends::Independent)) {
        &[
            PathReason::RelayHardNat,
            PathReason::RelayTrying,
            PathReason::RelayLost,
        ]
    } else {
        &[PathReason::RelayTrying, PathReason::RelayLost]
    };
    assert!(
        right.contains(&why),
        "{pair:?}: {why}, should be one of {right:?}"
    );
}

/// Sends packets as large as allowed, both ways, by senders that obey size errors: none are lost for ever.
fn judge_sizes(world: &mut World, pairs: &[(usize, usize)]) {
    world.devices.iter_mut().for_each(|device| device.sizes.clear());
    let mut waiting: Vec<_> = pairs.iter().map(|pair| (*pair, vec![])).collect();
    for _ in 0..SIZES_FOUND {
        for ((from, to), requests) in &mut waiting {
            requests.push(world.request_of(TUN, *from, *to));
        }
        world.run_for(Duration::from_secs(1));
        waiting.retain(|((from, _), requests)| {
            let answered = requests
                .iter()
                .filter(|request| world.is_answered(*from, **request));
            answered.count() < ANSWERS
        });
    }
    assert!(waiting.is_empty(), "large packets vanish: {waiting:?}");
    for (from, to) in pairs {
        judge_size(world, *from, *to);
    }
}

/// The claimed size of a direct path must fit. A relay's leg may be TLS, which carries everything.
fn judge_size(world: &World, from: usize, to: usize) {
    let path = world.path(from, to);
    if let (PathReason::DirectIpv6 | PathReason::DirectNat, Some(remote)) = (path.why, path.remote) {
        let around = if SocketAddr::is_ipv4(&remote) {
            28 + 32
        } else {
            48 + 32
        };
        let sites = [from, to].map(|device| &world.sites[world.devices[device].site]);
        if sites[0].public == remote.ip() {
            // The path is hairpinned before the narrow link.
            return;
        }
        let carried = sites.map(|site| site.widest - around);
        assert!(
            carried.iter().all(|carried| usize::from(path.mtu) <= *carried),
            "{from} → {to}: {path:?} carries {carried:?}"
        );
    }
}
