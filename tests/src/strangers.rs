//! A siege: thousands of connections from strangers to the ports of a control that has few file descriptors, and how
//! fast the owner and the devices are served meanwhile.
//!
//! Each stranger connects again a while after control closed its connection, so their number stays the same. The mix of
//! strangers takes up connections, not processor time: a flood of complete handshakes is for the network to filter.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use flotilla_client::Client;
use flotilla_identity::{Clock, ControlTrust, agent_config};
use flotilla_link::{Introduction, Target, dial};
use flotilla_protocol::api::ListDevices;
use flotilla_protocol::endpoint::Endpoint;
use flotilla_protocol::enroll::ConfigFile;
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;

use crate::bench::percentile;
use crate::clock;
use crate::eventually::seconds;
use crate::flotilla::{Control, config};
use crate::scripted_agent::{EnrolledAgent, ScriptedAgent};
use crate::swarm::{Links, Swarm};

/// Links that are up before the siege, and have to stay up.
const LINKS: usize = 3;

/// How long after the end of its connection a stranger connects again.
const RECONNECT_AFTER: Duration = Duration::from_secs(2);

/// Between two bytes of a slow stranger.
const DRIP: Duration = Duration::from_millis(500);

/// Between two requests of [`StrangerKind::Asks`]: just below the time after which control closes an idle connection.
const REQUEST_PAUSE: Duration = Duration::from_secs(9);

/// Between two calls, and before a failed one is tried again.
const POLL: Duration = Duration::from_millis(20);

/// For how long the owner's client and a device try again before the siege has failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a stranger does with its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum StrangerKind {
    /// It opens a TCP connection to the fleet port and sends nothing.
    Idle,
    /// It sends the TLS handshake byte by byte.
    SlowTls,
    /// It sends the head of a request byte by byte.
    SlowHead,
    /// It requests a path that does not exist, again and again.
    Asks,
    /// It upgrades a connection to the relay, and does not introduce itself.
    HalfOpen,
    /// It opens a TCP connection to the API port and sends nothing.
    IdleAtApi,
    /// It sends a request to the API port byte by byte.
    SlowAtApi,
}

/// How many of twenty strangers are of each kind.
const SHARES: [(StrangerKind, usize); 7] = [
    (StrangerKind::Idle, 8),
    (StrangerKind::SlowTls, 5),
    (StrangerKind::SlowHead, 1),
    (StrangerKind::Asks, 1),
    (StrangerKind::HalfOpen, 1),
    (StrangerKind::IdleAtApi, 3),
    (StrangerKind::SlowAtApi, 1),
];

/// The addresses that strangers connect from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sources {
    /// One address, from which a device connects as well.
    One,
    /// Another address for each stranger.
    Many,
}

/// What was measured during a siege.
#[derive(Debug)]
pub struct SiegeReport {
    /// How long each call of the API took in milliseconds, sorted.
    pub api: Vec<f64>,
    /// The longest time in seconds that a device took to connect: from the strangers' address, and from another one.
    pub slowest: [f64; 2],
    /// How many times a device connected.
    pub connected: usize,
}

impl SiegeReport {
    #[must_use]
    pub fn api_p99(&self) -> f64 {
        percentile(&self.api, 99)
    }
}

/// A control with devices on links, and one more device that connects again and again.
#[derive(Debug)]
pub struct Siege {
    client: Client,
    config: ConfigFile,
    api: SocketAddr,
    links: Links,
    visitor: EnrolledAgent,
}

/// The address of control that all strangers dial. A device that dials it has their source address; by the address of
/// its config file it has another one.
const STRANGERS_TARGET: Ipv4Addr = Ipv4Addr::LOCALHOST;

impl Siege {
    pub async fn prepare(control: &Control) -> Result<Self> {
        let client = control.client()?;
        let links = Swarm::enroll(&client, LINKS).await?.link();
        links.all_up(seconds(30.0)).await?;
        let config = config(&control.add("guest").await?)?;
        let visitor = ScriptedAgent::new("guest")?.enroll(&config).await?;
        let api = client.address().parse()?;
        Ok(Self {
            client,
            config,
            api,
            links,
            visitor,
        })
    }

    /// Runs the siege with this many strangers for this long, and measures. Fails when a link that was up before is
    /// lost.
    pub async fn run(&self, from: Sources, strangers: usize, length: Duration) -> Result<SiegeReport> {
        let trust = ControlTrust {
            ca_pin: self.config.ca_pin.clone(),
            fleet: None,
        };
        let tls = agent_config(trust, None, Clock::new(clock::now))?;
        let port = self
            .visitor
            .target
            .endpoints
            .first()
            .context("no endpoint")?
            .port();
        let mut crowd = JoinSet::new();
        let kinds = SHARES.into_iter().flat_map(|(kind, count)| [kind].repeat(count));
        for (number, kind) in (0..).zip(kinds.cycle().take(strangers)) {
            let source = match from {
                Sources::One => STRANGERS_TARGET,
                Sources::Many => Ipv4Addr::from_bits(STRANGERS_TARGET.to_bits() + 256 + number),
            };
            let to = match kind {
                StrangerKind::IdleAtApi | StrangerKind::SlowAtApi => self.api,
                _ => SocketAddrV4::new(STRANGERS_TARGET, port).into(),
            };
            crowd.spawn(connect_again_and_again(kind, source, to, tls.clone()));
        }
        let until = Instant::now() + length;
        let (api, devices) = tokio::join!(self.measure_api(until), self.connect_in_turn(port, until));
        let (slowest, connected) = devices?;
        Ok(SiegeReport {
            api: api?,
            slowest,
            connected,
        })
    }

