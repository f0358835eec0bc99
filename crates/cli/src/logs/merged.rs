//! The logs of several containers as one, by time, each line with the letter and the name of its container.

use super::{
    resumed::{LogNews, ResumedLog},
    say_why,
};
use crate::{
    args::{Logs, StackName},
    failure::Failure,
    out::{self, LogPrinter},
};
use flotilla_client::Client;
use flotilla_protocol::{
    Code,
    api::{ListContainers, LogOf},
    log::{LogPiece, merge::Merge},
    text::shown,
};
use std::{
    future::{pending, poll_fn},
    task::Poll,
    time::Duration,
};
use tokio::{
    sync::mpsc,
    task::JoinSet,
    time::{Instant, sleep_until},
};

/// Containers whose logs are read together. Each takes a stream of ours and one of its device, of which a caller may have
/// 64 and 50.
const MOST: usize = 48;

/// How long a log that says nothing holds back the others: when they are followed, as long as one bears to wait for a
/// line, else as long as a device may take to find its first one.
const FOLLOWED: Duration = Duration::from_millis(500);
const READ: Duration = Duration::from_secs(5);

/// The longest name in front of a line, in characters.
const NAME_CHARS: usize = 40;

pub(super) async fn run(client: &Client, logs: &Logs) -> Result<(), Failure> {
    let logs_of = containers(client, logs).await?;
    let patience = if logs.follow { FOLLOWED } else { READ };
    let mut merge = Merge::new(logs_of.len(), patience);
    let mut printer = LogPrinter::new(logs.raw, logs.timestamps, labels(&logs_of));
    let mut sources = Sources::start(client, &logs_of, logs);
    let begun = Instant::now();
    let mut failed = None;
    while !merge.is_over() {
        let due = merge.due();
        let news = tokio::select! {
            news = sources.next(&merge) => Some(news),
            () = until(due.map(|due| begun + due)) => None,
        };
        let now = begun.elapsed();
        match news {
            Some((log, Some(Ok(news)))) => take(news, (log, &logs_of[log]), (&mut merge, now)),
            Some((log, Some(Err(failure)))) => {
                let LogOf { device, container } = &logs_of[log];
                out::note(&format!("{device}/{container}: {failure}"));
                merge.handle_over(log);
                failed.get_or_insert(failure);
            }
            Some((log, None)) => merge.handle_over(log),
            None => {}
        }
        while let Some((log, piece)) = merge.poll_piece(now) {
            printer.print(log, &piece)?;
        }
        printer.flush()?;
    }
    failed.map_or(Ok(()), Err)
}

fn take(news: LogNews, (log, of): (usize, &LogOf), (merge, now): (&mut Merge, Duration)) {
    let LogOf { device, container } = of;
    let mut give = |pieces: Vec<LogPiece>| merge.handle_pieces(log, pieces, now);
    match news {
        LogNews::Pieces(pieces) => give(pieces),
        LogNews::Back(pieces) => {
            out::note(&format!(
                "The log of {container} on {device} goes on where it was."
            ));
            give(pieces);
        }
        LogNews::Away(why) => {
            out::note(&why);
            merge.handle_away(log);
        }
        LogNews::Over(reason) => {
            say_why(of, reason);
            merge.handle_over(log);
        }
    }
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => pending().await,
    }
}

/// The containers that are named, and those of the stacks that are named, each once.
async fn containers(client: &Client, logs: &Logs) -> Result<Vec<LogOf>, Failure> {
    let mut all: Vec<_> = logs.targets.iter().cloned().map(LogOf::from).collect();
    for StackName { device, stack } in &logs.stacks {
        let devices = device.iter().cloned().collect();
        let listed = client.send(&ListContainers { devices }).await?.items;
        let known = all.len();
        let own = listed
            .into_iter()
            .filter(|row| row.item.stack.as_ref() == Some(stack));
        all.extend(own.map(|row| LogOf {
            device: row.device.to_string(),
            container: row.item.name,
        }));
        if all.len() == known {
            let message = format!(
                "There is no container of a stack {stack}. `flotilla stacks` lists those that there are."
            );
            return Err(Failure::Call(Code::NotFound.because(message).into()));
        }
    }
    let mut known = std::collections::BTreeSet::new();
    all.retain(|of| known.insert((of.device.clone(), of.container.clone())));
    if all.len() > MOST {
        let message = format!(
            "These are {} containers, and {MOST} logs can be read together. Name fewer.",
            all.len()
        );
        return Err(Failure::Call(Code::InvalidInput.because(message).into()));
    }
    Ok(all)
}

