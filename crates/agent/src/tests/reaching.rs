//! Trying control's addresses from the device, over real TLS.

use super::control::{Control, token};
use flotilla_link::AgentLink;
use flotilla_protocol::{
    Timestamp,
    agent::{Report, SETTINGS_PATH, Settings, WATCH_PATH},
    device::EndpointTrial,
    endpoint::Endpoint,
};
use futures_util::StreamExt as _;
use std::{net::TcpListener, time::Duration};

const LIMIT: Duration = Duration::from_secs(10);

async fn send_settings(link: &AgentLink, endpoints: Vec<Endpoint>) {
    let settings = Settings {
        device_name: "nas".parse().unwrap(),
        endpoints,
        sent_at: Timestamp::UNIX_EPOCH,
        relay: None,
    };
    let taken = link
        .post::<serde_json::Value>(SETTINGS_PATH, &settings, LIMIT)
        .await;
    taken.unwrap();
}

#[tokio::test]
async fn each_address_that_control_names_is_tried_and_told() {
    let (dir, token) = (tempfile::tempdir().unwrap(), token());
    let mut control = Control::start();
    let other = Control::start();
    let agent = control.agent(dir.path(), &token);
    let link = control.linked().await;
    let mut lines = link.stream(WATCH_PATH, LIMIT).await.unwrap();

    // The address in use, one that refuses, one at which another fleet's control answers, and one that never answers.
    let refusing = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let ends = [refusing, silent.local_addr().unwrap()];
    let [refusing, silent_end] = ends.map(|address| Endpoint::from_ip(address.ip(), address.port()));
    let endpoints = vec![
        control.endpoint.clone(),
        refusing,
        other.endpoint.clone(),
        silent_end,
    ];
    send_settings(&link, endpoints.clone()).await;
    let trials = tokio::time::timeout(LIMIT, async {
        let mut buffer = Vec::new();
        loop {
            buffer.extend_from_slice(&lines.next().await.unwrap().unwrap());
            let whole = buffer
                .iter()
                .rposition(|byte| *byte == b'\n')
                .map_or(0, |at| at + 1);
            for line in buffer.drain(..whole).collect::<Vec<_>>().split(|c| *c == b'\n') {
                if let Ok(Report::Endpoints { trials }) = serde_json::from_slice(line)
                    && trials.len() == endpoints.len()
                {
                    return trials;
                }
            }
        }
    });
    let trials: Vec<EndpointTrial> = trials.await.expect("a report within 10 s");

    let tried: Vec<_> = trials.iter().map(|trial| trial.endpoint.clone()).collect();
    assert_eq!(tried, endpoints, "in control's order");
    let reached: Vec<_> = trials.iter().map(|trial| trial.reached).collect();
    assert_eq!(reached, [true, false, false, false]);
    let reasons: Vec<_> = trials
        .iter()
        .map(|trial| trial.reason.clone().unwrap_or_default())
        .collect();
    assert_eq!(
        (reasons[0].as_str(), reasons[1].as_str()),
        ("", "Connection refused.")
    );
    assert!(reasons[2].contains("another program answers"), "{}", reasons[2]);
    assert!(reasons[3].contains("No answer"), "{}", reasons[3]);
    drop(silent);
    agent.stopped().await;
}
