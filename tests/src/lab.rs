//! A lab: one control computer and several machines on one switch, all inside network namespaces of this run.
//!
//! Life cycle: [`Lab::start`] removes what runs of dead processes left, makes the namespaces and starts an engine on
//! each machine. [`with_lab`] then moves the calling thread *into* the control computer's namespace: the test has
//! control's loopback, and programs that it starts run on that computer. Dropping the lab kills everything that runs in
//! the namespaces, and removes them.
//!
//! [`Lab::on_internet`] puts a router in front of each machine, of the kinds that people have. Nothing is changed in
//! the root namespace, and addresses are the same in every lab, because no two labs see each other.

mod engine_version;
mod line;
mod machine;
mod nat;
mod network;
mod run;
mod sockets;
mod v6;

use std::fs;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddrV4};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use anyhow::{Context, Result};

pub use engine_version::EngineVersion;
pub use line::IcmpErrors;
pub use machine::Machine;
pub use nat::Nat;
pub use network::{CONTROL, CONTROL_MOVED};
pub use sockets::{echo, passes_again, ping, transfer};

/// The switch of a lab that is an internet (RFC 5737's third test network), and control's address on it.
const INTERNET: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 1);
const CONTROL_ON_INTERNET: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 2);

use crate::eventually::seconds;
use network::PortBlock;
use run::Run;

/// A running lab. Dropping it removes everything that it made.
#[derive(Debug)]
pub struct Lab {
    // Dropped in this order: engines end before the run removes their directories and namespaces.
    machines: Vec<Machine>,
    control: SocketAddrV4,
    routers: u8,
    run: Run,
}

impl Lab {
    /// Machines `h1`, `h2`, …, each with a running engine.
    pub fn start(machines: u8) -> Result<Self> {
        Self::with_engines(&vec![EngineVersion::Installed; usize::from(machines)])
    }

    /// A machine for each element, with an engine of that version.
    pub fn with_engines(engines: &[EngineVersion]) -> Result<Self> {
        let mut lab = Self::without_engines(u8::try_from(engines.len())?)?;
        for (machine, engine) in lab.machines.iter_mut().zip(engines) {
            machine.use_engine(*engine);
            machine.start_engine()?;
        }
        for machine in &lab.machines {
            machine.wait_for_engine(seconds(30.0))?;
        }
        Ok(lab)
    }

    /// Machines `h1`, `h2`, … on one switch, without engines.
    pub fn without_engines(machines: u8) -> Result<Self> {
        let run = Run::begin()?;
        network::create_switch(&run, network::SWITCH)?;
        network::attach(&run, "control", CONTROL, network::SWITCH)?;
        let mut lab = Self {
            machines: Vec::new(),
            control: SocketAddrV4::new(CONTROL, 7443),
            routers: 0,
            run,
        };
        for number in 1..=machines {
            let name = format!("h{number}");
            let address = Ipv4Addr::new(10, 77, 0, 10 + number);
            network::attach(&lab.run, &name, address, network::SWITCH)?;
            lab.machines
                .push(Machine::create(&lab.run, name, number, address)?);
        }
        Ok(lab)
    }

    /// Machines without engines, each behind a router of its own (or none), and control on the internet between them.
    /// It listens on port 443, which every kind of router but [`Nat::Closed`] lets out.
    pub fn on_internet(nats: &[Nat]) -> Result<Self> {
        let mut lab = Self::internet()?;
        for (number, nat) in (1..).zip(nats) {
            let name = format!("h{number}");
            network::create(&lab.run, &name)?;
            let address = lab.connect(&name, *nat)?;
            lab.machines
                .push(Machine::create(&lab.run, name, number, address)?);
        }
        Ok(lab)
    }

    /// Machines without engines in one home, all behind one router.
    pub fn in_one_home(nat: Nat, machines: u8) -> Result<Self> {
        let mut lab = Self::internet()?;
        let (router, wan) = lab.next_router();
        nat::create(&lab.run, &router, wan, nat, lab.routers)?;
        for number in 1..=machines {
            let name = format!("h{number}");
            network::create(&lab.run, &name)?;
            let address = nat::plug(&lab.run, &router, &name, lab.routers, number)?;
            lab.machines
                .push(Machine::create(&lab.run, name, number, address)?);
        }
        Ok(lab)
    }

