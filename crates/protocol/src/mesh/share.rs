//! Limits how many candidates are told, with a fair share for each kind.

use super::Candidate;
use std::collections::BTreeMap;

/// At most `most` of the candidates, in their order. Each kind in each family gets a share as large as any other's,
/// and takes what the others leave: a device with many bridges is still found at its one public address.
#[must_use]
pub fn share_evenly(candidates: impl IntoIterator<Item = Candidate>, most: usize) -> Vec<Candidate> {
    let mut counts = BTreeMap::new();
    let mut ranked: Vec<_> = candidates
        .into_iter()
        .enumerate()
        .map(|(place, candidate)| {
            let count: &mut usize = counts
                .entry((candidate.kind, candidate.address.is_ipv6()))
                .or_default();
            *count += 1;
            (*count, place, candidate)
        })
        .collect();
    ranked.sort_unstable_by_key(|(rank, place, _)| (*rank, *place));
    ranked.truncate(most);
    ranked.sort_unstable_by_key(|(_, place, _)| *place);
    ranked.into_iter().map(|(_, _, candidate)| candidate).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mesh::CandidateKind::{self, Local, Reflexive};

    fn candidates(kind: CandidateKind, address: &str, count: u16) -> impl Iterator<Item = Candidate> {
        let address: std::net::IpAddr = address.parse().unwrap();
        (1..=count).map(move |port| Candidate {
            kind,
            address: (address, port).into(),
        })
    }

    #[test]
    fn no_kind_of_candidate_pushes_out_another() {
        let all = candidates(Local, "10.0.0.1", 40)
            .chain(candidates(Local, "2001:db8::1", 2))
            .chain(candidates(Reflexive, "198.51.100.1", 3));
        let kept = share_evenly(all, 16);
        let count = |kind, v6| {
            kept.iter()
                .filter(|one| one.kind == kind && one.address.is_ipv6() == v6)
                .count()
        };
        assert_eq!(
            (count(Local, false), count(Local, true), count(Reflexive, false)),
            (11, 2, 3)
        );
        assert!(
            kept.windows(2)
                .all(|two| (two[0].kind, two[0].address) < (two[1].kind, two[1].address))
        );
        let seen = candidates(Reflexive, "198.51.100.1", 40).chain(candidates(Local, "10.0.0.1", 2));
        assert_eq!(
            share_evenly(seen, 16)
                .iter()
                .filter(|one| one.kind == Local)
                .count(),
            2
        );
    }

    #[test]
    fn few_candidates_are_all_kept_as_they_are() {
        let few: Vec<_> = candidates(Reflexive, "198.51.100.1", 2)
            .chain(candidates(Local, "10.0.0.1", 3))
            .collect();
        assert_eq!(share_evenly(few.clone(), 16), few);
    }
}
