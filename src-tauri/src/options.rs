//! The options of the desktop program. Their names are those of `flotilla serve`.

use clap::Parser;
use flotilla_client::data_dir;
use flotilla_control::{ControlConfig, Ui};
use flotilla_protocol::agent::RELAY_MBIT_PER_SECOND;
use std::{net::SocketAddr, path::PathBuf};

/// Flotilla with a window.
#[derive(Debug, Clone, Parser)]
#[command(name = "flotilla-desktop", version)]
pub(crate) struct Options {
    /// Where Flotilla keeps its data [default: the platform's data directory]
    #[arg(long, value_name = "DIR", env = "FLOTILLA_DATA_DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Where devices connect (TLS); port 0 picks a free one
    #[arg(long, value_name = "ADDR:PORT", default_value = "0.0.0.0:7443")]
    pub(crate) fleet_addr: SocketAddr,
    /// Where the window and the command line connect; this computer only
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:7440")]
    pub(crate) api_addr: SocketAddr,
    /// Folder of the agents that devices download
    #[arg(long, value_name = "DIR", env = "FLOTILLA_AGENTS_DIR")]
    agents_dir: Option<PathBuf>,
    /// Folder of the built user interface
    #[arg(long, value_name = "DIR", env = "FLOTILLA_UI_DIR")]
    ui_dir: Option<PathBuf>,
}

impl Options {
    pub(crate) fn control(&self) -> Result<ControlConfig, flotilla_client::Error> {
        Ok(ControlConfig {
            data_dir: data_dir(self.data_dir.clone())?,
            fleet_addr: self.fleet_addr,
            api_addr: self.api_addr,
            advertise: Vec::new(),
            agents_dir: self.agents_dir.clone(),
            relay_mbit_per_second: RELAY_MBIT_PER_SECOND,
            ui: self.ui_dir.clone().map_or_else(built_in_ui, Ui::Dir),
        })
    }
}

#[cfg(feature = "embedded-ui")]
fn built_in_ui() -> Ui {
    Ui::Embedded
}

#[cfg(not(feature = "embedded-ui"))]
fn built_in_ui() -> Ui {
    Ui::None
}