    /// Two machines without engines, and between their networks a line whose MTU is set by [`Self::set_line`]. There is
    /// no control computer.
    pub fn over_a_line() -> Result<Self> {
        let run = Run::begin()?;
        for machine in ["h1", "h2"] {
            network::create(&run, machine)?;
        }
        let addresses = line::build(&run)?;
        let mut lab = Self {
            machines: Vec::new(),
            control: SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0),
            routers: 2,
            run,
        };
        for (number, address) in (1..).zip(addresses) {
            let machine = Machine::create(&lab.run, format!("h{number}"), number, address)?;
            lab.machines.push(machine);
        }
        Ok(lab)
    }

    /// Sets the largest IP packet, in bytes, that the line of [`Self::over_a_line`] carries, and whether its routers
    /// report larger ones.
    pub fn set_line(&self, mtu: u16, routers: IcmpErrors) -> Result<()> {
        line::set(&self.run, mtu, routers)
    }

    /// How many fragments the machines and routers of that line have made since the lab was started.
    pub fn fragments(&self) -> Result<u64> {
        line::fragments(&self.run)
    }

    /// The IPv6 address of a machine at that line.
    #[must_use]
    pub fn v6_at_line(machine: &Machine) -> Ipv6Addr {
        line::v6(machine.number())
    }

    fn internet() -> Result<Self> {
        let run = Run::begin()?;
        network::create_switch(&run, INTERNET)?;
        network::attach(&run, "control", CONTROL_ON_INTERNET, INTERNET)?;
        Ok(Self {
            machines: Vec::new(),
            control: SocketAddrV4::new(CONTROL_ON_INTERNET, 443),
            routers: 0,
            run,
        })
    }

    /// Gives each network behind a router of [`Lab::on_internet`] public IPv6 addresses beside IPv4.
    pub fn route_v6(&self) -> Result<()> {
        v6::route(&self.run, self.routers)
    }

    /// The name and the public address of the next router.
    fn next_router(&mut self) -> (String, Ipv4Addr) {
        self.routers += 1;
        let wan = Ipv4Addr::new(203, 0, 113, 10 + self.routers);
        (format!("r{}", self.routers), wan)
    }

    /// A command that runs on the router of this number, from 1.
    pub fn on_router(&self, number: u8, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        let namespace = self.run.namespace(&format!("r{number}"));
        command.arg(format!("--net=/run/netns/{namespace}")).arg(program);
        command
    }

    /// Plugs a machine that has no cable into a new router; returns the machine's address.
    fn connect(&mut self, machine: &str, nat: Nat) -> Result<Ipv4Addr> {
        let (router, wan) = self.next_router();
        if nat == Nat::None {
            let own = self.run.namespace(machine);
            let switch = self.run.namespace("switch");
            network::plug(&own, &switch, &router)?;
            network::ip(&["-n", &switch, "link", "set", &router, "master", "switch", "up"])?;
            network::address_of(&own, wan, INTERNET)?;
            return Ok(wan);
        }
        nat::create(&self.run, &router, wan, nat, self.routers)?;
        nat::plug(&self.run, &router, machine, self.routers, 1)
    }

    /// Moves a machine to a network behind a new router, as a laptop that goes from Wi-Fi to a phone.
    pub fn roam(&mut self, number: usize, nat: Nat) -> Result<()> {
        let name = self.machine(number).name().to_owned();
        network::ip(&["-n", &self.run.namespace(&name), "link", "del", "eth0"])?;
        let address = self.connect(&name, nat)?;
        self.machine_mut(number).moved_to(address);
        Ok(())
    }

    /// Gives a machine of the switch a second cable to it, `eth1`, which is up and has no address yet.
    pub fn second_cable(&self, machine: &Machine) -> Result<()> {
        let [own, switch] = [machine.name(), "switch"].map(|name| self.run.namespace(name));
        let there = format!("{}-second", machine.name());
        let ends = [
            "link", "add", &there, "netns", &switch, "type", "veth", "peer", "name", "eth1", "netns", &own,
        ];
        network::ip(&ends)?;
        network::ip(&["-n", &switch, "link", "set", &there, "master", "switch", "up"])?;
        network::ip(&["-n", &own, "link", "set", "eth1", "up"])
    }

    /// Between a machine and the switch only IP packets of so many bytes pass, and neither end is told.
    pub fn narrow(&self, machine: &Machine, mtu: u16) -> Result<()> {
        let switch = self.run.namespace("switch");
        let mtu = mtu.to_string();
        network::ip(&["-n", &switch, "link", "set", machine.name(), "mtu", &mtu])
    }

    /// The address at which control listens for agents.
    #[must_use]
    pub fn control(&self) -> SocketAddrV4 {
        self.control
    }

    /// Moves this thread, and the threads and programs that it starts afterwards, to the control computer.
    pub fn enter(&self) -> Result<()> {
        network::enter(&self.run.namespace("control"))
    }

    /// The machine with this number, from 1.
    #[must_use]
    pub fn machine(&self, number: usize) -> &Machine {
        &self.machines[number - 1]
    }

    pub fn machine_mut(&mut self, number: usize) -> &mut Machine {
        &mut self.machines[number - 1]
    }

    #[must_use]
    pub fn machines(&self) -> &[Machine] {
        &self.machines
    }

    /// A directory of this run, created when it does not exist. Its path is short enough for a socket in it.
    pub fn directory(&self, name: &str) -> Result<PathBuf> {
        let directory = self.run.directory().join(name);
        fs::create_dir_all(&directory)?;
        Ok(directory)
    }

    /// The name of the control computer's network namespace.
    #[must_use]
    pub fn control_namespace(&self) -> String {
        self.run.namespace("control")
    }

    /// Gives the control computer another address, as a laptop gets in another room.
    pub fn move_control(&self, from: Ipv4Addr, to: Ipv4Addr) -> Result<()> {
        network::replace_address(&self.control_namespace(), from, to)
    }

    /// Answers all TCP that is sent to this port of the control computer with a reset, on open connections too.
    pub fn refuse_on_control(&self, port: u16) -> Result<()> {
        network::block_port(&self.control_namespace(), port, PortBlock::Reset)
    }

    /// Drops all TCP that is sent to this port of the control computer, on open connections too.
    pub fn lose_on_control(&self, port: u16) -> Result<()> {
        network::block_port(&self.control_namespace(), port, PortBlock::Drop)
    }

    /// Ends [`Self::refuse_on_control`] and [`Self::lose_on_control`].
    pub fn accept_on_control(&self) -> Result<()> {
        network::unblock_ports(&self.control_namespace())
    }

    /// Prints the last lines of the log of every program in the lab.
    fn show_logs(&self) {
        for log in run::logs(self.run.directory()) {
            let text = fs::read(&log).unwrap_or_default();
            let text = String::from_utf8_lossy(&text);
            let from = text.lines().count().saturating_sub(40);
            let shown: Vec<_> = text.lines().skip(from).collect();
            if !shown.is_empty() {
                let name = log.strip_prefix(self.run.directory()).unwrap_or(&log);
                say(&format!("--- {}\n{}", name.display(), shown.join("\n")));
            }
        }
    }
}

