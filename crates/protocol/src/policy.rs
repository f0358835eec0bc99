//! The access policy as people write and store it. The crate `flotilla-policy` defines what it means.
//!
//! Rules only allow. What no enabled rule allows is denied; rules add up, and their order means nothing.

use crate::{
    cidr::IpRange,
    name::{DeviceName, Tag},
    open::choice,
    text::written_as_text,
};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// All rules, and the tests that guard them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Policy {
    #[serde(default)]
    pub rules: Vec<Rule>,
    #[serde(default)]
    pub tests: Vec<PolicyTest>,
}

/// One allow statement: whatever `from` selects may open flows to whatever `to` selects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Rule {
    pub name: String,
    #[serde(default = "enabled")]
    pub enabled: bool,
    pub from: Vec<Selector>,
    pub to: Vec<Selector>,
    #[serde(default, deserialize_with = "crate::open::known")]
    pub proto: Proto,
    #[serde(default)]
    pub ports: Ports,
}

fn enabled() -> bool {
    true
}

// What a rule of a newer control allows and this build does not know is not allowed here.
choice!(
    /// What a rule allows beside addresses.
    #[derive(Default)]
    Proto:
    Tcp = "tcp",
    Udp = "udp",
    /// ICMP of either family. It has no ports.
    Icmp = "icmp",
    /// Every IP protocol.
    #[default]
    Any = "any"
);

impl Proto {
    pub fn has_ports(self) -> bool {
        matches!(self, Self::Tcp | Self::Udp)
    }
}

/// The text cannot be part of a policy; the display text says what can.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPolicy {
    #[error("\"{0}\" is not a port. Write a number from 1 to 65535, a range such as 8000-8010, or any.")]
    Port(String),
    #[error(
        "\"{0}\" selects nothing. Write any, tag:NAME, tag:A+tag:B, device:NAME, user:NAME or cidr:RANGE."
    )]
    Selector(String),
}

/// Destination ports of a rule: `"any"`, or a list of numbers and `"8000-8010"`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "written::Ports", into = "written::Ports")]
pub enum Ports {
    #[default]
    Any,
    Only(Vec<PortRange>),
}

/// Ports from `first` to `last`, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "written::Port", into = "written::Port")]
pub struct PortRange {
    first: u16,
    last: u16,
}

impl PortRange {
    /// # Errors
    /// The range is empty or begins at 0.
    pub fn new(first: u16, last: u16) -> Result<Self, InvalidPolicy> {
        if first == 0 || first > last {
            return Err(InvalidPolicy::Port(format!("{first}-{last}")));
        }
        Ok(Self { first, last })
    }

    pub fn first(self) -> u16 {
        self.first
    }

    pub fn last(self) -> u16 {
        self.last
    }

    #[must_use]
    pub fn contains(self, port: u16) -> bool {
        (self.first..=self.last).contains(&port)
    }
}

impl FromStr for PortRange {
    type Err = InvalidPolicy;
    fn from_str(text: &str) -> Result<Self, InvalidPolicy> {
        let invalid = || InvalidPolicy::Port(text.to_owned());
        let number = |digits: &str| {
            let plain = !digits.is_empty() && digits.bytes().all(|c| c.is_ascii_digit());
            plain
                .then(|| digits.parse::<u16>().ok())
                .flatten()
                .ok_or_else(invalid)
        };
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        Self::new(number(first)?, number(last)?).map_err(|_| invalid())
    }
}

impl fmt::Display for PortRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first == self.last {
            write!(f, "{}", self.first)
        } else {
            write!(f, "{}-{}", self.first, self.last)
        }
    }
}

impl fmt::Display for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("any"),
            Self::Only(ranges) => {
                let texts: Vec<_> = ranges.iter().map(ToString::to_string).collect();
                f.write_str(&texts.join(", "))
            }
        }
    }
}

/// A set of devices or addresses.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Selector {
    /// Every device of the fleet.
    Any,
    /// Devices that have all of these tags.
    Tags(Vec<Tag>),
    Device(DeviceName),
    /// Devices that belong to a person.
    User(String),
    /// Addresses, whichever device has them.
    Range(IpRange),
}

impl FromStr for Selector {
    type Err = InvalidPolicy;

