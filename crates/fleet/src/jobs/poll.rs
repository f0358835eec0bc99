//! The next thing to do about one job, given what the jobs before it hold.

use super::{
    ahead::{Ahead, Turns},
    job::Job,
    live_act::Bounds,
    todo::Todo,
    work::Order,
};
use flotilla_protocol::id::DeviceId;
use std::{collections::BTreeSet, time::Instant};

/// The next thing to do about one job.
pub(super) fn poll_job(
    job: &mut Job,
    (ahead, turns, reachable): (&Ahead, &Turns, &BTreeSet<DeviceId>),
    now: Instant,
) -> Option<Todo> {
    let may_cancel = job.may_pass_cancel_on();
    let is_over = job.is_over();
    for (kept, live) in job.record.acts.iter().zip(&mut job.acts) {
        let is_free = || ahead.blocks(&kept.act).is_none();
        let Order::Call(request) = &kept.act.order else {
            if !is_over && !job.is_run && !job.is_canceling && is_free() {
                job.is_run = true;
                return Some(Todo::Run(Box::new(job.record.clone())));
            }
            if !is_over && job.is_run && !job.is_stopped && may_cancel {
                job.is_stopped = true;
                return Some(Todo::Stop(job.record.id));
            }
            continue;
        };
        if !reachable.contains(&kept.act.device) {
            continue;
        }
        let is_over = kept.outcome.is_some();
        let bounds = Bounds {
            is_over,
            has_room: is_over || turns.has_room(&kept.act, live.has_turn),
            is_free: is_over || live.is_out || is_free(),
            is_canceling: job.is_canceling,
            may_cancel,
        };
        let polled = live.poll_call(request, bounds, now);
        if let Some(call) = polled {
            let (job, act) = (job.record.id, kept.act.clone());
            return Some(Todo::Call { job, act, call });
        }
    }
    None
}
