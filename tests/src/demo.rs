//! A fleet to look at: real engines, sample containers and stacks, and devices that were enrolled for real.

use anyhow::{Context, Result};
use flotilla_protocol::api::{AddDevice, StartingPolicy, UpdateFleet};

use crate::engine::{WEB, WORKER};
use crate::eventually::seconds;
use crate::flotilla::{Agent, Control, ControlSetup};
use crate::lab::{Lab, Machine};

/// Names and tags of the first devices; further ones are numbered.
const DEVICES: [(&str, &str); 5] = [
    ("nas", "home"),
    ("vps-2", "prod"),
    ("pi-garage", "edge"),
    ("desk", "home"),
    ("attic", "edge"),
];

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
    /// Control answers at this port of its loopback.
    pub async fn start(lab: &Lab, api_port: u16, say: &mut impl FnMut(String)) -> Result<Self> {
        let mut setup = ControlSetup::new(lab)?.with_ui()?;
        setup
            .arguments
            .extend(["--api-addr".to_owned(), format!("127.0.0.1:{api_port}")]);
        let mut control = setup.start()?;
        let named = UpdateFleet {
            name: Some("home-lab".to_owned()),
            starting_policy: Some(StartingPolicy::OpenLab),
            ..UpdateFleet::default()
        };
        control.send(&named).await?;
        let mut agents = Vec::new();
        for (index, machine) in lab.machines().iter().enumerate() {
            let (name, tag) = match DEVICES.get(index) {
                Some((name, tag)) => ((*name).to_owned(), *tag),
                None => (format!("device-{}", index + 1), "more"),
            };
            samples(machine, index)?;
            let add = AddDevice {
                name: Some(name.clone()),
                tags: vec![tag.to_owned()],
                ..AddDevice::default()
            };
            let added = control.send(&add).await?;
            agents.push(Agent::start(machine, &added)?);
            control.eventually_online(&name, seconds(20.0)).await?;
            say(format!("{name} is online"));
        }
        // The code in the page's address is good for a minute, so it is taken at the end, from a fresh start.
        control.stop()?;
        control.start_again()?;
        Ok(Self {
            control,
            _agents: agents,
        })
    }
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
