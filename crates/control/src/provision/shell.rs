//! Text as one word of a shell.

/// Quotes `text` so that every POSIX shell, and zsh, reads it as exactly one word.
///
/// A word of harmless characters stays as it is, so that commands read well.
pub(crate) fn quote(text: &str) -> String {
    let harmless =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'/' | b':' | b'_' | b'-');
    if !text.is_empty() && text.bytes().all(harmless) {
        text.to_owned()
    } else {
        // Inside single quotes only the single quote itself is special.
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// Quotes `text` so that PowerShell reads it as exactly one word. PowerShell treats typographic quotes as quotes, too.
pub(crate) fn quote_powershell(text: &str) -> String {
    let mut word = String::with_capacity(text.len() + 2);
    word.push('\'');
    for letter in text.chars() {
        word.push(letter);
        if matches!(letter, '\'' | '\u{2018}'..='\u{201b}') {
            word.push(letter);
        }
    }
    word.push('\'');
    word
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::process::Command;

    /// What a shell makes of the text as an argument.
    fn through(shell: &str, text: &str) -> Vec<u8> {
        let script = format!("printf %s {}", quote(text));
        Command::new(shell).args(["-c", &script]).output().unwrap().stdout
    }

    #[test]
    fn plain_words_stay_readable_and_others_are_quoted() {
        assert_eq!(quote("https://nas.lan:7443/x"), "https://nas.lan:7443/x");
        assert_eq!(quote("https://[::1]:7443"), "'https://[::1]:7443'");
        assert_eq!(quote("=https"), "'=https'");
        assert_eq!(quote(""), "''");
        assert_eq!(quote("it's"), r"'it'\''s'");
    }

    #[test]
    fn what_would_run_is_only_text() {
        for text in [
            "$(id)",
            "`id`",
            "a;id",
            "a\nid",
            "a'b\"c\\d",
            "'; id; '",
            "-n",
            "*",
            "~",
            "a&&b",
            "é ☂",
        ] {
            for shell in ["bash", "sh"] {
                assert_eq!(through(shell, text), text.as_bytes(), "{shell} {text:?}");
            }
        }
    }

    #[test]
    fn a_word_of_powershell_stays_one_word_whatever_quotes_are_in_it() {
        assert_eq!(quote_powershell("a $b `c \"d\""), "'a $b `c \"d\"'");
        assert_eq!(quote_powershell("it's"), "'it''s'");
        assert_eq!(quote_powershell("it\u{2019}s"), "'it\u{2019}\u{2019}s'");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(100))]
        #[test]
        fn any_text_survives_a_shell(text in "[^\0]{0,60}") {
            prop_assert_eq!(through("bash", &text), text.as_bytes());
        }
    }
}
