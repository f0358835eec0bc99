//! `GET /agent/v1/link`: admits a device's link, or says why not.

use super::credential::{self, Machine};
use crate::{
    change::devices,
    core::Core,
    effects::carry_out,
    hub::{self, Arrival},
    refusal::Refusal,
};
use axum::{
    Extension,
    extract::{State, WebSocketUpgrade, ws::rejection::WebSocketUpgradeRejection},
    response::Response,
};
use flotilla_fleet::{Holder, admission::AdmissionError, check_protocol};
use flotilla_link::Caller;
use flotilla_protocol::{
    Code, Problem,
    agent::{HOSTNAME_HEADER, MACHINE_HEADER, PROTOCOL_HEADER, RUN_HEADER},
    text::shown,
};
use http::HeaderMap;
use std::sync::Arc;

/// A host name of 253 characters is the longest there is (RFC 1035 §2.3.4).
const NAME_CHARS: usize = 253;

pub(super) async fn open(
    State(core): State<Arc<Core>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    socket: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Refusal> {
    let header = |name| {
        let value = headers
            .get(name)
            .map(|value| value.as_bytes())
            .unwrap_or_default();
        // A host name may contain bytes that are not ASCII, and people read it.
        shown(&String::from_utf8_lossy(value), NAME_CHARS)
    };
    let machine = Machine {
        id: header(MACHINE_HEADER),
        hostname: header(HOSTNAME_HEADER),
        run: header(RUN_HEADER),
    };
    let row = credential::device(&core, &caller, Some(&machine)).await?;
    // Agents of the first versions send no header, and name their protocol in the first report.
    if let Ok(protocol) = header(PROTOCOL_HEADER).parse() {
        check_protocol(protocol).map_err(Problem::from)?;
    }
    let socket = match socket {
        Ok(socket) => socket,
        Err(_) => {
            return Err(Refusal(
                Code::InvalidInput.because("This address only opens links: it needs a WebSocket upgrade."),
            ));
        }
    };
    let holder = Holder {
        run: machine.run,
        hostname: machine.hostname,
        address: credential::address(&caller),
    };
    if let Some(other) = core.links.handle_holder(row.id, holder.clone()) {
        let effects = devices::contest(&core, row.id, [other, holder]).await;
        carry_out(&core, effects).await;
        return Err(Problem::from(AdmissionError::Contested).into());
    }
    let fingerprint = caller
        .certificate
        .map(|certificate| certificate.fingerprint)
        .unwrap_or_default();
    let arrival = Arrival {
        device: row.id,
        number: core.links.next_number(),
        remote: caller.remote,
        fingerprint,
    };
    let links = core.tasks.clone();
    Ok(flotilla_link::upgrade(socket, move |link| {
        links.track_future(hub::run(core, arrival, link))
    }))
}
