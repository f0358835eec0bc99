//! Control as `flotilla serve` on the control computer: started, called, stopped, killed, and started again on the same
//! data.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use flotilla_client::Client;
use flotilla_protocol::api::{
    AddDevice, DeviceAdded, GetDevice, ListContainers, ListDevices, Request, RevokeDevice, Row,
    StartingPolicy, UpdateFleet,
};
use flotilla_protocol::device::{Device, DeviceStatus};
use flotilla_protocol::inventory::Container;
use serde::Deserialize;

use crate::artifacts;
use crate::eventually::{eventually, eventually_blocking, seconds};
use crate::lab::Lab;
use crate::program::{Program, run};

/// The line that `serve` prints when it is ready.
#[derive(Debug, Clone, Deserialize)]
pub struct ReadyLine {
    pub event: String,
    pub api: String,
    pub ui: String,
    pub fleet: String,
    pub ca_pin: String,
    pub tls_pin: String,
    pub data_dir: PathBuf,
}

/// How control is started.
#[derive(Debug, Clone)]
pub struct ControlSetup {
    pub program: PathBuf,
    pub data_dir: PathBuf,
    /// Logs and output go here: tests search the data directory for secrets, and logs must not be in it.
    pub log_dir: PathBuf,
    pub advertise: Vec<String>,
    pub agents: Option<PathBuf>,
    /// The value of `RUST_LOG`.
    pub log: String,
    pub arguments: Vec<String>,
    pub environment: Vec<(String, String)>,
    /// The soft and the hard limit of open files; those of this process when absent.
    pub files: Option<u64>,
}

impl ControlSetup {
    /// On the control computer of a lab, at the address that the lab's agents dial.
    pub fn new(lab: &Lab) -> Result<Self> {
        Ok(Self {
            program: artifacts::flotilla()?,
            data_dir: lab.directory("data")?,
            log_dir: lab.directory("control")?,
            advertise: vec![lab.control().to_string()],
            agents: artifacts::lookup_agents(),
            log: "info".to_owned(),
            arguments: vec![
                "--fleet-addr".to_owned(),
                format!("0.0.0.0:{}", lab.control().port()),
            ],
            environment: Vec::new(),
            files: None,
        })
    }

    /// With the UI, for a browser.
    pub fn with_ui(mut self) -> Result<Self> {
        let ui = artifacts::ui()?.display().to_string();
        self.arguments.extend(["--ui-dir".to_owned(), ui]);
        Ok(self)
    }

    /// With this soft and hard limit of open files.
    #[must_use]
    pub fn with_files(mut self, files: u64) -> Self {
        self.files = Some(files);
        self
    }

    /// With its calendar clock off by `offset` (`+1d`); the monotonic clock is right.
    pub fn with_clock(self, offset: &str) -> Result<Self> {
        self.faking(("FAKETIME", offset.to_owned()))
    }

    /// With its calendar clock off by what this file says at the moment (`+1d`); the monotonic clock is right.
    pub fn with_clock_file(self, file: &Path) -> Result<Self> {
        let mut setup = self.faking(("FAKETIME_TIMESTAMP_FILE", file.display().to_string()))?;
        let at_once = ("FAKETIME_NO_CACHE".to_owned(), "1".to_owned());
        setup.environment.push(at_once);
        Ok(setup)
    }

