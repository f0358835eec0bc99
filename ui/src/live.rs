//! The live stream: one WebSocket that keeps the store true, for as long as the page is open.
//!
//! Life cycle: connecting → held → lost → connecting …; every connection starts with a `reset` frame, so a gap is closed
//! by loading again what was loaded before. Control never stays silent for long, so silence is a loss too. While it is
//! lost, the store says since when, and when the next attempt comes.

use crate::{
    browser, clock,
    session::{self, Session},
    store::{Contact, Store},
    wire,
};
use flotilla_protocol::{
    Timestamp,
    api::{BEAT, PREFIX},
};
use leptos::{leptos_dom::helpers::TimeoutHandle, prelude::*};
use std::time::Duration;
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_sys::{MessageEvent, WebSocket};

/// A stream that is silent for so many seconds is lost, whatever its socket says: a few of control's beats.
const SILENCE: i64 = 5 * BEAT.as_secs().cast_signed();

/// Frames that cannot be read make the page load everything again this often at most, in seconds.
const UNREADABLE: i64 = 30;

/// The stream's controls, for whoever wants it back sooner.
#[derive(Debug, Clone, Copy)]
pub struct Live {
    store: Store,
    state: StoredValue<State, LocalStorage>,
}

#[derive(Debug, Default)]
struct State {
    socket: Option<WebSocket>,
    /// Attempts that failed since the stream last held.
    failures: u32,
    last_frame_at: Option<Timestamp>,
    /// When the socket was opened or last brought a frame.
    socket_alive_at: Option<Timestamp>,
    /// The stream held before, so its next beginning closes a gap.
    held_before: bool,
    /// When an unreadable frame last made the page load everything again.
    reloaded_at: Option<Timestamp>,
    timer: Option<TimeoutHandle>,
}

impl Live {
    /// Makes the stream known to the components below; [`Live::start`] opens it.
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

    /// Opens the stream, at once even when an attempt was due later. Without a session there is none to open.
    pub fn start(self) {
        if self.store.session.get_untracked() == Session::Missing {
            return;
        }
        let timer = self.state.try_update_value(|state| state.timer.take()).flatten();
        if let Some(timer) = timer {
            timer.clear();
        }
        let address = browser::socket_address(&format!("{PREFIX}/live"));
        let protocols: js_sys::Array = session::live_protocols().iter().map(JsValue::from).collect();
        let open = |address: String| WebSocket::new_with_str_sequence(&address, &protocols).ok();
        let Some(socket) = address.and_then(open) else {
            self.on_loss();
            return;
        };
        self.listen(&socket);
        let old = self
            .state
            .try_update_value(|state| {
                state.socket_alive_at = Some(clock::now());
                state.socket.replace(socket)
            })
            .flatten();
        if let Some(old) = old {
            abandon(&old);
        }
    }

    fn notice_silence(self, now: Timestamp) {
        let silent = self
            .state
            .try_update_value(|state| {
                let socket_alive_at = state.socket_alive_at?;
                (now.as_second() - socket_alive_at.as_second() >= SILENCE).then(|| state.socket.take())?
            })
            .flatten();
        if let Some(socket) = silent {
            abandon(&socket);
            self.on_loss();
        }
    }

    fn listen(self, socket: &WebSocket) {
        let frame_listener =
            Closure::<dyn Fn(MessageEvent)>::new(move |event: MessageEvent| self.on_frame(&event));
        let close_listener = Closure::<dyn Fn()>::new(move || self.on_loss());
        socket.set_onmessage(Some(frame_listener.as_ref().unchecked_ref()));
        socket.set_onclose(Some(close_listener.as_ref().unchecked_ref()));
        // One pair per connection; the browser holds them for as long as the socket lives.
        frame_listener.forget();
        close_listener.forget();
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
        // A frame that this build cannot read is of a newer controller; the page stays true by loading again.
        let taken = wire::live_frame(&text).and_then(|frame| {
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
        let (failures, last) = self
            .state
            .try_update_value(|state| {
                state.socket = None;
                state.failures += 1;
                (state.failures, state.last_frame_at.unwrap_or(now))
            })
            .unwrap_or((1, now));
        let wait = wait_after(failures);
        let retry = now.checked_add(wait).unwrap_or(now);
        self.store.contact.set(Contact::Lost { last, retry });
        // A lost session looks like a lost controller to a socket; asking by REST tells them apart.
        self.store.load_fleet();
        let timer = set_timeout_with_handle(move || self.start(), wait).ok();
        self.state.try_update_value(|state| state.timer = timer);
    }
}

/// Closes a socket whose end is no news any more.
fn abandon(socket: &WebSocket) {
    socket.set_onmessage(None);
    socket.set_onclose(None);
    socket.close().ok();
}

#[must_use]
pub fn use_live() -> Live {
    expect_context()
}

/// How long to wait after so many failures in a row: the controller is on this computer more often than not, so an
/// attempt costs nothing and a quick one is noticed.
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
