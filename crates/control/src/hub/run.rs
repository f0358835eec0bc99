//! One link from its first byte to its last.

use super::{Attached, round_trip};
use crate::{
    cache::{Heard, LinkUp},
    core::Core,
    mesh, roster,
};
use bytes::{Buf, BytesMut};
use flotilla_fleet::PresenceState;
use flotilla_link::{AgentLink, LinkEnd, LongStream};
use flotilla_protocol::{
    agent::{Report, SETTINGS_PATH, Settings, WATCH_PATH},
    device::LinkDrop,
    id::DeviceId,
};
use futures_util::StreamExt;
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::time::{Instant, sleep_until, timeout};

/// How long an agent may take to begin its answer to a short call.
const ANSWER: Duration = Duration::from_secs(10);

/// How old the stored copy of what is known may get, and how often changing figures are shown. Only the first
/// inventory of a link is stored at once: before it, the copy knows nothing or is of another day.
const SETTLE: Duration = Duration::from_secs(5);

/// How much later than its streams a link may notice its own end.
const LINK_END: Duration = Duration::from_millis(100);

/// Longest report that is read. A full inventory of 2,000 containers is about 2 MB.
const REPORT_BYTES: usize = 16 * 1024 * 1024;

/// A device whose link was let in.
#[derive(Debug)]
pub(crate) struct Arrival {
    pub(crate) device: DeviceId,
    /// From [`super::Hub::next_number`].
    pub(crate) number: u64,
    pub(crate) remote: SocketAddr,
    /// Of the certificate that the link was made with.
    pub(crate) fingerprint: String,
}

/// Runs a link until it ends, whichever side ends it.
pub(crate) async fn run(core: Arc<Core>, arrival: Arrival, link: AgentLink) {
    let device = arrival.device;
    let Some(attached) = core.hub.attach(device, arrival.number, link.clone()) else {
        link.abort();
        return;
    };
    if !roster::admit(&core, device, &arrival.fingerprint).await {
        // Revoked or replaced between the route's check and now.
        link.abort();
        core.hub.detach(device, attached.number);
        return;
    }
    up(&core, &arrival, attached.number).await;
    let end = tokio::select! {
        end = link.closed() => end,
        end = converse(&core, device, &attached) => ended(&link, end).await,
        () = core.stop.cancelled() => { link.abort(); LinkEnd::Stopped }
    };
    down(&core, device, &attached, &end).await;
}

async fn up(core: &Core, arrival: &Arrival, number: u64) {
    let since = core.clock.now();
    let remote = arrival.remote.ip().to_canonical().to_string();
    tracing::info!(device.id = %arrival.device, link.remote = %remote, "link up");
    let link = LinkUp {
        since,
        remote: remote.clone(),
        rtt_ms: None,
    };
    let before = core.cache.lock().link_up(arrival.device, number, link);
    roster::came_online(core, arrival.device, &remote, before != PresenceState::Offline).await;
}

async fn down(core: &Core, device: DeviceId, attached: &Attached, end: &LinkEnd) {
    if !core.hub.detach(device, attached.number) {
        return;
    }
    tracing::info!(device.id = %device, link.end = %end, "link down");
    let drop = LinkDrop {
        at: core.clock.now(),
        reason: end.to_string(),
    };
    core.cache
        .lock()
        .link_down(device, attached.number, drop, Instant::now().into_std());
    core.sooner.notify_one();
    save(core, device).await;
}

/// Ends a link whose conversation is over. A stream that breaks is often the first sign of a link that ends, and
/// then the link knows better why.
async fn ended(link: &AgentLink, end: LinkEnd) -> LinkEnd {
    let own = timeout(LINK_END, link.closed()).await;
    link.abort();
    own.unwrap_or(end)
}

/// Tells the agent what it must know and hears what it reports.
async fn converse(core: &Core, device: DeviceId, attached: &Attached) -> LinkEnd {
    let reports = match attached.link.stream(WATCH_PATH, ANSWER).await {
        Ok(reports) => reports,
        Err(error) => return LinkEnd::Broken(format!("no reports: {error}")),
    };
    tokio::select! {
        reason = hear(core, device, reports) => LinkEnd::Broken(reason),
        () = tell(core, device, attached) => LinkEnd::Stopped,
        never = round_trip::measure(core, device, &attached.link) => match never {},
        never = mesh::push(core, device, &attached.link) => match never {},
    }
}

