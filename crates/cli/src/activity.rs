//! `flotilla activity`: who changed what, newest first, and whether the log is as it was written.

mod export;

use crate::{age::ago, args::Activity as Arguments, clock, failure::Failure, out, table::Table};
use flotilla_client::Client;
use flotilla_protocol::{
    Timestamp,
    activity::{Activity, ActivityFault, ActivityVerified, Actor, FaultyEntry},
    api::{ListActivity, VerifyActivity},
};

pub(crate) async fn run(client: &Client, arguments: Arguments) -> Result<(), Failure> {
    if arguments.verify {
        return verify(client, arguments.json).await;
    }
    if let Some(format) = arguments.export {
        return export::run(client, format).await;
    }
    let log = client.send(&ListActivity::default()).await?;
    Ok(out::answer(arguments.json, &log, || {
        table(&log.items, clock::now()).render()
    })?)
}

async fn verify(client: &Client, json: bool) -> Result<(), Failure> {
    let verified = client.send(&VerifyActivity {}).await?;
    if json {
        out::json(&verified)?;
    } else {
        out::line(&summary(&verified))?;
    }
    match verified.faulty {
        Some(FaultyEntry { id, fault }) => Err(Failure::Log {
            reason: reason(id, fault),
        }),
        None => Ok(()),
    }
}

fn summary(verified: &ActivityVerified) -> String {
    match (verified.first, verified.last) {
        (Some(first), Some(last)) => format!(
            "{} entries, from {first} to {last}, are what was written.",
            verified.entries
        ),
        _ => "No entry was verified.".to_owned(),
    }
}

fn reason(id: i64, fault: ActivityFault) -> String {
    let what = match fault {
        ActivityFault::Missing => format!("Entry {id} is missing"),
        ActivityFault::Changed | ActivityFault::Unknown => format!("Entry {id} is not what was written"),
    };
    format!(
        "{what}: somebody changed the database, or the disk is damaged. Nothing from there on can be relied on; compare with a backup."
    )
}

fn table(entries: &[Activity], now: Timestamp) -> Table<6> {
    let mut table = Table::new(["WHEN", "WHO", "WHAT", "DEVICE", "OUTCOME", "DETAILS"]);
    for entry in entries {
        let object = entry
            .target
            .iter()
            .chain(&entry.device)
            .cloned()
            .collect::<Vec<_>>();
        table.push([
            ago(entry.at, now),
            who(&entry.actor),
            word(&entry.action),
            object.join(" on "),
            if entry.succeeded { "" } else { "failed" }.to_owned(),
            entry.details.clone(),
        ]);
    }
    table
}

fn who(actor: &Actor) -> String {
    match actor {
        Actor::Owner => "owner".to_owned(),
        Actor::Token { name } => format!("token {name}"),
        Actor::Device { name } => name.clone(),
        Actor::Stranger { address } => address.clone(),
        Actor::Control => "controller".to_owned(),
        Actor::Unknown => "unknown".to_owned(),
    }
}

/// An action's name in the API, with spaces.
fn word(action: &flotilla_protocol::activity::Action) -> String {
    let word = serde_json::to_value(action).ok();
    let word = word.as_ref().and_then(serde_json::Value::as_str);
    word.unwrap_or("unknown").replace('_', " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn entries_are_told_in_one_line_each() {
        let entries: Vec<Activity> = serde_json::from_value(json!([
            {
                "id": 9, "at": "2026-01-02T07:04:00Z", "actor": {"kind": "stranger", "address": "192.0.2.7"},
                "action": "enrollment_refused", "succeeded": false, "details": "192.0.2.7 was refused.\u{1b}[2J",
            },
            {
                "id": 8, "at": "2026-01-02T03:05:00Z", "actor": {"kind": "owner"}, "action": "container_stopped",
                "target": "web", "device": "nas", "succeeded": true, "details": "Stopped.",
            },
        ]))
        .unwrap();
        insta::assert_snapshot!(table(&entries, "2026-01-02T07:05:00Z".parse().unwrap()).render(), @r"
        WHEN        WHO         WHAT                 DEVICE       OUTCOME   DETAILS
        1 min ago   192.0.2.7   enrollment refused                failed    192.0.2.7 was refused.\u{1b}[2J
        4 h ago     owner       container stopped    web on nas             Stopped.
        ");
    }

    #[test]
    fn what_was_verified_and_what_does_not_fit_is_said() {
        let mut verified = ActivityVerified {
            entries: 6,
            first: Some(12),
            last: Some(17),
            faulty: None,
        };
        assert_eq!(
            summary(&verified),
            "6 entries, from 12 to 17, are what was written."
        );
        verified = ActivityVerified::default();
        assert_eq!(summary(&verified), "No entry was verified.");
        assert!(reason(18, ActivityFault::Missing).starts_with("Entry 18 is missing: "));
        assert!(reason(18, ActivityFault::Changed).starts_with("Entry 18 is not what was written: "));
    }
}
