//! Texts inside cells.

use super::TableState;
use leptos::prelude::*;

/// A text whose parts that the filter looks for are marked.
#[component]
pub fn Marked(#[prop(into)] text: String) -> impl IntoView {
    let table = use_context::<TableState>();
    let parts = move || {
        let parts = table.map_or_else(
            || vec![(false, text.clone())],
            |table| {
                table
                    .query
                    .with(|query| parts(&text, &query.words().collect::<Vec<_>>()))
            },
        );
        let part = |(marked, text): (bool, String)| {
            if marked {
                view! { <mark>{text}</mark> }.into_any()
            } else {
                text.into_any()
            }
        };
        parts.into_iter().map(part).collect_view()
    };
    view! { <span>{parts}</span> }
}

/// Stands where there is no value.
#[component]
pub fn Dash() -> impl IntoView {
    view! { <span class="faint" aria-hidden="true">"–"</span> }
}

/// Splits a text into what one of the words matches and what none does.
fn parts(text: &str, words: &[&str]) -> Vec<(bool, String)> {
    // Only where lower case has the same length do places in it mean the same places in the text.
    let lower = text.to_lowercase();
    if words.is_empty() || lower.len() != text.len() {
        return vec![(false, text.to_owned())];
    }
    let mut parts = Vec::new();
    let mut done = 0;
    while let Some((start, end)) = next_match(&lower, done, words) {
        let (Some(before), Some(found)) = (text.get(done..start), text.get(start..end)) else {
            break;
        };
        if !before.is_empty() {
            parts.push((false, before.to_owned()));
        }
        parts.push((true, found.to_owned()));
        done = end;
    }
    if let Some(rest) = text.get(done..).filter(|rest| !rest.is_empty()) {
        parts.push((false, rest.to_owned()));
    }
    parts
}

fn next_match(text: &str, from: usize, words: &[&str]) -> Option<(usize, usize)> {
    let rest = text.get(from..)?;
    let found = words
        .iter()
        .filter(|word| !word.is_empty())
        .filter_map(|word| Some((rest.find(word)?, word.len())));
    let (at, length) = found.min_by_key(|(at, length)| (*at, usize::MAX - length))?;
    Some((from + at, from + at + length))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_earliest_and_longest_match_is_marked() {
        let marked = parts("Postgres-17", &["post", "gres-1", "postgres"]);
        assert_eq!(marked, [(true, "Postgres".into()), (false, "-17".into())]);
        assert_eq!(parts("nas", &["x"]), [(false, "nas".into())]);
    }

    proptest! {
        #[test]
        fn no_part_is_lost(text in ".{0,20}", words in prop::collection::vec(".{0,3}", 0..3)) {
            let lower: Vec<_> = words.iter().map(|word| word.to_lowercase()).collect();
            let parts = parts(&text, &lower.iter().map(String::as_str).collect::<Vec<_>>());
            prop_assert_eq!(parts.into_iter().map(|(_, part)| part).collect::<String>(), text);
        }
    }
}
