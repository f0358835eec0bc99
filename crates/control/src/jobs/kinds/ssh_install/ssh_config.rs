//! The hosts that the owner's ssh configuration names, for a person to choose from.
//!
//! The file is read as `ssh` reads it (ssh_config(5)): blocks of `Host` patterns, where the first value found counts.
//! Values of `Match` blocks are left out, because they depend on the connection; `Include` is followed one level.

use super::host::Host;
use flotilla_protocol::api::SshHost;
use std::{
    fs::{self, File},
    io::Read,
    path::{Path, PathBuf},
};

/// Bytes of a file that are read; a configuration is some kilobytes.
const FILE_BYTES: u64 = 1024 * 1024;

/// Files that one pattern of an `Include` may name.
const INCLUDED: usize = 64;

/// The hosts named in `.ssh/config` below `home`; none without that file.
pub(super) fn read(home: &Path) -> Vec<SshHost> {
    let folder = home.join(".ssh");
    let Some(text) = text_of(&folder.join("config")) else {
        return Vec::new();
    };
    hosts(&text, |pattern| {
        let path = match pattern.strip_prefix("~/") {
            Some(rest) => home.join(rest),
            None => folder.join(pattern),
        };
        let files = files_like(&path).into_iter().take(INCLUDED);
        files.filter_map(|file| text_of(&file)).collect()
    })
}

fn text_of(path: &Path) -> Option<String> {
    let mut bytes = Vec::new();
    File::open(path)
        .ok()?
        .take(FILE_BYTES)
        .read_to_end(&mut bytes)
        .ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// The files that match a path with a pattern as its last part, sorted by name.
fn files_like(path: &Path) -> Vec<PathBuf> {
    let (Some(folder), Some(pattern)) = (path.parent(), path.file_name().and_then(|name| name.to_str()))
    else {
        return Vec::new();
    };
    if !pattern.contains(['*', '?']) {
        return vec![path.to_owned()];
    }
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<_> = entries
        .filter(|entry| {
            entry
                .file_name()
                .to_str()
                .is_some_and(|name| is_like(pattern, name))
        })
        .map(|entry| entry.path())
        .collect();
    files.sort();
    files
}

/// The hosts that a configuration names; `include` answers the texts of the files that an `Include` names.
fn hosts(text: &str, include: impl Fn(&str) -> Vec<String>) -> Vec<SshHost> {
    let mut blocks = vec![Block::of(vec!["*".to_owned()])];
    read_blocks(text, &mut blocks, Some(&include));
    let names = blocks.iter().flat_map(|block| &block.patterns);
    let mut aliases: Vec<&String> = Vec::new();
    for name in names.filter(|name| is_alias(name)) {
        if !aliases.contains(&name) {
            aliases.push(name);
        }
    }
    let described = aliases.into_iter().map(|alias| {
        let first = |value: fn(&Block) -> &Option<String>| {
            let meant = blocks.iter().filter(|block| block.means(alias));
            meant.filter_map(|block| value(block).clone()).next()
        };
        let hostname = first(|block| &block.hostname).map(|name| name.replace("%h", alias));
        SshHost {
            hostname: hostname.filter(|name| name != alias),
            user: first(|block| &block.user),
            alias: alias.clone(),
        }
    });
    described.collect()
}

type Include<'a> = &'a dyn Fn(&str) -> Vec<String>;

/// Appends the blocks of a text; lines before its first `Host` belong to the last block so far.
fn read_blocks(text: &str, blocks: &mut Vec<Block>, include: Option<Include<'_>>) {
    for line in text.lines() {
        let Some((keyword, arguments)) = words(line) else {
            continue;
        };
        let argument = arguments.first().cloned();
        match (keyword.as_str(), blocks.last_mut()) {
            ("host", _) => blocks.push(Block::of(arguments)),
            ("match", _) => {
                let all = arguments.len() == 1 && arguments[0].eq_ignore_ascii_case("all");
                blocks.push(Block::of(all.then(|| "*".to_owned()).into_iter().collect()));
            }
            ("hostname", Some(block)) => block.hostname = block.hostname.take().or(argument),
            ("user", Some(block)) => block.user = block.user.take().or(argument),
            ("include", Some(block)) => {
                let patterns = block.patterns.clone();
                for text in include
                    .iter()
                    .flat_map(|include| arguments.iter().flat_map(|it| include(it)))
                {
                    blocks.push(Block::of(patterns.clone()));
                    read_blocks(&text, blocks, None);
                }
                blocks.push(Block::of(patterns));
            }
            _ => {}
        }
    }
}

/// The values between one `Host` line and the next.
#[derive(Debug)]
struct Block {
    /// Without patterns, the block applies to no host.
    patterns: Vec<String>,
    hostname: Option<String>,
    user: Option<String>,
}

impl Block {
    fn of(patterns: Vec<String>) -> Self {
        Self {
            patterns,
            hostname: None,
            user: None,
        }
    }

    fn means(&self, alias: &str) -> bool {
        let mut meant = false;
        for pattern in &self.patterns {
            match pattern.strip_prefix('!') {
                Some(pattern) if is_like(pattern, alias) => return false,
                Some(_) => {}
                None => meant |= is_like(pattern, alias),
            }
        }
        meant
    }
}

/// Whether a name is no pattern, and can be given to `ssh`.
fn is_alias(name: &str) -> bool {
    !name.contains(['*', '?', '!', '@', ':']) && name.parse::<Host>().is_ok()
}

/// Whether a text matches a pattern of `*` (any text) and `?` (one character).
fn is_like(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    // The place of the last star, and how much of the text it has matched.
    let (mut at, mut read, mut star) = (0, 0, None);
    while read < text.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, read));
                at += 1;
            }
            Some(wanted) if *wanted == '?' || *wanted == text[read] => {
                at += 1;
                read += 1;
            }
            _ => {
                let Some((place, eaten)) = star else {
                    return false;
                };
                star = Some((place, eaten + 1));
                at = place + 1;
                read = eaten + 1;
            }
        }
    }
    pattern[at..].iter().all(|rest| *rest == '*')
}

/// A line's keyword in lowercase with its arguments; `None` for a comment or an empty line.
fn words(line: &str) -> Option<(String, Vec<String>)> {
    let line = line.trim();
    let end = line
        .find(|c: char| c.is_whitespace() || c == '=')
        .unwrap_or(line.len());
    let (keyword, rest) = line.split_at(end);
    if keyword.is_empty() || keyword.starts_with('#') {
        return None;
    }
    let rest = rest.trim_start();
    let rest = rest.strip_prefix('=').unwrap_or(rest);
    let mut arguments = Vec::new();
    let mut rest = rest.trim_start();
    while !rest.is_empty() && !rest.starts_with('#') {
        let (argument, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => rest.split_once(char::is_whitespace).unwrap_or((rest, "")),
        };
        arguments.push(argument.to_owned());
        rest = after.trim_start();
    }
    Some((keyword.to_ascii_lowercase(), arguments))
}

#[cfg(test)]
#[path = "ssh_config/tests.rs"]
mod tests;