    fn faking(mut self, offset: (&str, String)) -> Result<Self> {
        let library = fs::read_dir("/usr/lib")?
            .flatten()
            .map(|entry| entry.path().join("faketime/libfaketimeMT.so.1"))
            .find(|library| library.exists())
            .context("libfaketime is not there: run `cargo xtask setup --test`")?;
        self.environment = [
            ("LD_PRELOAD", library.display().to_string()),
            offset,
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
            ("DONT_FAKE_MONOTONIC", "1".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
        Ok(self)
    }

    fn command(&self) -> Command {
        let mut serve = match self.files {
            Some(files) => {
                let mut limited = Command::new("prlimit");
                limited
                    .arg(format!("--nofile={files}:{files}"))
                    .arg(&self.program);
                limited
            }
            None => Command::new(&self.program),
        };
        serve
            .arg("serve")
            .arg("--data-dir")
            .arg(&self.data_dir)
            .args(&self.arguments)
            .envs(self.environment.iter().cloned());
        serve.env("RUST_LOG", &self.log);
        for address in &self.advertise {
            serve.args(["--advertise", address]);
        }
        if let Some(agents) = &self.agents {
            serve.arg("--agents-dir").arg(agents);
        }
        serve
    }

    /// Starts a control that is expected to end by itself; returns its exit status and its log.
    pub fn refusal(&self) -> Result<(ExitStatus, String)> {
        let name = format!("refused-{}", fs::read_dir(&self.log_dir)?.flatten().count());
        let mut program = Program::start(&mut self.command(), &self.log_dir, &name)?;
        let status = program.ended(seconds(15.0))?;
        Ok((status, program.log()?))
    }

    pub fn start(self) -> Result<Control> {
        // A number for each start: the ready line must not be read from the output of an earlier one.
        let starts = fs::read_dir(&self.log_dir)?.flatten().count();
        let program = Program::start(&mut self.command(), &self.log_dir, &format!("control-{starts}"))?;
        let mut control = Control {
            ready: None,
            setup: self,
            program,
        };
        control.ready = Some(control.wait_until_ready(seconds(15.0))?);
        Ok(control)
    }
}

#[derive(Debug)]
pub struct Control {
    setup: ControlSetup,
    program: Program,
    ready: Option<ReadyLine>,
}

impl Control {
    pub fn start(lab: &Lab) -> Result<Self> {
        ControlSetup::new(lab)?.start()
    }

    fn wait_until_ready(&mut self, within: Duration) -> Result<ReadyLine> {
        eventually_blocking("control is ready", within, || {
            self.program.ensure_running()?;
            let output = self.program.output()?;
            let line = output
                .split_inclusive('\n')
                .next()
                .context("it has printed nothing")?;
            Ok(serde_json::from_str(line)?)
        })
    }

    pub fn ready(&self) -> Result<&ReadyLine> {
        self.ready.as_ref().context("control has not been ready")
    }

    #[must_use]
    pub fn data_dir(&self) -> &Path {
        &self.setup.data_dir
    }

    #[must_use]
    pub fn process(&self) -> u32 {
        self.program.id()
    }

    /// Everything that control printed or logged, over all its starts.
    pub fn everything_written(&self) -> Result<String> {
        let files = fs::read_dir(&self.setup.log_dir)?.flatten();
        let texts = files.map(|file| Ok(String::from_utf8_lossy(&fs::read(file.path())?).into_owned()));
        texts.collect::<Result<Vec<_>>>().map(|texts| texts.concat())
    }

    /// Kills control without a chance to clean up, as a power failure does.
    pub fn kill(&mut self) -> Result<()> {
        self.program.kill()
    }

    /// Stops control as a service manager does.
    pub fn stop(&mut self) -> Result<ExitStatus> {
        self.program.terminate(seconds(15.0))
    }

    /// Starts control again on the same data, after it was killed or stopped.
    pub fn start_again(&mut self) -> Result<()> {
        *self = self.setup.clone().start()?;
        Ok(())
    }

    /// How this control was started; a changed copy of it is another control on the same data.
    #[must_use]
    pub fn setup(&self) -> &ControlSetup {
        &self.setup
    }

    /// `flotilla` on the control computer.
    #[must_use]
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.setup.program);
        command.env("FLOTILLA_DATA_DIR", &self.setup.data_dir);
        command
    }

    /// Runs `flotilla ARGUMENTS` on the control computer; returns what it printed.
    pub fn cli(&self, arguments: &[&str]) -> Result<String> {
        run(self.command().args(arguments))
    }

    /// The port where devices connect.
    pub fn fleet_port(&self) -> Result<u16> {
        let (_, port) = self.ready()?.fleet.rsplit_once(':').context("no port")?;
        Ok(port.parse()?)
    }

    /// Waits until a container of a device is listed.
    pub async fn container_shows(&self, device: &str, name: &str) -> Result<()> {
        let listed = eventually("the container is listed", seconds(5.0), async || {
            self.container(device, name).await
        });
        listed.await.map(drop)
    }

    /// A client that reads its access from the data directory, as the command line does.
    pub fn client(&self) -> Result<Client> {
        Ok(Client::from_data_dir(&self.setup.data_dir)?)
    }

    pub async fn send<R: Request>(&self, request: &R) -> Result<R::Response> {
        Ok(self.client()?.send(request).await?)
    }

    /// Answers the questions of the welcome dialog: the fleet's name and its starting policy.
    pub async fn welcome(&self, start: StartingPolicy) -> Result<()> {
        let answers = UpdateFleet {
            name: Some("home-lab".to_owned()),
            starting_policy: Some(start),
            ..UpdateFleet::default()
        };
        self.send(&answers).await.map(drop)
    }

    /// Adds a device with the defaults of Add Device.
    pub async fn add(&self, name: &str) -> Result<DeviceAdded> {
        self.send(&AddDevice {
            name: Some(name.to_owned()),
            ..AddDevice::default()
        })
        .await
    }

    pub async fn device(&self, name: &str) -> Result<Device> {
        self.send(&GetDevice {
            device: name.to_owned(),
        })
        .await
    }

    pub async fn devices(&self) -> Result<Vec<Device>> {
        Ok(self.send(&ListDevices).await?.items)
    }

    pub async fn revoke(&self, name: &str) -> Result<Device> {
        self.send(&RevokeDevice {
            device: name.to_owned(),
        })
        .await
    }

    pub async fn containers(&self, device: &str) -> Result<Vec<Row<Container>>> {
        Ok(self
            .send(&ListContainers {
                devices: vec![device.to_owned()],
            })
            .await?
            .items)
    }

    pub async fn container(&self, device: &str, name: &str) -> Result<Row<Container>> {
        let rows = self.containers(device).await?;
        let names: Vec<_> = rows.iter().map(|row| row.item.name.clone()).collect();
        let found = rows.into_iter().find(|row| row.item.name == name);
        found.with_context(|| format!("no {name} among {names:?} of {device}"))
    }

    pub async fn eventually_is(&self, name: &str, status: DeviceStatus, within: Duration) -> Result<Device> {
        eventually(&format!("{name} is {status}"), within, async || {
            let device = self.device(name).await?;
            ensure!(device.status == status, "it is {}", device.status);
            Ok(device)
        })
        .await
    }

    pub async fn eventually_online(&self, name: &str, within: Duration) -> Result<Device> {
        self.eventually_is(name, DeviceStatus::Online, within).await
    }
}
