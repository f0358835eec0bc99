//! Finding entries by letters that occur in order. Whole words, beginnings of words and adjacent letters score higher.

use super::items::PaletteEntry;

const AT_START: i32 = 12;
const AT_WORD: i32 = 8;
const NEXT_TO_LAST: i32 = 6;
const WHOLE: i32 = 40;
/// The cost of each letter that is skipped inside a word, up to a limit.
const GAP: i32 = 1;
const GAP_LIMIT: i32 = 6;

/// The entries that match a text, best first. For an empty text, those that are listed before typing, in their own
/// order.
pub(super) fn best(entries: &[PaletteEntry], text: &str, limit: usize) -> Vec<PaletteEntry> {
    let wanted = text.trim().to_lowercase();
    if wanted.is_empty() {
        return entries
            .iter()
            .filter(|entry| entry.shown_untyped)
            .take(limit)
            .cloned()
            .collect();
    }
    let mut scored: Vec<(i32, usize)> = entries
        .iter()
        .enumerate()
        // Copies of recent entries are left out: the entries themselves are found.
        .filter(|(_, entry)| !entry.is_recent_copy)
        .filter_map(|(index, entry)| Some((score(&entry.searched, &wanted)? + entry.weight, index)))
        .collect();
    let length = |index: usize| entries[index].title.len();
    scored.sort_by(|a, b| {
        b.0.cmp(&a.0)
            .then_with(|| length(a.1).cmp(&length(b.1)))
            .then(a.1.cmp(&b.1))
    });
    scored.truncate(limit);
    let mut found: Vec<PaletteEntry> = scored
        .into_iter()
        .map(|(_, index)| entries[index].clone())
        .collect();
    // Entries are shown in groups, so those of a group follow its best entry.
    let order: Vec<_> = found.iter().map(|entry| entry.group).collect();
    found.sort_by_key(|entry| order.iter().position(|group| *group == entry.group));
    found
}

/// The score of letters in a text, both in lower case; `None` if they do not occur in order.
pub(super) fn score(text: &str, wanted: &str) -> Option<i32> {
    if let Some(at) = text.find(wanted) {
        let starts = at == 0;
        let word = starts || text[..at].ends_with(is_edge);
        let whole = text.len() == wanted.len() || text[at + wanted.len()..].starts_with(is_edge);
        let letters = i32::try_from(wanted.len()).unwrap_or(i32::MAX / 64);
        let place = if starts {
            AT_START
        } else if word {
            AT_WORD
        } else {
            0
        };
        return Some(letters * NEXT_TO_LAST + place + if word && whole { WHOLE } else { WHOLE / 2 });
    }
    let mut total = 0;
    let mut letters = text.chars();
    let mut before = None;
    for letter in wanted.chars().filter(|letter| !letter.is_whitespace()) {
        let mut gap = 0;
        let edge = loop {
            let next = letters.next()?;
            let edge = before.is_none_or(is_edge);
            before = Some(next);
            if next == letter {
                break edge;
            }
            gap += GAP;
        };
        // A letter at the beginning of a word has no cost for what was skipped: people type the initials of words.
        total += match (edge, gap) {
            (true, _) => AT_WORD,
            (false, 0) => NEXT_TO_LAST,
            (false, gap) => 1 - gap.min(GAP_LIMIT),
        };
    }
    Some(total)
}

fn is_edge(letter: char) -> bool {
    !letter.is_alphanumeric()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn whole_words_come_before_beginnings_and_these_before_scattered_letters() {
        let order = [
            "nas",
            "nas-2 edge",
            "nasty",
            "dynas",
            "network attached storage",
            "no answers",
        ];
        let scores: Vec<_> = order.iter().map(|text| score(text, "nas").unwrap()).collect();
        assert!(scores.windows(2).all(|pair| pair[0] >= pair[1]), "{scores:?}");
        assert_eq!(score("san", "nas"), None);
    }

    #[test]
    fn words_of_a_query_are_found_in_order_across_spaces() {
        assert!(score("postgres on nas", "post nas").is_some());
        assert!(score("add device", "ad").is_some());
    }

    proptest! {
        #[test]
        fn every_text_finds_itself_best(text in "[a-z -]{1,20}", other in "[a-z -]{1,20}") {
            prop_assume!(!text.trim().is_empty());
            let own = score(&text, &text).unwrap();
            if let Some(score) = score(&other, &text) { prop_assert!(own >= score); }
        }

        #[test]
        fn what_is_found_contains_the_letters(text in ".{0,20}", wanted in ".{0,6}") {
            if score(&text, &wanted).is_some() {
                for letter in wanted.chars().filter(|letter| !letter.is_whitespace()) { prop_assert!(text.contains(letter)); }
            }
        }
    }
}
