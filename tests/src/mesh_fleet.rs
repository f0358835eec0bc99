//! A fleet with a device on each machine of a lab, all on one mesh, with a policy that opens one port: the starting
//! point of most tests of paths.

use std::net::TcpStream;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use flotilla_protocol::api::{AddDevice, DeviceAdded, SetPolicy};
use flotilla_protocol::device::RelayPreference;
use flotilla_protocol::path::{PathKind, PeerPath};
use flotilla_protocol::policy::Policy;
use serde_json::{Value, json};

use crate::artifacts;
use crate::eventually::{eventually, seconds};
use crate::flotilla::{Agent, AgentSetup, Control, ControlSetup};
use crate::lab::{Lab, Machine, ping};
use crate::program::{command, run};

/// Every device echoes what it is sent on both ports. The starting policy allows [`OPEN`] and denies [`CLOSED`].
pub const OPEN: u16 = 7777;
pub const CLOSED: u16 = 7778;

/// A device and its agent. The member at index `n` is on machine `n + 1` of the lab.
#[derive(Debug)]
pub struct Member {
    pub added: DeviceAdded,
    pub setup: AgentSetup,
    pub agent: Agent,
}

/// Control, and a member for each machine of the lab.
#[derive(Debug)]
pub struct MeshFleet {
    pub control: Control,
    pub members: Vec<Member>,
}

impl MeshFleet {
    /// Starts control and an agent on each machine, and waits until every device is online and knows all others.
    pub async fn start(lab: &Lab) -> Result<Self> {
        Self::start_with(lab, ControlSetup::new(lab)?, RelayPreference::Auto).await
    }

    /// The same with this control, and this relay preference of each device.
    pub async fn start_with(lab: &Lab, control: ControlSetup, relay: RelayPreference) -> Result<Self> {
        Self::start_in(lab, control, relay, |_| Vec::new()).await
    }

    /// The same, with variables of the environment for the agent of each machine.
    pub async fn start_in(
        lab: &Lab,
        control: ControlSetup,
        relay: RelayPreference,
        environment: impl Fn(&Machine) -> Vec<(String, String)>,
    ) -> Result<Self> {
        let control = control.start()?;
        set_policy(&control, &allowing(OPEN)).await?;
        let mut members = Vec::new();
        for machine in lab.machines() {
            let added = control
                .send(&AddDevice {
                    name: Some(machine.name().to_owned()),
                    relay: Some(relay),
                    ..AddDevice::default()
                })
                .await?;
            let setup = AgentSetup {
                environment: environment(machine),
                ..AgentSetup::new(machine, &added)?
            };
            let agent = setup.start(machine)?;
            for port in [OPEN, CLOSED] {
                machine.echo(port)?;
            }
            members.push(Member { added, setup, agent });
        }
        let fleet = Self { control, members };
        for machine in lab.machines() {
            fleet
                .control
                .eventually_online(machine.name(), seconds(10.0))
                .await?;
        }
        let others = lab.machines().len() - 1;
        for machine in lab.machines() {
            fleet.is_up(machine, others).await?;
        }
        Ok(fleet)
    }

    /// Waits until the device of this machine has a mesh interface and knows this many peers.
    pub async fn is_up(&self, machine: &Machine, peers: usize) -> Result<()> {
        let what = format!("{} is on the mesh", machine.name());
        eventually(&what, seconds(10.0), async || {
            let mesh = self.mesh(machine)?;
            let (state, known) = (&mesh["report"]["state"]["state"], mesh["peers"].as_array());
            ensure!(
                state == "up" && known.is_some_and(|known| known.len() == peers),
                "{mesh}"
            );
            Ok(())
        })
        .await
    }

    #[must_use]
    pub fn member(&self, machine: &Machine) -> &Member {
        &self.members[usize::from(machine.number()) - 1]
    }

    pub fn member_mut(&mut self, machine: &Machine) -> &mut Member {
        &mut self.members[usize::from(machine.number()) - 1]
    }

    /// The mesh part of `flotilla-agent status --json` on a machine.
    pub fn mesh(&self, machine: &Machine) -> Result<Value> {
        let state_dir = &self.member(machine).setup.state_dir;
        let status = run(command(artifacts::agent()?, ["status", "--json", "--state-dir"]).arg(state_dir))?;
        let mut status: Value = serde_json::from_str(&status)?;
        Ok(status["mesh"].take())
    }

    /// The path from one machine to another, as the agent on the first one reports it.
    pub fn path(&self, from: &Machine, to: &Machine) -> Result<PeerPath> {
        let mesh = self.mesh(from)?;
        let mut peers = mesh["peers"].as_array().into_iter().flatten();
        let peer = peers.find(|peer| peer["name"] == to.name());
        let path =
            peer.with_context(|| format!("{} is no peer of {}: {mesh}", to.name(), from.name()))?["path"]
                .clone();
        serde_json::from_value(path).with_context(|| format!("no path: {mesh}"))
    }

    /// Waits until the path from one machine to another is of this kind; returns how long that took.
    pub async fn eventually_by(
        &self,
        kind: PathKind,
        from: &Machine,
        to: &Machine,
        within: Duration,
    ) -> Result<Duration> {
        let begun = Instant::now();
        let what = format!("{} reaches {} {kind:?}", from.name(), to.name());
        eventually(&what, within, async || {
            let path = self.path(from, to)?;
            ensure!(path.why.kind() == kind, "{path:?}");
            Ok(())
        })
        .await?;
        Ok(begun.elapsed())
    }

    /// Opens a TCP connection over the mesh and waits for the echo of one byte; returns how long both took.
    pub fn first_byte(
        &self,
        from: &Machine,
        to: &Machine,
        within: Duration,
    ) -> Result<(TcpStream, Duration)> {
        let begun = Instant::now();
        let mut stream = self.connect(from, to, OPEN, within)?;
        ping(&mut stream)?;
        Ok((stream, begun.elapsed()))
    }

    /// Fails unless a connection to this port times out: no answer, and no refusal either.
    pub fn is_silent(&self, from: &Machine, to: &Machine, port: u16) -> Result<()> {
        match self.connect(from, to, port, seconds(1.0)) {
            Ok(_) => bail!("port {port} of {} is open", to.name()),
            Err(error) if format!("{error:#}").contains("timed out") => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// A TCP connection from one machine to the mesh address of another.
    pub fn connect(&self, from: &Machine, to: &Machine, port: u16, within: Duration) -> Result<TcpStream> {
        let address = self.member(to).added.device.mesh_ip;
        from.connect((address, port), within)
    }
}

/// A policy that allows every device to reach this TCP port of every device.
#[must_use]
pub fn allowing(port: u16) -> Value {
    json!({"rules": [{"name": "echo", "from": ["any"], "to": ["any"], "proto": "tcp", "ports": [port]}]})
}

/// Saves a policy, given in the form in which people write it.
pub async fn set_policy(control: &Control, policy: &Value) -> Result<()> {
    let policy: Policy = serde_json::from_value(policy.clone())?;
    let set = SetPolicy {
        policy,
        revision: None,
    };
    control.send(&set).await.map(drop)
}
