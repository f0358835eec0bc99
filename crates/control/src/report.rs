//! Reports of devices, cut down to what control keeps.
//!
//! A report is made on a machine that may be hostile, so nothing in it is believed to be short, few, finite or clean.
//! [`BoundedReport::from`] is the only way of a report into the cache: texts are cut and their control characters made
//! visible, lists and figures have limits, and what an engine holds is kept by key, up to a number and up to a size.
//! Nothing is left out in silence: cut texts end in `…`, and things that are left out make the device's rows a part,
//! which its attention says.

mod bound;
mod holdings;
mod limiter;

pub(crate) use bound::{Bound, bounded};
pub(crate) use holdings::{Collection, Holdings, LIMITS, WeighedItem};
pub(crate) use limiter::SENTENCE_CHARS;

use flotilla_protocol::{
    agent::{Hello, ItemRef, Report},
    device::{EndpointTrial, Facts, Usage},
    inventory::{EngineState, Item, Kind},
    mesh::MeshReport,
    path::PeerPath,
};
use std::collections::BTreeMap;

/// Things that are applied under one lock of the cache, so that other callers wait for so many at most.
const PIECE: usize = 256;

/// A report within bounds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum BoundedReport {
    Hello(Hello),
    Facts(Facts),
    Engine(EngineState),
    /// Everything that the engine holds, or as much of it as is kept: then `partial` is true.
    Inventory {
        holdings: Holdings,
        partial: bool,
    },
    Upsert(Vec<WeighedItem>),
    Remove(Vec<ItemRef>),
    Usage(Usage),
    Mesh(MeshReport),
    /// One path per peer.
    Paths(Vec<PeerPath>),
    Endpoints(Vec<EndpointTrial>),
    Unknown,
}

impl From<Report> for BoundedReport {
    fn from(report: Report) -> Self {
        match report {
            Report::Hello(hello) => Self::Hello(bounded(hello)),
            Report::Facts(facts) => Self::Facts(bounded(facts)),
            Report::Engine(engine) => Self::Engine(bounded(engine)),
            Report::Inventory(inventory) => {
                let (holdings, partial) = Holdings::of(inventory);
                Self::Inventory { holdings, partial }
            }
            Report::Upsert { items } => {
                let kept = items.into_iter().filter(|item| *item != Item::Unknown);
                Self::Upsert(kept.map(WeighedItem::from).collect())
            }
            Report::Remove { items } => {
                let kept = items.into_iter().filter(|item| item.kind != Kind::Unknown);
                Self::Remove(kept.map(bounded).collect())
            }
            Report::Usage(usage) => Self::Usage(bounded(usage)),
            Report::Mesh(mesh) => Self::Mesh(bounded(mesh)),
            Report::Paths { paths } => {
                let paths = paths.into_iter().map(|path| (path.peer, bounded(path)));
                Self::Paths(paths.collect::<BTreeMap<_, _>>().into_values().collect())
            }
            Report::Endpoints { trials } => Self::Endpoints(bounded(trials)),
            Report::Unknown => Self::Unknown,
        }
    }
}

/// How many parts of a report this control does not know and leaves out: reports and kinds of things of newer agents.
pub(crate) fn count_unknown(report: &Report) -> usize {
    match report {
        Report::Unknown => 1,
        Report::Upsert { items } => items.iter().filter(|item| **item == Item::Unknown).count(),
        Report::Remove { items } => items.iter().filter(|item| item.kind == Kind::Unknown).count(),
        _ => 0,
    }
}

impl BoundedReport {
    /// Splits the report into pieces that are applied quickly.
    pub(crate) fn pieces(self) -> Box<dyn Iterator<Item = Self> + Send> {
        match self {
            Self::Upsert(items) => Box::new(split(items, Self::Upsert)),
            Self::Remove(items) => Box::new(split(items, Self::Remove)),
            Self::Paths(paths) => Box::new(split(paths, Self::Paths)),
            whole => Box::new(std::iter::once(whole)),
        }
    }
}

fn split<T>(items: Vec<T>, wrap: fn(Vec<T>) -> BoundedReport) -> impl Iterator<Item = BoundedReport> {
    let mut items = items.into_iter();
    std::iter::from_fn(move || {
        let piece: Vec<_> = items.by_ref().take(PIECE).collect();
        (!piece.is_empty()).then(|| wrap(piece))
    })
}

#[cfg(test)]
mod tests;
