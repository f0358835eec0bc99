//! Two ends of a tunnel on two machines of a lab. Each end is our data plane or another WireGuard program, and is
//! configured by the test, without control.

mod traffic;

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::net::UnixStream;
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

/// UDP port of the ends of pair 0; those of pair `n` have port `PORT + n`.
const PORT: u16 = 7000;

/// MTU of the other programs' interfaces: that of ours.
const MTU: &str = "1420";

/// The WireGuard program at an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Implementation {
    Ours,
    WireguardGo,
    Boringtun,
    Gotatun,
}

/// The IP version of the packets that carry the tunnel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Underlay {
    V4,
    V6,
}

/// One end: a running program with an interface.
#[derive(Debug)]
pub struct End<'m> {
    pub machine: &'m Machine,
    pub program: Program,
    address: Ipv4Addr,
    interface: String,
}

/// Two ends that reach each other.
#[derive(Debug)]
pub struct Ends<'m> {
    pub near: End<'m>,
    pub far: End<'m>,
}

/// Key and addresses of an end.
struct Identity {
    secret: StaticSecret,
    address: Ipv4Addr,
    endpoint: SocketAddr,
}

impl<'m> Ends<'m> {
    /// Starts both ends, and waits until one pings the other. Pairs on the same machines need different numbers.
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

    /// Starts two of ours on both sides of the line of [`Lab::over_a_line`].
    pub fn at_line(lab: &'m Lab, underlay: Underlay, number: u8) -> Result<Self> {
        let machines = [lab.machine(1), lab.machine(2)];
        let host = |machine: &Machine| match underlay {
            Underlay::V4 => IpAddr::V4(machine.address()),
            Underlay::V6 => IpAddr::V6(Lab::v6_at_line(machine)),
        };
        Self::start_at(machines, [Implementation::Ours; 2], machines.map(host), number)
    }

    /// The same where `hosts` has the address by which each end is known to the other.
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
        // Ours probes a peer unless that is plain WireGuard, which answers no probes.
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

    /// The largest packet that the path to the other end carries, as our data plane reported it last.
    pub fn path_mtu(&self) -> Result<u16> {
        let output = self.program.output()?;
        let mut paths = output.lines().filter(|line| line.starts_with("Path("));
        let last = paths.next_back().context("no path yet")?;
        let mtu = last.split("mtu: ").nth(1).context("a path without a size")?;
        let digits = mtu.split(|letter: char| !letter.is_ascii_digit()).next();
        Ok(digits.unwrap_or_default().parse()?)
    }

    /// Waits until [`Self::path_mtu`] is this value.
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

/// Where other programs that are compiled from source lie in the lab. A bench, which is optimized, compares with optimized
/// ones.
const COMPILED: &str = if cfg!(debug_assertions) {
    "bin"
} else {
    "comparators"
};

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
            Self::Boringtun => artifacts::lab_file(&format!("{COMPILED}/boringtun-cli"))?,
            Self::Gotatun => artifacts::lab_file(&format!("{COMPILED}/gotatun"))?,
        };
        let mut command = machine.command(program);
        match self {
            Self::Ours => command.args(["--tun", interface]),
            Self::WireguardGo => command.args(["--foreground", interface]),
            // With one thread, as its own benchmarks run it: more of them only contend on two machines of one computer.
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

    /// Writes the private key into a file for this end's program; returns its path.
    fn write_key(&self, machine: &Machine, interface: &str) -> Result<String> {
        let file = machine.directory().join(format!("{interface}.key"));
        fs::write(&file, STANDARD.encode(self.secret.to_bytes()))?;
        Ok(file.display().to_string())
    }
}

/// The command that starts our data plane with this map and a new key.
pub fn our_command(machine: &Machine, interface: &str, map: &NetworkMap) -> Result<Command> {
    let own = Identity {
        secret: StaticSecret::from(rand::random::<[u8; 32]>()),
        address: map.address.address,
        endpoint: SocketAddr::new(machine.address().into(), PORT),
    };
    command_with_identity(machine, interface, &own, map)
}

/// A map of a device with this address that has no peers.
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

/// Starts another program, and configures it with `wg` and `ip`.
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
    // `wg` removes a socket that refuses it, as one does that is bound and does not listen yet.
    let socket = machine
        .directory()
        .join(format!("run/wireguard/{interface}.sock"));
    eventually_blocking("the other program listens for `wg`", seconds(10.0), || {
        program.ensure_running()?;
        Ok(UnixStream::connect(&socket).map(drop)?)
    })?;
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

/// Gives a machine an IPv6 address whose last group is the last byte of its IPv4 address.
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
