//! The graph that the map draws: devices or groups of devices, and the worst path between each two of them.

use super::layout::Spot;
use crate::{copy::mesh as copy, urgency};
use flotilla_protocol::{
    device::{Device, DeviceStatus},
    id::DeviceId,
    path::{Path, PathKind, PathReason},
};
use std::{collections::BTreeMap, sync::Arc};

/// Up to this many nodes all edges are drawn; with more, the lines would be a tangle.
pub(super) const ALL_DRAWN: usize = 24;

/// With more devices than this, devices are folded to groups.
pub(super) const FOLDED: usize = 60;

/// A node of the graph, which is a button of the map.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Node {
    Device(DeviceId),
    Group(String),
}

/// A node with its spot in the layout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MapNode {
    pub(super) node: Node,
    pub(super) spot: Spot,
    pub(super) online: bool,
}

/// An edge: the worst path between two nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Edge {
    pub(super) ends: (Node, Node),
    pub(super) kind: PathKind,
    pub(super) relay: Option<String>,
    /// The edge is drawn faintly, as it needs no attention.
    pub(super) quiet: bool,
}

/// The nodes in reading order. In a large fleet only the group `unfolded` is shown device by device.
pub(super) fn map_nodes(devices: &[Arc<Device>], filter: &str, unfolded: Option<&str>) -> Vec<MapNode> {
    let words = filter.trim().to_lowercase();
    let wanted = |device: &&Arc<Device>| {
        device.status != DeviceStatus::Revoked
            && (device.name.as_str().contains(&words)
                || device.tags.iter().any(|tag| tag.as_str().contains(&words)))
    };
    let devices: Vec<_> = devices.iter().filter(wanted).collect();
    let folds = devices.len() > FOLDED;
    let mut groups: BTreeMap<(bool, String), usize> = BTreeMap::new();
    let mut shown = Vec::new();
    for device in devices {
        let spot = spot_of(device);
        if folds && unfolded != Some(&spot.group) {
            *groups.entry((spot.untagged, spot.group)).or_default() += 1;
        } else {
            let online = device.status == DeviceStatus::Online;
            shown.push(MapNode {
                node: Node::Device(device.id),
                spot,
                online,
            });
        }
    }
    shown.extend(groups.into_iter().map(|((untagged, group), count)| MapNode {
        node: Node::Group(group.clone()),
        spot: Spot {
            untagged,
            name: format!("{group} ({count})"),
            group,
        },
        online: true,
    }));
    shown.sort_by(|one, other| one.spot.cmp(&other.spot));
    shown
}

/// The spot of a device. Its first tag is its group.
pub(super) fn spot_of(device: &Device) -> Spot {
    let tag = device.tags.first().map(ToString::to_string);
    Spot {
        untagged: tag.is_none(),
        group: tag.unwrap_or_else(|| copy::UNTAGGED.to_owned()),
        name: device.name.to_string(),
    }
}

/// The edges to draw. With a selected node, these are all of its edges. Without one, they are all edges if `count`, the
/// number of nodes, is small; else only relayed and broken ones, unless there are none: a map without lines would look
/// as if no device could reach another.
pub(super) fn edges<'a>(
    paths: impl Iterator<Item = &'a Path>,
    node_of: impl Fn(DeviceId) -> Option<Node>,
    selected: Option<&Node>,
    count: usize,
) -> Vec<Edge> {
    let mut worst: BTreeMap<(Node, Node), (u8, &Path)> = BTreeMap::new();
    for path in paths {
        let Some((from, to)) = node_of(path.from_id).zip(node_of(path.to_id)) else {
            continue;
        };
        let ends = if from < to { (from, to) } else { (to, from) };
        let touches = selected.is_none_or(|selected| ends.0 == *selected || ends.1 == *selected);
        if ends.0 == ends.1 || !touches {
            continue;
        }
        let rank = urgency::of_path(path.kind);
        let known = worst.entry(ends).or_insert((rank, path));
        if rank < known.0 {
            *known = (rank, path);
        }
    }
    let edge = |(ends, (_, path)): (_, (u8, &Path))| Edge {
        ends,
        kind: path.kind,
        relay: path.relay.clone(),
        quiet: selected.is_none() && !needs_look(path),
    };
    let mut edges: Vec<_> = worst.into_iter().map(edge).collect();
    if count > ALL_DRAWN && edges.iter().any(|edge| !edge.quiet) {
        edges.retain(|edge| !edge.quiet);
    }
    edges
}

/// Whether a path is relayed, or broken for another reason than the policy.
fn needs_look(path: &Path) -> bool {
    match path.kind {
        PathKind::Relayed => true,
        PathKind::None => path.why_code != PathReason::NonePolicy,
        PathKind::Direct | PathKind::Unknown => false,
    }
}