/// What stands in front of the lines of each: a letter and the name, with the device where there are several.
fn labels(all: &[LogOf]) -> Vec<String> {
    let is_one = all.iter().all(|of| of.device == all[0].device);
    let name = |LogOf { device, container }: &LogOf| {
        let name = if is_one {
            container.clone()
        } else {
            format!("{device}/{container}")
        };
        shown(&name, NAME_CHARS)
    };
    let names: Vec<_> = all.iter().map(name).collect();
    let width = names
        .iter()
        .map(|name| name.chars().count())
        .max()
        .unwrap_or_default();
    let letters = (0..).map(letter);
    let each = names.iter().zip(letters);
    each.map(|(name, letter)| format!("{letter:<2} {name:<width$} | "))
        .collect()
}

/// A to Z, then AA to AZ and so on.
fn letter(number: u32) -> String {
    let last = char::from_digit(number % 26 + 10, 36).map(|letter| letter.to_ascii_uppercase());
    let before = (number / 26).checked_sub(1).map(letter).unwrap_or_default();
    before + &last.map(String::from).unwrap_or_default()
}

/// The logs as they are read, each by a task of its own that waits until its news is taken.
struct Sources {
    news: Vec<mpsc::Receiver<Result<LogNews, Failure>>>,
    /// Ends the tasks.
    _tasks: JoinSet<()>,
}

impl Sources {
    fn start(client: &Client, all: &[LogOf], logs: &Logs) -> Self {
        let mut tasks = JoinSet::new();
        let start = |of: &LogOf| {
            let log = ResumedLog::new(client, of.clone(), logs.query());
            let mut log = if logs.follow { log.waiting() } else { log };
            let (sender, receiver) = mpsc::channel(1);
            tasks.spawn(async move {
                loop {
                    let news = log.next().await;
                    let is_last = matches!(news, Ok(LogNews::Over(_)) | Err(_));
                    if sender.send(news).await.is_err() || is_last {
                        return;
                    }
                }
            });
            receiver
        };
        Self {
            news: all.iter().map(start).collect(),
            _tasks: tasks,
        }
    }

    /// The next news of a log of which more is wanted.
    async fn next(&mut self, merge: &Merge) -> (usize, Option<Result<LogNews, Failure>>) {
        poll_fn(|cx| {
            for (log, news) in self.news.iter_mut().enumerate() {
                if merge.wants(log)
                    && let Poll::Ready(news) = news.poll_recv(cx)
                {
                    return Poll::Ready((log, news));
                }
            }
            Poll::Pending
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(device: &str, container: &str) -> LogOf {
        LogOf {
            device: device.to_owned(),
            container: container.to_owned(),
        }
    }

    #[test]
    fn containers_have_letters_and_their_names_and_devices_where_there_are_several() {
        assert_eq!(
            labels(&[of("nas", "web"), of("nas", "postgres")]),
            ["A  web      | ", "B  postgres | "]
        );
        assert_eq!(
            labels(&[of("nas", "web"), of("pi", "\u{1b}[2J")]),
            ["A  nas/web      | ", "B  pi/\\u{1b}[2J | "]
        );
        let letters = [0, 25, 26, 51, 52, 701, 702].map(letter);
        assert_eq!(letters, ["A", "Z", "AA", "AZ", "BA", "ZZ", "AAA"]);
    }
}
