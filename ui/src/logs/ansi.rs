//! The colors and styles that a line asks for by escape sequences (ECMA-48, *SGR*), apart from its text.
//!
//! Everything else that a sequence could do to a terminal is left out. Of a line that goes back to its beginning, as
//! progress bars do, only what is seen in the end is kept.

use flotilla_protocol::text::is_unseen;
use std::{iter::Peekable, str::Chars};

/// How a part of a line looks. The default is the text around it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Style {
    pub color: Option<Color>,
    pub background: Option<Color>,
    pub is_bold: bool,
    pub is_dim: bool,
    pub is_italic: bool,
    pub is_underlined: bool,
    /// Ground and text change their colors.
    pub is_reversed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Color {
    /// One of a terminal's 16 colors, which the theme chooses.
    Named(u8),
    Rgb(u8, u8, u8),
}

impl Color {
    /// The number of the color of a terminal's first eight that comes closest: black, red, green, yellow, blue, magenta,
    /// cyan, white. The theme draws each of them so that it can be read on its ground.
    #[must_use]
    pub fn hue(self) -> u8 {
        match self {
            Self::Named(number) => number % 8,
            Self::Rgb(red, green, blue) => {
                let (most, least) = (red.max(green).max(blue), red.min(green).min(blue));
                if most - least < 48 {
                    return if most < 128 { 0 } else { 7 };
                }
                let middle = least + (most - least) / 2;
                u8::from(red > middle) | u8::from(green > middle) << 1 | u8::from(blue > middle) << 2
            }
        }
    }
}

/// A style, and the byte of the text from which on it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    pub start: usize,
    pub style: Style,
}

/// A text without escape sequences, and the runs of it that have a style of their own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Styled {
    pub text: String,
    /// By where they start. The beginning of the text has the default style unless a run starts there.
    pub runs: Vec<Run>,
}

/// Where a character that is not seen was.
const UNSEEN: char = '\u{fffd}';

/// The most styles of one line; what comes after them has the last one.
const RUNS: usize = 500;

impl Styled {
    /// Reads a line. `style` is the one with which the line before ended, and becomes that of the next one.
    #[must_use]
    pub fn read(line: &str, style: &mut Style) -> Self {
        let mut styled = Self::default();
        styled.begin(*style);
        // Most lines are made of nothing else.
        if line.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\t')) {
            line.clone_into(&mut styled.text);
            return styled;
        }
        let mut rest = line.chars().peekable();
        while let Some(character) = rest.next() {
            match character {
                '\u{1b}' => {
                    if escape(&mut rest, style) {
                        styled.begin(*style);
                    }
                }
                '\r' => {
                    if rest.peek().is_some() {
                        styled = Self::default();
                        styled.begin(*style);
                    }
                }
                '\t' => styled.text.push('\t'),
                unseen if is_unseen(unseen) => styled.text.push(UNSEEN),
                seen => styled.text.push(seen),
            }
        }
        styled
    }

    fn begin(&mut self, style: Style) {
        let start = self.text.len();
        if self.runs.last().is_some_and(|run| run.start == start) {
            self.runs.pop();
        }
        let before = self.runs.last().map(|run| run.style).unwrap_or_default();
        if style != before && self.runs.len() < RUNS {
            self.runs.push(Run { start, style });
        }
    }
}

/// Takes a sequence off, behind its first character. Answers whether it may have changed the style.
fn escape(rest: &mut Peekable<Chars<'_>>, style: &mut Style) -> bool {
    match rest.peek() {
        Some('[') => {
            rest.next();
            let mut numbers = String::new();
            for character in rest.by_ref() {
                match character {
                    '0'..=';' => numbers.push(character),
                    'm' => {
                        select(&numbers, style);
                        return true;
                    }
                    '@'..='~' => return false,
                    _ => {}
                }
            }
            false
        }
        // A title, a link or the like, up to its end.
        Some(']' | 'P' | '^' | '_' | 'X') => {
            while let Some(character) = rest.next() {
                if character == '\u{7}' || character == '\u{9c}' {
                    break;
                }
                if character == '\u{1b}' && rest.peek() == Some(&'\\') {
                    rest.next();
                    break;
                }
            }
            false
        }
        Some(_) => {
            rest.next();
            false
        }
        None => false,
    }
}

