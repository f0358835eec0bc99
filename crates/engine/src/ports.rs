//! Ports inside a pod: which containers declare them, which are taken, and which container a newcomer would conflict
//! with.

use flotilla_protocol::inventory::Port;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    str::FromStr,
};

/// A port as containers declare it: `8080/tcp`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, derive_more::Display)]
#[display("{number}/{protocol}")]
pub(crate) struct PortNumber {
    number: u16,
    protocol: String,
}

/// The text is not a single port.
#[derive(Debug)]
pub(crate) struct NotAPort;

impl PortNumber {
    /// As people see a port that can be reached in the container's own network only.
    pub(crate) fn unpublished(&self) -> Port {
        Port {
            private: self.number,
            private_last: None,
            protocol: self.protocol.clone(),
            public: None,
            address: None,
        }
    }
}

impl FromStr for PortNumber {
    type Err = NotAPort;

    fn from_str(text: &str) -> Result<Self, NotAPort> {
        let (number, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
        Ok(Self {
            number: number.parse().map_err(|_| NotAPort)?,
            protocol: protocol.to_owned(),
        })
    }
}

pub(crate) fn parse_all<'a>(texts: impl IntoIterator<Item = &'a String>) -> BTreeSet<PortNumber> {
    texts.into_iter().filter_map(|text| text.parse().ok()).collect()
}

/// Ports that are taken in one network, and whether the agent itself took them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct ListeningPorts(BTreeMap<PortNumber, bool>);

/// The tables of `proc(5)`, the protocol of each, and the state of a socket there that waits for others.
const TABLES: [(&str, &str, &str); 4] = [
    ("tcp", "tcp", "0A"),
    ("tcp6", "tcp", "0A"),
    ("udp", "udp", "07"),
    ("udp6", "udp", "07"),
];

impl ListeningPorts {
    /// Parses the tables. `own` are the inodes of the agent's sockets.
    pub(crate) fn parse(read: impl Fn(&str) -> String, own: &BTreeSet<u64>) -> Self {
        let mut taken = BTreeMap::new();
        for (table, protocol, waiting) in TABLES {
            for line in read(table).lines().skip(1) {
                let fields: Vec<_> = line.split_whitespace().collect();
                let [_, local, _, state, _, _, _, _, _, inode, ..] = fields[..] else {
                    continue;
                };
                let number = local
                    .rsplit_once(':')
                    .and_then(|(_, port)| u16::from_str_radix(port, 16).ok());
                let Some(number) = number.filter(|_| state == waiting) else {
                    continue;
                };
                let port = PortNumber {
                    number,
                    protocol: protocol.to_owned(),
                };
                let is_own = inode.parse().is_ok_and(|inode| own.contains(&inode));
                *taken.entry(port).or_default() |= is_own;
            }
        }
        Self(taken)
    }
}

/// A running container of the pod, and the ports that it declares.
#[derive(Debug)]
pub(crate) struct Occupant {
    pub(crate) name: String,
    pub(crate) ports: BTreeSet<PortNumber>,
}

/// Two containers need one port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clash {
    newcomer: String,
    port: PortNumber,
    holder: Holder,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Holder {
    Member(String),
    /// One of these containers, none of which declares the port.
    OneOf(Vec<String>),
    Agent,
}

impl Clash {
    /// The first port of a newcomer that is taken.
    pub(crate) fn find(
        newcomer: &str,
        wanted: &BTreeSet<PortNumber>,
        running: &[Occupant],
        listening: &ListeningPorts,
    ) -> Option<Self> {
        let holder = |port: &PortNumber| {
            let declares = |occupant: &&Occupant| occupant.ports.contains(port);
            if let Some(occupant) = running.iter().find(declares) {
                return Some(Holder::Member(occupant.name.clone()));
            }
            let by_agent = *listening.0.get(port)?;
            Some(match running {
                _ if by_agent => Holder::Agent,
                [only] => Holder::Member(only.name.clone()),
                several => Holder::OneOf(several.iter().map(|occupant| occupant.name.clone()).collect()),
            })
        };
        wanted.iter().find_map(|port| {
            Some(Self {
                newcomer: newcomer.to_owned(),
                port: port.clone(),
                holder: holder(port)?,
            })
        })
    }
}

impl fmt::Display for Clash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            newcomer,
            port,
            holder,
        } = self;
        write!(f, "{newcomer} can't start: port {port} in this pod ")?;
        match holder {
            Holder::Member(name) => write!(f, "is {name}'s. Stop {name}, or change the port of {newcomer}."),
            Holder::Agent => write!(f, "is the Flotilla agent's. Change the port of {newcomer}."),
            Holder::OneOf(names) if names.is_empty() => {
                write!(f, "is taken. Change the port of {newcomer}.")
            }
            Holder::OneOf(names) => write!(
                f,
                "is taken by one of {}. Stop that one, or change the port of {newcomer}.",
                names.join(", ")
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TCP: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
        0: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 111 1 0 100 0 0 10 0\n\
        1: 020011AC:9C40 0100007F:1F91 01 00000000:00000000 00:00000000 00000000     0        0 222 1 0 20 4 30 10 -1\n";
    const UDP6: &str = "  sl  local_address rem_address st\n\
        5: 00000000000000000000000000000000:CA6C 00000000000000000000000000000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 333 2 0 0\n\
        broken\n";

    fn ports(texts: &[&str]) -> BTreeSet<PortNumber> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn occupant(name: &str, declared: &[&str]) -> Occupant {
        Occupant {
            name: name.to_owned(),
            ports: ports(declared),
        }
    }

    fn listening() -> ListeningPorts {
        let read = |table: &str| match table {
            "tcp" => TCP.to_owned(),
            "udp6" => UDP6.to_owned(),
            _ => String::new(),
        };
        ListeningPorts::parse(read, &[333].into())
    }

    fn clash(wanted: &[&str], running: &[Occupant]) -> Option<String> {
        Clash::find("web2", &ports(wanted), running, &listening()).map(|clash| clash.to_string())
    }

    #[test]
    fn only_sockets_that_wait_take_a_port() {
        assert_eq!(
            listening().0,
            [
                ("8080/tcp".parse().unwrap(), false),
                ("51820/udp".parse().unwrap(), true)
            ]
            .into()
        );
    }

    #[test]
    fn two_that_declare_one_port_are_both_named() {
        assert_eq!(
            clash(&["90/tcp"], &[occupant("db", &[]), occupant("web1", &["90/tcp"])]).unwrap(),
            "web2 can't start: port 90/tcp in this pod is web1's. Stop web1, or change the port of web2."
        );
    }

    #[test]
    fn one_that_listens_without_saying_so_is_named_as_far_as_it_is_known() {
        let web1 = || occupant("web1", &[]);
        assert!(clash(&["8080/tcp"], &[web1()]).unwrap().contains("is web1's"));
        let text = clash(&["8080/tcp"], &[occupant("db", &[]), web1()]).unwrap();
        assert!(text.contains("is taken by one of db, web1."), "{text}");
        assert!(
            clash(&["51820/udp"], &[web1()])
                .unwrap()
                .contains("is the Flotilla agent's")
        );
    }

    #[test]
    fn the_same_number_of_another_protocol_is_another_port() {
        assert_eq!(clash(&["8080/udp", "40000/tcp"], &[occupant("db", &[])]), None);
    }
}
