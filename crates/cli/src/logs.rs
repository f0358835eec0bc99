//! `logs`: what containers wrote, also when the links to their devices are lost meanwhile.
//!
//! - `resumed`: the log of one container. `merged`: those of several, by time. `search`: lines that are looked
//!   for in those of the fleet.

mod merged;
mod resumed;
mod search;

use crate::{
    args::Logs,
    failure::Failure,
    out::{self, LogPrinter},
};
use flotilla_client::Client;
use flotilla_protocol::{
    api::LogOf,
    log::{LogEndReason, LogPiece},
};
use resumed::{LogNews, ResumedLog};
use std::io::ErrorKind;

pub(crate) async fn run(client: &Client, logs: Logs) -> Result<(), Failure> {
    let printed = match (&logs.search, &logs.targets[..]) {
        (Some(expression), _) => search::run(client, &logs, expression).await,
        (None, [target]) if logs.stacks.is_empty() => {
            let of = LogOf::from(target.clone());
            one(ResumedLog::new(client, of, logs.query()), &logs).await
        }
        _ => merged::run(client, &logs).await,
    };
    match printed {
        // Who reads what is printed wants no more.
        Err(Failure::Output(error)) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        printed => printed,
    }
}

async fn one(mut log: ResumedLog, logs: &Logs) -> Result<(), Failure> {
    let mut printer = LogPrinter::new(logs.raw, logs.timestamps, Vec::new());
    loop {
        let pieces = match log.next().await? {
            LogNews::Pieces(pieces) => pieces,
            LogNews::Back(pieces) => {
                out::note("The log goes on where it was.");
                pieces
            }
            LogNews::Away(why) => {
                out::note(&why);
                continue;
            }
            LogNews::Over(reason) => {
                say_why(log.of(), reason);
                return Ok(());
            }
        };
        pieces
            .iter()
            .try_for_each(|piece: &LogPiece| printer.print(0, piece))?;
        printer.flush()?;
    }
}

fn say_why(LogOf { device, container }: &LogOf, reason: LogEndReason) {
    match reason {
        LogEndReason::Complete | LogEndReason::Unknown => {}
        LogEndReason::Stopped => out::note(&format!("{container} on {device} has stopped.")),
        LogEndReason::Removed => out::note(&format!("{container} was removed from {device}.")),
    }
}
