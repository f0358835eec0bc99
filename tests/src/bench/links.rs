//! `links-1000` and `restart-1000`: what the links of a thousand agents cost control, and how fast they are all up again
//! after control restarted.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use flotilla_client::Client;
use flotilla_identity::{Clock, ControlTrust, agent_config};
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::Figure;
use super::process::{cpu_seconds, resident_kib};
use crate::clock;
use crate::eventually::seconds;
use crate::flotilla::{Control, ControlSetup};
use crate::lab::Lab;
use crate::swarm::Swarm;

const AGENTS: usize = 1000;

/// How long control does not run in `restart-1000`.
const AWAY: Duration = Duration::from_secs(3);

/// For how long processor time is measured: two rounds of control's pings.
const AT_REST: Duration = Duration::from_secs(30);

/// Measures memory and processor time of idle links, beside as many TLS connections without links to the same port.
pub async fn links(lab: &Lab, report: &mut impl FnMut(Figure)) -> Result<()> {
    let mut control = quiet_control(lab)?;
    let swarm = Swarm::enroll(&control.client()?, AGENTS).await?;
    // Each is measured on a new process: memory that was freed before would be reused and not counted.
    control.stop()?;
    control.start_again()?;
    let bare = bare_tls(&control).await?;
    control.stop()?;
    control.start_again()?;
    let before = resident_kib(control.process())?;
    let links = swarm.link();
    let took = links.all_up(seconds(60.0)).await?;
    report(Figure::new("links-1000", "all up", took.as_secs_f64(), "s"));
    wait_until_at_rest(&control).await?;
    let resident = resident_kib(control.process())?;
    let each = (resident - before) / AGENTS as f64;
    report(
        Figure::new("links-1000", "memory per idle link", each, "KiB").beside("bare TLS connection", bare),
    );
    report(Figure::new(
        "links-1000",
        "control resident",
        resident / 1024.0,
        "MiB",
    ));
    let (begun, used) = (Instant::now(), cpu_seconds(control.process())?);
    tokio::time::sleep(AT_REST).await;
    let used = cpu_seconds(control.process())? - used;
    let share = 100.0 * used / begun.elapsed().as_secs_f64();
    report(Figure::new(
        "links-1000",
        "processor at rest",
        share,
        "% of a core",
    ));
    ensure!(links.up() == AGENTS, "only {} links are left", links.up());
    Ok(())
}

/// Kills control, starts it again after [`AWAY`], and measures until all links are up.
pub async fn restart(lab: &Lab, report: &mut impl FnMut(Figure)) -> Result<()> {
    let mut control = quiet_control(lab)?;
    let swarm = Swarm::enroll(&control.client()?, AGENTS).await?;
    let links = swarm.link();
    links.all_up(seconds(60.0)).await?;
    control.kill()?;
    tokio::time::sleep(AWAY).await;
    let begun = Instant::now();
    control.start_again()?;
    report(Figure::new(
        "restart-1000",
        "control ready",
        begun.elapsed().as_secs_f64(),
        "s",
    ));
    links.all_up(seconds(60.0)).await?;
    report(Figure::new(
        "restart-1000",
        "all back",
        begun.elapsed().as_secs_f64(),
        "s",
    ));
    let online = online(&control.client()?).await?;
    ensure!(online == AGENTS, "control shows {online} as online");
    Ok(())
}

async fn online(client: &Client) -> Result<usize> {
    use flotilla_protocol::{api::ListDevices, device::DeviceStatus};
    let devices = client.send(&ListDevices).await?.items;
    Ok(devices
        .iter()
        .filter(|device| device.status == DeviceStatus::Online)
        .count())
}

fn quiet_control(lab: &Lab) -> Result<Control> {
    ControlSetup {
        log: "warn".to_owned(),
        ..ControlSetup::new(lab)?
    }
    .start()
}

/// Waits until control has processed all first reports: it uses at most 5 % of a core for a second.
async fn wait_until_at_rest(control: &Control) -> Result<()> {
    crate::eventually::eventually("control is at rest", seconds(60.0), async || {
        let before = cpu_seconds(control.process())?;
        tokio::time::sleep(Duration::from_secs(1)).await;
        let used = cpu_seconds(control.process())? - before;
        ensure!(used <= 0.05, "{used} s in a second");
        Ok(())
    })
    .await
}

/// Resident memory in KiB per connection that has completed its TLS handshake and sent nothing since.
async fn bare_tls(control: &Control) -> Result<f64> {
    let trust = ControlTrust {
        ca_pin: control.ready()?.ca_pin.parse()?,
        fleet: None,
    };
    let connector = TlsConnector::from(agent_config(trust, None, Clock::new(clock::now))?);
    // The first connections of a process allocate much that later ones share.
    drop(connect(&connector, 50).await?);
    let before = resident_kib(control.process())?;
    // Control closes them after ten seconds, which is longer than this measurement takes.
    let held = connect(&connector, AGENTS).await?;
    let each = (resident_kib(control.process())? - before) / AGENTS as f64;
    drop(held);
    Ok(each)
}

async fn connect(connector: &TlsConnector, count: usize) -> Result<Vec<TlsStream<TcpStream>>> {
    let connector = Arc::new(connector.clone());
    let mut held = Vec::with_capacity(count);
    for _ in 0..count {
        let tcp = TcpStream::connect("10.77.0.2:7443").await?;
        held.push(connector.connect(ServerName::try_from("control")?, tcp).await?);
    }
    Ok(held)
}
