//! Begins jobs: each is drafted and written before anybody is told to do anything.

use super::view;
use crate::{
    cache::{JobHandle, ShownJob},
    core::Core,
    refusal::Refusal,
};
use flotilla_fleet::jobs::{JobRecord, Obstacle, Origin, Target, Work};
use flotilla_protocol::{Code, activity::Actor, id::JobId};
use rand::Rng as _;

/// Begins a job. Where one does the same already, answers that one.
///
/// # Errors
/// It can't be written, or a job acts on the same thing.
pub(crate) async fn begin(
    core: &Core,
    work: (Work, Vec<Target>),
    caller: Actor,
) -> Result<JobHandle, Refusal> {
    let _one_at_a_time = core.jobs.beginning.lock().await;
    let draft = draft(core, work, caller);
    match core.jobs.read(|jobs| jobs.find_obstacle(&draft)) {
        Some(Obstacle::Same(id)) => return core.jobs.handle(id).ok_or_else(|| gone(id)),
        Some(Obstacle::Busy(id)) => return Err(busy(core, id)),
        Some(Obstacle::Crowd { most, is_own }) => return Err(crowded(most, is_own)),
        None => {}
    }
    core.store.create_job(&draft).await?;
    Ok(adopt(core, draft, Origin::New))
}

/// A job that is not written yet.
pub(crate) fn draft(core: &Core, work: (Work, Vec<Target>), caller: Actor) -> JobRecord {
    let id = fresh_id(core);
    JobRecord::draft(id, work, caller, core.clock.now(), || fresh_id(core))
}

/// Takes a job whose record is written.
pub(crate) fn adopt(core: &Core, record: JobRecord, origin: Origin) -> JobHandle {
    let shown = ShownJob {
        job: view::of(&record, true, core.clock.now()),
        is_underway: false,
    };
    core.jobs.adopt(record, shown, origin, core.moment())
}

fn fresh_id(core: &Core) -> JobId {
    JobId::new(core.clock.now(), core.random().random())
}

fn gone(id: JobId) -> Refusal {
    Refusal(Code::Conflict.because(format!("The same was done by job {id} a moment ago. Look again.")))
}

/// Why a job has to be asked for again when others are over.
pub(crate) fn crowded(most: usize, is_own: bool) -> Refusal {
    let whose = if is_own {
        "Your jobs"
    } else {
        "The jobs of all callers"
    };
    Refusal(Code::RateLimited.because(format!(
        "{whose} that are not over would act on more than {most} containers with this one, the most there may be. Wait until some are over, or cancel those that are not needed."
    )))
}

/// Why a job has to be asked for again when another one is over.
fn busy(core: &Core, id: JobId) -> Refusal {
    let message = core.jobs.read(|jobs| {
        let record = jobs.lookup(id)?;
        let target = &record.acts.first()?.target;
        Some(match &record.work {
            Work::Push { host, .. } => format!(
                "{} is being installed on {host} already. Wait for that, or end it first.",
                target.device_name
            ),
            Work::Placement { .. } | Work::Recreation => {
                format!("{} is being recreated. Wait until that is over.", target.label())
            }
            _ => format!(
                "Another job comes first: {}. Wait until it is over.",
                record.title()
            ),
        })
    });
    let message = message.unwrap_or_else(|| "Another job acts on the same thing. Try again.".to_owned());
    Code::Conflict.because(message).into()
}
