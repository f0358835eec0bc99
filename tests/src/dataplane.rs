//! Two ends of one tunnel on two machines of a lab, each ours or another WireGuard program, configured by hand.

mod traffic;

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use flotilla_protocol::enroll::MeshAddress;
use flotilla_protocol::id::DeviceId;
use flotilla_protocol::key::PublicKey;
use flotilla_protocol::mesh::{Candidate, CandidateKind, Filter, Nat, NetworkMap, Peer};
use flotilla_protocol::policy::Proto;
use flotilla_protocol::{device::RelayPreference, mesh::Allow};
use uuid::Uuid;
use x25519_dalek::StaticSecret;

use crate::artifacts;
use crate::eventually::{eventually_blocking, seconds};
use crate::lab::{Lab, Machine};
use crate::program::{Program, run};
pub use traffic::{Transfer, checksum_errors, round_trips};

/// UDP port of every end.
const PORT: u16 = 7000;

/// As our interface has it.
const MTU: &str = "1420";

/// Whose WireGuard runs at an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Implementation {
    Ours,
    WireguardGo,
    Boringtun,
    Gotatun,
}

/// What carries the tunnel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Underlay {
    V4,
    V6,
}

/// One end: a program with an interface.
#[derive(Debug)]
pub struct End<'m> {
    pub machine: &'m Machine,
    pub program: Program,
    address: Ipv4Addr,
    interface: String,
}

/// Both ends; they reach each other.
#[derive(Debug)]
pub struct Ends<'m> {
    pub near: End<'m>,
    pub far: End<'m>,
}

/// Who an end is, before it runs.
struct Identity {
    secret: StaticSecret,
    address: Ipv4Addr,
    endpoint: SocketAddr,
}

