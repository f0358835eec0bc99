//! Makes a device probe every way to another one.

use crate::{core::Core, refusal::Refusal, report::bounded};
use flotilla_link::CallError;
use flotilla_protocol::{
    Code, Problem,
    api::{Empty, TestPath},
    mesh::PATHS_PATH,
    path::PathAttempt,
};
use std::time::Duration;

/// How long the agent may take: it waits a few seconds for answers that may not come.
const LIMIT: Duration = Duration::from_secs(15);

pub(crate) async fn test_path(core: &Core, request: &TestPath) -> Result<Vec<PathAttempt>, Refusal> {
    let (from, to) = (core.device(&request.from)?, core.device(&request.to)?);
    if from.row.id == to.row.id {
        return Err(Refusal::new(Code::InvalidInput, "Choose two different devices.").with_field("to"));
    }
    let (device, seen) = (&from.row.name, from.row.last_seen);
    let offline = || {
        let seen = seen
            .map(|at| format!(" It was last seen {}.", core.clock.moment(at)))
            .unwrap_or_default();
        Problem::new(
            Code::DeviceOffline,
            format!("{device} is offline, so its paths can't be tested.{seen}"),
        )
    };
    let link = core.links.lookup(from.row.id).ok_or_else(offline)?;
    let path = format!("{PATHS_PATH}/{}/test", to.row.id);
    let answer = link.post::<Vec<PathAttempt>>(&path, &Empty {}, LIMIT).await;
    answer.map(bounded).map_err(|error| {
        Refusal(match error {
            CallError::Closed => offline(),
            CallError::TimedOut(_) => Problem::new(
                Code::NoAnswer,
                format!("{device} didn't answer within {} s. Try again.", LIMIT.as_secs()),
            ),
            refused => refused.into(),
        })
    })
}
