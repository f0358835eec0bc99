//! The live stream: a WebSocket by which the controller sends every change of what the store holds, for as long as the
//! page is open.
//!
//! Life cycle (`Contact`): connecting → held ⇄ lost, or connecting → lost. The first frame of a connection is a
//! `reset`. On the first connection it tells the collections from which frame on changes arrive; on a later one changes
//! may have been missed, so everything that was loaded is loaded again. The controller sends a beat at regular times,
//! so a silent stream counts as lost. While the stream is lost, the store says since when, and when the next attempt
//! comes.

use super::store::{Contact, LiveFrame, Store};
use crate::{
    browser, clock,
    session::{self, Session},
};
use flotilla_protocol::{
    Timestamp,
    api::{BEAT, PREFIX},
};
use gloo_timers::callback::Timeout;
use leptos::prelude::*;
use std::time::Duration;
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_sys::{MessageEvent, WebSocket};

/// A stream without a frame for this many seconds is lost, even if its socket is still open. Five of the controller's
/// beats, so that a late one is no loss.
const SILENCE: i64 = 5 * BEAT.as_secs().cast_signed();

/// Unreadable frames make the page load everything again at most once in this many seconds.
const UNREADABLE: i64 = 30;

/// The handle of the stream.
#[derive(Debug, Clone, Copy)]
pub struct Live {
    store: Store,
    state: StoredValue<State, LocalStorage>,
}

#[derive(Debug, Default)]
struct State {
    connection: Option<Connection>,
    /// Attempts that failed since the last frame.
    failures: u32,
    last_frame_at: Option<Timestamp>,
    /// When the socket was opened or last delivered a frame.
    socket_alive_at: Option<Timestamp>,
    /// A frame arrived before, so a `reset` frame means that changes may have been missed.
    held_before: bool,
    /// When an unreadable frame last made the page load everything again.
    reloaded_at: Option<Timestamp>,
    timer: Option<Timeout>,
}

/// A socket with its listeners. Dropping it closes the socket, and nothing of it is heard from then on.
#[derive(Debug)]
struct Connection {
    socket: WebSocket,
    _on_frame: Closure<dyn Fn(MessageEvent)>,
    _on_close: Closure<dyn Fn()>,
}

impl Connection {
    fn open(live: Live) -> Option<Self> {
        let address = browser::socket_address(&format!("{PREFIX}/live"))?;
        let protocols: js_sys::Array = session::live_protocols().iter().map(JsValue::from).collect();
        let socket = WebSocket::new_with_str_sequence(&address, &protocols).ok()?;
        let on_frame = Closure::<dyn Fn(MessageEvent)>::new(move |event: MessageEvent| live.on_frame(&event));
        let on_close = Closure::<dyn Fn()>::new(move || live.on_loss());
        socket.set_onmessage(Some(on_frame.as_ref().unchecked_ref()));
        socket.set_onclose(Some(on_close.as_ref().unchecked_ref()));
        Some(Self {
            socket,
            _on_frame: on_frame,
            _on_close: on_close,
        })
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.socket.set_onmessage(None);
        self.socket.set_onclose(None);
        self.socket.close().ok();
    }
}

impl Live {
    /// Provides the stream to the components below; [`Live::start`] opens it.
    pub fn provide(store: Store) -> Self {
        let live = Self {
            store,
            state: StoredValue::new_local(State::default()),
        };
        provide_context(live);
        let clock = clock::use_clock();
        Effect::new(move || live.notice_silence(clock.second.get()));
        live
    }

    /// Opens the stream at once, in place of an attempt that is due later. Does nothing without a session.
    pub fn start(self) {
        if self.store.session.get_untracked() == Session::Missing {
            return;
        }
        self.state.try_update_value(|state| state.timer = None);
        let Some(connection) = Connection::open(self) else {
            self.on_loss();
            return;
        };
        self.state.try_update_value(|state| {
            state.socket_alive_at = Some(clock::now());
            state.connection = Some(connection);
        });
    }

    fn notice_silence(self, now: Timestamp) {
        let silent = self.state.try_with_value(|state| {
            let since = state.socket_alive_at.filter(|_| state.connection.is_some());
            since.is_some_and(|since| now.as_second() - since.as_second() >= SILENCE)
        });
        if silent == Some(true) {
            self.on_loss();
        }
    }

    fn on_frame(self, event: &MessageEvent) {
        let now = clock::now();
        let held_before = self.state.try_update_value(|state| {
            state.failures = 0;
            state.last_frame_at = Some(now);
            state.socket_alive_at = Some(now);
            std::mem::replace(&mut state.held_before, true)
        });
        if self.store.contact.get_untracked() != Contact::Held {
            self.store.contact.set(Contact::Held);
        }
        let text = event.data().as_string().unwrap_or_default();
        // An unreadable frame comes from a newer controller. What it changed is read by loading everything again.
        let taken = serde_json::from_str::<LiveFrame<'_>>(&text).and_then(|frame| {
            if frame.reset && held_before == Some(false) {
                self.store.follow_from(frame.seq);
                return Ok(());
            }
            self.store.apply(frame)
        });
        if taken.is_err() {
            self.reload_after_unreadable(now);
        }
    }

    fn reload_after_unreadable(self, now: Timestamp) {
        let due = self.state.try_update_value(|state| {
            let due = state
                .reloaded_at
                .is_none_or(|at| now.as_second() - at.as_second() >= UNREADABLE);
            if due {
                state.reloaded_at = Some(now);
            }
            due
        });
        if due == Some(true) {
            self.store.reload();
        }
    }

    fn on_loss(self) {
        let now = clock::now();
        let (lost, failures, last) = self
            .state
            .try_update_value(|state| {
                state.failures += 1;
                (
                    state.connection.take(),
                    state.failures,
                    state.last_frame_at.unwrap_or(now),
                )
            })
            .unwrap_or((None, 1, now));
        drop(lost);
        let wait = wait_after(failures);
        let retry = now.checked_add(wait).unwrap_or(now);
        self.store.contact.set(Contact::Lost { last, retry });
        // A socket closes in the same way for an ended session and for a lost controller. A call tells which of the two
        // it is.
        self.store.load_caller();
        let wait = u32::try_from(wait.as_millis()).unwrap_or(u32::MAX);
        let timer = Timeout::new(wait, move || self.start());
        self.state.try_update_value(|state| state.timer = Some(timer));
    }
}

#[must_use]
pub fn use_live() -> Live {
    expect_context()
}

/// The time to wait after this many failures in a row, 1 to 5 s. The controller usually runs on this computer, so an
/// attempt costs little, and a quick one shows soon that it is back.
fn wait_after(failures: u32) -> Duration {
    Duration::from_secs(u64::from(failures.clamp(1, 5)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_stay_short() {
        let waits: Vec<_> = [0, 1, 2, 5, 9, u32::MAX].map(|n| wait_after(n).as_secs()).into();
        assert_eq!(waits, [1, 1, 2, 5, 5, 5]);
    }
}
