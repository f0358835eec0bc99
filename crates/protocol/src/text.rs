//! Text from outside (of a device, an image, a host or a stranger), made safe to show on a terminal, in a table, in a
//! log or in a sentence of ours.

/// Lets a type that prints as it parses cross the wire as that text, and stand so in debug output.
macro_rules! written_as_text {
    ($name:ident, $error:ty) => {
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(self, f)
            }
        }
        impl TryFrom<String> for $name {
            type Error = $error;
            fn try_from(text: String) -> Result<Self, $error> {
                text.parse()
            }
        }
        impl From<$name> for String {
            fn from(value: $name) -> String {
                value.to_string()
            }
        }
    };
}

pub(crate) use written_as_text;

/// Whether a character is not seen as itself: it steers a terminal, ends a line, changes the direction of text, or has
/// no picture at all, so that two different texts look alike.
///
/// These are the control characters, the separators of lines and paragraphs, the anchors of interlinear notes, and
/// Unicode's `Default_Ignorable_Code_Point`, to which the marks of direction, the joiners and the tags belong.
#[must_use]
pub fn is_unseen(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}'
                | '\u{34f}'
                | '\u{61c}'
                | '\u{115f}'..='\u{1160}'
                | '\u{17b4}'..='\u{17b5}'
                | '\u{180b}'..='\u{180f}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{3164}'
                | '\u{fe00}'..='\u{fe0f}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff0}'..='\u{fffb}'
                | '\u{1bca0}'..='\u{1bca3}'
                | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

/// The text as one line in which every character is seen: one that is not is written by its code, as `\n` or
/// `\u{1b}`. A text that would be longer than `longest` characters is cut and ends in `…`.
#[must_use]
pub fn shown(text: &str, longest: usize) -> String {
    let mut shown = String::with_capacity(text.len().min(longest));
    let mut room = longest;
    for character in text.chars() {
        let code = is_unseen(character).then(|| character.escape_default());
        // Codes are in ASCII.
        let width = code.as_ref().map_or(1, ExactSizeIterator::len);
        if width > room {
            shown.push('…');
            break;
        }
        room -= width;
        match code {
            Some(code) => shown.extend(code),
            None => shown.push(character),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_steers_hides_or_turns_is_shown_by_its_code() {
        for (text, seen) in [
            ("postgres 17 → é ☂ 東京", "postgres 17 → é ☂ 東京"),
            ("\u{1b}[2J\u{1b}]0;x\u{7}", r"\u{1b}[2J\u{1b}]0;x\u{7}"),
            ("a\nflotilla: all is well\r\t", r"a\nflotilla: all is well\r\t"),
            ("\u{7f}\u{9b}31m", r"\u{7f}\u{9b}31m"),
            (
                "web\u{202e}gpj\u{2066}\u{200f}\u{61c}",
                r"web\u{202e}gpj\u{2066}\u{200f}\u{61c}",
            ),
            ("a\u{2028}b\u{2029}c", r"a\u{2028}b\u{2029}c"),
            ("n\u{200b}a\u{feff}s\u{e0041}", r"n\u{200b}a\u{feff}s\u{e0041}"),
        ] {
            assert_eq!(shown(text, usize::MAX), seen);
        }
    }

    #[test]
    fn a_long_text_ends_in_dots_and_no_code_is_cut_in_two() {
        assert_eq!(shown("abcdef", 6), "abcdef");
        assert_eq!(shown("abcdefg", 6), "abcdef…");
        assert_eq!(shown("abc\u{1b}", 6), "abc…");
        assert_eq!(shown(&"x".repeat(1 << 20), 3), "xxx…");
    }

    proptest! {
        #[test]
        fn whatever_is_shown_is_one_line_without_anything_unseen(text: String, longest in 0usize..80) {
            let shown = shown(&text, longest);
            prop_assert!(!shown.contains(is_unseen));
            prop_assert!(shown.chars().count() <= longest + 1);
        }
    }
}
