//! `logs`: what a container wrote, also when the link to its device is lost meanwhile.

use crate::{
    args::Logs,
    failure::Failure,
    out::{self, LogPrinter},
};
use flotilla_client::{ApiStream, Client};
use flotilla_protocol::{
    Code,
    api::{LogOf, WatchLog},
    log::{LogEnd, LogEndReason, LogQuery},
    stream::{End, Event},
};
use std::{
    io::{self, ErrorKind},
    time::{Duration, Instant},
};
use tokio::time::sleep;

/// The pause before a log that was lost is opened again.
const AGAIN: Duration = Duration::from_secs(1);

/// How long a device may be away whose log is not followed: a link is made anew within seconds.
const PATIENCE: Duration = Duration::from_secs(120);

pub(crate) async fn run(client: &Client, logs: Logs) -> Result<(), Failure> {
    let mut printer = LogPrinter::new(logs.raw, logs.timestamps);
    let (mut query, mut lost) = (logs.query(), None);
    let of = LogOf {
        device: logs.target.device,
        container: logs.target.container,
    };
    loop {
        let end = match client.open::<WatchLog>(&of, query.clone()).await {
            Ok(mut stream) => {
                let end = print(&mut stream, &mut printer, &mut lost).await;
                query = stream.into_open();
                end
            }
            Err(error) if error.is_unreachable() && was_open(&query, lost) => Ok(End::LinkLost),
            Err(error) => return Err(error.into()),
        };
        match end {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(()),
            Err(error) => return Err(Failure::Output(error)),
            Ok(End::Finished { outcome }) => {
                say_why(&of, outcome.reason);
                return Ok(());
            }
            Ok(end) if end.can_go_on() || was_open(&query, lost) && is_away(&end) => {
                wait(&of, &mut lost, &end, logs.follow).await?;
            }
            Ok(End::Failed { problem }) => return Err(Failure::Call(problem.into())),
            Ok(end) => return Err(Failure::Call(code(&end).because(end.to_string()).into())),
        }
    }
}

/// Whether the log was read before, so that it is worth waiting for.
fn was_open(query: &LogQuery, lost: Option<Instant>) -> bool {
    query.after.is_some() || lost.is_some()
}

/// Whether the device or its engine may be back soon.
fn is_away(end: &End<LogEnd>) -> bool {
    let away = [Code::DeviceOffline, Code::NoAnswer, Code::EngineUnavailable];
    matches!(end, End::Failed { problem } if away.contains(&problem.code))
}

fn code(end: &End<LogEnd>) -> Code {
    match end {
        End::NotAllowed => Code::Forbidden,
        _ => Code::Unavailable,
    }
}

fn say_why(LogOf { device, container }: &LogOf, reason: LogEndReason) {
    match reason {
        LogEndReason::Complete | LogEndReason::Unknown => {}
        LogEndReason::Stopped => out::note(&format!("{container} on {device} has stopped.")),
        LogEndReason::Removed => out::note(&format!("{container} was removed from {device}.")),
    }
}

/// Prints a log until the stream of it ends; answers why.
async fn print(
    stream: &mut ApiStream<WatchLog>,
    printer: &mut LogPrinter,
    lost: &mut Option<Instant>,
) -> io::Result<End<LogEnd>> {
    loop {
        match stream.next().await {
            Some(Event::Item(batch)) => {
                if lost.take().is_some() {
                    out::note("The log goes on where it was.");
                }
                printer.print(&batch.pieces)?;
            }
            Some(Event::End(end)) => return Ok(end),
            None => return Ok(End::LinkLost),
        }
    }
}

/// Waits before a log that was lost is opened again, and says once why.
async fn wait(
    LogOf { device, .. }: &LogOf,
    lost: &mut Option<Instant>,
    end: &End<LogEnd>,
    is_followed: bool,
) -> Result<(), Failure> {
    let since = lost.get_or_insert_with(|| {
        let what = match end {
            End::LinkLost | End::Failed { .. } => format!("The link to {device} is lost."),
            other => other.to_string(),
        };
        out::note(&format!("{what} The log goes on when it is back."));
        Instant::now()
    });
    if !is_followed && since.elapsed() > PATIENCE {
        let message =
            format!("{device} is away, so the rest of the log can't be read. Try again when it is online.");
        return Err(Failure::Call(Code::DeviceOffline.because(message).into()));
    }
    sleep(AGAIN).await;
    Ok(())
}
