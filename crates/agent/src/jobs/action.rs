//! Acts on a container, once however often it is asked for.

use super::{
    context::JobContext,
    record::{JobOutcome, JobRecord},
};
use flotilla_engine::{ActionError, Engine, Ledger as _};
use flotilla_protocol::inventory::ContainerAction;

pub(super) async fn run(
    engine: &Engine,
    record: &JobRecord,
    (container, action): (&str, ContainerAction),
    context: &mut JobContext<'_>,
) -> JobOutcome {
    match carry_out(engine, record, (container, action), context).await {
        Ok(()) => JobOutcome::done(None),
        Err(error) => JobOutcome::failed(error.into()),
    }
}

async fn carry_out(
    engine: &Engine,
    record: &JobRecord,
    (container, action): (&str, ContainerAction),
    context: &mut JobContext<'_>,
) -> Result<(), ActionError> {
    if record.underway {
        // The agent ended before it could write down the end. The other actions leave a container alone that is as it
        // should be; of a restart, only the time of the last start tells.
        if action == ContainerAction::Restart && engine.has_started_since(container, record.began).await? {
            return Ok(());
        }
    } else {
        let written = context.write_underway().await;
        written.map_err(|error| ActionError::Unwritten(error.to_string()))?;
        context.report_underway();
        context.fuse().burn();
    }
    engine.act(container, action).await
}
