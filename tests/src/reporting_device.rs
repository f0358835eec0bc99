//! A device in the test's process: it is enrolled and linked, and reports what the test tells it to.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use anyhow::Result;
use axum::body::Body;
use axum::routing::{get, post};
use axum::{Json, Router};
use flotilla_protocol::PROTOCOL;
use flotilla_protocol::agent::{Hello, PING_PATH, Report, SETTINGS_PATH, WATCH_PATH};
use flotilla_protocol::api::{AddDevice, Empty};
use flotilla_protocol::device::Facts;
use futures_util::stream;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::clock;
use crate::eventually::seconds;
use crate::flotilla::{Control, config};
use crate::scripted_agent::ScriptedAgent;

/// Adds and links a device; what the returned channel is given, it reports.
pub async fn reporting_device(control: &Control, device: AddDevice) -> Result<mpsc::Sender<Report>> {
    let added = control.send(&device).await?;
    let name = added.device.name.to_string();
    let enrolled = ScriptedAgent::new(&name)?.enroll(&config(&added)?).await?;
    let (sender, receiver) = mpsc::channel(1);
    let hello = Report::Hello(Hello {
        protocol: PROTOCOL,
        agent_version: env!("CARGO_PKG_VERSION").to_owned(),
        sent_at: clock::now(),
        facts: Facts::default(),
    });
    sender.send(hello).await?;
    let receiver = Arc::new(Mutex::new(Some(receiver)));
    let watch = async move || {
        let receiver = receiver.lock().ok().and_then(|mut receiver| receiver.take());
        Body::from_stream(stream::unfold(receiver, async |receiver| {
            let mut receiver: mpsc::Receiver<Report> = receiver?;
            let line = serde_json::to_string(&receiver.recv().await?).ok()? + "\n";
            Some((Ok::<_, Infallible>(line), Some(receiver)))
        }))
    };
    let empty = async || Json(Empty {});
    let router = Router::new()
        .route(WATCH_PATH, get(watch))
        .route(SETTINGS_PATH, post(empty))
        .route(PING_PATH, get(empty));
    tokio::spawn(async move { enrolled.hold_link(router, CancellationToken::new()).await });
    control.eventually_online(&name, seconds(5.0)).await?;
    Ok(sender)
}
