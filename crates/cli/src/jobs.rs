//! `jobs` and `job`: what takes long; and how commands that begin a job print its id, and follow it to its end.

use crate::{
    age::ago,
    args::{JobCommand, Jobs as Arguments},
    clock,
    failure::Failure,
    out,
    table::Table,
};
use flotilla_client::{Client, Live};
use flotilla_protocol::{
    Code, Problem, Timestamp,
    api::{CancelJob, GetJob, Job, ListJobs, Resource},
    id::JobId,
    job::JobState,
};
use futures_util::StreamExt;

pub(crate) async fn list(client: &Client, arguments: Arguments) -> Result<(), Failure> {
    let jobs = client.send(&ListJobs::default()).await?;
    if arguments.json {
        return Ok(out::json(&jobs)?);
    }
    Ok(out::print(&table(&jobs.items, clock::now()).render())?)
}

pub(crate) async fn run(client: &Client, command: JobCommand) -> Result<(), Failure> {
    match command {
        JobCommand::Show { id, json } => show(client, id, json).await,
        JobCommand::Watch { id } => {
            let live = client.live().await?;
            let job = client.send(&GetJob { job: id }).await?;
            outcome(watch(client, live, job).await?)
        }
        JobCommand::Cancel { id } => {
            let job = client.send(&CancelJob { job: id }).await?;
            Ok(out::line(&format!("{}: {}.", job.title, word(job.state)))?)
        }
    }
}

async fn show(client: &Client, id: String, json: bool) -> Result<(), Failure> {
    let job = client.send(&GetJob { job: id }).await?;
    if json {
        return Ok(out::json(&job)?);
    }
    let mut lines = out::Lines::default();
    lines.push(&format!("{}: {}.", job.title, word(job.state)));
    job.lines.iter().for_each(|line| lines.push(line));
    if let Some(problem) = &job.problem {
        lines.push(&problem.message);
    } else if !job.state.is_over() && job.lines.last() != Some(&job.step) {
        lines.push(&job.step);
    }
    Ok(out::print(&lines)?)
}

/// A job that a command has begun: its id is printed, and unless only that was asked for, it is followed to its end.
/// `live` was opened before it began, so that no frame is missed.
pub(crate) async fn follow(
    client: &Client,
    live: Live,
    job: Job,
    detach: bool,
) -> Result<Option<Job>, Failure> {
    if detach {
        out::line(&job.id.to_string())?;
        return Ok(None);
    }
    out::line(&format!("Job {}: {}.", job.id, job.title))?;
    let over = watch(client, live, job).await?;
    outcome(over.clone())?;
    Ok(Some(over))
}

/// The same for a command that prints JSON: what is said of the job is no part of that.
pub(crate) async fn follow_quietly(
    client: &Client,
    live: Live,
    job: Job,
    detach: bool,
) -> Result<(), Failure> {
    out::note(&format!("Job {}: {}.", job.id, job.title));
    if detach {
        return Ok(());
    }
    outcome(watch(client, live, job).await?)
}

/// Prints what a job does until it is over.
async fn watch(client: &Client, mut live: Live, begun: Job) -> Result<Job, Failure> {
    let id = begun.id;
    let (mut job, mut said) = (begun, String::new());
    loop {
        if job.state.is_over() {
            return Ok(job);
        }
        if job.step != said {
            out::note(&job.step);
            said.clone_from(&job.step);
        }
        job = next(client, &mut live, id).await?;
    }
}

/// The job as it changes.
async fn next(client: &Client, live: &mut Live, id: JobId) -> Result<Job, Failure> {
    while let Some(frame) = live.next().await {
        let frame = frame?;
        match frame.upsert {
            Some(Resource::Job { job }) if job.id == id => return Ok(*job),
            _ if frame.reset => return Ok(client.send(&GetJob { job: id.to_string() }).await?),
            _ => {}
        }
    }
    let message = format!(
        "The controller stopped before the job was over. It goes on when the controller runs again: flotilla job watch {id}"
    );
    Err(Failure::Call(Problem::new(Code::Unavailable, message).into()))
}

/// The command fails as its job did.
fn outcome(job: Job) -> Result<(), Failure> {
    let unknown = || Problem::new(Code::Internal, format!("The job is {}.", word(job.state)));
    match job.state {
        JobState::Done => Ok(()),
        _ => Err(Failure::Call(job.problem.clone().unwrap_or_else(unknown).into())),
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
            word(job.state).to_owned(),
            job.title.clone(),
            job.device.as_ref().map(ToString::to_string).unwrap_or_default(),
            step,
        ]);
    }
    table
}

fn word(state: JobState) -> &'static str {
    match state {
        JobState::Waiting => "waiting",
        JobState::Running => "running",
        JobState::Canceling => "canceling",
        JobState::Done => "done",
        JobState::Failed => "failed",
        JobState::Undone => "undone",
        JobState::Canceled => "canceled",
        JobState::Unknown => "unknown",
    }
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
        assert!(outcome(job("done", json!({}))).is_ok());
        let refused = json!({"problem": {"code": "container_not_found", "message": "It is gone."}});
        assert_eq!(
            outcome(job("failed", refused)).unwrap_err().to_string(),
            "It is gone."
        );
        assert!(outcome(job("canceled", json!({}))).is_err());
    }
}
