//! A fleet of devices in one network mode, each installed by another text, and a native device that tries to reach
//! them.
//!
//! The policy allows everything: what cannot be reached, cannot because of the network mode.

use std::net::Ipv4Addr;

use anyhow::{Context, Result, ensure};
use flotilla_protocol::api::{
    AddDevice, ChangeMode, DeviceAdded, ListPaths, ModeChange, StartingPolicy, UpdateFleet,
};
use flotilla_protocol::device::{DeviceStatus, NetworkMode};
use flotilla_protocol::id::DeviceId;
use flotilla_protocol::mesh::MeshState;
use flotilla_protocol::path::Path;
use serde_json::Value;

use crate::eventually::{eventually, seconds};
use crate::flotilla::{Agent, AgentSetup, Control};
use crate::install_text::InstallText;
use crate::lab::{Lab, Machine};

/// Name of the device whose agent runs without a container, on the last machine of the lab.
pub const NATIVE: &str = "native";

/// A device whose agent runs in a container, and the text by which it was installed.
#[derive(Debug)]
pub struct ContainerDevice {
    pub text: InstallText,
    pub added: DeviceAdded,
    /// The number of its machine.
    machine: usize,
}

impl ContainerDevice {
    #[must_use]
    pub fn machine<'a>(&self, lab: &'a Lab) -> &'a Machine {
        lab.machine(self.machine)
    }

    #[must_use]
    pub fn name(&self) -> &str {
        self.added.device.name.as_str()
    }

    #[must_use]
    pub fn mesh_ip(&self) -> Ipv4Addr {
        self.added.device.mesh_ip
    }
}

/// What must stay the same for control and peers to treat a device as the same one.
#[derive(Debug, PartialEq, Eq)]
pub struct Identity {
    id: DeviceId,
    mesh_ip: Ipv4Addr,
    /// Of the device's certificate.
    fingerprint: String,
    /// The public key in the network map of a peer.
    wireguard_key: Value,
}

/// Control, the devices in containers, and the native device.
#[derive(Debug)]
pub struct ModeFleet {
    pub control: Control,
    pub devices: Vec<ContainerDevice>,
    pub native: DeviceAdded,
    native_setup: AgentSetup,
    _native_agent: Agent,
}

impl ModeFleet {
    /// Starts control with an open policy, and the native device. There are no other devices.
    pub async fn begin(lab: &Lab) -> Result<Self> {
        let control = Control::start(lab)?;
        let open = UpdateFleet {
            starting_policy: Some(StartingPolicy::OpenLab),
            ..UpdateFleet::default()
        };
        control.send(&open).await?;
        let native = control.add(NATIVE).await?;
        let machine = lab.machine(lab.machines().len());
        let native_setup = AgentSetup::new(machine, &native)?;
        let native_agent = native_setup.start(machine)?;
        Ok(Self {
            control,
            devices: Vec::new(),
            native,
            native_setup,
            _native_agent: native_agent,
        })
    }

    /// The same and a device of this mode for each text, all online and on the mesh. The lab must have one machine more
    /// than there are texts.
    pub async fn start(lab: &Lab, mode: NetworkMode, texts: &[InstallText]) -> Result<Self> {
        let mut modes = Self::begin(lab).await?;
        for (machine, text) in (1..).zip(texts) {
            let added = modes.add(text.name(), mode).await?;
            text.paste(lab.machine(machine), &added)
                .with_context(|| format!("pasting {}", text.name()))?;
            modes.devices.push(ContainerDevice {
                text: *text,
                added,
                machine,
            });
        }
        for name in modes.devices.iter().map(ContainerDevice::name).chain([NATIVE]) {
            modes.is_on_mesh(name).await?;
        }
        Ok(modes)
    }

    /// Adds a device of this mode.
    pub async fn add(&self, name: &str, mode: NetworkMode) -> Result<DeviceAdded> {
        let add = AddDevice {
            name: Some(name.to_owned()),
            mode: Some(mode),
            ..AddDevice::default()
        };
        self.control.send(&add).await
    }

    /// Waits until a device is online and reports that it is on the mesh.
    pub async fn is_on_mesh(&self, name: &str) -> Result<()> {
        self.control.eventually_online(name, seconds(15.0)).await?;
        eventually(&format!("{name} is on the mesh"), seconds(15.0), async || {
            let mesh = self.control.device(name).await?.mesh;
            let state = mesh.as_ref().map(|mesh| &mesh.state);
            ensure!(matches!(state, Some(MeshState::Up { .. })), "{mesh:?}");
            Ok(())
        })
        .await
    }

    /// The path from the native device to another one, as control shows it.
    pub async fn path_to(&self, name: &str) -> Result<Path> {
        path(&self.control, NATIVE, name).await
    }

    /// Changes the mode of a device; fails where control says that the agent cannot move by itself.
    pub async fn change(&self, device: &ContainerDevice, mode: NetworkMode) -> Result<()> {
        let change = ChangeMode {
            device: device.name().to_owned(),
            change: ModeChange {
                mode,
                expires_seconds: None,
            },
        };
        let changed = self.control.send(&change).await?;
        ensure!(changed.device.mode == mode);
        let reason = changed.by_hand.map(|by_hand| by_hand.reason);
        ensure!(reason.is_none(), "{reason:?}");
        Ok(())
    }

    /// The identity of a device, as control and the native device know it.
    pub async fn identity(&self, device: &ContainerDevice) -> Result<Identity> {
        let shown = self.control.device(device.name()).await?;
        let map = std::fs::read(self.native_setup.state_dir.join("map.json"))?;
        let map: Value = serde_json::from_slice(&map)?;
        let mut peers = map["map"]["peers"].as_array().into_iter().flatten();
        let peer = peers.find(|peer| peer["name"] == device.name());
        Ok(Identity {
            id: shown.id,
            mesh_ip: shown.mesh_ip,
            fingerprint: shown.certificate.context("no certificate")?.fingerprint,
            wireguard_key: peer.context("it is no peer of the native device")?["public_key"].clone(),
        })
    }

    /// Replaces the container of a device's agent by a new one; fails when that is not the same device.
    pub async fn recreate(&self, device: &ContainerDevice, machine: &Machine) -> Result<()> {
        let before = self.identity(device).await?;
        device.text.remove(machine)?;
        let name = device.name();
        self.control
            .eventually_is(name, DeviceStatus::Reconnecting, seconds(5.0))
            .await?;
        device.text.create_again(machine, &device.added)?;
        self.is_on_mesh(name).await?;
        let after = self.identity(device).await?;
        ensure!(before == after, "{before:?} became {after:?}");
        let devices = self.control.devices().await?.len();
        ensure!(devices == self.devices.len() + 1, "{devices} devices");
        Ok(())
    }
}

/// The path from one device to another, as control shows it.
pub async fn path(control: &Control, from: &str, to: &str) -> Result<Path> {
    let begun = ListPaths {
        devices: vec![from.to_owned()],
    };
    let mut paths = control.send(&begun).await?.items.into_iter();
    let found = paths.find(|path| path.to.as_str() == to);
    found.with_context(|| format!("no path from {from} to {to}"))
}