    async fn measure_api(&self, until: Instant) -> Result<Vec<f64>> {
        let mut took = Vec::new();
        while Instant::now() < until {
            let begun = Instant::now();
            self.list_devices().await?;
            took.push(begun.elapsed().as_secs_f64() * 1e3);
            ensure!(self.links.up() == LINKS, "only {} links are up", self.links.up());
            tokio::time::sleep(POLL).await;
        }
        took.sort_by(f64::total_cmp);
        Ok(took)
    }

    /// Calls the API as a person does who tries again after an error; the time of all tries counts.
    async fn list_devices(&self) -> Result<()> {
        let begun = Instant::now();
        while let Err(error) = self.client.send(&ListDevices).await {
            if begun.elapsed() > PATIENCE {
                return Err(error.into());
            }
            tokio::time::sleep(POLL).await;
        }
        Ok(())
    }

    /// Connects a device again and again, in turn from the strangers' address and from another one.
    async fn connect_in_turn(&self, port: u16, until: Instant) -> Result<([f64; 2], usize)> {
        let same = Target {
            endpoints: vec![Endpoint::from_ip(STRANGERS_TARGET.into(), port)],
            ..self.visitor.target.clone()
        };
        let targets = [same, self.visitor.target.clone()];
        let (mut slowest, mut connected) = ([0.0_f64; 2], 0);
        while Instant::now() < until {
            for (target, slowest) in targets.iter().zip(&mut slowest) {
                let begun = Instant::now();
                connect(target, &self.visitor.introduction).await?;
                *slowest = slowest.max(begun.elapsed().as_secs_f64());
                connected += 1;
            }
            tokio::time::sleep(POLL).await;
        }
        Ok((slowest, connected))
    }
}

/// Opens a link and drops it; tries again at once after an error, as an agent does.
async fn connect(target: &Target, introduction: &Introduction) -> Result<()> {
    let begun = Instant::now();
    loop {
        match dial(target, introduction).await {
            Ok(link) => {
                drop(link);
                return Ok(());
            }
            Err(error) if begun.elapsed() > PATIENCE => return Err(error.into()),
            Err(_) => tokio::time::sleep(POLL).await,
        }
    }
}

async fn connect_again_and_again(
    kind: StrangerKind,
    source: Ipv4Addr,
    to: SocketAddr,
    tls: Arc<ClientConfig>,
) {
    loop {
        // Whether control closed the connection or refused it, the stranger connects again.
        let _ = connect_once(kind, source, to, tls.clone()).await;
        tokio::time::sleep(RECONNECT_AFTER).await;
    }
}

const HEAD: &[u8] = b"GET /nothing HTTP/1.1\r\nhost: control\r\n\r\n";
const UPGRADE: &[u8] = b"GET /relay/v1/connect HTTP/1.1\r\nhost: control\r\nconnection: upgrade\r\n\
    upgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// Holds one connection until control ends it.
async fn connect_once(
    kind: StrangerKind,
    source: Ipv4Addr,
    to: SocketAddr,
    tls: Arc<ClientConfig>,
) -> Result<()> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddrV4::new(source, 0).into())?;
    let stream = socket.connect(to).await?;
    match kind {
        StrangerKind::Idle | StrangerKind::IdleAtApi => drip(stream, &[], DRIP).await,
        StrangerKind::SlowAtApi => drip(stream, &HEAD[..HEAD.len() - 2], DRIP).await,
        StrangerKind::SlowTls => {
            let mut connection = rustls::ClientConnection::new(tls, ServerName::try_from("control")?)?;
            let mut hello = Vec::new();
            connection.write_tls(&mut hello)?;
            drip(stream, &hello, DRIP).await
        }
        StrangerKind::SlowHead => drip(secure(stream, tls).await?, &HEAD[..HEAD.len() - 2], DRIP).await,
        StrangerKind::Asks => {
            let mut stream = secure(stream, tls).await?;
            loop {
                stream.write_all(HEAD).await?;
                ensure!(stream.read(&mut [0; 1024]).await? > 0, "it was ended");
                tokio::time::sleep(REQUEST_PAUSE).await;
            }
        }
        StrangerKind::HalfOpen => {
            let mut stream = secure(stream, tls).await?;
            stream.write_all(UPGRADE).await?;
            drip(stream, &[], DRIP).await
        }
    }
}

/// Writes byte by byte with pauses, and reads until the other end closes.
async fn drip(stream: impl AsyncRead + AsyncWrite, bytes: &[u8], pause: Duration) -> Result<()> {
    let (mut reading, mut writing) = tokio::io::split(stream);
    let write = async {
        for byte in bytes {
            writing.write_all(&[*byte]).await?;
            writing.flush().await?;
            tokio::time::sleep(pause).await;
        }
        std::future::pending::<Result<()>>().await
    };
    let read = async {
        let mut buffer = [0; 1024];
        while reading.read(&mut buffer).await? > 0 {}
        Ok(())
    };
    tokio::select! {
        ended = write => ended,
        ended = read => ended,
    }
}

async fn secure(
    stream: TcpStream,
    tls: Arc<ClientConfig>,
) -> Result<tokio_rustls::client::TlsStream<TcpStream>> {
    let name = ServerName::try_from("control")?;
    Ok(TlsConnector::from(tls).connect(name, stream).await?)
}
