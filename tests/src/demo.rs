//! A fleet to look at: enrolled devices with real engines, sample containers and stacks.

use anyhow::{Context, Result};
use flotilla_protocol::api::{AddDevice, DeviceAdded, StartingPolicy, UpdateFleet};
use flotilla_protocol::device::NetworkMode::{self, Host, Pause};

use crate::engine::{WEB, WORKER};
use crate::eventually::seconds;
use crate::flotilla::{Agent, Control, ControlSetup};
use crate::install_text::{InstallText, PAUSE};
use crate::lab::{Lab, Machine};

/// Names, tags and modes of the first devices; devices after these have a number for a name.
const DEVICES: [(&str, &str, NetworkMode); 5] = [
    ("nas", "home", Host),
    ("vps-2", "prod", Pause),
    ("pi-garage", "edge", Host),
    ("desk", "home", Host),
    ("attic", "edge", Host),
];

/// Containers in the pod of the device in pause mode, and the port at which each listens.
pub const POD: [(&str, u16); 2] = [("blog", 8081), ("wiki", 8082)];

const MEDIA: &str = "\
services:
  library:
    image: sample/web:1
    ports: ['8096:80']
    volumes: ['library:/srv']
    restart: unless-stopped
  indexer:
    image: sample/worker:1
    restart: unless-stopped
volumes:
  library: {}
";

const SHOP: &str = "\
services:
  front:
    image: sample/web:1
    ports: ['80:80']
    networks: [inside]
  worker:
    image: sample/worker:1
    networks: [inside]
networks:
  inside: {}
";

/// The running demo. Dropping it ends control and the agents.
#[derive(Debug)]
pub struct Demo {
    pub control: Control,
    _agents: Vec<Agent>,
}

impl Demo {
    /// Starts control and a device on each machine of the lab; `say` is called for each device that is online.
    pub async fn start(lab: &Lab, setup: ControlSetup, say: &mut impl FnMut(String)) -> Result<Self> {
        let control = setup.start()?;
        let named = UpdateFleet {
            name: Some("home-lab".to_owned()),
            starting_policy: Some(StartingPolicy::OpenLab),
            ..UpdateFleet::default()
        };
        control.send(&named).await?;
        let mut agents = Vec::new();
        for (index, machine) in lab.machines().iter().enumerate() {
            let (name, tag, mode) = match DEVICES.get(index) {
                Some((name, tag, mode)) => ((*name).to_owned(), *tag, *mode),
                None => (format!("device-{}", index + 1), "more", Host),
            };
            samples(machine, index)?;
            let add = AddDevice {
                name: Some(name.clone()),
                tags: vec![tag.to_owned()],
                mode: Some(mode),
                ..AddDevice::default()
            };
            let added = control.send(&add).await?;
            if mode == Pause {
                start_pod(machine, &added)?;
            } else {
                agents.push(Agent::start(machine, &added)?);
            }
            control.eventually_online(&name, seconds(20.0)).await?;
            say(format!("{name} is online"));
        }
        Ok(Self {
            control,
            _agents: agents,
        })
    }
}

/// Starts an agent in pause mode by the Docker command, and containers that share its mesh address.
fn start_pod(machine: &Machine, added: &DeviceAdded) -> Result<()> {
    InstallText::DockerRun.paste(machine, added)?;
    let network = format!("container:{PAUSE}");
    for (name, port) in POD {
        let app = ["httpd", "-f", "-p", &port.to_string(), "-h", "/www"];
        machine.docker_run(&[&["--name", name, "--network", &network, WEB], &app[..]].concat())?;
    }
    Ok(())
}

/// Starts sample containers on a machine: a stack or a single worker, one that serves a page, and one that has failed.
fn samples(machine: &Machine, index: usize) -> Result<()> {
    machine
        .load_images()
        .with_context(|| format!("cannot make the samples on {}", machine.name()))?;
    match index % 3 {
        0 => machine.compose_up("media", MEDIA)?,
        1 => machine.compose_up("shop", SHOP)?,
        _ => drop(machine.docker_run(&["--name", "zigbee", "--label", "role=sensor", WORKER])?),
    }
    machine.docker_run(&["--name", "status-page", "--publish", "8080:80", WEB])?;
    machine.docker_run(&["--name", "import", WORKER, "sh", "-c", "exit 3"])?;
    Ok(())
}
