//! A stream for tests: control opens a stream of numbers at a device, and passes each on to its own caller.

use crate::{
    api::{
        caller::OnDevice,
        route::{Needs, Route},
        streams::StreamSocket,
        table::guarded,
    },
    core::Core,
};
use axum::{Router, extract::State, response::Response};
use bytes::Bytes;
use flotilla_link::CallError;
use flotilla_protocol::{
    Problem,
    api::Verb,
    id::DeviceId,
    stream::{Malformed, Payload, Streaming},
};
use serde::{Deserialize, Serialize};
use std::{sync::Arc, time::Duration};

/// Numbers from one on, as 1,000 bytes each, and then what the caller says, until it says no more.
#[derive(Debug)]
pub(crate) enum Numbers {}

#[derive(Debug, Clone, Default, Serialize, Deserialize, utoipa::ToSchema)]
pub(crate) struct Wanted {
    pub(crate) from: u64,
    /// The first number that is not sent.
    pub(crate) most: u64,
}

const ANSWER: Duration = Duration::from_secs(10);

/// Bytes of all values behind each number.
const WIDTH: usize = 992;

#[derive(Debug, Clone, Copy, PartialEq, utoipa::ToSchema)]
pub(crate) struct Number(pub(crate) u64);

impl Payload for Number {
    fn write(&self) -> Result<(u8, Bytes), Malformed> {
        let pattern = (0..WIDTH).map(|at| (self.0 as usize + at) as u8);
        Ok((3, self.0.to_be_bytes().into_iter().chain(pattern).collect()))
    }

    fn read(_: u8, body: &Bytes) -> Result<Option<Self>, Malformed> {
        let number = body.first_chunk().map(|number| Self(u64::from_be_bytes(*number)));
        let number = number.filter(|number| number.write().is_ok_and(|(_, whole)| whole == body));
        number.map(Some).ok_or(Malformed::Body("no number".into()))
    }
}

impl Streaming for Numbers {
    type At = DeviceId;
    type Open = Wanted;
    type Up = Number;
    type Item = Number;
    type End = u64;
    const PATH: &'static str = "/numbers/{device}";

    fn path(device: &DeviceId) -> String {
        format!("/numbers/{device}")
    }

    fn advance(open: &mut Wanted, number: &Number) {
        open.from = number.0 + 1;
    }
}

/// Control's route of the stream.
pub(in crate::api) fn route() -> Route {
    Route::stream::<Numbers, _>(Needs::OnDevice(Verb::View), "Counts", pass_on)
}

pub(crate) fn router(core: &Arc<Core>) -> Router {
    guarded(core, vec![route()]).with_state(core.clone())
}

async fn pass_on(
    State(core): State<Arc<Core>>,
    OnDevice(device): OnDevice,
    socket: StreamSocket<Numbers>,
) -> Response {
    let opener = socket.opener();
    socket.serve(move |open, up, out| async move {
        let Some(link) = core.links.lookup(device) else {
            return Problem::from(CallError::Closed).into();
        };
        match link.open::<Numbers>(&device, open, &opener, ANSWER).await {
            Ok(stream) => stream.pass_on(up, out).await,
            Err(error) => Problem::from(error).into(),
        }
    })
}
