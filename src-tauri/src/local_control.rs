//! Control and this computer's agent, started and stopped together.

use flotilla_agent::run_embedded;
use flotilla_control::{Control, ControlConfig, StartError};
use tauri::async_runtime::{self, JoinHandle};
use tokio_util::sync::CancellationToken;

/// A running control with its embedded agent.
#[derive(Debug)]
pub(crate) struct LocalControl {
    pub(crate) control: Control,
    agent: JoinHandle<()>,
    stop: CancellationToken,
}

impl LocalControl {
    pub(crate) async fn start(config: ControlConfig) -> Result<Self, StartError> {
        let control = Control::start(config).await?;
        let stop = CancellationToken::new();
        let enrollment = control.local_enrollment().await;
        let data_dir = control.ready().data_dir.clone();
        let agent = async_runtime::spawn(run_embedded(data_dir, enrollment, stop.clone()));
        Ok(Self { control, agent, stop })
    }

    /// A token that is cancelled when control is about to stop.
    pub(crate) fn stopping(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Stops the agent, then drains control.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        // An agent that ended by itself has logged why.
        let _ = self.agent.await;
        self.control.shutdown().await;
    }
}
