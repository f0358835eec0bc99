//! One link, from its admission to its end.

use super::{
    map_push,
    reports::{apply_reports, save},
    round_trip,
    settings::send_settings,
};
use crate::{
    cache::LinkUp, change::devices, core::Core, effects::carry_out, links::AttachedLink,
    report::SENTENCE_CHARS,
};
use flotilla_fleet::PresenceState;
use flotilla_link::{AgentLink, LinkEnd};
use flotilla_protocol::{agent::WATCH_PATH, device::LinkDrop, id::DeviceId, text::shown};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::time::{Instant, timeout};

/// How long an agent may take to begin its answer to a short call.
const ANSWER: Duration = Duration::from_secs(10);

/// How much later than its streams a link may notice its own end.
const LINK_END: Duration = Duration::from_millis(100);

/// What a link costs of its device's pace, as bytes of reports. Records are written when it begins and ends, and all
/// that is kept of the device is compared and published.
const LINK_COST: usize = 256 * 1024;

/// A link that its route let in.
#[derive(Debug)]
pub(crate) struct Arrival {
    pub(crate) device: DeviceId,
    /// From [`crate::links::Links::next_number`].
    pub(crate) number: u64,
    pub(crate) remote: SocketAddr,
    /// The fingerprint of the certificate that the link was made with.
    pub(crate) fingerprint: String,
}

/// Runs a link until either side ends it.
pub(crate) async fn run(core: Arc<Core>, arrival: Arrival, link: AgentLink) {
    let device = arrival.device;
    // The device may have been revoked, replaced or removed after the route's check. Then the link that it has stays.
    let is_admitted =
        admit(&core, device, &arrival.fingerprint).await && wait_for_turn(&core, device, &link).await;
    let attached = is_admitted.then(|| attach(&core, &arrival, &link)).flatten();
    let Some(attached) = attached else {
        link.abort();
        return;
    };
    handle_up(&core, &arrival, attached.number).await;
    let end = tokio::select! {
        end = link.closed() => end,
        end = run_link(&core, device, &attached) => close_broken(&link, end).await,
        () = core.stop.cancelled() => { link.abort(); LinkEnd::Stopped }
    };
    handle_down(&core, device, &attached, &end).await;
}

async fn admit(core: &Core, device: DeviceId, fingerprint: &str) -> bool {
    let Some(effects) = devices::admit(core, device, fingerprint).await else {
        return false;
    };
    carry_out(core, effects).await;
    true
}

/// Makes an admitted link the device's, unless its certificate was replaced or revoked while it waited, or a newer link
/// came. The cache is locked from the check to the end, so that neither can happen between.
fn attach(core: &Core, arrival: &Arrival, link: &AgentLink) -> Option<AttachedLink> {
    let state = core.cache.lock();
    let is_trusted = state
        .device(arrival.device)
        .is_some_and(|entry| entry.row.trusts(&arrival.fingerprint));
    let attach = || core.links.attach(arrival.device, arrival.number, link.clone());
    is_trusted.then(attach).flatten()
}

/// Makes a device wait that connects again and again; false when its link ends meanwhile.
async fn wait_for_turn(core: &Core, device: DeviceId, link: &AgentLink) -> bool {
    let wait = {
        let mut state = core.cache.lock();
        let entry = state.device(device);
        let held = entry.map_or(0, |entry| entry.last_report.inventory.weight());
        state.pace(device, LINK_COST + held / 4, core.clock.now())
    };
    if wait.is_zero() {
        return true;
    }
    let waited = core.stop.run_until_cancelled(timeout(wait, link.closed())).await;
    !matches!(waited, Some(Ok(_)))
}

async fn handle_up(core: &Core, arrival: &Arrival, number: u64) {
    let since = core.clock.now();
    let remote = arrival.remote.ip().to_canonical().to_string();
    tracing::info!(device.id = %arrival.device, link.remote = %remote, "link up");
    let link = LinkUp {
        since,
        remote: remote.clone(),
        rtt_ms: None,
    };
    let before = core.cache.lock().link_up(arrival.device, number, link);
    core.jobs.handle_link_up(arrival.device);
    let returned = before != PresenceState::Offline;
    let effects = devices::came_online(core, arrival.device, &remote, returned).await;
    carry_out(core, effects).await;
}

async fn handle_down(core: &Core, device: DeviceId, attached: &AttachedLink, end: &LinkEnd) {
    if !core.links.detach(device, attached.number) {
        return;
    }
    tracing::info!(device.id = %device, link.end = %end, "link down");
    let drop = LinkDrop {
        at: core.clock.now(),
        reason: shown(&end.to_string(), SENTENCE_CHARS),
    };
    core.cache
        .lock()
        .link_down(device, attached.number, drop, Instant::now().into_std());
    core.jobs.handle_link_down(device, core.moment());
    core.timers_changed.notify_one();
    save(core, device).await;
}

/// Ends a link with a broken stream. A stream often breaks because the link ends, and then the link's own reason is the
/// better one.
async fn close_broken(link: &AgentLink, end: LinkEnd) -> LinkEnd {
    let own = timeout(LINK_END, link.closed()).await;
    link.abort();
    own.unwrap_or(end)
}

/// Runs everything that an attached link carries, until one of it ends.
async fn run_link(core: &Core, device: DeviceId, attached: &AttachedLink) -> LinkEnd {
    let reports = match attached.link.stream(WATCH_PATH, ANSWER).await {
        Ok(reports) => reports,
        Err(error) => return LinkEnd::Broken(format!("no reports: {error}")),
    };
    tokio::select! {
        reason = apply_reports(core, device, reports) => LinkEnd::Broken(reason),
        () = send_settings(core, device, attached) => LinkEnd::Stopped,
        never = round_trip::measure(core, device, &attached.link) => match never {},
        never = map_push::push_map(core, device, &attached.link) => match never {},
    }
}
