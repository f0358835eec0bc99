//! Marks on the words of the filter in the rows.
//!
//! They use the browser's highlight registry, which marks ranges of text without changing elements.

use super::TableState;
use crate::browser;
use leptos::{html, prelude::*};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, Range};

/// The name of the highlight in style sheets.
const HIGHLIGHT: &str = "match";

/// Updates the marks when rows, columns or the filter change.
pub(super) fn keep_marks(table: TableState, grid: NodeRef<html::Div>) {
    Effect::new(move |marked: Option<bool>| {
        let words = table.words.get();
        if words.is_empty() && marked != Some(true) {
            return false;
        }
        table.window.track();
        table.fitted.track();
        let any = !words.is_empty();
        browser::next_frame(move || {
            let ranges = grid
                .try_get_untracked()
                .flatten()
                .map(|grid| ranges(&grid, &words))
                .unwrap_or_default();
            // A browser without a highlight registry shows no marks.
            highlight(&ranges).ok();
        });
        any
    });
    on_cleanup(|| _ = highlight(&[]));
}

fn highlight(ranges: &[Range]) -> Result<(), JsValue> {
    let property = |object: &JsValue, name: &str| js_sys::Reflect::get(object, &name.into());
    let window = JsValue::from(window());
    let constructor: js_sys::Function = property(&window, "Highlight")?.dyn_into()?;
    let ranges: js_sys::Array = ranges.iter().collect();
    let registered = js_sys::Reflect::construct(&constructor, &ranges)?;
    let all = property(&property(&window, "CSS")?, "highlights")?;
    let set: js_sys::Function = property(&all, "set")?.dyn_into()?;
    set.call2(&all, &HIGHLIGHT.into(), &registered).map(|_| ())
}

/// The ranges in which words occur in the cells of the page.
fn ranges(grid: &Element, words: &[String]) -> Vec<Range> {
    const TEXTS: u32 = 4;
    let Some(body) = grid.query_selector(".body").ok().flatten() else {
        return Vec::new();
    };
    let Ok(walker) = document().create_tree_walker_with_what_to_show(&body, TEXTS) else {
        return Vec::new();
    };
    let mut ranges = Vec::new();
    while let Ok(Some(node)) = walker.next_node() {
        let Some(text) = node.node_value() else { continue };
        for (start, end) in matches(&text, words) {
            if let Ok(range) = Range::new() {
                let placed = range
                    .set_start(&node, start)
                    .and_then(|()| range.set_end(&node, end));
                ranges.extend(placed.ok().map(|()| range));
            }
        }
    }
    ranges
}

/// Where words, given in lower case, occur in a text: start and end in UTF-16 units, as the browser counts.
fn matches(text: &str, words: &[String]) -> Vec<(u32, u32)> {
    // Positions in the lower-case text hold for the text only if both have the same length.
    let lower = text.to_lowercase();
    if lower.len() != text.len() {
        return Vec::new();
    }
    let units = |bytes: usize| {
        let before = text.get(..bytes).unwrap_or(text);
        u32::try_from(before.encode_utf16().count()).unwrap_or(u32::MAX)
    };
    let mut found = Vec::new();
    let mut done = 0;
    while let Some((start, end)) = next_match(&lower, done, words) {
        found.push((units(start), units(end)));
        done = end;
    }
    found
}

fn next_match(text: &str, from: usize, words: &[String]) -> Option<(usize, usize)> {
    let rest = text.get(from..)?;
    let words = words.iter().filter(|word| !word.is_empty());
    let found = words.filter_map(|word| Some((rest.find(word.as_str())?, word.len())));
    let (at, length) = found.min_by_key(|(at, length)| (*at, usize::MAX - length))?;
    Some((from + at, from + at + length))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_earliest_and_longest_match_is_marked() {
        let words = ["post", "gres-1", "postgres"].map(str::to_owned);
        assert_eq!(matches("Postgres-17", &words), [(0, 8)]);
        assert_eq!(matches("my post, my post", &words), [(3, 7), (12, 16)]);
        assert_eq!(matches("😀 post", &words), [(3, 7)]);
        assert!(matches("nas", &words).is_empty());
    }

    proptest! {
        #[test]
        fn marks_lie_in_the_text_and_one_after_the_other(text in ".{0,20}", words in prop::collection::vec(".{0,3}", 0..3)) {
            let words: Vec<_> = words.iter().map(|word| word.to_lowercase()).collect();
            let length = u32::try_from(text.encode_utf16().count()).unwrap();
            let mut done = 0;
            for (start, end) in matches(&text, &words) {
                prop_assert!(done <= start && start < end && end <= length);
                done = end;
            }
        }
    }
}