impl<'m> Ends<'m> {
    /// Starts both ends, and waits until one pings the other. `number` tells pairs on the same machines apart.
    pub fn start(
        machines: [&'m Machine; 2],
        implementations: [Implementation; 2],
        underlay: Underlay,
        number: u8,
    ) -> Result<Self> {
        let host = |machine: &Machine| -> Result<IpAddr> {
            Ok(match underlay {
                Underlay::V4 => IpAddr::V4(machine.address()),
                Underlay::V6 => IpAddr::V6(add_v6(machine)?),
            })
        };
        let hosts = [host(machines[0])?, host(machines[1])?];
        Self::start_at(machines, implementations, hosts, number)
    }

    /// Two of ours on both sides of the line of [`Lab::over_a_line`].
    pub fn at_line(lab: &'m Lab, underlay: Underlay, number: u8) -> Result<Self> {
        let machines = [lab.machine(1), lab.machine(2)];
        let host = |machine: &Machine| match underlay {
            Underlay::V4 => IpAddr::V4(machine.address()),
            Underlay::V6 => IpAddr::V6(Lab::v6_at_line(machine)),
        };
        Self::start_at(machines, [Implementation::Ours; 2], machines.map(host), number)
    }

    /// The same where each end knows the other by the address at its place in `hosts`.
    pub fn start_at(
        machines: [&'m Machine; 2],
        implementations: [Implementation; 2],
        hosts: [IpAddr; 2],
        number: u8,
    ) -> Result<Self> {
        let identity = |end: u8| Identity {
            secret: StaticSecret::from(rand::random::<[u8; 32]>()),
            address: Ipv4Addr::new(100, 64 + number, 0, end),
            endpoint: SocketAddr::new(hosts[usize::from(end) - 1], PORT + u16::from(number)),
        };
        let [one, two] = [identity(1), identity(2)];
        // Two of ours probe each other.
        let plain = implementations != [Implementation::Ours; 2];
        let near = End::start(machines[0], implementations[0], number, &one, &two, plain)?;
        let far = End::start(machines[1], implementations[1], number, &two, &one, plain)?;
        let ends = Self { near, far };
        ends.eventually_ping()?;
        Ok(ends)
    }

    /// Waits until a ping is answered.
    pub fn eventually_ping(&self) -> Result<()> {
        eventually_blocking("one end pings the other", seconds(15.0), || {
            let target = self.far.address.to_string();
            run(self
                .near
                .machine
                .command("ping")
                .args(["-c", "1", "-W", "1", &target]))
            .map(drop)
        })
    }
}

impl<'m> End<'m> {
    fn start(
        machine: &'m Machine,
        implementation: Implementation,
        number: u8,
        own: &Identity,
        peer: &Identity,
        plain: bool,
    ) -> Result<Self> {
        let interface = format!("{}{number}", implementation.interface());
        let program = match implementation {
            Implementation::Ours => start_ours(machine, &interface, own, peer, plain)?,
            _ => start_other(machine, implementation, &interface, own, peer)?,
        };
        Ok(Self {
            machine,
            program,
            address: own.address,
            interface,
        })
    }

    #[must_use]
    pub fn address(&self) -> Ipv4Addr {
        self.address
    }

    /// What the path to the other end carries, as our data plane said last.
    pub fn path_mtu(&self) -> Result<u16> {
        let output = self.program.output()?;
        let mut paths = output.lines().filter(|line| line.starts_with("Path("));
        let last = paths.next_back().context("no path yet")?;
        let mtu = last.split("mtu: ").nth(1).context("a path without a size")?;
        let digits = mtu.split(|letter: char| !letter.is_ascii_digit()).next();
        Ok(digits.unwrap_or_default().parse()?)
    }

    /// Waits until that is what the path is known to carry.
    pub fn eventually_carries(&self, mtu: u16) -> Result<()> {
        let what = format!("{} knows a path of {mtu} bytes", self.machine.name());
        eventually_blocking(&what, seconds(15.0), || {
            let known = self.path_mtu()?;
            ensure!(known == mtu, "{known}");
            Ok(())
        })
    }

    #[must_use]
    pub fn interface(&self) -> &str {
        &self.interface
    }
}

impl Implementation {
    fn interface(self) -> &'static str {
        match self {
            Self::Ours => "flotilla",
            Self::WireguardGo => "go",
            Self::Boringtun => "boring",
            Self::Gotatun => "gota",
        }
    }

    fn command(self, machine: &Machine, interface: &str) -> Result<Command> {
        let program = match self {
            Self::Ours => artifacts::dataplane()?,
            Self::WireguardGo => artifacts::lab_file("bin/wireguard-go")?,
            Self::Boringtun => artifacts::lab_file("bin/boringtun-cli")?,
            Self::Gotatun => artifacts::lab_file("bin/gotatun")?,
        };
        let mut command = machine.command(program);
        match self {
            Self::Ours => command.args(["--tun", interface]),
            Self::WireguardGo => command.args(["--foreground", interface]),
            // The one that its own authors measure: more threads only contend here.
            Self::Boringtun => command.args([
                "--foreground",
                "--disable-drop-privileges",
                "--threads",
                "1",
                interface,
            ]),
            Self::Gotatun => command.args(["--foreground", "--disable-drop-privileges", interface]),
        };
        Ok(command)
    }
}

impl Identity {
    fn public_key(&self) -> PublicKey {
        PublicKey::from_bytes(*x25519_dalek::PublicKey::from(&self.secret).as_bytes())
    }

