//! A fleet of one device with one container, online: the starting point of most tests of links.

use anyhow::{Result, ensure};
use flotilla_protocol::api::DeviceAdded;
use flotilla_protocol::device::{Device, DeviceStatus};

use crate::engine::WEB;
use crate::eventually::{eventually, seconds};
use crate::flotilla::{Agent, AgentSetup, Control, ControlSetup};
use crate::lab::Lab;

#[derive(Debug)]
pub struct Fleet {
    pub control: Control,
    pub agent: Agent,
    pub setup: AgentSetup,
    pub added: DeviceAdded,
}

impl Fleet {
    /// Starts control and an agent. The device is `nas`, on the first machine; its container is `web`.
    pub async fn start(lab: &Lab, control: ControlSetup) -> Result<Self> {
        let machine = lab.machine(1);
        machine.load_images()?;
        machine.docker_run(&["--name", "web", WEB])?;
        let control = control.start()?;
        let added = control.add("nas").await?;
        let setup = AgentSetup::new(machine, &added)?;
        let agent = setup.start(machine)?;
        let fleet = Self {
            control,
            agent,
            setup,
            added,
        };
        fleet.is_back().await?;
        Ok(fleet)
    }

    /// Waits until the device is online with its container; fails when it is another device or there is a second one.
    pub async fn is_back(&self) -> Result<Device> {
        // The longest wait between two attempts in the first minute is 5 s, in a longer outage 30 s.
        let device = self.control.eventually_online("nas", seconds(35.0)).await?;
        ensure!(
            device.id == self.added.device.id,
            "it came back as another device"
        );
        let devices = self.control.devices().await?;
        ensure!(devices.len() == 1, "{} devices", devices.len());
        eventually("its container", seconds(2.0), async || {
            self.control.container("nas", "web").await
        })
        .await?;
        Ok(device)
    }

    /// Waits until control shows the device as reconnecting.
    pub async fn is_missed(&self) -> Result<Device> {
        self.control
            .eventually_is("nas", DeviceStatus::Reconnecting, seconds(5.0))
            .await
    }
}
