//! Removes a container, once however often it is asked for.

use super::{
    context::JobContext,
    record::{JobOutcome, JobRecord},
};
use flotilla_engine::{ActionError, Engine, Ledger as _};

pub(super) async fn run(
    engine: &Engine,
    record: &JobRecord,
    (container, volumes): (&str, bool),
    context: &mut JobContext<'_>,
) -> JobOutcome {
    match carry_out(engine, record, (container, volumes), context).await {
        Ok(()) => JobOutcome::done(None),
        Err(error) => JobOutcome::failed(error.into()),
    }
}

async fn carry_out(
    engine: &Engine,
    record: &JobRecord,
    (container, volumes): (&str, bool),
    context: &mut JobContext<'_>,
) -> Result<(), ActionError> {
    if !record.underway {
        let written = context.write_underway().await;
        written.map_err(|error| ActionError::Unwritten(error.to_string()))?;
        context.report_underway();
        context.fuse().burn();
    }
    match engine.remove(container, volumes).await {
        // The agent ended after it had removed it, and before it could write down the end.
        Err(ActionError::NotFound(_)) if record.underway => Ok(()),
        outcome => outcome,
    }
}
