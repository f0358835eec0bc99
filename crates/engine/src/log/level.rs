//! How much a line of a log matters, as its program says in the line itself.
//!
//! Programs say it in many forms. Those that are known: a field of a JSON object, a field of `key=value` pairs, the number
//! in front of a message of syslog, the letter in front of one of klog, and a word before the message, in capitals or set
//! off (`[warn]`, `warn:`). A line in another form says nothing.

use flotilla_protocol::log::LogLevel;

/// How much of a line that is no JSON is looked at, in bytes: a level stands before the message or soon after.
const LOOKED_AT: usize = 512;

/// How far from the beginning a bare word counts, in bytes: after a time, a host, a program and a thread. Later words are
/// those of the message.
const HEAD: usize = 128;

/// The names of fields that hold a level, in small letters.
const FIELDS: &[&str] = &[
    "level",
    "lvl",
    "severity",
    "log.level",
    "loglevel",
    "log_level",
    "levelname",
    "severity_text",
    "@l",
    "s",
    "priority",
];

/// The level of a line, from its beginning; nothing where it says none that is known.
pub(super) fn level_of(line: &[u8]) -> Option<LogLevel> {
    let start = line.iter().position(|byte| !byte.is_ascii_whitespace())?;
    let line = &line[start..];
    if line.starts_with(b"{") {
        return of_json(line);
    }
    let plain = without_colors(&line[..line.len().min(LOOKED_AT)]);
    of_syslog(&plain)
        .or_else(|| of_klog(&plain))
        .or_else(|| of_pairs(&plain))
        .or_else(|| of_words(&plain))
}

/// A level by its name, whatever its case.
fn named(word: &[u8]) -> Option<LogLevel> {
    let level = match word.to_ascii_lowercase().as_slice() {
        b"trace" | b"trce" | b"trc" | b"finest" | b"verbose" => LogLevel::Trace,
        b"debug" | b"dbug" | b"dbg" | b"fine" => LogLevel::Debug,
        b"info" | b"information" | b"informational" | b"inf" | b"notice" | b"log" => LogLevel::Info,
        b"warn" | b"warning" | b"wrn" => LogLevel::Warn,
        b"error" | b"err" | b"eror" | b"fail" | b"severe" => LogLevel::Error,
        b"fatal" | b"ftl" | b"critical" | b"crit" | b"alert" | b"emerg" | b"emergency" | b"panic"
        | b"dpanic" => LogLevel::Fatal,
        _ => return None,
    };
    Some(level)
}

/// A level by the one letter that some programs write for it.
fn lettered(letter: u8) -> Option<LogLevel> {
    match letter {
        b'D' => Some(LogLevel::Debug),
        b'I' => Some(LogLevel::Info),
        b'W' => Some(LogLevel::Warn),
        b'E' => Some(LogLevel::Error),
        b'F' => Some(LogLevel::Fatal),
        _ => None,
    }
}

/// The value of a field: a name, a letter, or the letter and a number.
fn valued(value: &[u8]) -> Option<LogLevel> {
    match value {
        [letter] | [letter, b'1'..=b'5'] => lettered(*letter),
        word => named(word),
    }
}

/// The number of a field: that of syslog below 8, else one of those that count up by tens.
fn numbered(number: u64) -> Option<LogLevel> {
    match number {
        0..=7 => u8::try_from(number).ok().map(of_severity),
        10..20 => Some(LogLevel::Trace),
        20..30 => Some(LogLevel::Debug),
        30..40 => Some(LogLevel::Info),
        40..50 => Some(LogLevel::Warn),
        50..60 => Some(LogLevel::Error),
        60..=70 => Some(LogLevel::Fatal),
        _ => None,
    }
}

/// The severity of syslog (RFC 5424 §6.2.1).
fn of_severity(severity: u8) -> LogLevel {
    match severity {
        0..=2 => LogLevel::Fatal,
        3 => LogLevel::Error,
        4 => LogLevel::Warn,
        5 | 6 => LogLevel::Info,
        _ => LogLevel::Debug,
    }
}

/// `<134>`: facility and severity in one number, up to 191.
fn of_syslog(line: &[u8]) -> Option<LogLevel> {
    let rest = line.strip_prefix(b"<")?;
    let digits = rest
        .iter()
        .take(3)
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let (digits, rest) = rest.split_at(digits);
    let number: u8 = std::str::from_utf8(digits).ok()?.parse().ok()?;
    (rest.starts_with(b">") && number <= 191).then(|| of_severity(number % 8))
}

/// `W0131 12:00:00.000000`: letter, month and day, time.
fn of_klog(line: &[u8]) -> Option<LogLevel> {
    let (head, rest) = line.split_first_chunk::<5>()?;
    let [letter, date @ ..] = head;
    let is_date = date.iter().all(u8::is_ascii_digit);
    let is_time = matches!(rest, [b' ', hour, _, b':', ..] if hour.is_ascii_digit());
    (is_date && is_time).then(|| lettered(*letter)).flatten()
}

