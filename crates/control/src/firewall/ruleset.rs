//! Rules of nftables (`libnftables-json(5)`), also those that iptables, ufw and firewalld make of theirs, read for one
//! question: can a new connection from another machine get in at a port? A rule that is not understood counts as one
//! that may let it in.

use serde_json::Value;
use std::collections::BTreeMap;

/// The kernel refuses chains that lead deeper than this (`NFT_JUMP_STACK_SIZE`).
const DEPTH: usize = 16;

/// Whether a rule matches such a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Match {
    No,
    Maybe,
    Yes,
}

impl Match {
    fn is(equal: bool) -> Self {
        if equal { Self::Yes } else { Self::No }
    }

    fn negated(self) -> Self {
        match self {
            Self::No => Self::Yes,
            Self::Maybe => Self::Maybe,
            Self::Yes => Self::No,
        }
    }
}

/// What a chain may do with the connection.
#[derive(Debug, Clone, Copy)]
struct ChainEffect {
    may_accept: bool,
    /// The connection may reach the chain's end.
    may_pass: bool,
}

enum Verdict<'a> {
    Accept,
    Drop,
    Return,
    Jump(&'a str),
    Goto(&'a str),
    /// The rule only counts, marks or logs.
    None,
    /// The verdict depends on something that is not read here, such as a map.
    Any,
}

/// The base chain that keeps every other machine out of a TCP port, as `FAMILY TABLE NAME`; `None` where none certainly
/// does.
pub(super) fn blocking_chain(rules: &Value, port: u16) -> Option<String> {
    let objects = rules["nftables"].as_array()?;
    let mut chains = objects.iter().map(|object| &object["chain"]);
    let shut = chains.find(|chain| {
        let is_met = chain["hook"] == "input" && matches!(chain["family"].as_str(), Some("ip" | "inet"));
        is_met && {
            let effect =
                RuleReader::new(objects, chain, port).follow(chain["name"].as_str().unwrap_or_default(), 0);
            !(effect.may_accept || effect.may_pass && chain["policy"] != "drop")
        }
    })?;
    let part = |name: &str| shut[name].as_str().unwrap_or_default().to_owned();
    Some([part("family"), part("table"), part("name")].join(" "))
}

/// The rules of one table.
struct RuleReader<'a> {
    /// The expressions of each rule, by chain.
    rules: BTreeMap<&'a str, Vec<&'a [Value]>>,
    /// The effects of chains that were read. Many rules may lead to one chain, and many of its rules to the next, so
    /// reading a chain for each rule could take exponential time.
    effects: BTreeMap<&'a str, ChainEffect>,
    port: u16,
}

impl<'a> RuleReader<'a> {
    fn new(objects: &'a [Value], base: &Value, port: u16) -> Self {
        let mut rules: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for rule in objects.iter().map(|object| &object["rule"]) {
            let is_here = ["family", "table"].iter().all(|part| rule[part] == base[part]);
            if let Some(chain) = rule["chain"].as_str().filter(|_| is_here) {
                let parts = rule["expr"].as_array().map(Vec::as_slice).unwrap_or_default();
                rules.entry(chain).or_default().push(parts);
            }
        }
        let effects = BTreeMap::new();
        Self { rules, effects, port }
    }

    fn follow(&mut self, name: &'a str, depth: usize) -> ChainEffect {
        let unknown = ChainEffect {
            may_accept: true,
            may_pass: true,
        };
        if depth > DEPTH {
            return unknown;
        }
        if let Some(effect) = self.effects.get(name) {
            return *effect;
        }
        // While the chain is being read, its effect is unknown, also for chains that lead back to it.
        self.effects.insert(name, unknown);
        let effect = self.read(name, depth);
        self.effects.insert(name, effect);
        effect
    }

    fn read(&mut self, name: &str, depth: usize) -> ChainEffect {
        let mut effect = ChainEffect {
            may_accept: false,
            may_pass: true,
        };
        for parts in self.rules.get(name).cloned().unwrap_or_default() {
            if effect.may_accept {
                return effect;
            }
            let matched = self.matched(parts);
            if matched == Match::No {
                continue;
            }
            let done = match verdict(parts) {
                Verdict::None => continue,
                Verdict::Accept | Verdict::Any => ChainEffect {
                    may_accept: true,
                    may_pass: false,
                },
                Verdict::Drop => ChainEffect {
                    may_accept: false,
                    may_pass: false,
                },
                Verdict::Return => ChainEffect {
                    may_accept: false,
                    may_pass: true,
                },
                Verdict::Goto(chain) => self.follow(chain, depth + 1),
                Verdict::Jump(chain) => {
                    let inner = self.follow(chain, depth + 1);
                    if inner.may_pass {
                        effect.may_accept |= inner.may_accept;
                        continue;
                    }
                    inner
                }
            };
            effect.may_accept |= done.may_accept;
            if matched == Match::Yes {
                effect.may_pass = done.may_pass;
                return effect;
            }
        }
        effect
    }

