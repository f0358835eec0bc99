//! The live stream of a running control: what a page is sent, which callers are refused, and what is kept for a
//! page that does not read.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use flotilla_client::Live;
use flotilla_protocol::agent::Report;
use flotilla_protocol::api::{AddDevice, LiveFrame, Resource};
use flotilla_protocol::inventory::{Item, Volume};
use flotilla_tests::eventually::seconds;
use flotilla_tests::flotilla::Control;
use flotilla_tests::lab::{Lab, on};
use flotilla_tests::live_reader::LiveReader;
use flotilla_tests::reporting_device::reporting_device;
use futures_util::StreamExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Devices that change all of their volumes, one after the other. Each has two turns: control sends pages no more
/// changes of one device than those at once.
const DEVICES: usize = 10;

/// Volumes on each device, each of which makes a frame of 4 KB.
const VOLUMES: usize = 250;

/// Turns while the page does not read. They are far more than all buffers on the way hold, and end well before control
/// closes a page that has read nothing for half a minute.
const ROUNDS: usize = 2 * DEVICES;

async fn next(live: &mut Live) -> Result<LiveFrame> {
    let frame = timeout(seconds(10.0), live.next())
        .await
        .context("no frame came")?;
    Ok(frame.context("the stream ended")??)
}

#[test]
fn a_page_hears_a_reset_first_and_then_every_change() -> Result<()> {
    on(Lab::without_engines(0)?, async |lab| {
        let control = Control::start(lab)?;
        control.add("before").await?;
        let mut live = control.client()?.live().await?;
        let first = next(&mut live).await?;
        ensure!(
            first.reset && first.upsert.is_none() && first.remove.is_none(),
            "{first:?}"
        );

        control.add("nas").await?;
        let mut last = first.seq;
        loop {
            let frame = next(&mut live).await?;
            ensure!(frame.seq == last + 1 && !frame.reset, "{frame:?} after {last}");
            last = frame.seq;
            if let Some(Resource::Device(device)) = frame.upsert
                && device.name.as_str() == "nas"
            {
                return Ok(());
            }
        }
    })
}

/// Asks for an upgrade with these headers; returns the first line of the answer.
async fn upgrade(address: &str, headers: &str) -> Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!(
        "GET /api/v1/live HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{headers}\r\n"
    );
    stream.write_all(request.as_bytes()).await?;
    let mut head = [0; 32];
    timeout(seconds(5.0), stream.read_exact(&mut head)).await??;
    Ok(String::from_utf8_lossy(&head)
        .lines()
        .next()
        .unwrap_or_default()
        .to_owned())
}

#[test]
fn a_foreign_page_and_a_caller_without_a_token_hear_nothing() -> Result<()> {
    on(Lab::without_engines(0)?, async |lab| {
        let control = Control::start(lab)?;
        let client = control.client()?;
        let address = client.address();
        let token = token(&control)?;
        let own = format!("Authorization: Bearer {token}\r\nOrigin: http://{address}\r\n");
        ensure!(upgrade(address, &own).await?.starts_with("HTTP/1.1 101"));
        let foreign = own.replace(&format!("http://{address}"), "http://elsewhere.example");
        ensure!(upgrade(address, &foreign).await?.starts_with("HTTP/1.1 403"));
        ensure!(upgrade(address, "").await?.starts_with("HTTP/1.1 401"));
        ensure!(
            upgrade(address, "Authorization: Bearer x\r\n")
                .await?
                .starts_with("HTTP/1.1 401")
        );
        Ok(())
    })
}

fn token(control: &Control) -> Result<String> {
    let file = std::fs::read_to_string(control.data_dir().join("api.json"))?;
    let file: serde_json::Value = serde_json::from_str(&file)?;
    Ok(file["token"].as_str().context("no token")?.to_owned())
}

#[test]
fn a_page_that_stops_reading_is_told_to_load_again_and_little_is_kept_for_it() -> Result<()> {
    on(Lab::without_engines(0)?, async |lab| {
        let control = Control::start(lab)?;
        let mut devices = Vec::new();
        for number in 0..DEVICES {
            let device = AddDevice {
                name: Some(format!("busy-{number}")),
                ..AddDevice::default()
            };
            devices.push(reporting_device(&control, device).await?);
        }
        let mut live = control.client()?.live().await?;
        ensure!(next(&mut live).await?.reset);
        // A second page goes on reading, and misses nothing.
        let mut reading = LiveReader::open(&control.client()?).await?;
        for round in 0..ROUNDS {
            devices[round % DEVICES].send(volumes(round)).await?;
            reading
                .upsert("the round is over", seconds(20.0), |resource| {
                    matches!(resource, Resource::Volume(row)
                        if row.item.name == name(VOLUMES - 1) && row.item.mountpoint == mountpoint(round))
                })
                .await?;
        }
        let mut seen = 0;
        let again = loop {
            let frame = next(&mut live).await?;
            seen += 1;
            if frame.reset {
                break frame;
            }
        };
        // What the page gets before it is told was on its way, in the buffers of both ends and of the system. The frames
        // that control itself keeps for pages that are behind come after that.
        ensure!(
            seen < VOLUMES * ROUNDS / 2,
            "{seen} of {} frames had been kept for a page that read none",
            VOLUMES * ROUNDS
        );
        ensure!(next(&mut live).await?.seq == again.seq + 1);
        Ok(())
    })
}

/// A report of all volumes of a device, with values of this round.
fn volumes(round: usize) -> Report {
    let volume = |number| {
        Item::Volume(Volume {
            name: name(number),
            driver: "local".to_owned(),
            mountpoint: mountpoint(round),
            created: None,
            used_by: Vec::new(),
            stack: None,
            labels: BTreeMap::new(),
        })
    };
    Report::Upsert {
        items: (0..VOLUMES).map(volume).collect(),
    }
}

fn name(number: usize) -> String {
    format!("volume-{number}")
}

fn mountpoint(round: usize) -> String {
    format!("/round/{round}/{}", "x".repeat(4000))
}