/// `level=warn`, also in quotes, at the beginning or after a blank.
fn of_pairs(line: &[u8]) -> Option<LogLevel> {
    line.split(|byte| byte.is_ascii_whitespace()).find_map(|pair| {
        let equals = pair.iter().position(|byte| *byte == b'=')?;
        let (key, value) = (&pair[..equals], &pair[equals + 1..]);
        let is_field = FIELDS
            .iter()
            .any(|field| key.eq_ignore_ascii_case(field.as_bytes()));
        let value = value.trim_ascii_end();
        let value = value.strip_prefix(b"\"").unwrap_or(value);
        let value = value.strip_suffix(b",").unwrap_or(value);
        let value = value.strip_suffix(b"\"").unwrap_or(value);
        is_field.then(|| valued(value)).flatten()
    })
}

/// A word before the message: in capitals, in brackets, or with a colon behind it.
fn of_words(line: &[u8]) -> Option<LogLevel> {
    let head = &line[..line.len().min(HEAD)];
    let is_letter = |byte: &u8| byte.is_ascii_alphabetic();
    let mut at = 0;
    while let Some(next) = head[at..].iter().position(is_letter) {
        let begin = at + next;
        let length = head[begin..].iter().take_while(|byte| is_letter(byte)).count();
        at = begin + length;
        let before = begin.checked_sub(1).map(|before| head[before]);
        // What follows may be beyond the head.
        if let Some(level) = of_word(before, &head[begin..at], line.get(at).copied()) {
            return Some(level);
        }
    }
    None
}

fn of_word(before: Option<u8>, word: &[u8], after: Option<u8>) -> Option<LogLevel> {
    let level = named(word)?;
    let is_apart = before.is_none_or(|byte| b" \t[(<|:-\"'*".contains(&byte))
        && after.is_none_or(|byte| b" \t])>|:,-\"'*".contains(&byte));
    let is_shouted = word.iter().all(u8::is_ascii_uppercase);
    let is_bracketed = matches!(
        (before, after),
        (Some(b'[' | b'(' | b'<' | b':'), Some(b']' | b')' | b'>'))
    );
    let is_title = before.is_none_or(|byte| byte == b' ') && after == Some(b':');
    (is_apart && (is_shouted || is_bracketed || is_title)).then_some(level)
}

/// The line without what colors it.
fn without_colors(line: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(line.len());
    let mut rest = line.iter().copied();
    while let Some(byte) = rest.next() {
        if byte != b'\x1b' {
            plain.push(byte);
        } else if rest.next() == Some(b'[') {
            // Parameters, and the letter that ends them.
            rest.find(|byte| (0x40..=0x7e).contains(byte));
        }
    }
    plain
}

/// The level in an object of JSON: the first field of it that has one. The object may be cut off behind that.
fn of_json(line: &[u8]) -> Option<LogLevel> {
    let mut depth = 0_usize;
    let mut rest = line;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => {
                let (text, after) = string(rest)?;
                rest = after;
                if depth == 1
                    && let Some(value) = after_colon(rest)
                    && FIELDS
                        .iter()
                        .any(|field| text.eq_ignore_ascii_case(field.as_bytes()))
                    && let Some(level) = of_value(value)
                {
                    return Some(level);
                }
            }
            _ => {}
        }
    }
    None
}

/// Splits behind the end of a string that has begun. What is escaped in it stays so.
fn string(rest: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut is_escaped = false;
    let end = rest.iter().position(|byte| {
        let is_end = *byte == b'"' && !is_escaped;
        is_escaped = *byte == b'\\' && !is_escaped;
        is_end
    })?;
    Some((&rest[..end], &rest[end + 1..]))
}

fn after_colon(rest: &[u8]) -> Option<&[u8]> {
    Some(rest.trim_ascii_start().strip_prefix(b":")?.trim_ascii_start())
}

