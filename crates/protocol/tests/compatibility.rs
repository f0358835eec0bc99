//! The messages of every protocol that is still spoken, read by this build; and those of this build, as an older and a
//! newer one write them.
//!
//! `corpus/N` holds what protocol N says, each message in its fullest form, one file per type. A build of the next
//! protocol keeps the folder and adds its own beside it; what drops out of `SPOKEN` is removed. Requests that people
//! make and documents that they write are not here: those are closed (`flotilla_protocol::open`).

#![expect(
    clippy::unwrap_used,
    reason = "the fixtures of a test fail by panicking, as it does"
)]

#[path = "corpus/next.rs"]
mod next;

use flotilla_protocol::{
    PROTOCOL, Problem, SPOKEN,
    activity::{Activity, ActivityVerified},
    agent::{PodPlacement, Pong, Report, Settings},
    api::{
        ApiToken, CallerFacts, DeviceAdded, Enrollment, Fleet, List, LiveFrame, ModeChanged, Placed, Push,
        ReachableAt, RelayFacts, Row, SessionFacts, SshHost, TokenCreated,
    },
    device::Device,
    enroll::{EnrollChallenge, EnrollRequest, EnrollResponse},
    inventory::{Container, Image, Network, Stack, Volume},
    job::{FollowJob, JobReport},
    mesh::{MapPush, MapTaken},
    path::{Path, PathAttempt},
    stream::End,
};
use next::{extended, reworded, shortened};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::{collections::BTreeSet, fs, path::PathBuf};

/// Reads a message as this build does and writes it again.
type Read = fn(&Value) -> Result<Value, serde_json::Error>;

fn read<T: DeserializeOwned + Serialize>(message: &Value) -> Result<Value, serde_json::Error> {
    serde_json::to_value(T::deserialize(message)?)
}

const TYPES: &[(&str, Read)] = &[
    // Between agents and control.
    ("enroll_challenge", read::<EnrollChallenge>),
    ("enroll_request", read::<EnrollRequest>),
    ("enroll_response", read::<EnrollResponse>),
    ("report", read::<Report>),
    ("settings", read::<Settings>),
    ("pong", read::<Pong>),
    ("map_push", read::<MapPush>),
    ("map_taken", read::<MapTaken>),
    ("path_attempts", read::<Vec<PathAttempt>>),
    ("job_report", read::<JobReport>),
    ("follow_job", read::<FollowJob>),
    ("job_end", read::<End<JobReport>>),
    ("pod_placement", read::<PodPlacement>),
    ("problem", read::<Problem>),
    // From control to pages and the command line.
    ("activity", read::<Activity>),
    ("activity_verified", read::<ActivityVerified>),
    ("caller", read::<CallerFacts>),
    ("containers", read::<List<Row<Container>>>),
    ("device", read::<Device>),
    ("device_added", read::<DeviceAdded>),
    ("enrollment", read::<Enrollment>),
    ("fleet", read::<Fleet>),
    ("images", read::<List<Row<Image>>>),
    ("live_frame", read::<LiveFrame>),
    ("mode_changed", read::<ModeChanged>),
    ("networks", read::<List<Row<Network>>>),
    ("path", read::<Path>),
    ("placed", read::<Placed>),
    ("push", read::<Push>),
    ("reachable_at", read::<Vec<ReachableAt>>),
    ("relay_facts", read::<RelayFacts>),
    ("sessions", read::<List<SessionFacts>>),
    ("ssh_hosts", read::<Vec<SshHost>>),
    ("stacks", read::<List<Row<Stack>>>),
    ("token_created", read::<TokenCreated>),
    ("tokens", read::<List<ApiToken>>),
    ("volumes", read::<List<Row<Volume>>>),
];

/// All messages of a type that a protocol has.
fn messages(protocol: u32, name: &str) -> Vec<Value> {
    let corpus = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let text = fs::read_to_string(corpus.join(format!("{protocol}/{name}.json"))).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn each(check: impl Fn(&str, Read, Value)) {
    for (name, read) in TYPES {
        for message in messages(PROTOCOL, name) {
            check(name, *read, message);
        }
    }
}

#[test]
fn what_any_spoken_protocol_says_is_understood_and_what_this_one_says_is_said_like_that() {
    let kept = |protocol: &u32| *protocol <= PROTOCOL;
    for protocol in SPOKEN.filter(kept) {
        for (name, read) in TYPES {
            for message in messages(protocol, name) {
                let again = read(&message).unwrap_or_else(|error| panic!("{name} of {protocol}: {error}"));
                assert!(
                    protocol != PROTOCOL || again == message,
                    "tests/corpus/{protocol}/{name}.json does not say all that this build says: {message} became {again}"
                );
            }
        }
    }
}

#[test]
fn fields_that_only_a_newer_build_knows_change_nothing() {
    each(|name, read, message| {
        let again = read(&extended(&message)).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(again, message, "{name}");
    });
}

/// Fields without which a message of that type can't be read. A field that is added later may not be among them, or a
/// message from a build without that field would not be understood.
#[test]
fn what_a_message_cannot_do_without_is_what_it_always_had() {
    insta::assert_snapshot!(unread(shortened));
}

/// Ids, names, addresses and moments are texts that are read by their form. A text out of a list of words may not be
/// among these, because a newer build may know more words.
#[test]
fn only_texts_with_a_form_of_their_own_have_to_have_it() {
    insta::assert_snapshot!(unread(reworded));
}

/// The places of changes that make messages unreadable.
fn unread(changes: fn(&Value) -> Vec<next::Variant>) -> String {
    let mut places = BTreeSet::new();
    for (name, read) in TYPES {
        for message in messages(PROTOCOL, name) {
            let changed = changes(&message).into_iter();
            let unread = changed.filter(|variant| read(&variant.message).is_err());
            places.extend(unread.map(|variant| format!("{name} {}", variant.place)));
        }
    }
    places.into_iter().collect::<Vec<_>>().join("\n")
}