/// Sends settings now and whenever they change. An agent that refuses them keeps the ones it has.
async fn tell(core: &Core, device: DeviceId, attached: &Attached) {
    loop {
        let now = core.clock.now();
        let told = {
            let state = core.cache.lock();
            let entry = state.device(device);
            entry.map(|entry| (entry.row.name.clone(), mesh::duty(&state, entry, now)))
        };
        let Some((device_name, relay)) = told else {
            return;
        };
        let settings = Settings {
            device_name,
            endpoints: core.endpoints_of(device),
            sent_at: now,
            relay,
        };
        let answer = attached
            .link
            .post::<serde_json::Value>(SETTINGS_PATH, &settings, ANSWER)
            .await;
        if let Err(error) = answer {
            tracing::warn!(device.id = %device, %error, "settings not taken");
        }
        attached.tell.notified().await;
    }
}

/// Applies reports until the stream ends; answers why it did.
async fn hear(core: &Core, device: DeviceId, mut reports: LongStream) -> String {
    let mut buffer = BytesMut::new();
    let mut save_at: Option<Instant> = None;
    let mut show_at: Option<Instant> = None;
    let mut shown = Instant::now() - SETTLE;
    let mut stocked = false;
    loop {
        tokio::select! {
            chunk = reports.next() => match chunk {
                Some(Ok(chunk)) => buffer.extend_from_slice(&chunk),
                Some(Err(error)) => return error.to_string(),
                None => return "the agent stopped reporting".to_owned(),
            },
            () = until(save_at) => {
                save_at = None;
                save(core, device).await;
            }
            () = until(show_at) => {
                show_at = None;
                shown = Instant::now();
                let (mut state, now) = (core.cache.lock(), core.clock.now());
                state.publish_device(device, now);
                state.publish_figures(device, now);
            }
        }
        loop {
            let report = match take_line(&mut buffer) {
                Ok(Some(report)) => report,
                Ok(None) => break,
                Err(reason) => return reason,
            };
            let stocks = matches!(report, Report::Inventory(_)) && !std::mem::replace(&mut stocked, true);
            match core.cache.lock().hear(device, report, core.clock.now()) {
                Heard::Changed if stocks => save_at = Some(Instant::now()),
                Heard::Changed => save_at = save_at.or(Some(Instant::now() + SETTLE)),
                Heard::Figures => show_at = show_at.or(Some(shown + SETTLE)),
                Heard::Nothing => {}
            }
        }
    }
}

async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

/// The next whole line of the buffer as a report.
fn take_line(buffer: &mut BytesMut) -> Result<Option<Report>, String> {
    let Some(end) = buffer.iter().position(|byte| *byte == b'\n') else {
        let within = buffer.len() <= REPORT_BYTES;
        return if within {
            Ok(None)
        } else {
            Err("a report is too long".to_owned())
        };
    };
    let line = buffer.split_to(end);
    buffer.advance(1);
    if buffer.is_empty() {
        // An idle link holds no buffer.
        *buffer = BytesMut::new();
    }
    match serde_json::from_slice(&line) {
        Ok(report) => Ok(Some(report)),
        Err(error) => Err(format!("a report can't be read: {error}")),
    }
}

/// Writes what is known of a device, so that its rows survive a restart.
async fn save(core: &Core, device: DeviceId) {
    let Some((known, seen)) = core
        .cache
        .lock()
        .device(device)
        .map(|entry| (entry.known.clone(), entry.row.last_seen))
    else {
        return;
    };
    let seen = seen.unwrap_or_else(|| core.clock.now());
    if let Err(error) = core.store.save_known(device, seen, &known).await {
        tracing::error!(device.id = %device, %error, "inventory not saved");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_are_cut_at_line_ends_wherever_the_chunks_end() {
        let mut buffer = BytesMut::from(&b"{\"report\":\"tides\"}\n{\"repo"[..]);
        assert_eq!(take_line(&mut buffer), Ok(Some(Report::Unknown)));
        assert_eq!(take_line(&mut buffer), Ok(None));
        buffer.extend_from_slice(b"rt\":\"tides\"}\n");
        assert_eq!(take_line(&mut buffer), Ok(Some(Report::Unknown)));
        assert!(buffer.is_empty() && buffer.capacity() == 0);
        buffer.extend_from_slice(b"nonsense\n");
        assert!(take_line(&mut buffer).is_err());
    }
}