fn of_value(value: &[u8]) -> Option<LogLevel> {
    if let Some(rest) = value.strip_prefix(b"\"") {
        return valued(string(rest)?.0);
    }
    let digits = value
        .iter()
        .take(3)
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    numbered(std::str::from_utf8(&value[..digits]).ok()?.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use LogLevel::{Debug, Error, Fatal, Info, Trace, Warn};
    use proptest::prelude::*;

    fn ensure_levels(lines: &[(&str, Option<LogLevel>)]) {
        for (line, level) in lines {
            assert_eq!(level_of(line.as_bytes()), *level, "{line}");
        }
    }

    #[test]
    fn lines_with_fields_say_their_level() {
        ensure_levels(&[
            (
                r#"{"time":"2026-01-02","msg":"a \"level\": \"error\"","level":"warn"}"#,
                Some(Warn),
            ),
            (
                r#"  {"a":{"level":"fatal"},"b":["level"],"Level" : "Information""#,
                Some(Info),
            ),
            (r#"{"level":50,"time":1,"msg":"pino"}"#, Some(Error)),
            (r#"{"@t":"x","@l":"Fatal","@m":"serilog"}"#, Some(Fatal)),
            (
                r#"{"t":{"$date":"x"},"s":"W","c":"NETWORK","msg":"mongo"}"#,
                Some(Warn),
            ),
            (r#"{"s":"D2","msg":"mongo"}"#, Some(Debug)),
            (r#"{"log.level":"debug","message":"ecs"}"#, Some(Debug)),
            (r#"{"PRIORITY":"x","priority":3}"#, Some(Error)),
            (r#"{"msg":"level"}"#, None),
            (r#"{"msg":"error and more"#, None),
            (
                r#"time="2026-01-02T03:04:05Z" level=warning msg="docker""#,
                Some(Warn),
            ),
            ("ts=1 lvl=eror msg=gitea", Some(Error)),
            (r#"level="info", more"#, Some(Info)),
            ("<11>1 2026-01-02T03:04:05Z host app - - syslog", Some(Error)),
            ("<134>Jan  2 03:04:05 host app: syslog", Some(Info)),
            ("<192>not syslog", None),
        ]);
    }

    #[test]
    fn lines_for_people_say_their_level() {
        ensure_levels(&[
            ("W0131 12:00:00.123456       1 reflector.go:324] klog", Some(Warn)),
            ("E0131 12:00:00.123456       1 x.go:1] INFO", Some(Error)),
            ("2026-01-02T03:04:05.000Z  WARN crate::room: tracing", Some(Warn)),
            (
                "\x1b[2m2026-01-02\x1b[0m \x1b[31mERROR\x1b[0m colored",
                Some(Error),
            ),
            ("[2026-01-02T03:04:05Z DEBUG env_logger] text", Some(Debug)),
            ("2026/01/02 03:04:05 [error] 7#7: *1 open() failed", Some(Error)),
            (
                "[Fri Jan 02 03:04:05 2026] [core:notice] [pid 1] apache",
                Some(Info),
            ),
            (
                "2026-01-02 03:04:05.000 UTC [1] FATAL:  the database system is starting up",
                Some(Fatal),
            ),
            ("2026-01-02 03:04:05.000 UTC [1] LOG:  listening", Some(Info)),
            ("WARNING:root:python", Some(Warn)),
            ("2026-01-02 03:04:05,678 - name - CRITICAL - python", Some(Fatal)),
            ("03:04:05.678 [main] ERROR c.e.App - java", Some(Error)),
            ("[03:04:05 WRN] serilog", Some(Warn)),
            ("3:04AM INF zerolog", Some(Info)),
            ("fail: Microsoft.AspNetCore[0]", Some(Error)),
            ("trce: Microsoft", Some(Trace)),
            ("npm WARN deprecated", Some(Warn)),
            ("Error: cannot find module", Some(Error)),
            (
                r#"10.0.0.1 - - [02/Jan/2026:03:04:05] "GET /ERROR HTTP/1.1" 200"#,
                None,
            ),
            ("there was no error in the information", None),
            ("    at main (warn.js:1)", None),
            ("an ERRORS page, and INFOS", None),
            ("", None),
            ("\x1b[", None),
        ]);
        let late = format!("{} ERROR", "x".repeat(HEAD));
        assert_eq!(level_of(late.as_bytes()), None, "that is the message");
    }

    proptest! {
        #[test]
        fn any_bytes_have_a_level_or_none(line in proptest::collection::vec(any::<u8>(), 0..200), json in r#"\{["{}\[\]:,a-z0-9 ]{0,60}"#) {
            let _ = (level_of(&line), level_of(json.as_bytes()));
        }

        /// Whatever stands around it in the object.
        #[test]
        fn a_field_of_an_object_is_found_among_others(
            fields in proptest::collection::btree_map("[a-k]{2,4}", r#"[ -~\\"\{\}]{0,12}"#, 0..6), nested: bool, at: prop::sample::Index,
        ) {
            let value = |text: &str| if nested { serde_json::json!([{"level": text}]) } else { serde_json::json!(text) };
            let mut members: Vec<_> = fields.iter().map(|(key, text)| format!("{}:{}", serde_json::json!(key), value(text))).collect();
            members.insert(at.index(members.len() + 1), r#""level": "error""#.to_owned());
            prop_assert_eq!(level_of(format!("{{{}}}", members.join(",")).as_bytes()), Some(Error));
        }
    }
}
