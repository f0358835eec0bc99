//! `jobs` and `job`: what takes long; and how commands that begin a job print its id, and follow it to its end.

use crate::{
    age::ago,
    args::{Detach, JobCommand, Jobs as Arguments},
    clock,
    failure::Failure,
    out,
    table::Table,
};
use flotilla_client::Client;
use flotilla_protocol::{
    Code, Timestamp,
    api::{CancelJob, GetJob, Job, ListJobs, WatchJob},
    id::JobId,
    job::{FollowJob, JobState},
    stream::{End, Event},
};
use std::io;

pub(crate) async fn list(client: &Client, arguments: Arguments) -> Result<(), Failure> {
    let jobs = client.send(&ListJobs::default()).await?;
    Ok(out::answer(arguments.json, &jobs, || {
        table(&jobs.items, clock::now()).render()
    })?)
}

pub(crate) async fn run(client: &Client, command: JobCommand) -> Result<(), Failure> {
    match command {
        JobCommand::Show { id, json } => show(client, id, json).await,
        JobCommand::Watch { id } => {
            let id = client.send(&GetJob { job: id }).await?.id;
            outcome(&watch(client, id, false).await?)
        }
        JobCommand::Cancel { id } => {
            let job = client.send(&CancelJob { job: id }).await?;
            Ok(out::line(&format!("{}: {}.", job.title, job.state))?)
        }
    }
}

async fn show(client: &Client, id: String, json: bool) -> Result<(), Failure> {
    let job = client.send(&GetJob { job: id }).await?;
    if json {
        return Ok(out::json(&job)?);
    }
    let mut lines = out::Lines::default();
    lines.push(&format!("{}: {}.", job.title, job.state));
    job.lines.iter().for_each(|line| lines.push(line));
    if let Some(problem) = &job.problem {
        lines.push(&problem.message);
    } else if !job.state.is_over() && job.lines.last() != Some(&job.step) {
        lines.push(&job.step);
    }
    Ok(out::print(&lines)?)
}

/// A job that a command has begun: its id is printed, and unless only that was asked for, it is followed to its end; the
/// command fails as the job does. `json` keeps standard output for an answer.
pub(crate) async fn follow(
    client: &Client,
    id: JobId,
    Detach { detach }: Detach,
    json: bool,
) -> Result<Option<Job>, Failure> {
    if detach {
        say(json, &id.to_string())?;
        return Ok(None);
    }
    let job = watch(client, id, json).await?;
    outcome(&job)?;
    Ok(Some(job))
}

fn say(json: bool, line: &str) -> io::Result<()> {
    if json {
        out::note(line);
        return Ok(());
    }
    out::line(line)
}

/// Prints what a job does until it is over. Where a connection ends before that, it goes on behind the last line.
async fn watch(client: &Client, id: JobId, json: bool) -> Result<Job, Failure> {
    let (mut open, mut told) = (FollowJob::default(), None);
    loop {
        let opened = client.open::<WatchJob>(&id, open).await;
        let mut news = opened.map_err(|error| {
            if error.is_unreachable() && told.is_some() {
                stopped(id)
            } else {
                error.into()
            }
        })?;
        while let Some(event) = news.next().await {
            let (job, is_over) = match event {
                Event::Item(job) => (job, false),
                Event::End(End::Finished { outcome }) => (outcome, true),
                Event::End(End::Failed { problem }) => return Err(Failure::Call(problem.into())),
                Event::End(end) if end.can_go_on() => break,
                Event::End(end) => return Err(failed(Code::Unavailable, end.to_string())),
            };
            tell(told.as_ref(), &job, json)?;
            if is_over {
                return Ok(job);
            }
            told = Some(job);
        }
        open = news.into_open();
    }
}

/// Prints what is new of a job: its lines, and where there are none, what it is doing.
fn tell(told: Option<&Job>, job: &Job, json: bool) -> io::Result<()> {
    if told.is_none() {
        say(json, &format!("Job {}: {}.", job.id, job.title))?;
    }
    let is_new = told.is_none_or(|told| told.step != job.step);
    if job.lines.is_empty() && is_new && !job.state.is_over() {
        out::note(&job.step);
    }
    job.lines.iter().try_for_each(|line| say(json, line))
}

fn stopped(id: JobId) -> Failure {
    let message = format!(
        "The controller stopped before the job was over. It goes on when the controller runs again: flotilla job watch {id}"
    );
    failed(Code::Unavailable, message)
}

fn failed(code: Code, message: String) -> Failure {
    Failure::Call(code.because(message).into())
}

/// The command fails as its job did.
fn outcome(job: &Job) -> Result<(), Failure> {
    match (job.state, &job.problem) {
        (JobState::Done, _) => Ok(()),
        (_, Some(problem)) => Err(Failure::Call(problem.clone().into())),
        (state, None) => Err(failed(Code::Internal, format!("The job is {state}."))),
    }
}

fn table(jobs: &[Job], now: Timestamp) -> Table<6> {
    let mut table = Table::new(["ID", "BEGAN", "STATE", "WHAT", "DEVICE", "STEP"]);
    for job in jobs {
        let step = match &job.problem {
            Some(problem) => problem.message.clone(),
            None => job.step.clone(),
        };
        table.push([
            job.id.to_string(),
            ago(job.began, now),
            job.state.to_string(),
            job.title.clone(),
            job.device.as_ref().map(ToString::to_string).unwrap_or_default(),
            step,
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn job(state: &str, more: serde_json::Value) -> Job {
        let mut job = json!({
            "id": "01937c5e-7b1a-7c3e-8b9e-0123456789ab", "kind": "bulk", "state": state, "title": "Restart 3 containers",
            "caller": {"kind": "owner"}, "began": "2026-01-02T03:04:05Z", "step": "1 of 3 are done.",
            "as_of": "2026-01-02T03:04:05Z",
        });
        job.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        serde_json::from_value(job).unwrap()
    }

    #[test]
    fn jobs_are_told_in_one_line_each() {
        let failed =
            json!({"device": "nas", "problem": {"code": "engine_refused", "message": "No space.\u{1b}[2J"}});
        let jobs = [job("running", json!({})), job("failed", failed)];
        insta::assert_snapshot!(table(&jobs, "2026-01-02T03:05:05Z".parse().unwrap()).render(), @r"
        ID                                     BEGAN       STATE     WHAT                   DEVICE   STEP
        01937c5e-7b1a-7c3e-8b9e-0123456789ab   1 min ago   running   Restart 3 containers            1 of 3 are done.
        01937c5e-7b1a-7c3e-8b9e-0123456789ab   1 min ago   failed    Restart 3 containers   nas      No space.\u{1b}[2J
        ");
    }

    #[test]
    fn a_command_fails_as_its_job_did() {
        assert!(outcome(&job("done", json!({}))).is_ok());
        let refused = json!({"problem": {"code": "container_not_found", "message": "It is gone."}});
        assert_eq!(
            outcome(&job("failed", refused)).unwrap_err().to_string(),
            "It is gone."
        );
        assert!(outcome(&job("canceled", json!({}))).is_err());
    }
}
