//! Chromium, driven as a person drives it: elements are found by role and name, and text is typed key by key.

mod axe;
mod page;
mod themes_and_widths;

use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use fantoccini::ClientBuilder;
use fantoccini::wd::Capabilities;
use flotilla_protocol::api::StartingPolicy;
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::json;

pub use axe::Violation;
pub use page::{Page, keys};

use crate::eventually::{eventually, seconds};
use crate::fleet::Fleet;
use crate::flotilla::{Control, ControlSetup};
use crate::lab::Lab;
use crate::program::Program;

/// Each lab has a loopback of its own, so the port is free.
const PORT: u16 = 9515;

/// How long a session may take to start.
const START: Duration = Duration::from_secs(30);

/// Switches with which Chromium runs as root, without a display, and sends no requests of its own to the network.
const SWITCHES: [&str; 10] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--force-device-scale-factor=1",
];

/// Chromium with an empty profile. Dropping it ends it.
#[derive(Debug)]
pub struct Browser {
    pub page: Page,
    _driver: Program,
}

impl Browser {
    /// Starts a fleet without devices whose welcome dialog has been answered, and a browser that shows it.
    pub async fn on_fleet(lab: &Lab, setup: ControlSetup) -> Result<(Control, Self)> {
        let control = setup.with_ui()?.start()?;
        control.welcome(StartingPolicy::OpenLab).await?;
        let browser = Self::start(lab).await?;
        browser.page.open(&control.ready()?.ui).await?;
        Ok((control, browser))
    }

    /// Starts a fleet of one device, "nas", with a policy that allows everything, and a browser that shows it.
    pub async fn on_device(lab: &Lab) -> Result<(Fleet, Self)> {
        let fleet = Fleet::start(lab, ControlSetup::new(lab)?.with_ui()?).await?;
        fleet.control.welcome(StartingPolicy::OpenLab).await?;
        let browser = Self::start(lab).await?;
        browser.page.open(&fleet.control.ready()?.ui).await?;
        Ok((fleet, browser))
    }

    pub async fn start(lab: &Lab) -> Result<Self> {
        let directory = lab.directory("browser")?;
        let profile = lab.directory("browser/profile")?;
        let mut driver = Command::new("chromedriver");
        // Chromium writes to the home directory, too, not to its profile only.
        driver.arg(format!("--port={PORT}")).env("HOME", &directory);
        let driver = Program::start(&mut driver, &directory, "chromedriver")?;
        let mut switches: Vec<_> = SWITCHES.map(str::to_owned).into();
        switches.push(format!("--user-data-dir={}", profile.display()));
        switches.push("--window-size=1280,800".to_owned());
        let options = json!({ "args": switches, "binary": "/usr/bin/chromium" });
        let page = connect(
            PORT,
            [("goog:chromeOptions".to_owned(), options)].into_iter().collect(),
        )
        .await?;
        Ok(Self {
            page,
            _driver: driver,
        })
    }
}

/// Opens a session at a WebDriver that has just been started.
pub(crate) async fn connect(port: u16, capabilities: Capabilities) -> Result<Page> {
    let address = format!("http://127.0.0.1:{port}");
    eventually("the driver listens", seconds(10.0), async || {
        Ok(tokio::net::TcpStream::connect(("127.0.0.1", port)).await?)
    })
    .await?;
    let mut builder = ClientBuilder::new(HttpConnector::new());
    let session = builder.capabilities(capabilities).connect(&address);
    let client = tokio::time::timeout(START, session)
        .await
        .context("the driver gives no session")??;
    Ok(Page::new(client))
}
