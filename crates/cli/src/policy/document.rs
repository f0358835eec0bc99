//! A policy document from a file, or from standard input as `-`.

use crate::failure::Failure;
use flotilla_protocol::policy::Policy;
use std::{io::Read, path::Path};

pub(super) fn read(file: &Path) -> Result<Policy, Failure> {
    let piped = file == Path::new("-");
    let shown = if piped {
        "Standard input".to_owned()
    } else {
        file.display().to_string()
    };
    let mut text = String::new();
    let read = if piped {
        std::io::stdin().read_to_string(&mut text).map(|_| ())
    } else {
        std::fs::read_to_string(file).map(|content| text = content)
    };
    read.map_err(|source| Failure::Unreadable {
        file: shown.clone(),
        source,
    })?;
    parse(&text).map_err(|reason| Failure::Document { file: shown, reason })
}

/// Parses a policy; an error names the line and the field.
fn parse(text: &str) -> Result<Policy, String> {
    let mut json = serde_json::Deserializer::from_str(text);
    let policy = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        let at = if path == "." {
            String::new()
        } else {
            format!("at {path}: ")
        };
        format!("{at}{}", error.inner())
    })?;
    json.end().map_err(|error| error.to_string())?;
    Ok(policy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_is_named_by_field_and_line() {
        for (text, says) in [
            ("{", "line 1"),
            ("{}\n{}", "line 2"),
            (r#"{"rulez":[]}"#, "unknown field `rulez`"),
            (
                "{\"rules\":[{\"name\":\"a\",\n\"from\":[\"all\"],\"to\":[]}]}",
                "at rules[0].from[0]: \"all\" selects nothing",
            ),
            (
                "{\"rules\":[{\"name\":\"a\",\"from\":[],\"to\":[],\n\"ports\":[70000]}]}",
                "at rules[0].ports",
            ),
        ] {
            let reason = parse(text).unwrap_err();
            assert!(
                reason.contains(says) && reason.contains("line "),
                "{text}: {reason}"
            );
        }
        assert!(parse("{}").is_ok());
    }
}
