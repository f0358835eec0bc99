//! The agent of the computer that control runs on, in control's own process: a device like any other.

use crate::{AgentConfig, EnrollmentSource, Exit, run};
use flotilla_protocol::{Problem, enroll::ConfigFile};
use std::path::PathBuf;
use tokio_util::sync::CancellationToken;

/// Runs the agent until `shutdown`, with its state below control's data directory.
///
/// `enrollment` is what control answered for this computer: nothing where it has enrolled. Control is of use without
/// the agent, so what goes wrong is logged.
pub async fn run_embedded(
    data_dir: PathBuf,
    enrollment: Result<Option<ConfigFile>, Problem>,
    shutdown: CancellationToken,
) {
    let enrollment = match enrollment {
        Ok(Some(config)) => EnrollmentSource::Config(Box::new(config)),
        Ok(None) => EnrollmentSource::None,
        Err(problem) => {
            tracing::error!(reason = %problem, "this computer can't become a device");
            return;
        }
    };
    let config = AgentConfig::new(data_dir.join("local-agent"), enrollment);
    let exit = run(config, shutdown).await;
    if exit != Exit::Stopped {
        tracing::error!(reason = %exit, "this computer's agent ended");
    }
}
