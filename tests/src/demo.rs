//! A fleet to look at: real engines, sample containers and stacks, and devices that were enrolled for real.

use anyhow::{Context, Result};
use flotilla_protocol::api::{AddDevice, DeviceAdded, StartingPolicy, UpdateFleet};
use flotilla_protocol::device::NetworkMode::{self, Host, Pause};

use crate::engine::{WEB, WORKER};
use crate::eventually::seconds;
use crate::flotilla::{Agent, Control, ControlSetup};
use crate::install_text::{InstallText, PAUSE};
use crate::lab::{Lab, Machine};

/// Names, tags and modes of the first devices; further ones are numbered.
const DEVICES: [(&str, &str, NetworkMode); 5] = [
    ("nas", "home", Host),
    ("vps-2", "prod", Pause),
    ("pi-garage", "edge", Host),
    ("desk", "home", Host),
    ("attic", "edge", Host),
];

/// What shares the mesh address of a device in pause mode, and where it listens.
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

/// What stands until it is dropped.
#[derive(Debug)]
pub struct Demo {
    pub control: Control,
    _agents: Vec<Agent>,
}

impl Demo {
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

/// The agent by the text that people paste, and apps beside it at the mesh address.
fn start_pod(machine: &Machine, added: &DeviceAdded) -> Result<()> {
    InstallText::DockerRun.paste(machine, added)?;
    let network = format!("container:{PAUSE}");
    for (name, port) in POD {
        let app = ["httpd", "-f", "-p", &port.to_string(), "-h", "/www"];
        machine.docker_run(&[&["--name", name, "--network", &network, WEB], &app[..]].concat())?;
    }
    Ok(())
}

/// Something to see on a machine: a stack, a container by itself, and one that has ended.
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
