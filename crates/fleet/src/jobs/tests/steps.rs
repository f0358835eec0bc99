//! The end that each interruption leads to, step by step.

use super::*;

/// Control with one link to each device, whose store writes at once.
struct Desk {
    jobs: Jobs,
    now: Now,
    /// The last record of each job that was written.
    kept: BTreeMap<JobId, JobRecord>,
    /// Each with its job and its act.
    calls: Vec<(JobId, JobId, Call)>,
}

impl Desk {
    fn new() -> Self {
        let mut desk = Self {
            jobs: Jobs::default(),
            now: (clock(0), Instant::now()),
            kept: BTreeMap::new(),
            calls: Vec::new(),
        };
        (0..3).for_each(|device| desk.link(device, &[]));
        desk
    }

    fn begin(&mut self, n: u128, work: Draft) -> JobId {
        let mut fresh = n * 100;
        let record = JobRecord::draft(id(n), work, Actor::Owner, self.now.0, || {
            fresh += 1;
            id(fresh)
        });
        self.jobs.adopt(record, Origin::New, self.now);
        self.work();
        id(n)
    }

    fn link(&mut self, device: usize, listed: &[JobId]) {
        self.jobs.handle_link_up(device_id(device), listed, self.now);
        self.work();
    }

    fn cut(&mut self, device: usize) {
        self.jobs.handle_link_down(device_id(device), self.now);
        let cut = std::mem::take(&mut self.calls);
        for (job, act, call) in cut {
            self.jobs
                .handle_answer(job, (act, &call), Err(CallFailure::CutOff), self.now);
        }
        self.work();
    }

    fn pass(&mut self, seconds: u64) {
        self.now.1 += Duration::from_secs(seconds);
        self.now.0 = self.now.0.checked_add(Duration::from_secs(seconds)).unwrap();
        self.jobs.handle_timeout(self.now);
        self.work();
    }

    fn work(&mut self) {
        while let Some(todo) = self.jobs.poll_todo(self.now) {
            match todo {
                Todo::Save { record, .. } => {
                    let id = record.id;
                    self.kept.insert(id, *record);
                    self.jobs.handle_saved(id, true, self.now);
                }
                Todo::Call { job, act, call, .. } => self.calls.push((job, act, call)),
                Todo::Run(_) | Todo::Stop(_) | Todo::Show(_) => {}
            }
        }
    }

    /// The calls that are on their way, each by its act.
    fn out(&self) -> Vec<(JobId, Call)> {
        let each = self.calls.iter().map(|(_, act, call)| (*act, call.clone()));
        each.collect()
    }

    /// A device answers the oldest call, about an act that it has written down.
    fn answer(&mut self, state: JobState) {
        self.answer_about(state, true);
    }

    fn answer_about(&mut self, state: JobState, underway: bool) {
        let (job, act, call) = self.calls.remove(0);
        let report = JobReport {
            id: act,
            request: JobRequest::Unknown,
            state,
            target: None,
            underway,
            interrupted: false,
            began: clock(0),
            ended: None,
            container: (state == JobState::Done).then(|| "new".to_owned()),
            problem: None,
            lines: vec!["web is stopped.".into()],
            next_line: 1,
        };
        self.jobs.handle_answer(job, (act, &call), Ok(report), self.now);
        self.work();
    }

    fn refuse(&mut self, code: Code) {
        let (job, act, call) = self.calls.remove(0);
        let refused = Err(CallFailure::Refused(code.because("no")));
        self.jobs.handle_answer(job, (act, &call), refused, self.now);
        self.work();
    }

    fn state(&self, job: JobId) -> JobState {
        let live = self.jobs.lookup(job).map(|record| record.state);
        live.unwrap_or_else(|| self.kept[&job].state)
    }

    fn problem(&self, job: JobId) -> Problem {
        self.kept[&job].problem.clone().unwrap()
    }
}

#[test]
fn a_device_that_stays_away_is_waited_for_and_not_for_ever() {
    let mut desk = Desk::new();
    desk.cut(0);
    let job = desk.begin(1, placement(0, "web", true));
    let record = desk.jobs.lookup(job).unwrap();
    assert_eq!(record.step, "It waits for d0, which is offline.");
    assert_eq!(record.state, JobState::Waiting);
    // A computer that slept for an hour gives its devices the time to come back.
    desk.now.0 = desk.now.0.checked_add(Duration::from_secs(3_600)).unwrap();
    desk.pass(299);
    assert_eq!(desk.state(job), JobState::Waiting);
    desk.pass(1);
    assert_eq!(desk.state(job), JobState::Failed);
    assert_eq!(desk.problem(job).code, Code::DeviceOffline);
    desk.link(0, &[]);
    assert_eq!(desk.out(), [], "it is not begun in the evening");
}