    fn from_str(text: &str) -> Result<Self, InvalidPolicy> {
        let invalid = || InvalidPolicy::Selector(text.to_owned());
        if text == "any" {
            return Ok(Self::Any);
        }
        let (kind, rest) = text.split_once(':').ok_or_else(invalid)?;
        match kind {
            "tag" => {
                let tags: Result<Vec<Tag>, _> = text
                    .split('+')
                    .map(|part| {
                        part.strip_prefix("tag:")
                            .ok_or_else(invalid)?
                            .parse()
                            .map_err(|_| invalid())
                    })
                    .collect();
                Ok(Self::Tags(tags?))
            }
            "device" => rest.parse().map(Self::Device).map_err(|_| invalid()),
            "user" if !rest.is_empty() => Ok(Self::User(rest.to_owned())),
            "cidr" => rest.parse().map(Self::Range).map_err(|_| invalid()),
            _ => Err(invalid()),
        }
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("any"),
            Self::Tags(tags) => {
                let texts: Vec<_> = tags.iter().map(|tag| format!("tag:{tag}")).collect();
                f.write_str(&texts.join("+"))
            }
            Self::Device(name) => write!(f, "device:{name}"),
            Self::User(name) => write!(f, "user:{name}"),
            Self::Range(range) => write!(f, "cidr:{range}"),
        }
    }
}

written_as_text!(Selector, InvalidPolicy);

/// A statement about the policy that must stay true: a policy that breaks one is not saved.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PolicyTest {
    pub from: Selector,
    pub to: Selector,
    #[serde(default, deserialize_with = "crate::open::known")]
    pub proto: Proto,
    /// Absent for ICMP, and where the statement is about every port.
    pub port: Option<u16>,
    pub expect: Expect,
}

/// What a test says of each pair of a source and a destination that it selects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Expect {
    Allow,
    Deny,
}

/// How the document describes values that are written as texts.
#[cfg(feature = "openapi")]
mod described {
    use super::{Ports, Selector};
    use utoipa::{
        PartialSchema, ToSchema,
        openapi::{RefOr, schema::Schema},
    };

    impl PartialSchema for Selector {
        fn schema() -> RefOr<Schema> {
            String::schema()
        }
    }

    impl ToSchema for Selector {}

    impl PartialSchema for Ports {
        fn schema() -> RefOr<Schema> {
            Vec::<String>::schema()
        }
    }

    impl ToSchema for Ports {}
}

/// The JSON forms of ports: numbers where they can be, texts where they must be.
mod written {
    use super::{InvalidPolicy, PortRange};
    use serde::{Deserialize, Serialize};

    #[derive(Clone, Serialize, Deserialize)]
    #[serde(untagged)]
    pub(super) enum Port {
        Number(u16),
        Text(String),
    }

    #[derive(Clone, Serialize, Deserialize)]
    #[serde(untagged)]
    pub(super) enum Ports {
        Text(String),
        List(Vec<PortRange>),
    }

    impl TryFrom<Port> for PortRange {
        type Error = InvalidPolicy;
        fn try_from(port: Port) -> Result<Self, InvalidPolicy> {
            match port {
                Port::Number(number) => Self::new(number, number),
                Port::Text(text) => text.parse(),
            }
        }
    }

    impl From<PortRange> for Port {
        fn from(range: PortRange) -> Self {
            if range.first == range.last {
                Self::Number(range.first)
            } else {
                Self::Text(range.to_string())
            }
        }
    }

    impl TryFrom<Ports> for super::Ports {
        type Error = InvalidPolicy;
        fn try_from(ports: Ports) -> Result<Self, InvalidPolicy> {
            match ports {
                Ports::Text(text) if text == "any" => Ok(Self::Any),
                Ports::Text(text) => Ok(Self::Only(vec![text.parse()?])),
                Ports::List(ranges) => Ok(Self::Only(ranges)),
            }
        }
    }

    impl From<super::Ports> for Ports {
        fn from(ports: super::Ports) -> Self {
            match ports {
                super::Ports::Any => Self::Text("any".to_owned()),
                super::Ports::Only(ranges) => Self::List(ranges),
            }
        }
    }
}

#[cfg(test)]
mod tests;