    /// A file with the private key, for this end's program.
    fn write_key(&self, machine: &Machine, interface: &str) -> Result<String> {
        let file = machine.directory().join(format!("{interface}.key"));
        fs::write(&file, STANDARD.encode(self.secret.to_bytes()))?;
        Ok(file.display().to_string())
    }
}

/// The arguments of a data plane of ours on a machine; it is not started yet.
pub fn our_command(machine: &Machine, interface: &str, map: &NetworkMap) -> Result<Command> {
    let own = Identity {
        secret: StaticSecret::from(rand::random::<[u8; 32]>()),
        address: map.address.address,
        endpoint: SocketAddr::new(machine.address().into(), PORT),
    };
    command_with_identity(machine, interface, &own, map)
}

/// A map with this address and no peers.
#[must_use]
pub fn map_without_peers(address: Ipv4Addr) -> NetworkMap {
    NetworkMap {
        revision: 1,
        address: MeshAddress { address, prefix: 16 },
        relay: RelayPreference::Auto,
        peers: Vec::new(),
        relays: Vec::new(),
        filter: Filter::default(),
        ticket: None,
    }
}

fn command_with_identity(
    machine: &Machine,
    interface: &str,
    own: &Identity,
    map: &NetworkMap,
) -> Result<Command> {
    let key = own.write_key(machine, interface)?;
    let file = machine.directory().join(format!("{interface}.json"));
    fs::write(&file, serde_json::to_vec(map)?)?;
    let mut command = Implementation::Ours.command(machine, interface)?;
    command.env("RUST_LOG", "info");
    command
        .args([
            "--key",
            &key,
            "--listen",
            &own.endpoint.port().to_string(),
            "--map",
        ])
        .arg(file);
    Ok(command)
}

fn start_ours(
    machine: &Machine,
    interface: &str,
    own: &Identity,
    peer: &Identity,
    plain: bool,
) -> Result<Program> {
    let mut map = map_without_peers(own.address);
    map.peers.push(Peer {
        id: DeviceId(Uuid::now_v7()),
        name: "other".parse()?,
        public_key: peer.public_key(),
        address: peer.address,
        relay: RelayPreference::Auto,
        candidates: vec![Candidate {
            kind: CandidateKind::Local,
            address: peer.endpoint,
        }],
        home_relay: None,
        nat: Nat::Unknown,
        plain,
    });
    map.filter.allows.push(Allow {
        sources: vec!["0.0.0.0/0".parse()?],
        proto: Proto::Any,
        ports: Vec::new(),
    });
    let mut command = command_with_identity(machine, interface, own, &map)?;
    let mut program = Program::start(&mut command, machine.directory(), interface)?;
    eventually_blocking("the data plane is ready", seconds(10.0), || {
        program.ensure_running()?;
        ensure!(program.output()?.starts_with("ready"), "{}", program.log()?);
        Ok(())
    })?;
    Ok(program)
}

/// Another program, set up with the tools that every WireGuard is set up with.
fn start_other(
    machine: &Machine,
    implementation: Implementation,
    interface: &str,
    own: &Identity,
    peer: &Identity,
) -> Result<Program> {
    let mut program = Program::start(
        &mut implementation.command(machine, interface)?,
        machine.directory(),
        interface,
    )?;
    let key = own.write_key(machine, interface)?;
    let [port, endpoint] = [own.endpoint.port().to_string(), peer.endpoint.to_string()];
    let public_key = peer.public_key().to_string();
    let allowed = format!("{}/32", peer.address);
    eventually_blocking("the other program can be configured", seconds(10.0), || {
        program.ensure_running()?;
        let own = ["set", interface, "listen-port", &port, "private-key", &key];
        let other = [
            "peer",
            &public_key,
            "endpoint",
            &endpoint,
            "allowed-ips",
            &allowed,
        ];
        run(machine.command("wg").args(own).args(other)).map(drop)
    })?;
    let address = format!("{}/16", own.address);
    run(machine
        .command("ip")
        .args(["addr", "add", &address, "dev", interface]))?;
    run(machine
        .command("ip")
        .args(["link", "set", interface, "mtu", MTU, "up"]))?;
    Ok(program)
}

/// Gives a machine's cable an IPv6 address, which ends like the IPv4 one.
fn add_v6(machine: &Machine) -> Result<Ipv6Addr> {
    let last = u16::from(machine.address().octets()[3]);
    let address = Ipv6Addr::new(0xfd77, 0, 0, 0, 0, 0, 0, last);
    let range = format!("{address}/64");
    run(machine
        .command("ip")
        .args(["addr", "replace", &range, "dev", "eth0", "nodad"]))
    .context("no IPv6")?;
    Ok(address)
}