#[test]
fn what_a_device_has_begun_is_waited_for_longer_and_told_when_it_is_back() {
    let mut desk = Desk::new();
    let job = desk.begin(1, placement(0, "web", true));
    desk.answer(JobState::Running);
    desk.cut(0);
    desk.pass(23 * 3_600);
    assert_eq!(desk.state(job), JobState::Running);
    desk.pass(3_600);
    assert_eq!(desk.state(job), JobState::Failed);
    assert_eq!(desk.problem(job).code, Code::NoAnswer);
    assert!(desk.jobs.lookup(job).is_none());
    let mut kept = desk.kept[&job].clone();
    assert!(kept.reopen(job), "its outcome was unknown");
    desk.jobs.adopt(kept, Origin::Listed, desk.now);
    desk.link(0, &[job]);
    desk.answer(JobState::Done);
    assert_eq!(desk.state(job), JobState::Done);
    assert!(!desk.kept[&job].clone().reopen(job), "that is known for good");
}

#[test]
fn a_job_is_canceled_where_that_is_safe() {
    let mut desk = Desk::new();
    let placing = desk.begin(1, placement(0, "web", true));
    let moving = desk.begin(2, mode_change(1));
    let all = (0..6).map(|n| target(2, &format!("c{n}")));
    let several = desk.begin(3, bulk(all.collect()));
    assert_eq!(desk.calls.len(), 6, "one, one, and four");
    assert_eq!(
        desk.jobs.handle_cancel(moving, desk.now).unwrap_err().code,
        Code::Conflict
    );
    for job in [placing, several] {
        desk.jobs.handle_cancel(job, desk.now).unwrap();
    }
    desk.work();
    assert_eq!(desk.state(placing), JobState::Canceling);
    desk.answer(JobState::Running);
    assert!(desk.out().contains(&(id(1), Call::Cancel)));
    desk.answer(JobState::Done);
    assert_eq!(desk.state(moving), JobState::Done);
    for _ in 0..4 {
        desk.answer(JobState::Done);
    }
    assert_eq!(desk.state(several), JobState::Canceled);
    let kept = &desk.kept[&several];
    let done = kept
        .acts
        .iter()
        .filter(|kept| kept.outcome.as_ref().unwrap().state == JobState::Done);
    assert_eq!(done.count(), 4, "what had begun was finished");
}

#[test]
fn two_jobs_never_act_on_the_same_thing() {
    let mut desk = Desk::new();
    let first = desk.begin(1, placement(0, "web", true));
    let draft = |work| JobRecord::draft(id(9), work, Actor::Owner, clock(0), || id(10));
    let obstacle = |desk: &Desk, work| desk.jobs.find_obstacle(&draft(work));
    assert_eq!(
        obstacle(&desk, placement(0, "web", true)),
        Some(Obstacle::Same(first))
    );
    assert_eq!(
        obstacle(&desk, placement(0, "web", false)),
        Some(Obstacle::Busy(first))
    );
    for free in [placement(0, "db", true), placement(1, "web", true), push(0)] {
        assert_eq!(obstacle(&desk, free), None);
    }
    desk.calls.clear();
    let second = desk.begin(2, bulk(vec![target(0, "web"), target(0, "db")]));
    let moving = desk.begin(3, mode_change(0));
    let begun: Vec<_> = desk.out().into_iter().map(|(act, _)| act).collect();
    assert_eq!(begun, [id(201)], "the other container is free");
    assert_eq!(
        desk.jobs.lookup(moving).unwrap().step,
        "It waits until this is over: Restart 2 containers."
    );
    assert_eq!(desk.state(second), JobState::Running);
}

#[test]
fn who_waited_for_a_container_goes_on_with_the_one_that_took_its_place() {
    let mut desk = Desk::new();
    desk.begin(1, placement(0, "web", true));
    desk.begin(2, bulk(vec![target(0, "web")]));
    desk.answer(JobState::Done);
    let restart = JobRequest::Action {
        container: "new".into(),
        action: ContainerAction::Restart,
    };
    assert!(desk.out().contains(&(id(2), Call::Begin(restart))));
}

#[test]
fn a_device_that_lost_what_it_had_not_written_down_is_told_again_and_a_full_one_later() {
    let mut desk = Desk::new();
    let job = desk.begin(1, bulk(vec![target(0, "web")]));
    desk.refuse(Code::RateLimited);
    assert_eq!(desk.out(), []);
    desk.pass(2);
    assert_eq!(desk.calls.len(), 1);
    desk.cut(0);
    desk.link(0, &[]);
    assert!(
        matches!(desk.out()[..], [(_, Call::Begin(_))]),
        "under the same id"
    );
    desk.refuse(Code::EngineRefused);
    assert_eq!(
        desk.problem(job).message,
        "1 of 1 containers were not restarted. web on d0: no"
    );
}

