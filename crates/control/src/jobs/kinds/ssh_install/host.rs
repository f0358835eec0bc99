//! The host that a person names: an alias of the owner's ssh configuration, or `[user@]host[:port]`.
//!
//! The host becomes arguments of `ssh` and a part of messages, and `ssh` may pass it to programs that the owner
//! configured. So no text is accepted that an option, a shell or a terminal could interpret.

use std::{fmt, net::Ipv6Addr, str::FromStr};

/// A host name of 253 characters is the longest there is (RFC 1035 §2.3.4).
const NAME_CHARS: usize = 253;

/// Longest user name: longer than on any system.
const USER_CHARS: usize = 64;

/// A host that `ssh` can connect to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Host {
    user: Option<String>,
    name: String,
    port: Option<u16>,
}

/// The text names no host.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "\"{}\" is not a host. Write a name of your ssh configuration, or [user@]host[:port] with an IPv6 address in brackets.",
    .0.escape_debug()
)]
pub(crate) struct InvalidHost(String);

impl Host {
    /// The arguments of `ssh` for this host; the command follows them.
    pub(super) fn arguments(&self) -> Vec<String> {
        let mut arguments = Vec::new();
        if let Some(port) = self.port {
            arguments.extend(["-p".to_owned(), port.to_string()]);
        }
        if let Some(user) = &self.user {
            arguments.extend(["-l".to_owned(), user.clone()]);
        }
        arguments.extend(["--".to_owned(), self.name.clone()]);
        arguments
    }

    /// What a person types in a terminal to get to the same place with `program`: `ssh -p 2222 pi@garage`.
    pub(super) fn by_hand(&self, program: &str) -> String {
        let port = self.port.map(|port| format!(" -p {port}")).unwrap_or_default();
        let user = self
            .user
            .as_ref()
            .map(|user| format!("{user}@"))
            .unwrap_or_default();
        format!("{program}{port} {user}{}", self.name)
    }

    /// The name under which `ssh` keeps the host's key.
    pub(super) fn known_as(&self) -> String {
        match self.port {
            Some(port) if port != 22 => format!("[{}]:{port}", self.name),
            _ => self.name.clone(),
        }
    }

    /// The name or address alone.
    pub(super) fn name(&self) -> &str {
        &self.name
    }
}

impl FromStr for Host {
    type Err = InvalidHost;

    fn from_str(text: &str) -> Result<Self, InvalidHost> {
        let invalid = || InvalidHost(text.chars().take(NAME_CHARS).collect());
        let (user, rest) = match text.rsplit_once('@') {
            Some((user, rest)) => (Some(user), rest),
            None => (None, text),
        };
        let (name, port) = split(rest).ok_or_else(invalid)?;
        let port = match port {
            Some(port) => Some(parse_port(port).ok_or_else(invalid)?),
            None => None,
        };
        let name_is_safe = name.parse::<Ipv6Addr>().is_ok() || is_word(name, NAME_CHARS, "._-");
        let user_is_safe = user.is_none_or(|user| is_word(user, USER_CHARS, "._-+"));
        if !name_is_safe || !user_is_safe {
            return Err(invalid());
        }
        Ok(Self {
            user: user.map(str::to_owned),
            name: name.to_owned(),
            port,
        })
    }
}

/// A name and the text of a port.
fn split(text: &str) -> Option<(&str, Option<&str>)> {
    if let Some(rest) = text.strip_prefix('[') {
        let (address, after) = rest.split_once(']')?;
        address.parse::<Ipv6Addr>().ok()?;
        return match after {
            "" => Some((address, None)),
            after => Some((address, Some(after.strip_prefix(':')?))),
        };
    }
    if text.parse::<Ipv6Addr>().is_ok() {
        return Some((text, None));
    }
    Some(match text.split_once(':') {
        Some((name, port)) => (name, Some(port)),
        None => (text, None),
    })
}

fn parse_port(text: &str) -> Option<u16> {
    // Rust's parser also accepts a sign.
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|port| digits && *port != 0)
}

fn is_word(text: &str, longest: usize, more: &str) -> bool {
    !text.is_empty()
        && text.len() <= longest
        && !text.starts_with('-')
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || more.contains(c))
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(user) = &self.user {
            write!(f, "{user}@")?;
        }
        match self.port {
            Some(port) if self.name.contains(':') => write!(f, "[{}]:{port}", self.name),
            Some(port) => write!(f, "{}:{port}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn host(text: &str) -> Host {
        text.parse().unwrap()
    }

    #[test]
    fn an_alias_a_name_and_an_address_become_arguments_behind_two_dashes() {
        for (text, arguments, by_hand) in [
            ("nas", "-- nas", "ssh nas"),
            (
                "pi@garage.lan:2222",
                "-p 2222 -l pi -- garage.lan",
                "ssh -p 2222 pi@garage.lan",
            ),
            (
                "root@[2001:db8::1]:22",
                "-p 22 -l root -- 2001:db8::1",
                "ssh -p 22 root@2001:db8::1",
            ),
            ("2001:db8::1", "-- 2001:db8::1", "ssh 2001:db8::1"),
            ("[::1]", "-- ::1", "ssh ::1"),
        ] {
            assert_eq!(host(text).arguments().join(" "), arguments);
            assert_eq!(host(text).by_hand("ssh"), by_hand);
        }
    }

    #[test]
    fn what_could_be_an_option_a_command_or_nothing_is_refused() {
        for text in [
            "",
            "-oProxyCommand=id",
            "a@-oProxyCommand=id",
            "-l@nas",
            "nas;id",
            "nas id",
            "nas\n",
            "$(id)",
            "`id`",
            "nas\u{1b}[31m",
            "@nas",
            "pi@",
            "nas:",
            "nas:0",
            "nas:+22",
            "nas:65536",
            "[::1",
            "[nas]",
            "[::1]22",
            "fe80::1%eth0",
            "ssh://nas",
            "größe",
            &"a".repeat(300),
        ] {
            let error = text.parse::<Host>().unwrap_err().to_string();
            assert!(!error.contains('\u{1b}') && !error.contains('\n'), "{error}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_taken_is_one_harmless_argument_each_and_prints_as_itself(text in "[ -~]{0,40}|[a-z@:.\\[\\]-]{0,20}") {
            if let Ok(host) = text.parse::<Host>() {
                let arguments = host.arguments();
                let at = arguments.iter().position(|argument| argument == "--").unwrap();
                prop_assert_eq!(at, arguments.len() - 2);
                for argument in &arguments {
                    prop_assert!(argument.bytes().all(|c| c.is_ascii_alphanumeric() || b".:_+-".contains(&c)));
                }
                prop_assert!(!host.name().starts_with('-'));
                prop_assert_eq!(host.to_string().parse::<Host>().unwrap(), host);
            }
        }
    }
}
