//! `device push`: installs a device's agent over SSH and prints its progress, line by line.

use crate::{args::Push as Arguments, failure::Failure, out};
use flotilla_client::{Client, Live};
use flotilla_protocol::{
    Code, Problem,
    api::{EndPush, GetDevice, GetPush, Push, PushDevice, PushState, Resource, SshInstall},
    id::DeviceId,
};
use futures_util::StreamExt;

pub(super) async fn push(client: &Client, arguments: Arguments) -> Result<(), Failure> {
    let Arguments {
        name,
        host,
        as_root,
        skip_docker,
        end,
        detach,
    } = arguments;
    if end {
        return self::end(client, name).await;
    }
    // Opened first, so that no frame is missed.
    let live = client.live().await?;
    let begun = client
        .send(&PushDevice {
            device: name.clone(),
            install: SshInstall {
                host: host.unwrap_or_default(),
                as_root,
                skip_docker,
            },
        })
        .await?;
    if let Some(job) = begun.job {
        if detach.detach {
            return Ok(out::line(&job.to_string())?);
        }
        out::line(&format!("Job {job}: it is installed on {}.", begun.host))?;
    }
    let done = follow(client, live, begun).await?;
    if let Some(problem) = done.failure.filter(|_| done.state == PushState::Failed) {
        return Err(Failure::Call(problem.into()));
    }
    let how = if done.tunneled {
        " SSH carries its link for as long as this controller runs."
    } else {
        ""
    };
    Ok(out::line(&format!(
        "{name} is installed on {} and comes online now.{how}",
        done.host
    ))?)
}

/// Prints new lines until the push is done.
async fn follow(client: &Client, mut live: Live, begun: Push) -> Result<Push, Failure> {
    let device = begun.device_id;
    let (mut shown, mut as_of) = (Vec::new(), begun.as_of);
    let mut next = Some(begun);
    loop {
        if let Some(push) = next.take() {
            for line in new_lines(&shown, &push.lines) {
                out::line(line)?;
            }
            if !matches!(push.state, PushState::Connecting | PushState::Installing) {
                return Ok(push);
            }
            shown = push.lines;
            as_of = push.as_of;
        }
        let frame = match live.next().await {
            Some(frame) => frame?,
            None => return Err(Failure::Call(gone().into())),
        };
        next = match frame.upsert {
            // The answer to the call may be newer than frames still on their way.
            Some(Resource::Push(push)) if push.device_id == device && push.as_of >= as_of => Some(push),
            _ if frame.reset => Some(current(client, device).await?),
            _ => None,
        };
    }
}

async fn current(client: &Client, device: DeviceId) -> Result<Push, Failure> {
    let device = device.to_string();
    Ok(client.send(&GetPush { device }).await?)
}

fn gone() -> Problem {
    Problem::new(
        Code::Unavailable,
        "The controller stopped before the push was done. Start it and push again.",
    )
}

/// The lines that were not shown yet; the oldest shown ones may be missing from `lines`.
fn new_lines<'a>(shown: &[String], lines: &'a [String]) -> &'a [String] {
    let overlaps = |kept: &usize| shown.ends_with(&lines[..*kept]);
    let kept = (0..=lines.len().min(shown.len()))
        .rev()
        .find(overlaps)
        .unwrap_or(0);
    &lines[kept..]
}

async fn end(client: &Client, name: String) -> Result<(), Failure> {
    let device = client.send(&GetDevice { device: name }).await?;
    let id = device.id.to_string();
    client.send(&EndPush { device: id }).await?;
    Ok(out::line(&format!(
        "No push to {0} runs, and no SSH tunnel is kept for it.",
        device.name
    ))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn each_line_is_printed_once_also_when_old_ones_fall_off() {
        for (shown, now, new) in [
            ("", "a b", "a b"),
            ("a b", "a b", ""),
            ("a b", "a b c", "c"),
            ("a b c", "b c d", "d"),
            ("a b c", "x y z", "x y z"),
            ("a a", "a a a", "a"),
        ] {
            assert_eq!(
                new_lines(&lines(shown), &lines(now)),
                lines(new),
                "{shown} | {now}"
            );
        }
    }
}