/// Runs a scenario on the control computer of a new lab; when it fails, the logs are printed before the lab is removed.
pub fn with_lab(machines: u8, scenario: impl AsyncFnOnce(&mut Lab) -> Result<()>) -> Result<()> {
    on(Lab::start(machines)?, scenario)
}

/// The same with a machine for each version of the engine: `with_engines(&EngineVersion::ALL, …)`.
pub fn with_engines(
    engines: &[EngineVersion],
    scenario: impl AsyncFnOnce(&mut Lab) -> Result<()>,
) -> Result<()> {
    on(Lab::with_engines(engines)?, scenario)
}

/// The same on a lab that has been started.
pub fn on(mut lab: Lab, scenario: impl AsyncFnOnce(&mut Lab) -> Result<()>) -> Result<()> {
    lab.enter()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let outcome = runtime.block_on(scenario(&mut lab));
    if outcome.is_err() {
        lab.show_logs();
    }
    outcome
}

impl Drop for Lab {
    fn drop(&mut self) {
        if thread::panicking() {
            self.show_logs();
        }
    }
}

/// Copies a directory with its files and subdirectories, as a backup does, or a thief.
pub fn copy_directory(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_directory(&entry.path(), &target)?;
        } else if entry.file_type()?.is_file() {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

#[expect(clippy::print_stderr, reason = "a failing test shows what happened")]
fn say(text: &str) {
    eprintln!("{text}");
}
