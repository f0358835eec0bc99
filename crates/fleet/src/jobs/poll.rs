//! The next thing to do about one job, given what the jobs before it hold.

use super::{
    ahead::{Ahead, Turns},
    job::Job,
    live_act::Bounds,
    todo::Todo,
};
use flotilla_protocol::id::DeviceId;
use std::{collections::BTreeSet, time::Instant};

/// The next thing to do about one job.
pub(super) fn poll_job(
    job: &mut Job,
    (ahead, turns, reachable): (&Ahead, &Turns, &BTreeSet<DeviceId>),
    now: Instant,
) -> Option<Todo> {
    if job.record.work.is_own() {
        return poll_own(job, ahead);
    }
    let (saved, is_canceling, may_cancel) = (job.saved, job.is_canceling(), job.may_pass_cancel_on());
    let work = &job.record.work;
    for (act, live) in job.record.acts.iter().zip(&mut job.acts) {
        if !reachable.contains(&act.target.device) {
            continue;
        }
        let bounds = Bounds {
            is_saved: live.ended.is_some_and(|version| version <= saved),
            has_room: turns.has_room(work, act.target.device, live.has_turn),
            is_free: live.is_out || live.ended.is_some() || ahead.blocks(work, &act.target).is_none(),
            is_canceling,
            may_cancel,
        };
        let request = || work.request(&act.target);
        if let Some(call) = live.poll_call(request, bounds, now) {
            let (job, act, device) = (job.record.id, act.id, act.target.device);
            return Some(Todo::Call {
                job,
                act,
                device,
                call,
            });
        }
    }
    None
}

/// The next thing to do about work of control's own.
fn poll_own(job: &mut Job, ahead: &Ahead) -> Option<Todo> {
    if job.is_over() {
        return None;
    }
    let is_blocked = |target| ahead.blocks(&job.record.work, target).is_some();
    if !job.is_run && !job.is_canceling() && !job.held().any(is_blocked) {
        job.is_run = true;
        return Some(Todo::Run(Box::new(job.record.clone())));
    }
    if job.is_run && !job.is_stopped && job.may_pass_cancel_on() {
        job.is_stopped = true;
        return Some(Todo::Stop(job.record.id));
    }
    None
}
