//! The relay's server: two UDP ports and a route for TLS legs, around one switchboard.
//!
//! Datagrams are received by a thread of their own, so that a busy relay slows nothing else in the process. TLS legs
//! are tasks of the server that serves the route. All share the switchboard behind a lock that is never held while
//! something is sent.

use crate::{
    CONNECT_PATH,
    switchboard::{Facts, Forward, Leg, Limits, Now, Switchboard, TlsLegId, Transmit, reflect},
    tls_leg::{self, IdentifyRequest},
    udp::{Batch, Udp},
};
use axum::{Router, routing::get};
use flotilla_identity::{Clock, MaterialError, TicketVerifier};
use flotilla_protocol::{id::DeviceId, key::PublicKey};
use flotilla_udp::Received;
use flotilla_wire::{Frame, MAX_CONTROL_LEN, StaticKey};
use rand::{TryRngCore, rngs::OsRng};
use std::{
    collections::BTreeMap,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::Instant,
};
use tokio::{runtime::Runtime, sync::Notify, time::sleep_until};
use tokio_util::sync::CancellationToken;

/// Batches that are received in a row before timers and legs get their turn.
const BATCHES: usize = 64;

/// How to run a relay.
#[derive(Debug)]
pub struct RelayConfig {
    /// The address of the UDP port for packets.
    pub udp: SocketAddr,
    /// A second UDP port, which only tells callers the address they are seen at. When it is taken, another free port
    /// is bound instead.
    pub reflect: Option<SocketAddr>,
    pub key: StaticKey,
    /// The certificate of the fleet's authority, DER; its tickets are accepted.
    pub authority: Vec<u8>,
    pub clock: Clock,
    pub limits: Limits,
}

/// Why a relay did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("UDP port {port} can't be listened on at {ip}: {source}", ip = address.ip(), port = address.port())]
    Listen { address: SocketAddr, source: io::Error },
    #[error("the certificate of the fleet's authority can't be used: {0}")]
    Authority(#[from] MaterialError),
    #[error("this computer has no random numbers to make sessions from")]
    Randomness,
    #[error("the relay's thread can't be started: {0}")]
    Thread(io::Error),
}

/// A running relay. Dropping it stops it.
#[derive(derive_more::Debug)]
#[debug("Relay({udp})")]
pub struct Relay {
    shared: Arc<Shared>,
    udp: SocketAddr,
    reflect: Option<SocketAddr>,
    thread: Option<JoinHandle<()>>,
}

/// The state that the thread and the TLS legs share.
pub(crate) struct Shared {
    switchboard: Mutex<Switchboard>,
    tls_legs: Mutex<BTreeMap<TlsLegId, Arc<Notify>>>,
    udp: Udp,
    clock: Clock,
    key: PublicKey,
    /// Signalled when the UDP socket did not take a whole run.
    blocked: Notify,
    pub(crate) stop: CancellationToken,
}

impl Relay {
    /// Binds the ports and starts to relay.
    ///
    /// # Errors
    /// See [`StartError`].
    pub fn start(config: RelayConfig) -> Result<Self, StartError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(StartError::Thread)?;
        let prepared = Prepared::bind(config, &runtime);
        let Prepared { shared, udp, reflect } = match prepared {
            Ok(prepared) => prepared,
            Err(error) => {
                // The caller may run in a runtime, in which dropping another runtime and waiting for it panics.
                runtime.shutdown_background();
                return Err(error);
            }
        };
        let (reflect, reflect_address) = reflect.unzip();
        let running = shared.clone();
        let thread = thread::Builder::new()
            .name("relay".to_owned())
            .spawn(move || runtime.block_on(run(&running, reflect)))
            .map_err(StartError::Thread)?;
        tracing::info!(relay.address = %udp, "relay ready");
        Ok(Self {
            shared,
            udp,
            reflect: reflect_address,
            thread: Some(thread),
        })
    }

    /// The route for TLS legs; `identify` reads from a request where it comes from.
    pub fn router<S: Clone + Send + Sync + 'static>(&self, identify: IdentifyRequest) -> Router<S> {
        let state = (self.shared.clone(), identify);
        Router::new()
            .route(CONNECT_PATH, get(tls_leg::connect))
            .with_state(state)
    }

    pub fn public_key(&self) -> PublicKey {
        self.shared.key
    }

    pub fn udp_address(&self) -> SocketAddr {
        self.udp
    }

    pub fn reflect_address(&self) -> Option<SocketAddr> {
        self.reflect
    }

    /// Refuses tickets for these keys from here on, and ends their sessions.
    pub fn revoke(&self, keys: impl IntoIterator<Item = PublicKey>) {
        self.shared.lock().revoke(keys, Instant::now());
        self.shared.send_answers();
    }

    /// Sets how many bytes per second are passed on, for all clients together.
    pub fn limit_line(&self, bytes_per_second: u64) {
        self.shared.lock().limit_line(bytes_per_second);
    }

    pub fn facts(&self) -> Facts {
        self.shared.lock().facts()
    }

    /// Tells the clients and ends soon after; dropping the relay waits for the end.
    pub fn stop(&self) {
        self.shared.stop.cancel();
    }
}

