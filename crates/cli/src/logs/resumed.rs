//! The log of one container, which goes on where it was when a link is back.

use crate::failure::Failure;
use flotilla_client::{ApiStream, Client};
use flotilla_protocol::{
    Code,
    api::{LogOf, WatchLog},
    log::{LogEnd, LogEndReason, LogPiece, LogQuery},
    stream::{End, Event, EventOf},
};
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// The pause before a log that was lost is opened again.
const AGAIN: Duration = Duration::from_secs(1);

/// How long a device may be away whose log is not followed: a link is made anew within seconds.
const PATIENCE: Duration = Duration::from_secs(120);

#[derive(Debug)]
pub(super) struct ResumedLog {
    client: Client,
    of: LogOf,
    query: LogQuery,
    stream: Option<ApiStream<WatchLog>>,
    /// Since when the log is lost.
    lost: Option<Instant>,
    /// Whether a device that is away from the first is waited for, too.
    waits: bool,
}

#[derive(Debug)]
pub(super) enum LogNews {
    Pieces(Vec<LogPiece>),
    /// The log was lost, and goes on.
    Back(Vec<LogPiece>),
    /// The log is lost, for a reason, and goes on when it can.
    Away(String),
    Over(LogEndReason),
}

impl ResumedLog {
    pub(super) fn new(client: &Client, of: LogOf, query: LogQuery) -> Self {
        Self {
            client: client.clone(),
            of,
            query,
            stream: None,
            lost: None,
            waits: false,
        }
    }

    /// Waits also for a device that is away from the first.
    pub(super) fn waiting(self) -> Self {
        Self { waits: true, ..self }
    }

    pub(super) fn of(&self) -> &LogOf {
        &self.of
    }

    /// What is next. Nothing comes after [`LogNews::Over`] and a failure.
    pub(super) async fn next(&mut self) -> Result<LogNews, Failure> {
        loop {
            let end = match self.event().await? {
                Event::Item(batch) => {
                    let back = self.lost.take();
                    let news = if back.is_some() {
                        LogNews::Back
                    } else {
                        LogNews::Pieces
                    };
                    return Ok(news(batch.pieces));
                }
                Event::End(end) => end,
            };
            if let Some(stream) = self.stream.take() {
                self.query = stream.into_open();
            }
            match end {
                End::Finished { outcome } => return Ok(LogNews::Over(outcome.reason)),
                end if end.can_go_on() || self.may_be_back() && is_away(&end) => {
                    if self.lost.is_none() {
                        self.lost = Some(Instant::now());
                        return Ok(LogNews::Away(self.why(&end)));
                    }
                }
                End::Failed { problem } => return Err(Failure::Call(problem.into())),
                end => return Err(Failure::Call(code(&end).because(end.to_string()).into())),
            }
        }
    }

    /// Opens the log where that is due, and waits for its next event.
    async fn event(&mut self) -> Result<EventOf<WatchLog>, Failure> {
        if self.stream.is_none() {
            if let Some(since) = self.lost {
                self.pause(since).await?;
            }
            let opened = self.client.open::<WatchLog>(&self.of, self.query.clone()).await;
            match opened {
                Ok(stream) => self.stream = Some(stream),
                Err(error) if error.is_unreachable() && self.may_be_back() => {
                    return Ok(Event::End(End::LinkLost));
                }
                Err(error) => return Err(error.into()),
            }
        }
        let event = match &mut self.stream {
            Some(stream) => stream.next().await,
            None => None,
        };
        Ok(event.unwrap_or(Event::End(End::LinkLost)))
    }

    /// Whether it is worth to wait: the log was read before, or is followed with others.
    fn may_be_back(&self) -> bool {
        self.waits || self.query.after.is_some() || self.lost.is_some()
    }

    /// Waits before a log that was lost is opened again.
    async fn pause(&self, since: Instant) -> Result<(), Failure> {
        if !self.query.follow && since.elapsed() > PATIENCE {
            let device = &self.of.device;
            let message = format!(
                "{device} is away, so the rest of the log can't be read. Try again when it is online."
            );
            return Err(Failure::Call(Code::DeviceOffline.because(message).into()));
        }
        sleep(AGAIN).await;
        Ok(())
    }

    fn why(&self, end: &End<LogEnd>) -> String {
        let what = match end {
            End::Failed { problem } if self.query.after.is_none() => problem.message.clone(),
            End::LinkLost | End::Failed { .. } => format!("The link to {} is lost.", self.of.device),
            other => other.to_string(),
        };
        format!("{what} The log goes on when it is back.")
    }
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
