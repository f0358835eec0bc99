//! A data plane from files, without control: `dataplane --key FILE --map FILE.json [--tun NAME] [--listen PORT]`.
//!
//! The key is 32 bytes in base64, as `wg genkey` prints them, the map is a network map as JSON, as control sends it.
//! Runs until SIGTERM or SIGINT; a SIGHUP reads the map again. Each event is a line on stdout; the first line is
//! `ready`.

#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "events are this program's output, and they are ours"
)]

use std::path::{Path, PathBuf};
use std::{env, fs};

use anyhow::{Context, Result, bail};
use flotilla_protocol::id::DeviceId;
use flotilla_protocol::key::PublicKey;
use flotilla_protocol::mesh::NetworkMap;
use flotilla_tunnel::{Event, INTERFACE, PrivateKey, Tunnel, TunnelConfig};
use tokio::signal::unix::{SignalKind, signal};
use uuid::Uuid;

struct Arguments {
    interface: String,
    key: PathBuf,
    map: PathBuf,
    port: u16,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let filter = tracing_subscriber::EnvFilter::from_default_env();
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_env_filter(filter)
        .init();
    let arguments = arguments()?;
    let config = TunnelConfig {
        interface: arguments.interface.clone(),
        private_key: private_key(&arguments.key)?,
        device: DeviceId(Uuid::nil()),
        listen_port: arguments.port,
        not_before_unix_ms: 0,
        map: Some(map(&arguments.map)?),
    };
    let [mut terminate, mut interrupt, mut hangup] = [
        SignalKind::terminate(),
        SignalKind::interrupt(),
        SignalKind::hangup(),
    ]
    .map(signal);
    let (tunnel, mut events) = Tunnel::start(config)?;
    println!("ready {} {}", tunnel.interface(), tunnel.listen_port());
    loop {
        tokio::select! {
            _ = received(&mut terminate) => break,
            _ = received(&mut interrupt) => break,
            _ = received(&mut hangup) => match map(&arguments.map) {
                Ok(map) => println!("applied {:?}", tunnel.apply(map).await),
                Err(error) => println!("no map: {error:#}"),
            },
            event = events.recv() => match event {
                Some(Event::Ended(error)) => return Err(error.into()),
                Some(event) => println!("{event:?}"),
                None => break,
            },
        }
    }
    println!("{:?}", tunnel.counts().await?);
    tunnel.stop();
    Ok(())
}

async fn received(signal: &mut std::io::Result<tokio::signal::unix::Signal>) {
    match signal {
        Ok(signal) => _ = signal.recv().await,
        Err(_) => std::future::pending().await,
    }
}

fn arguments() -> Result<Arguments> {
    let [mut interface, mut key, mut map, mut port] = [Some(INTERFACE.to_owned()), None, None, None];
    let mut words = env::args().skip(1);
    while let Some(option) = words.next() {
        let place = match option.as_str() {
            "--tun" => &mut interface,
            "--key" => &mut key,
            "--map" => &mut map,
            "--listen" => &mut port,
            _ => bail!("there is no option {option}; there are --tun, --key, --map and --listen"),
        };
        *place = Some(words.next().with_context(|| format!("{option} needs a value"))?);
    }
    Ok(Arguments {
        interface: interface.unwrap_or_default(),
        key: key.context("--key is missing")?.into(),
        map: map.context("--map is missing")?.into(),
        port: port.map_or(Ok(0), |port| port.parse())?,
    })
}

fn private_key(file: &Path) -> Result<PrivateKey> {
    let text = fs::read_to_string(file).with_context(|| file.display().to_string())?;
    // A private key has the same text form as a public one.
    let key: PublicKey = text.trim().parse()?;
    Ok(PrivateKey::from_bytes(*key.as_bytes()))
}

fn map(file: &Path) -> Result<NetworkMap> {
    let text = fs::read_to_string(file).with_context(|| file.display().to_string())?;
    Ok(serde_json::from_str(&text)?)
}