    /// Whether a rule matches: all of its expressions have to.
    fn matched(&self, parts: &[Value]) -> Match {
        let others = parts.iter().any(|part| part.get("match").is_some());
        let each = parts.iter().map(|part| match (&part["match"], &part["xt"]) {
            (Value::Null, Value::Null) if part.get("limit").is_some() => Match::Maybe,
            (Value::Null, Value::Null) => Match::Yes,
            // The condition of an iptables match is not part of the JSON. A connection tracking match that is a rule's
            // only condition is assumed to be the usual one, for established connections.
            (Value::Null, xt) if xt["type"] == "match" => {
                let about_answers = matches!(xt["name"].as_str(), Some("conntrack" | "state"));
                if about_answers && !others {
                    Match::No
                } else {
                    Match::Maybe
                }
            }
            (Value::Null, _) => Match::Yes,
            (condition, _) => {
                let met = self.met(&condition["left"], &condition["right"]);
                if condition["op"] == "!=" {
                    met.negated()
                } else {
                    met
                }
            }
        });
        each.min().unwrap_or(Match::Yes)
    }

    fn met(&self, left: &Value, right: &Value) -> Match {
        let payload = &left["payload"];
        let (protocol, field) = (payload["protocol"].as_str(), payload["field"].as_str());
        match (
            protocol,
            field,
            left["meta"]["key"].as_str(),
            left["ct"]["key"].as_str(),
        ) {
            (Some("tcp" | "th"), Some("dport"), ..) => one_of(right, &|value| {
                value.as_u64().map(|value| value == u64::from(self.port))
            }),
            (Some("udp" | "icmp" | "icmpv6" | "sctp" | "ip6"), ..) => Match::No,
            (_, _, Some("iifname" | "iif"), _) => match one_of(right, &|value| Some(value == "lo")) {
                // The interface that the connection arrives at is not known, except that it is not loopback.
                Match::No => Match::Maybe,
                _ => Match::No,
            },
            (_, _, Some("l4proto"), _) => one_of(right, &|value| Some(value == "tcp")),
            (_, _, Some("nfproto"), _) => one_of(right, &|value| Some(value == "ipv4")),
            (_, _, _, Some("state")) => one_of(right, &|value| Some(value == "new")),
            // A connection that was redirected to this computer is not meant for the port.
            (_, _, _, Some("status")) => one_of(right, &|value| (value == "dnat").then_some(false)),
            _ => Match::Maybe,
        }
    }
}

/// Whether the right-hand side of a condition (a value, set, list or range) contains the right value; `is` gives `None`
/// for a value that it can't judge.
fn one_of(value: &Value, is: &dyn Fn(&Value) -> Option<bool>) -> Match {
    if let Some(values) = value.as_array().or_else(|| value["set"].as_array()) {
        let each = values.iter().map(|value| one_of(value, is));
        return each.max().unwrap_or(Match::No);
    }
    if let Some([first, last]) = value["range"].as_array().map(Vec::as_slice) {
        let (Some(first), Some(last)) = (first.as_u64(), last.as_u64()) else {
            return Match::Maybe;
        };
        let inside = (first..=last.min(65_535)).any(|value| is(&value.into()) == Some(true));
        return Match::is(inside);
    }
    // The elements of a named set are not read.
    let named = value.as_str().is_some_and(|name| name.starts_with('@'));
    if named || value.is_object() {
        return Match::Maybe;
    }
    is(value).map_or(Match::Maybe, Match::is)
}

fn verdict(parts: &[Value]) -> Verdict<'_> {
    let found = parts.iter().find_map(|part| {
        let target = |name: &str| part[name]["target"].as_str();
        let has = |name: &str| part.get(name).is_some();
        if let Some(chain) = target("jump") {
            Some(Verdict::Jump(chain))
        } else if let Some(chain) = target("goto") {
            Some(Verdict::Goto(chain))
        } else if has("accept") {
            Some(Verdict::Accept)
        } else if has("drop") || has("reject") {
            Some(Verdict::Drop)
        } else if has("return") {
            Some(Verdict::Return)
        } else if part["xt"]["type"] == "target" {
            match part["xt"]["name"].as_str() {
                Some("REJECT" | "DROP") => Some(Verdict::Drop),
                _ => None,
            }
        } else {
            (has("vmap") || has("queue") || has("tproxy")).then_some(Verdict::Any)
        }
    });
    found.unwrap_or(Verdict::None)
}

#[cfg(test)]
mod tests;
