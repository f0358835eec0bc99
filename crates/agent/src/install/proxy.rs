//! Keeps the proxy of the shell that installs the agent for the service, which starts without that shell's environment.
//! The file may hold a password, so only root reads it.

use super::file::{remove, replace};
use flotilla_link::PROXY_VARIABLES;
use std::{io, path::Path};
use zeroize::Zeroizing;

/// Writes the proxy of this process's environment, or removes the file of an earlier installation when there is none.
pub(super) fn keep(file: &Path) -> io::Result<()> {
    let text = text(|name| std::env::var(name).ok());
    if text.is_empty() {
        return remove(file);
    }
    replace(file, text.as_bytes(), flotilla_disk::PRIVATE)
}

/// The file's text, as systemd reads it (`EnvironmentFile=` in `systemd.exec(5)`). A value with a control character
/// can't be written there and is left out.
fn text(variable: impl Fn(&str) -> Option<String>) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::new());
    for name in PROXY_VARIABLES {
        let value = variable(name).map(Zeroizing::new);
        let Some(value) = value.filter(|value| !value.is_empty() && !value.contains(char::is_control)) else {
            continue;
        };
        text.push_str(name);
        text.push_str("=\"");
        for letter in value.chars() {
            if matches!(letter, '"' | '\\' | '$' | '`') {
                text.push('\\');
            }
            text.push(letter);
        }
        text.push_str("\"\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_variable_that_is_set_is_a_line_that_systemd_reads_back() {
        let text = text(|name| match name {
            "https_proxy" => Some(r#"http://ann:a"b\c$d`e@proxy:1"#.to_owned()),
            "NO_PROXY" => Some(".lan,10.0.0.0/8".to_owned()),
            "all_proxy" => Some("http://x\nLD_PRELOAD=y".to_owned()),
            "HTTPS_PROXY" => Some(String::new()),
            "PATH" => Some("/bin".to_owned()),
            _ => None,
        });
        let expected =
            "https_proxy=\"http://ann:a\\\"b\\\\c\\$d\\`e@proxy:1\"\nNO_PROXY=\".lan,10.0.0.0/8\"\n";
        assert_eq!(*text, expected);
    }
}
