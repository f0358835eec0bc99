//! Jobs without an engine: each waits a moment for one, and fails.

use super::*;
use flotilla_engine::{OwnContainer, Sockets};
use flotilla_protocol::{
    device::NetworkMode,
    job::JobState,
    stream::{End, Event, Frame},
};
use futures_util::FutureExt;
use std::fs;

fn open(dir: &Path) -> Jobs {
    let engine = Engine::new(Sockets::at(dir.join("docker.sock")), OwnContainer::default());
    Jobs::open(dir, engine)
}

fn id(n: u8) -> JobId {
    format!("01937c5e-7b1a-7c3e-8b9e-0123456789{n:02x}")
        .parse()
        .unwrap()
}

fn place(container: &str) -> JobRequest {
    JobRequest::Placement {
        container: container.into(),
        member: true,
    }
}

/// Writes down a job that has not begun.
fn write_down(dir: &Path) {
    let record = JobRecord::new(id(1), place("c1"), AgentClock::system());
    Journal::new(dir).write(&record).unwrap();
}

async fn over(jobs: &Jobs, id: JobId) -> JobReport {
    let mut news = jobs.news(id, 0).unwrap();
    loop {
        if let Event::End(End::Finished { outcome }) = news.next().await {
            return outcome;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_start_that_is_repeated_starts_nothing_and_another_one_with_the_same_id_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let jobs = open(dir.path());
    let first = jobs.start(id(1), place("c1")).unwrap();
    assert_eq!((first.state, first.underway), (JobState::Running, false));
    assert_eq!(jobs.start(id(1), place("c1")).unwrap(), first);
    let other = jobs.start(id(1), place("c2")).unwrap_err();
    assert_eq!(other.code, Code::Conflict);
    let ended = over(&jobs, id(1)).await;
    assert_eq!(ended.state, JobState::Failed);
    assert_eq!(ended.problem.as_ref().unwrap().code, Code::EngineUnavailable);
    assert_eq!(
        jobs.start(id(1), place("c1")).unwrap(),
        ended,
        "also when it is over"
    );
    let unknown = jobs.start(id(2), JobRequest::Unknown).unwrap_err();
    assert_eq!(unknown.code, Code::InvalidInput);
}

#[tokio::test(start_paused = true)]
async fn two_jobs_never_take_the_same_thing_apart() {
    let dir = tempfile::tempdir().unwrap();
    let jobs = open(dir.path());
    jobs.start(id(1), place("c1")).unwrap();
    jobs.start(id(2), place("c2")).unwrap();
    let mode = JobRequest::ModeChange {
        mode: NetworkMode::Host,
    };
    for request in [place("c1"), mode.clone()] {
        assert_eq!(jobs.start(id(3), request).unwrap_err().code, Code::Conflict);
    }
    assert!(jobs.holder("c1").is_some() && jobs.holder("c3").is_none());
    for n in [1, 2] {
        over(&jobs, id(n)).await;
    }
    assert!(jobs.holder("c1").is_none());
    jobs.start(id(4), mode.clone()).unwrap();
    jobs.start(id(6), mode).unwrap();
    assert_eq!(jobs.start(id(5), place("c3")).unwrap_err().code, Code::Conflict);
}

#[tokio::test(start_paused = true)]
async fn an_outcome_is_kept_until_control_knows_it() {
    let dir = tempfile::tempdir().unwrap();
    let jobs = open(dir.path());
    jobs.start(id(1), place("c1")).unwrap();
    let ended = over(&jobs, id(1)).await;
    let again = open(dir.path());
    again.resume();
    assert_eq!(again.list(), [ended]);
    assert!(again.end(id(1), EndJob::default()).unwrap().state.is_over());
    assert_eq!(again.list(), []);
    assert_eq!(open(dir.path()).list(), []);
    assert_eq!(
        again.end(id(1), EndJob::default()).unwrap_err().code,
        Code::NotFound
    );
}

#[tokio::test(start_paused = true)]
async fn outcomes_that_control_never_asks_about_are_not_kept_for_ever() {
    let dir = tempfile::tempdir().unwrap();
    let jobs = open(dir.path());
    for n in 0..u8::try_from(KEPT + 3).unwrap() {
        jobs.start(id(n), place("c1")).unwrap();
        over(&jobs, id(n)).await;
    }
    // A job is reported over before the oldest one is forgotten.
    jobs.start(id(200), place("c1")).unwrap();
    over(&jobs, id(200)).await;
    assert!(jobs.list().len() <= KEPT + 1);
    assert!(open(dir.path()).list().len() <= KEPT + 1);
}

/// The next news, which must be there already and not be the end.
fn told(news: &mut JobNews) -> JobReport {
    match news.next().now_or_never().expect("there is news") {
        Event::Item(report) => report,
        Event::End(end) => panic!("{end:?}"),
    }
}

#[tokio::test]
async fn a_reader_is_told_of_each_change_and_of_each_line_once() {
    let dir = tempfile::tempdir().unwrap();
    let jobs = open(dir.path());
    jobs.start(id(1), place("c1")).unwrap();
    let job = jobs.get(id(1)).unwrap();
    let add = |line: &str| {
        job.progress.send_if_modified(|progress| progress.add_line(line));
    };
    let mut news = jobs.news(id(1), 0).unwrap();
    assert_eq!(told(&mut news).next_line, 0, "where it stands");
    assert!(news.next().now_or_never().is_none(), "nothing is told twice");
    ["one", "two", "two"].into_iter().for_each(add);
    let report = told(&mut news);
    assert_eq!(
        (report.lines, report.next_line),
        (vec!["one".to_owned(), "two".to_owned()], 2)
    );
    assert!(news.next().now_or_never().is_none());
    job.progress
        .send_modify(|progress| progress.record.underway = true);
    let report = told(&mut news);
    assert!(report.underway && report.lines.is_empty());
    // Another reader knows the first line.
    assert_eq!(told(&mut jobs.news(id(1), 1).unwrap()).lines, ["two"]);
    // As after a restart of the agent: the caller knows more lines than this agent has.
    assert_eq!(told(&mut jobs.news(id(1), 9).unwrap()).lines.len(), 2);
    for n in 0..500 {
        add(&n.to_string());
    }
    let report = told(&mut news);
    assert_eq!(
        (report.lines.len(), report.lines[0].as_str(), report.next_line),
        (100, "400", 502)
    );
    assert!(news.next().now_or_never().is_none());
}

#[tokio::test]
async fn the_longest_outcome_fits_into_a_frame_with_all_of_its_lines() {
    let dir = tempfile::tempdir().unwrap();
    write_down(dir.path());
    let jobs = open(dir.path());
    let job = jobs.get(id(1)).unwrap();
    let unseen = "\u{1}".repeat(100_000);
    for n in 0..100 {
        job.progress
            .send_if_modified(|progress| progress.add_line(&format!("{n}{unseen}")));
    }
    let failed = JobOutcome::failed(Code::EngineRefused.because(&*unseen));
    job.progress
        .send_modify(|progress| progress.record.end(failed, AgentClock::system()));
    let end = jobs.news(id(1), 0).unwrap().next().now_or_never().unwrap();
    let Event::End(End::Finished { outcome }) = &end else {
        panic!("{end:?}");
    };
    assert_eq!(outcome.lines.len(), 100);
    Frame::of(outcome).unwrap().to_bytes().unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_was_cut_off_before_it_had_begun_is_reported_so() {
    let dir = tempfile::tempdir().unwrap();
    write_down(dir.path());
    let jobs = open(dir.path());
    jobs.resume();
    let ended = over(&jobs, id(1)).await;
    assert_eq!((ended.state, ended.interrupted), (JobState::Failed, true));
}

#[test]
fn a_job_that_ended_while_it_was_being_canceled_stays_over() {
    let record = JobRecord::new(id(1), place("c1"), AgentClock::system());
    let mut progress = Progress::of(record);
    assert!(progress.handle_cancel() && progress.record.state == JobState::Canceling);
    assert!(!progress.handle_cancel(), "once");
    progress.record.end(JobOutcome::done(None), AgentClock::system());
    assert!(!progress.handle_cancel() && progress.record.state == JobState::Done);
}

#[tokio::test]
async fn garbage_in_the_journal_is_put_aside_and_does_not_stop_the_agent() {
    let dir = tempfile::tempdir().unwrap();
    write_down(dir.path());
    let folder = dir.path().join("jobs");
    let whole = fs::read_to_string(folder.join(format!("{}.json", id(1)))).unwrap();
    let newer = whole.replace("\"version\": 1", "\"version\": 2");
    let garbage = [
        ("a.json", "{".to_owned()),
        ("b.json", String::new()),
        ("c.json", newer),
        ("d.json", whole.clone()),
        ("e.json", "[".repeat(100_000)),
        ("f.json", " ".repeat(300_000)),
    ];
    for (name, text) in &garbage {
        fs::write(folder.join(name), text).unwrap();
    }
    fs::create_dir(folder.join("g.json")).unwrap();
    fs::write(folder.join("notes.txt"), "mine").unwrap();
    let listed: Vec<_> = open(dir.path()).list().iter().map(|report| report.id).collect();
    assert_eq!(listed, [id(1)]);
    for (name, text) in &garbage {
        let aside = folder.join(name).with_extension("unreadable");
        assert_eq!(&fs::read_to_string(aside).unwrap(), text, "{name}");
    }
    assert!(folder.join("notes.txt").exists());
}

#[tokio::test(start_paused = true)]
async fn a_job_that_ends_while_it_is_to_be_canceled_keeps_its_outcome() {
    let dir = tempfile::tempdir().unwrap();
    let jobs = open(dir.path());
    let only = |end| EndJob { only: Some(end) };
    jobs.start(id(1), place("c1")).unwrap();
    let running = jobs.end(id(1), only(JobEnd::Forget)).unwrap();
    assert_eq!(running.state, JobState::Running, "it is not canceled");
    let ended = over(&jobs, id(1)).await;
    assert_eq!(jobs.end(id(1), only(JobEnd::Cancel)).unwrap(), ended);
    assert_eq!(jobs.list(), [ended], "it is not forgotten");
    jobs.end(id(1), only(JobEnd::Forget)).unwrap();
    assert_eq!(jobs.list(), []);
}

#[tokio::test(start_paused = true)]
async fn a_container_that_is_started_or_stopped_is_held_until_that_is_over() {
    let dir = tempfile::tempdir().unwrap();
    let jobs = open(dir.path());
    let act = JobRequest::Action {
        container: "c1".into(),
        action: flotilla_protocol::inventory::ContainerAction::Restart,
    };
    jobs.start(id(1), act.clone()).unwrap();
    assert!(jobs.holder("c1").is_some());
    for request in [place("c1"), act] {
        assert_eq!(jobs.start(id(2), request).unwrap_err().code, Code::Conflict);
    }
    let ended = over(&jobs, id(1)).await;
    assert_eq!((ended.state, jobs.holder("c1")), (JobState::Failed, None));
}
