//! Control and this computer's agent, started and stopped together.

use flotilla_agent::{AgentConfig, EnrollmentSource, Exit};
use flotilla_control::{Control, ControlConfig, StartError};
use tauri::async_runtime::{self, JoinHandle};
use tokio_util::sync::CancellationToken;

/// A running control with its embedded agent.
#[derive(Debug)]
pub(crate) struct Fleet {
    pub(crate) control: Control,
    agent: Option<JoinHandle<()>>,
    stop: CancellationToken,
}

impl Fleet {
    pub(crate) async fn start(config: ControlConfig) -> Result<Self, StartError> {
        let control = Control::start(config).await?;
        let stop = CancellationToken::new();
        let agent = local_agent(&control, stop.clone()).await;
        Ok(Self { control, agent, stop })
    }

    /// Cancelled when the fleet is about to stop.
    pub(crate) fn stopping(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Stops the agent, then drains control.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        if let Some(agent) = self.agent {
            // An agent that died has said why.
            let _ = agent.await;
        }
        self.control.shutdown().await;
    }
}

/// Makes this computer a device, enrolled like any other. Control is of use without it, so a failure is logged.
async fn local_agent(control: &Control, stop: CancellationToken) -> Option<JoinHandle<()>> {
    let enrollment = match control.local_enrollment().await {
        Ok(Some(config)) => EnrollmentSource::Config(Box::new(config)),
        Ok(None) => EnrollmentSource::None,
        Err(problem) => {
            tracing::error!(reason = %problem, "this computer can't become a device");
            return None;
        }
    };
    let config = AgentConfig::new(control.ready().data_dir.join("local-agent"), enrollment);
    Some(async_runtime::spawn(async move {
        let exit = flotilla_agent::run(config, stop).await;
        if exit != Exit::Stopped {
            tracing::error!(reason = %exit, "this computer's agent ended");
        }
    }))
}
