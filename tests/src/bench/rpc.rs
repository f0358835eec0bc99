//! `rpc-under-load`: how long small calls take on a link that has 200 other streams which are not read.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use axum::extract::ws::WebSocketUpgrade;
use axum::routing::get;
use axum::{Json, Router, body::Body};
use bytes::Bytes;
use flotilla_identity::{
    Clock, ControlTrust, FleetCa, LeafKey, LiveCertificate, VerifiedCsr, agent_config, control_config,
};
use flotilla_link::{AgentLink, Introduction, Target, dial, listen, serve, serve_tls, upgrade};
use flotilla_protocol::agent::LINK_PATH;
use flotilla_protocol::api::Empty;
use flotilla_protocol::id::{DeviceId, FleetId};
use futures_util::stream;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{Figure, percentile};
use crate::clock;

const STALLED: usize = 200;
const CALLS: usize = 2000;
const LIMIT: Duration = Duration::from_secs(10);

pub async fn rpc(report: &mut impl FnMut(Figure)) -> Result<()> {
    let link = link().await?;
    let alone = calls(&link).await?;
    let mut stalled = Vec::new();
    for _ in 0..STALLED {
        stalled.push(link.stream("/endless", LIMIT).await.context("a stream")?);
    }
    let beside = calls(&link).await?;
    ensure!(!link.is_closed() && stalled.len() == STALLED);
    for (figure, percent) in [("small call p50", 50), ("small call p99", 99)] {
        let other = percentile(&alone, percent);
        let figure = Figure::new("rpc-under-load", figure, percentile(&beside, percent), "ms");
        report(figure.beside("the same link without stalled readers", other));
    }
    Ok(())
}

/// Milliseconds of each call, sorted.
async fn calls(link: &AgentLink) -> Result<Vec<f64>> {
    let mut took = Vec::with_capacity(CALLS);
    for _ in 0..CALLS {
        let begun = Instant::now();
        let _: Empty = link.get("/small", LIMIT).await.context("a small call")?;
        took.push(begun.elapsed().as_secs_f64() * 1000.0);
    }
    took.sort_by(f64::total_cmp);
    Ok(took)
}

/// One link over TLS on the loopback, between the listener of control and the server of agents.
async fn link() -> Result<AgentLink> {
    let now = clock::now();
    let clock = Clock::new(clock::now);
    let authority = FleetCa::create(FleetId(uuid::Uuid::now_v7()), now)?;
    let [control, device] = [LeafKey::generate()?, LeafKey::generate()?];
    let csr = VerifiedCsr::from_der(&device.csr_der()?)?;
    let certificate = authority.issue_device(&csr, DeviceId(uuid::Uuid::now_v7()), now)?;
    let issued = authority.issue_control(&control, now)?;
    let control = LiveCertificate::new(&control, &issued.pem, authority.cert_pem())?;
    let device = LiveCertificate::new(&device, &certificate.pem, authority.cert_pem())?;
    let tls = control_config(&authority, &control, clock.clone())?;

    let (sender, mut links) = mpsc::channel(1);
    let accept = move |socket: WebSocketUpgrade| {
        let sender = sender.clone();
        async move {
            upgrade(socket, |link| async move {
                sender.send(link.clone()).await.ok();
                link.closed().await;
            })
        }
    };
    let listener = listen(SocketAddr::from(([127, 0, 0, 1], 0)))?;
    let endpoint = listener.local_addr()?.to_string().parse()?;
    let router = Router::new().route(LINK_PATH, get(accept));
    tokio::spawn(serve_tls(listener, tls, router, CancellationToken::new()));

    let trust = ControlTrust {
        ca_pin: authority.pin(),
        fleet: Some(authority.fleet()),
    };
    let tls = agent_config(trust, Some(&device), clock)?;
    let target = Target {
        endpoints: vec![endpoint],
        last_good: None,
        proxies: flotilla_link::Proxies::default(),
        tls,
    };
    let introduction = Introduction {
        run: "run".into(),
        machine_id: "bench".to_owned(),
        hostname: "bench".to_owned(),
    };
    let dialed = dial(&target, &introduction).await?;
    tokio::spawn(serve(dialed, agent(), CancellationToken::new()));
    links.recv().await.context("no link came")
}

fn agent() -> Router {
    let small = async || Json(Empty {});
    let endless = async || {
        let block = Bytes::from(vec![b'x'; 16 * 1024]);
        Body::from_stream(stream::repeat_with(move || {
            Ok::<_, std::convert::Infallible>(block.clone())
        }))
    };
    Router::new()
        .route("/small", get(small))
        .route("/endless", get(endless))
}
