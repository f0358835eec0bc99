//! Streams of the controller: a WebSocket each, for as long as what opened it is there. The frames on it are those of
//! [`flotilla_protocol::stream`].
//!
//! Life cycle: connecting → open is sent → items → one end, after which the socket is closed. A socket that is silent for
//! longer than five beats, or closes without an end, ended because a connection is gone.

use crate::{browser, clock, session};
use flotilla_protocol::{
    api::{BEAT, PREFIX},
    stream::{End, Event, Frame, Reader, Streaming},
};
use leptos::{leptos_dom::helpers::IntervalHandle, prelude::set_interval_with_handle};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_sys::{BinaryType, MessageEvent, WebSocket};

/// Seconds without a frame after which a stream is lost.
const SILENCE: i64 = 5 * BEAT.as_secs().cast_signed();

/// What is heard of a stream.
#[derive(Debug)]
pub enum Heard<S: Streaming> {
    /// It is open, and there is nothing new.
    Beat,
    Item(S::Item),
    /// The last thing, with what to open to go on where it ended.
    End {
        end: End<S::End>,
        again: S::Open,
    },
}

/// An open stream. Dropping it closes it, and nothing more is heard.
#[derive(Debug)]
pub struct OpenStream {
    socket: WebSocket,
    watch: Option<IntervalHandle>,
    _on_message: Closure<dyn Fn(MessageEvent)>,
    _on_open_and_close: [Closure<dyn Fn()>; 2],
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        self.socket.set_onopen(None);
        self.socket.set_onmessage(None);
        self.socket.set_onclose(None);
        self.socket.close().ok();
        if let Some(watch) = self.watch.take() {
            watch.clear();
        }
    }
}

/// Opens a stream; `None` where the browser refuses to.
pub fn open<S: Streaming>(
    at: &S::At,
    open: S::Open,
    heard: impl Fn(Heard<S>) + 'static,
) -> Option<OpenStream> {
    let first = Frame::open::<S>(&open).and_then(|frame| frame.to_bytes()).ok()?;
    let address = browser::socket_address(&format!("{PREFIX}{}", S::path(at)))?;
    let protocols: js_sys::Array = session::stream_protocols().iter().map(JsValue::from).collect();
    let socket = WebSocket::new_with_str_sequence(&address, &protocols).ok()?;
    socket.set_binary_type(BinaryType::Arraybuffer);
    let hearing = Rc::new(Hearing {
        reader: RefCell::new(Some(Reader::<S>::new(open))),
        alive: Cell::new(clock::now().as_second()),
        heard,
    });

    let (opened, own) = (hearing.clone(), socket.clone());
    let on_open = Closure::<dyn Fn()>::new(move || {
        opened.alive.set(clock::now().as_second());
        own.send_with_u8_array(&first).ok();
    });
    let told = hearing.clone();
    let on_message = Closure::<dyn Fn(MessageEvent)>::new(move |event: MessageEvent| {
        let bytes = js_sys::Uint8Array::new(&event.data()).to_vec();
        told.hear(&bytes);
    });
    let closed = hearing.clone();
    let on_close = Closure::<dyn Fn()>::new(move || closed.lose());
    socket.set_onopen(Some(on_open.as_ref().unchecked_ref()));
    socket.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
    socket.set_onclose(Some(on_close.as_ref().unchecked_ref()));
    let watch = move || {
        if clock::now().as_second() - hearing.alive.get() >= SILENCE {
            hearing.lose();
        }
    };
    Some(OpenStream {
        socket,
        watch: set_interval_with_handle(watch, BEAT).ok(),
        _on_message: on_message,
        _on_open_and_close: [on_open, on_close],
    })
}

/// What arrives, until the end.
struct Hearing<S: Streaming, F> {
    /// `None` after the end.
    reader: RefCell<Option<Reader<S>>>,
    /// When something last arrived, in seconds since 1970.
    alive: Cell<i64>,
    heard: F,
}

impl<S: Streaming, F: Fn(Heard<S>)> Hearing<S, F> {
    fn hear(&self, bytes: &[u8]) {
        self.alive.set(clock::now().as_second());
        if !self.read(|reader| reader.handle_bytes(bytes)) {
            (self.heard)(Heard::Beat);
        }
    }

    fn lose(&self) {
        self.read(Reader::handle_lost);
    }

    /// Tells the reader what happened, and passes on what that gives. Answers whether that was anything; after the end
    /// it is not asked.
    fn read(&self, happened: impl FnOnce(&mut Reader<S>)) -> bool {
        match self.reader.borrow_mut().as_mut() {
            Some(reader) => happened(reader),
            None => return true,
        }
        let mut gave = false;
        loop {
            // Who hears an item may close the stream, so nothing is borrowed meanwhile.
            let event = self.reader.borrow_mut().as_mut().and_then(Reader::poll_event);
            gave |= event.is_some();
            match event {
                Some(Event::Item(item)) => (self.heard)(Heard::Item(item)),
                Some(Event::End(end)) => {
                    if let Some(reader) = self.reader.take() {
                        let again = reader.into_open();
                        (self.heard)(Heard::End { end, again });
                    }
                }
                None => return gave,
            }
        }
    }
}