/// Applies the numbers of one SGR sequence.
fn select(numbers: &str, style: &mut Style) {
    let mut numbers = numbers
        .split([';', ':'])
        .map(|number| number.parse::<u16>().unwrap_or(0));
    while let Some(number) = numbers.next() {
        match number {
            0 => *style = Style::default(),
            1 => style.is_bold = true,
            2 => style.is_dim = true,
            3 => style.is_italic = true,
            4 => style.is_underlined = true,
            7 => style.is_reversed = true,
            22 => (style.is_bold, style.is_dim) = (false, false),
            23 => style.is_italic = false,
            24 => style.is_underlined = false,
            27 => style.is_reversed = false,
            30..=37 => style.color = named(number - 30),
            38 => style.color = extended(&mut numbers),
            39 => style.color = None,
            40..=47 => style.background = named(number - 40),
            48 => style.background = extended(&mut numbers),
            49 => style.background = None,
            90..=97 => style.color = named(number - 90 + 8),
            100..=107 => style.background = named(number - 100 + 8),
            _ => {}
        }
    }
}

fn named(number: u16) -> Option<Color> {
    u8::try_from(number).ok().map(Color::Named)
}

/// A color by its number in the table of 256, or by red, green and blue.
fn extended(numbers: &mut impl Iterator<Item = u16>) -> Option<Color> {
    let mut byte = || u8::try_from(numbers.next()?).ok();
    match byte()? {
        5 => Some(match byte()? {
            number @ 0..=15 => Color::Named(number),
            number @ 16..=231 => {
                let cube = number - 16;
                let level = |step: u8| if step == 0 { 0 } else { 55 + 40 * step };
                Color::Rgb(level(cube / 36), level(cube / 6 % 6), level(cube % 6))
            }
            number => {
                let gray = 8 + 10 * (number - 232);
                Color::Rgb(gray, gray, gray)
            }
        }),
        2 => Some(Color::Rgb(byte()?, byte()?, byte()?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(line: &str) -> Styled {
        Styled::read(line, &mut Style::default())
    }

    #[test]
    fn colors_are_apart_from_the_text_and_go_on_in_the_next_line() {
        let mut style = Style::default();
        let first = Styled::read(
            "a \u{1b}[1;31mred\u{1b}[0m b \u{1b}[38;5;196mx\u{1b}[48;2;1;2;3my",
            &mut style,
        );
        assert_eq!(first.text, "a red b xy");
        let starts: Vec<_> = first.runs.iter().map(|run| run.start).collect();
        assert_eq!(starts, [2, 5, 8, 9]);
        assert_eq!(first.runs[0].style.color, Some(Color::Named(1)));
        assert!(first.runs[0].style.is_bold && !first.runs[1].style.is_bold);
        assert_eq!(first.runs[2].style.color, Some(Color::Rgb(255, 0, 0)));
        assert_eq!(first.runs[3].style.background, Some(Color::Rgb(1, 2, 3)));
        let next = Styled::read("still\u{1b}[m over", &mut style);
        assert_eq!((next.runs[0].start, next.runs[1].start), (0, 5));
        assert_eq!(style, Style::default());
    }

    #[test]
    fn what_would_steer_a_terminal_is_left_out() {
        for (line, text) in [
            ("\u{1b}]0;title\u{7}shown", "shown"),
            ("\u{1b}]8;;https://evil\u{1b}\\link\u{1b}]8;;\u{1b}\\", "link"),
            ("\u{1b}[2J\u{1b}[Hgone", "gone"),
            ("10 %\r50 %\rdone\r", "done"),
            ("a\u{202e}b\u{7}", "a\u{fffd}b\u{fffd}"),
            ("\u{1b}", ""),
            ("\u{1b}[3", ""),
        ] {
            assert_eq!(read(line).text, text, "{line:?}");
        }
    }

    #[test]
    fn each_color_is_told_by_the_closest_of_eight() {
        for (color, hue) in [
            (Color::Named(9), 1),
            (Color::Rgb(255, 0, 0), 1),
            (Color::Rgb(250, 160, 20), 3),
            (Color::Rgb(20, 20, 200), 4),
            (Color::Rgb(0, 200, 210), 6),
            (Color::Rgb(30, 30, 30), 0),
            (Color::Rgb(200, 210, 200), 7),
        ] {
            assert_eq!(color.hue(), hue, "{color:?}");
        }
    }

    proptest! {
        #[test]
        fn any_line_is_read_and_nothing_unseen_is_left(line in "(\u{1b}|\\[|[0-9;m]|[a-z]|\r|\u{7}|\\PC){0,80}") {
            let styled = read(&line);
            prop_assert!(!styled.text.chars().any(|character| character != '\t' && is_unseen(character)));
            prop_assert!(styled.runs.iter().all(|run| styled.text.is_char_boundary(run.start)));
            prop_assert!(styled.runs.windows(2).all(|pair| pair[0].start < pair[1].start));
        }
    }
}
