//! The desktop app in a window, driven through WebKit's WebDriver.

use std::env;
use std::path::Path;
use std::process::Command;

use anyhow::Result;
use serde_json::json;

use crate::artifacts;
use crate::browser::{Page, connect};
use crate::lab::Lab;
use crate::program::Program;

/// Each lab has a loopback of its own, so the port is free.
const PORT: u16 = 14_700;

/// A running app and its window.
#[derive(Debug)]
pub struct Desktop {
    pub page: Page,
    _driver: Program,
}

impl Desktop {
    /// Starts the app on the control computer of a lab, with an empty data directory, on the display that the
    /// environment names.
    pub async fn start(lab: &Lab) -> Result<Self> {
        Self::start_by(Command::new("WebKitWebDriver"), lab).await
    }

    /// The same without the right to make network interfaces, as an app started by a user, with a folder of programs
    /// that is first on `PATH`.
    pub async fn start_without_rights(lab: &Lab, stand_ins: &Path) -> Result<Self> {
        let mut driver = Command::new("setpriv");
        driver
            .args([
                "--bounding-set=-net_admin",
                "--inh-caps=-net_admin",
                "WebKitWebDriver",
            ])
            .env("PATH", format!("{}:{}", stand_ins.display(), env::var("PATH")?));
        Self::start_by(driver, lab).await
    }

    async fn start_by(mut driver: Command, lab: &Lab) -> Result<Self> {
        let directory = lab.directory("desktop")?;
        driver
            .args(["--host=127.0.0.1", &format!("--port={PORT}")])
            // Without TAURI_WEBVIEW_AUTOMATION the session never starts; without LANG WebKit reports a language that is
            // not a valid one.
            .env("TAURI_WEBVIEW_AUTOMATION", "true")
            .env("LANG", "en_US.UTF-8")
            .env("FLOTILLA_UI_DIR", artifacts::ui()?)
            .env("FLOTILLA_DATA_DIR", lab.directory("desktop/data")?)
            .env("HOME", &directory);
        if let Some(agents) = artifacts::lookup_agents() {
            driver.env("FLOTILLA_AGENTS_DIR", agents);
        }
        if let Some(machine) = lab.machines().first() {
            driver.env("DOCKER_HOST", machine.docker_host());
        }
        let driver = Program::start(&mut driver, &directory, "desktop")?;
        let options = json!({ "binary": artifacts::desktop()?, "args": [] });
        let page = connect(
            PORT,
            [("webkitgtk:browserOptions".to_owned(), options)]
                .into_iter()
                .collect(),
        )
        .await?;
        Ok(Self {
            page,
            _driver: driver,
        })
    }

    /// Closes the window, which ends the app.
    pub async fn close(self) -> Result<()> {
        self.page.close().await
    }
}