/// The numbers of pairs of devices that are direct, relayed, and without a path.
pub(super) fn tally<'a>(paths: impl Iterator<Item = &'a Path>) -> (usize, usize, usize) {
    let mut worst: BTreeMap<(DeviceId, DeviceId), u8> = BTreeMap::new();
    for path in paths {
        let ends = (path.from_id.min(path.to_id), path.from_id.max(path.to_id));
        let known = worst.entry(ends).or_insert(u8::MAX);
        *known = urgency::of_path(path.kind).min(*known);
    }
    let of = |kind| {
        worst
            .values()
            .filter(|worst| **worst == urgency::of_path(kind))
            .count()
    };
    (of(PathKind::Direct), of(PathKind::Relayed), of(PathKind::None))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u128) -> DeviceId {
        format!("00000000-0000-7000-8000-{number:012}").parse().unwrap()
    }

    fn path(from: u128, to: u128, kind: &str, why: &str) -> Path {
        serde_json::from_str(&format!(
            r#"{{"from":"d{from}","from_id":"{}","to":"d{to}","to_id":"{}","kind":"{kind}","relay":null,"rtt_ms":null,
                "since":null,"why_code":"{why}","why":"","as_of":"2026-01-01T00:00:00Z"}}"#,
            id(from),
            id(to)
        ))
        .unwrap()
    }

    fn device(number: u128, tags: &str) -> Arc<Device> {
        let json = format!(
            r#"{{"id":"{}","name":"d{number}","status":"online","cordoned":false,"draining":false,"attention":[],
                "mesh_ip":"100.64.0.1","mode":"host","relay":"auto","tags":{tags},
                "as_of":"2026-01-01T00:00:00Z","created":"2026-01-01T00:00:00Z"}}"#,
            id(number)
        );
        Arc::new(serde_json::from_str(&json).unwrap())
    }

    #[test]
    fn devices_stand_by_first_tag_and_name_with_the_untagged_last() {
        let devices = [
            device(3, "[]"),
            device(2, r#"["web","a"]"#),
            device(1, r#"["web"]"#),
            device(4, r#"["edge"]"#),
        ];
        let names: Vec<_> = map_nodes(&devices, "", None)
            .into_iter()
            .map(|shown| shown.spot.name)
            .collect();
        assert_eq!(names, ["d4", "d1", "d2", "d3"]);
        assert_eq!(map_nodes(&devices, "WEB", None).len(), 2);
    }

    #[test]
    fn a_large_fleet_folds_to_groups_and_one_can_be_opened() {
        let devices: Vec<_> = (0..70)
            .map(|n| device(n, if n % 2 == 0 { r#"["even"]"# } else { "[]" }))
            .collect();
        let names: Vec<_> = map_nodes(&devices, "", None)
            .into_iter()
            .map(|shown| shown.spot.name)
            .collect();
        assert_eq!(names, ["even (35)", "Untagged (35)"]);
        assert_eq!(map_nodes(&devices, "", Some("even")).len(), 36);
    }

    fn kinds(paths: &[Path], selected: Option<u128>, count: usize) -> Vec<(PathKind, bool)> {
        let selected = selected.map(|n| Node::Device(id(n)));
        let drawn = edges(
            paths.iter(),
            |id| Some(Node::Device(id)),
            selected.as_ref(),
            count,
        );
        drawn.into_iter().map(|edge| (edge.kind, edge.quiet)).collect()
    }

    #[test]
    fn a_small_map_draws_every_path_and_those_that_are_well_quietly() {
        let paths = [
            path(1, 2, "direct", "direct.lan"),
            path(2, 1, "relayed", "relay.lost"),
            path(1, 3, "none", "none.policy"),
            path(2, 3, "direct", "direct.lan"),
            path(3, 4, "none", "none.offline"),
        ];
        let (relayed, none, direct) = (PathKind::Relayed, PathKind::None, PathKind::Direct);
        assert_eq!(
            kinds(&paths, None, 4),
            [(relayed, false), (none, true), (direct, true), (none, false)]
        );
        assert_eq!(
            kinds(&paths, Some(3), 4),
            [(none, false), (direct, false), (none, false)]
        );
        assert_eq!(tally(paths.iter()), (1, 1, 2));
    }

    #[test]
    fn a_large_map_draws_what_needs_a_look_and_is_never_without_lines() {
        let mut paths = vec![
            path(1, 2, "direct", "direct.lan"),
            path(2, 3, "direct", "direct.lan"),
        ];
        assert_eq!(kinds(&paths, None, ALL_DRAWN + 1).len(), 2);
        paths.push(path(1, 3, "relayed", "relay.lost"));
        assert_eq!(kinds(&paths, None, ALL_DRAWN + 1), [(PathKind::Relayed, false)]);
        assert_eq!(kinds(&paths, None, ALL_DRAWN).len(), 3);
    }
}