#[test]
fn a_device_that_leaves_the_fleet_takes_its_jobs_along() {
    let mut desk = Desk::new();
    let job = desk.begin(1, placement(0, "web", true));
    desk.jobs.handle_gone(device_id(0), desk.now);
    desk.work();
    assert_eq!(
        (desk.state(job), desk.problem(job).code),
        (JobState::Failed, Code::Conflict)
    );
}

#[test]
fn wherever_a_job_stands_when_it_is_canceled_its_end_is_the_documented_one() {
    // Its device is away: it is over at once, and the device never hears of it.
    let mut desk = Desk::new();
    desk.cut(0);
    let job = desk.begin(1, placement(0, "web", true));
    desk.jobs.handle_cancel(job, desk.now).unwrap();
    desk.work();
    assert_eq!(desk.state(job), JobState::Canceled);
    desk.link(0, &[]);
    assert_eq!(desk.out(), []);

    // It was told to begin, and did not answer yet: it is told to end as soon as it has.
    let mut desk = Desk::new();
    let job = desk.begin(1, placement(0, "web", true));
    desk.jobs.handle_cancel(job, desk.now).unwrap();
    desk.work();
    assert_eq!(desk.state(job), JobState::Canceling);
    desk.answer_about(JobState::Running, false);
    let next: Vec<_> = desk.out().into_iter().map(|(_, call)| call).collect();
    assert_eq!(next, [Call::Cancel, Call::Follow { from: 1 }]);
    desk.answer(JobState::Canceled);
    assert_eq!(desk.state(job), JobState::Canceled);

    // It is underway: what can't be put back any more is finished.
    let mut desk = Desk::new();
    let job = desk.begin(1, placement(0, "web", true));
    desk.answer(JobState::Running);
    desk.jobs.handle_cancel(job, desk.now).unwrap();
    desk.work();
    desk.answer(JobState::Done);
    assert_eq!(desk.state(job), JobState::Done);

    // It is over, and its device may forget it.
    let late = desk.jobs.handle_cancel(job, desk.now);
    assert_eq!(late.unwrap_err().code, Code::Conflict);
}

#[test]
fn at_whichever_step_an_agent_ends_its_act_is_done_once_and_what_came_of_it_is_told() {
    // Before it heard of it, and before it had written it down: it begins anew, under the same id.
    for has_answered in [false, true] {
        let mut desk = Desk::new();
        let job = desk.begin(1, placement(0, "web", true));
        if has_answered {
            desk.answer_about(JobState::Running, false);
        }
        desk.cut(0);
        desk.link(0, &[]);
        desk.pass(1);
        if has_answered {
            assert_eq!(desk.out(), [(job, Call::Follow { from: 1 })]);
            desk.refuse(Code::NotFound);
        }
        assert!(matches!(desk.out()[..], [(id, Call::Begin(_))] if id == job));
    }

    // After it had written it down: it is asked what it found.
    let mut desk = Desk::new();
    let job = desk.begin(1, placement(0, "web", true));
    desk.answer(JobState::Running);
    desk.cut(0);
    desk.link(0, &[job]);
    desk.pass(1);
    assert_eq!(desk.out(), [(job, Call::Follow { from: 1 })]);
    desk.answer(JobState::Undone);
    assert_eq!(desk.state(job), JobState::Undone);

    // Before it had forgotten it: control knows the outcome, and lets it forget it when it lists it.
    assert_eq!(desk.out(), [(job, Call::Forget)]);
    desk.cut(0);
    assert!(desk.jobs.lookup(job).is_none());
    assert_eq!(desk.kept[&job].state, JobState::Undone);
}

#[test]
fn a_device_whose_streams_are_all_taken_is_asked_later_and_its_job_is_not_lost() {
    let mut desk = Desk::new();
    let job = desk.begin(1, placement(0, "web", true));
    desk.answer(JobState::Running);
    for _ in 0..5 {
        let (job, act, call) = desk.calls.remove(0);
        desk.jobs
            .handle_answer(job, (act, &call), Err(CallFailure::Crowded), desk.now);
        desk.work();
        assert_eq!(desk.out(), [], "there is a pause");
        desk.pass(2);
    }
    assert_eq!(desk.state(job), JobState::Running);
    desk.answer(JobState::Done);
    assert_eq!(desk.state(job), JobState::Done);
}
