//! Names for new devices: two words that are easy to say over a phone, and never rude.

use flotilla_protocol::name::DeviceName;
use rand::{Rng, seq::IndexedRandom};

const FIRST: [&str; 48] = [
    "amber", "autumn", "brave", "bright", "busy", "calm", "clever", "coral", "cosmic", "cozy", "crisp",
    "dancing", "daring", "eager", "early", "fabled", "gentle", "golden", "happy", "hazel", "humble", "jolly",
    "keen", "kind", "lively", "lucky", "lunar", "mellow", "merry", "misty", "noble", "patient", "polar",
    "proud", "quick", "quiet", "rapid", "royal", "silent", "silver", "snowy", "solar", "steady", "sunny",
    "swift", "velvet", "witty", "young",
];

const SECOND: [&str; 48] = [
    "badger", "beaver", "bison", "cedar", "cobra", "comet", "condor", "cricket", "dolphin", "eagle",
    "falcon", "ferret", "finch", "fox", "gecko", "gull", "harbor", "heron", "ibex", "island", "jaguar",
    "koala", "lagoon", "lemur", "lynx", "maple", "marmot", "meadow", "moose", "narwhal", "orca", "osprey",
    "otter", "owl", "panda", "pelican", "pine", "puffin", "raven", "reef", "robin", "seal", "sparrow",
    "tiger", "toucan", "turtle", "walrus", "willow",
];

/// A free name, for example `dancing-panda`. When the words run out, a number follows.
pub fn propose_name(is_taken: impl Fn(&DeviceName) -> bool, random: &mut impl Rng) -> DeviceName {
    let words = pair(random);
    // Most fleets are small, so a few random pairs find a free one; the numbers end the search in others.
    let pairs = std::iter::once(words.clone()).chain((0..16).map(|_| pair(random)));
    let numbered = (2u32..).map(|number| format!("{words}-{number}"));
    pairs
        .chain(numbered)
        .filter_map(|text| text.parse().ok())
        .find(|name| !is_taken(name))
        .expect("an unending sequence of names has a free one")
}

fn pair(random: &mut impl Rng) -> String {
    let mut word = |list: &[&'static str]| list.choose(random).copied().unwrap_or("device");
    format!("{}-{}", word(&FIRST), word(&SECOND))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::{SeedableRng, rngs::StdRng};
    use std::collections::BTreeSet;

    #[test]
    fn every_pair_is_a_device_name_and_no_word_is_there_twice() {
        for first in FIRST {
            for second in SECOND {
                assert!(format!("{first}-{second}").parse::<DeviceName>().is_ok());
            }
        }
        assert_eq!(BTreeSet::from(FIRST).len(), FIRST.len());
        assert_eq!(BTreeSet::from(SECOND).len(), SECOND.len());
    }

    #[test]
    fn a_fleet_larger_than_the_words_still_gets_names() {
        let mut random = StdRng::seed_from_u64(7);
        let mut taken = BTreeSet::new();
        for _ in 0..5_000 {
            let name = propose_name(|name| taken.contains(name), &mut random);
            assert!(taken.insert(name));
        }
    }

    proptest! {
        #[test]
        fn the_same_seed_proposes_the_same_name(seed: u64) {
            let propose = || propose_name(|_| false, &mut StdRng::seed_from_u64(seed));
            prop_assert_eq!(propose(), propose());
        }
    }
}