/// The bound sockets and the state, made before the thread starts so that errors reach the caller.
struct Prepared {
    shared: Arc<Shared>,
    udp: SocketAddr,
    reflect: Option<(Udp, SocketAddr)>,
}

impl Prepared {
    fn bind(config: RelayConfig, runtime: &Runtime) -> Result<Self, StartError> {
        let tickets = TicketVerifier::from_authority(&config.authority)?;
        let mut seed = [0; 32];
        OsRng
            .try_fill_bytes(&mut seed)
            .map_err(|_| StartError::Randomness)?;
        let _entered = runtime.enter();
        let (udp, address) = bind(config.udp)?;
        let reflect = config.reflect.map(bind_or_any_port).transpose()?;
        let key = config.key.public();
        let switchboard = Switchboard::new(config.key, tickets, config.limits, seed, Instant::now());
        let shared = Arc::new(Shared {
            switchboard: Mutex::new(switchboard),
            tls_legs: Mutex::default(),
            udp,
            clock: config.clock,
            key,
            blocked: Notify::new(),
            stop: CancellationToken::new(),
        });
        Ok(Self {
            shared,
            udp: address,
            reflect,
        })
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.stop();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the relay's thread had failed");
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Switchboard> {
        self.switchboard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Now {
        Now {
            at: Instant::now(),
            wall: self.clock.now(),
        }
    }

    /// Handles a run of datagrams and sends on what it leads to.
    pub(crate) fn handle_run(&self, from: Leg, run: &mut [u8], segment: usize, forwards: &mut Vec<Forward>) {
        forwards.clear();
        self.lock().handle_run(from, run, segment, self.now(), forwards);
        for forward in forwards.iter() {
            let part = run.get(forward.range.clone()).unwrap_or_default();
            let done = self.udp.send(forward.to, part, forward.segment);
            if done < part.len() {
                let mut rest = forward.clone();
                rest.range.start += done;
                self.lock().return_forward(&rest, run);
                self.blocked.notify_one();
            }
        }
        self.send_answers();
    }

    /// Sends answers by UDP and wakes TLS legs.
    pub(crate) fn send_answers(&self) {
        let mut switchboard = self.lock();
        let ready: Vec<_> = std::iter::from_fn(|| switchboard.poll_tls_leg_ready()).collect();
        let answers: Vec<_> = std::iter::from_fn(|| switchboard.poll_answer()).collect();
        drop(switchboard);
        for answer in &answers {
            // An answer that finds the socket full is lost, as any datagram may be.
            self.udp.send_all(answer);
        }
        if !ready.is_empty() {
            let tls_legs = self.tls_legs.lock().unwrap_or_else(PoisonError::into_inner);
            for leg in ready.iter().filter_map(|id| tls_legs.get(id)) {
                leg.notify_one();
            }
        }
    }

    /// Opens a TLS leg. The returned signal is notified when the leg has something to send.
    pub(crate) fn open_tls_leg(&self, remote: SocketAddr) -> (TlsLegId, Arc<Notify>) {
        let id = self.lock().open_tls_leg(remote, self.now());
        let signal = Arc::new(Notify::new());
        let mut tls_legs = self.tls_legs.lock().unwrap_or_else(PoisonError::into_inner);
        tls_legs.insert(id, signal.clone());
        drop(tls_legs);
        signal.notify_one();
        // Another leg may have been closed to make room, and has to be told.
        self.send_answers();
        (id, signal)
    }

    pub(crate) fn device_of(&self, id: TlsLegId) -> Option<DeviceId> {
        self.lock().device_of(id)
    }

    pub(crate) fn close_tls_leg(&self, id: TlsLegId) {
        self.tls_legs
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&id);
        self.lock().close_tls_leg(id);
        self.send_answers();
    }

    pub(crate) fn poll_tls_leg(&self, id: TlsLegId) -> Option<crate::switchboard::TlsLegOutput> {
        self.lock().poll_tls_leg(id)
    }
}

fn bind(address: SocketAddr) -> Result<(Udp, SocketAddr), StartError> {
    let listen = |source| StartError::Listen { address, source };
    let udp = Udp::bind(address).map_err(listen)?;
    let bound = udp.local_addr().map_err(listen)?;
    Ok((udp, bound))
}

/// Binds another free port of the same address when the wanted one is taken; callers are told which.
fn bind_or_any_port(wanted: SocketAddr) -> Result<(Udp, SocketAddr), StartError> {
    bind(wanted).or_else(|_| bind(SocketAddr::new(wanted.ip(), 0)))
}

async fn run(shared: &Shared, reflect_port: Option<Udp>) {
    let mut batch = Batch::default();
    let mut forwards = Vec::new();
    let mut unsent: Option<Transmit> = None;
    let mut blocked = false;
    loop {
        let timeout = shared.lock().poll_timeout();
        tokio::select! {
            () = shared.stop.cancelled() => break,
            readable = shared.udp.readable() => {
                if readable.is_ok() {
                    take_batches(shared, &mut batch, &mut forwards);
                }
            }
            () = readable(reflect_port.as_ref()) => answer_reflect(reflect_port.as_ref(), &mut batch),
            () = shared.blocked.notified() => blocked = true,
            _ = shared.udp.writable(), if blocked => blocked = !drain(shared, &mut unsent),
            () = sleep_until(timeout.into()) => {
                shared.lock().handle_timeout(Instant::now());
                shared.send_answers();
            }
        }
    }
    shared.lock().end_all();
    shared.send_answers();
}

fn take_batches(shared: &Shared, batch: &mut Batch, forwards: &mut Vec<Forward>) {
    for _ in 0..BATCHES {
        // Any error ends the round, not only an empty socket: the error of one datagram is cleared by receiving it,
        // and the caller comes back when the socket is readable.
        if shared.udp.receive(batch).is_err() {
            return;
        }
        for Received { from, run, size } in batch.runs() {
            shared.handle_run(Leg::Udp(from), run, size, forwards);
        }
    }
}

/// Sends the runs that wait for UDP clients; `false` when the socket is full again.
fn drain(shared: &Shared, unsent: &mut Option<Transmit>) -> bool {
    loop {
        let next = unsent.take().or_else(|| shared.lock().poll_transmit());
        let Some(mut transmit) = next else { return true };
        let done = shared.udp.send_all(&transmit);
        if done < transmit.bytes.len() {
            transmit.bytes.drain(..done);
            *unsent = Some(transmit);
            return false;
        }
    }
}

async fn readable(socket: Option<&Udp>) {
    match socket {
        Some(socket) if socket.readable().await.is_ok() => {}
        _ => std::future::pending().await,
    }
}

/// Answers on the second port, which tells callers the address they are seen at and does nothing else.
fn answer_reflect(socket: Option<&Udp>, batch: &mut Batch) {
    let Some(socket) = socket else { return };
    if socket.receive(batch).is_err() {
        return;
    }
    for Received { from, run, size } in batch.runs() {
        for datagram in run.chunks(size) {
            let mut bytes = [0; MAX_CONTROL_LEN];
            let answer = Frame::parse(datagram)
                .ok()
                .and_then(|frame| reflect(&frame, from.remote));
            let length = answer.and_then(|answer| answer.write(&mut bytes));
            if let Some(bytes) = length.and_then(|length| bytes.get(..length)) {
                socket.send(from, bytes, bytes.len());
            }
        }
    }
}

#[cfg(test)]
mod tests;
