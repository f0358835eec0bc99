//! A line as the pieces that look alike.

use super::ansi::{Style, Styled};
use std::ops::Range;

/// A piece of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part<'a> {
    pub text: &'a str,
    pub style: Style,
    /// It is what is looked for.
    pub is_found: bool,
}

/// The pieces of the first `length` bytes of a line. `places` are those of what is looked for, in their order.
#[must_use]
pub fn parts<'a>(content: &'a Styled, length: usize, places: &[Range<usize>]) -> Vec<Part<'a>> {
    let length = length.min(content.text.len());
    let runs = content.runs.iter().map(|run| run.start);
    let ends = places.iter().flat_map(|place| [place.start, place.end]);
    let mut cuts: Vec<usize> = [0, length]
        .into_iter()
        .chain(runs)
        .chain(ends)
        .filter(|cut| *cut <= length)
        .collect();
    cuts.sort_unstable();
    cuts.dedup();
    let part = |pair: &[usize]| {
        let (start, end) = (pair[0], pair[1]);
        let run = content
            .runs
            .partition_point(|run| run.start <= start)
            .checked_sub(1);
        let place = places.partition_point(|place| place.end <= start);
        Some(Part {
            text: content.text.get(start..end)?,
            style: run.map(|run| content.runs[run].style).unwrap_or_default(),
            is_found: places.get(place).is_some_and(|place| place.start <= start),
        })
    };
    cuts.windows(2).filter_map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_cut_where_its_style_or_what_is_found_begins_and_ends() {
        let content = Styled::read("one \u{1b}[31mtwo three\u{1b}[m four", &mut Style::default());
        let all = parts(&content, 99, &[2..6, 8..13]);
        let told: Vec<_> = all
            .iter()
            .map(|part| (part.text, part.style.color.is_some(), part.is_found))
            .collect();
        assert_eq!(
            told,
            [
                ("on", false, false),
                ("e ", false, true),
                ("tw", true, true),
                ("o ", true, false),
                ("three", true, true),
                (" four", false, false)
            ]
        );
        let short = parts(&content, 5, &[2..4, 4..6]);
        assert_eq!(short.iter().map(|part| part.text).collect::<String>(), "one t");
        assert!(parts(&Styled::default(), 9, &[]).is_empty());
    }
}
