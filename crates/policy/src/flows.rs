//! Sets of flows between two devices, with the arithmetic for comparing policies.

use flotilla_protocol::policy::{PortRange, Ports, Proto, Rule};

/// Flows that may be opened: TCP and UDP by port, ICMP, and every other IP protocol.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Flows {
    tcp: PortSet,
    udp: PortSet,
    icmp: bool,
    other: bool,
}

impl Flows {
    pub(crate) fn of(proto: Proto, ports: &Ports) -> Self {
        let set = match ports {
            Ports::Any => PortSet::all(),
            Ports::Only(ranges) => PortSet::of(ranges),
        };
        match proto {
            Proto::Tcp => Self {
                tcp: set,
                ..Self::default()
            },
            Proto::Udp => Self {
                udp: set,
                ..Self::default()
            },
            Proto::Icmp => Self {
                icmp: true,
                ..Self::default()
            },
            Proto::Any => Self {
                tcp: PortSet::all(),
                udp: PortSet::all(),
                icmp: true,
                other: true,
            },
            Proto::Unknown => Self::default(),
        }
    }

    /// The flows that a question or a test is about; without a port all of them.
    pub(crate) fn asked(proto: Proto, port: Option<u16>) -> Self {
        let one = port.and_then(|port| PortRange::new(port, port).ok());
        Self::of(proto, &one.map_or(Ports::Any, |range| Ports::Only(vec![range])))
    }

    /// All flows that the rules allow together.
    pub(crate) fn of_all<'a>(rules: impl IntoIterator<Item = &'a Rule>) -> Self {
        let mut flows = Self::default();
        for rule in rules {
            flows.add(&Self::of(rule.proto, &rule.ports));
        }
        flows
    }

    fn add(&mut self, other: &Self) {
        self.tcp = self.tcp.with(&other.tcp);
        self.udp = self.udp.with(&other.udp);
        self.icmp |= other.icmp;
        self.other |= other.other;
    }

    pub(crate) fn without(&self, other: &Self) -> Self {
        Self {
            tcp: self.tcp.without(&other.tcp),
            udp: self.udp.without(&other.udp),
            icmp: self.icmp && !other.icmp,
            other: self.other && !other.other,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    pub(crate) fn holds(&self, other: &Self) -> bool {
        other.without(self).is_empty()
    }

    pub(crate) fn meets(&self, other: &Self) -> bool {
        self.without(other) != *self
    }

    /// The flows as people read them: protocols and their ports, in few parts.
    pub(crate) fn parts(&self) -> Vec<(Proto, String)> {
        if *self == Self::of(Proto::Any, &Ports::Any) {
            return vec![(Proto::Any, Ports::Any.to_string())];
        }
        let sets = [(Proto::Tcp, &self.tcp), (Proto::Udp, &self.udp)];
        let ported = sets
            .into_iter()
            .filter(|(_, set)| !set.is_empty())
            .map(|(proto, set)| (proto, set.to_string()));
        let icmp = self.icmp.then(|| (Proto::Icmp, Ports::Any.to_string()));
        let other = self.other.then(|| (Proto::Any, "other protocols".to_owned()));
        ported.chain(icmp).chain(other).collect()
    }
}

/// Ports as sorted ranges that neither overlap nor touch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PortSet(Vec<PortRange>);

impl PortSet {
    fn all() -> Self {
        Self(PortRange::new(1, u16::MAX).into_iter().collect())
    }

    pub(crate) fn of(ranges: &[PortRange]) -> Self {
        let mut sorted = ranges.to_vec();
        sorted.sort_unstable();
        let mut merged: Vec<PortRange> = Vec::new();
        for range in sorted {
            let last = merged
                .last()
                .filter(|last| range.first() <= last.last().saturating_add(1));
            let first = last.map_or(range.first(), |last| last.first());
            let end = last.map_or(range.last(), |last| last.last().max(range.last()));
            if last.is_some() {
                merged.pop();
            }
            merged.extend(PortRange::new(first, end));
        }
        Self(merged)
    }

    pub(crate) fn ranges(&self) -> &[PortRange] {
        &self.0
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn with(&self, other: &Self) -> Self {
        Self::of(&[&self.0[..], &other.0].concat())
    }

    fn without(&self, other: &Self) -> Self {
        let mut left = Vec::new();
        for range in &self.0 {
            let mut next = Some(range.first());
            let holes = other
                .0
                .iter()
                .filter(|hole| hole.first() <= range.last() && hole.last() >= range.first());
            for hole in holes {
                left.extend(next.and_then(|first| PortRange::new(first, hole.first() - 1).ok()));
                next = hole.last().checked_add(1);
            }
            left.extend(next.and_then(|first| PortRange::new(first, range.last()).ok()));
        }
        Self(left)
    }
}

impl std::fmt::Display for PortSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ports = if *self == Self::all() {
            Ports::Any
        } else {
            Ports::Only(self.0.clone())
        };
        ports.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn set(text: &str) -> PortSet {
        PortSet::of(
            &text
                .split(',')
                .map(|part| part.parse().unwrap())
                .collect::<Vec<_>>(),
        )
    }

    #[test]
    fn ports_add_up_and_subtract() {
        assert_eq!(
            set("443,80,8000-8010,8011,81-442").to_string(),
            "80-443, 8000-8011"
        );
        assert_eq!(
            PortSet::all().without(&set("22,443")).to_string(),
            "1-21, 23-442, 444-65535"
        );
        assert_eq!(set("1-65535").to_string(), "any");
        assert_eq!(set("20-30").without(&set("1-25")).to_string(), "26-30");
        assert!(set("65535").without(&PortSet::all()).is_empty());
    }

    #[test]
    fn parts_say_no_more_than_there_is() {
        let all = Flows::of(Proto::Any, &Ports::Any);
        assert_eq!(all.parts(), [(Proto::Any, "any".to_owned())]);
        let rest = all
            .without(&Flows::asked(Proto::Tcp, None))
            .without(&Flows::asked(Proto::Icmp, None));
        assert_eq!(
            rest.parts(),
            [
                (Proto::Udp, "any".to_owned()),
                (Proto::Any, "other protocols".to_owned())
            ]
        );
        assert!(all.holds(&rest) && !rest.holds(&all));
        assert!(rest.meets(&all) && !rest.meets(&Flows::asked(Proto::Tcp, Some(22))));
    }

    proptest! {
        #[test]
        fn a_port_is_where_arithmetic_says(
            a in proptest::collection::vec((1u16..40, 0u16..9), 0..6),
            b in proptest::collection::vec((1u16..40, 0u16..9), 0..6),
        ) {
            let build = |ranges: Vec<(u16, u16)>| {
                PortSet::of(&ranges.into_iter().map(|(f, n)| PortRange::new(f, f + n).unwrap()).collect::<Vec<_>>())
            };
            let (a, b) = (build(a), build(b));
            let holds = |set: &PortSet, port| set.0.iter().filter(|range| range.contains(port)).count();
            for port in 1..60 {
                let (in_a, in_b) = (holds(&a, port), holds(&b, port));
                prop_assert!(in_a <= 1 && in_b <= 1);
                prop_assert_eq!(holds(&a.with(&b), port), in_a.max(in_b));
                prop_assert_eq!(holds(&a.without(&b), port), usize::from(in_a == 1 && in_b == 0));
            }
        }
    }
}
