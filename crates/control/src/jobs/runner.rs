//! The runner: carries out what the state machine of jobs wants next, and tells it what came of that.

use super::{KEPT, activity, begin::adopt, calls, kinds, listed, view};
use crate::{cache::ShownJob, core::Core, store::StoreError};
use flotilla_fleet::jobs::{JobRecord, Origin, Todo, Work};
use flotilla_protocol::id::JobId;
use std::sync::Arc;

/// Takes up the jobs that an earlier run of control began, with the containers that placements made since.
///
/// # Errors
/// The store can't be read.
pub(crate) async fn resume(core: &Core) -> Result<(), StoreError> {
    let mut live = core.store.list_live_jobs().await?;
    let over = core.store.list_over_jobs(KEPT).await?;
    for placement in over.iter().rev() {
        live.iter_mut().for_each(|record| record.follow(placement));
    }
    for record in live {
        tracing::info!(job.id = %record.id, "a job goes on");
        drop(adopt(core, record, Origin::Kept));
    }
    Ok(())
}

/// Runs until control stops. What it has begun ends by itself, or goes on when control runs again.
pub(crate) async fn run(core: Arc<Core>) {
    loop {
        while let Some(linked) = core.jobs.poll_linked() {
            let core = core.clone();
            core.tasks
                .clone()
                .spawn(async move { listed::collect(&core, linked).await });
        }
        while let Some(todo) = core.jobs.poll_todo(core.moment()) {
            carry_out(&core, todo);
        }
        tokio::select! {
            () = core.jobs.woken() => {}
            () = core.stop.cancelled() => return,
        }
    }
}

fn carry_out(core: &Arc<Core>, todo: Todo) {
    let (tasks, shared) = (core.tasks.clone(), core.clone());
    match todo {
        Todo::Show(id) => show(core, id),
        Todo::Save { record, ended } => {
            tasks.spawn(async move { save(&shared, *record, ended).await });
        }
        Todo::Call {
            job,
            act,
            device,
            call,
        } => {
            tasks.spawn(async move {
                let answer = calls::call(&shared, (device, job, act), &call).await;
                let moment = shared.moment();
                shared
                    .jobs
                    .tell(|jobs| jobs.handle_answer(job, (act, &call), answer, moment));
            });
        }
        Todo::Run(record) => {
            let cancel = core.stop.child_token();
            core.ssh.begin(record.id, cancel.clone());
            tasks.spawn(async move { kinds::ssh_install::run(&shared, &record, &cancel).await });
        }
        Todo::Stop(id) => core.ssh.stop(id),
    }
}

async fn save(core: &Core, record: JobRecord, ended: Vec<usize>) {
    let entries = activity::entries(core, &record, &ended).into_iter();
    let entries = entries.map(Core::bounded).collect();
    let saved = core
        .store
        .save_job(&record, &ended, entries, core.clock.now())
        .await;
    let is_written = saved.is_ok();
    match saved {
        Ok(entries) => {
            let mut state = core.cache.lock();
            for entry in entries {
                state.publish_activity(entry);
            }
        }
        Err(error) => tracing::error!(job.id = %record.id, %error, "a job is not written; it is tried again"),
    }
    core.jobs
        .tell(|jobs| jobs.handle_saved(record.id, is_written, core.moment()));
}

/// Shows a job anew. One that is over is shown once its record is written.
fn show(core: &Core, id: JobId) {
    let at = core.clock.now();
    let shown = core.jobs.read(|jobs| {
        let record = jobs.lookup(id)?;
        let is_written = !record.state.is_over() || jobs.is_over(id);
        let shown = ShownJob {
            job: view::of(record, jobs.is_cancelable(id), at),
            is_underway: jobs.is_underway(id),
        };
        let push = matches!(record.work, Work::Push { .. }).then(|| record.clone());
        is_written.then_some((shown, push))
    });
    let Some((shown, push)) = shown else { return };
    // In this order, who waits for a job and then looks finds what the live stream says of it.
    core.cache.lock().publish_job(&shown.job, at);
    if let Some(push) = &push {
        kinds::ssh_install::handle_shown(core, push);
    }
    core.jobs.show(shown);
}
