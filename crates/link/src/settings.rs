//! The numbers of a link, each measured with the others in place.

use std::time::Duration;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

/// Streams that control may have open on one agent. One more would wait, and the caller would not know why.
pub(crate) const MAX_STREAMS: u32 = 256;

/// Long-lived streams per link. An agent accepts 256; the rest is left for short calls.
pub const LONG_STREAMS: usize = 200;

/// Of those, the most of one caller: more than a person reads at a time, and a quarter, so that no page takes all.
pub(crate) const CALLER_STREAMS: usize = LONG_STREAMS / 4;

/// What one stream may have under way: a reader that stops costs this much memory and no more.
pub(crate) const STREAM_WINDOW: u32 = 256 * 1024;

/// As much as all streams together. If it were less, a few stalled readers would use it up and block every other call
/// of the link. It is a limit; no memory is reserved.
pub(crate) const CONNECTION_WINDOW: u32 = MAX_STREAMS * STREAM_WINDOW;

/// What a stream may queue for sending beyond its window.
pub(crate) const SEND_BUFFER: usize = 64 * 1024;

/// HTTP/2's smallest and default frame size.
pub(crate) const FRAME: u32 = 16 * 1024;

/// Streams that control may cancel before the agent has started to handle them. The library's default of 20 guards
/// against strangers; here it would end the link when a page with many calls is closed.
pub(crate) const PENDING_RESETS: usize = 100_000;

/// One HTTP/2 frame with its head travels in one WebSocket message.
pub(crate) const WS_COALESCE: usize = FRAME as usize + 9;

/// An idle link holds its read buffer for good, so it is small; a thousand links at the default of 128 KiB
/// would hold 125 MiB for nothing.
pub(crate) const WS_READ_BUFFER: usize = 4 * 1024;

pub(crate) const WS_MAX_WRITE_BUFFER: usize = 512 * 1024;

pub(crate) const WS_MAX_MESSAGE: usize = 1024 * 1024;

/// Bytes that the kernel may hold unsent; bytes beyond that wait where HTTP/2 can still send a small call before them.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) const NOTSENT_LOWAT: u32 = 128 * 1024;

/// Connections that may wait to be accepted: a whole fleet comes back at once after a restart.
pub(crate) const BACKLOG: u32 = 4096;

/// The largest TCP segment on a port, both ways: what Linux itself begins with when it looks for a size that a path
/// carries (`tcp_base_mss`). Networks of narrow links exist whose routers keep silent about what does not fit; full
/// segments of Ethernet would be lost there without end. A device of Ethernet pays 2 % for it.
#[cfg(unix)]
pub(crate) const SEGMENT: u32 = 1024;

/// Pause after the system has no more file descriptors to give.
pub(crate) const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How long connections may take to finish their requests when control stops.
pub(crate) const DRAIN: Duration = Duration::from_secs(5);

/// The longest request head on the fleet port.
pub(crate) const HEAD_BYTES: usize = 16 * 1024;

/// Refused requests after which a connection is closed. A client in good faith is refused once or twice, and can read
/// why.
pub(crate) const MAX_REFUSALS: u32 = 8;

/// How often a port looks for strangers that are overdue.
pub(crate) const OVERDUE_CHECK: Duration = Duration::from_secs(1);

/// A next endpoint is tried this long after the one before (RFC 8305 §5).
pub(crate) const STAGGER: Duration = Duration::from_millis(250);

/// The longest answer to a single call. Longer answers are streams, because an answer that is parsed takes many times
/// its size in memory.
pub(crate) const ANSWER_BYTES: usize = 1024 * 1024;

/// Bytes per second that a client of the fleet port has to take while there is something for it: the speed of a modem.
/// The agent's image then takes half an hour, and a client that takes less would hold its connection for good.
pub(crate) const MIN_READ_RATE: u32 = 8 * 1024;

/// How long a peer may take for each step.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// TCP connect and TLS handshake.
    pub(crate) handshake: Duration,
    /// A request head, and the silence between two requests.
    pub(crate) head: Duration,
    /// A whole request body; bodies are small.
    pub(crate) body: Duration,
    /// The whole stay of a connection that does not become a guest.
    pub(crate) stranger: Duration,
    /// How far a client may fall behind [`MIN_READ_RATE`]: time enough for a network that drops out for a moment.
    pub(crate) patience: Duration,
    /// The answer to the upgrade or to a single call.
    pub(crate) answer: Duration,
    /// Between pings.
    pub(crate) ping_interval: Duration,
    /// The answer to a ping. With the interval it makes the 45 s after which a dead peer is noticed.
    pub(crate) ping_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(10),
            head: Duration::from_secs(10),
            body: Duration::from_secs(10),
            stranger: Duration::from_secs(60),
            patience: Duration::from_secs(30),
            answer: Duration::from_secs(20),
            ping_interval: Duration::from_secs(15),
            ping_timeout: Duration::from_secs(30),
        }
    }
}

impl Limits {
    /// The limits of the port for this computer alone. They are longer, because browsers keep connections for their
    /// next requests and one that is closed at that moment costs a page an error, and because a person may stop a
    /// program that reads.
    pub(crate) fn local() -> Self {
        Self {
            head: Duration::from_secs(30),
            body: Duration::from_secs(30),
            patience: Duration::from_secs(120),
            ..Self::default()
        }
    }
}

/// The WebSocket configuration of the agent's end; control's end gets the same numbers in `upgrade`.
pub(crate) fn web_socket() -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(WS_READ_BUFFER)
        .write_buffer_size(0)
        .max_write_buffer_size(WS_MAX_WRITE_BUFFER)
        .max_message_size(Some(WS_MAX_MESSAGE))
        .max_frame_size(Some(WS_MAX_MESSAGE))
}

/// The longest message on a leg to a relay: a sealed packet with the relay's header in front of it.
const DATAGRAM: usize = 64 * 1024;

/// The buffer in which a batch of datagrams is gathered before it is written.
const DATAGRAM_BUFFER: usize = 64 * 1024;

/// The WebSocket configuration of a leg to a relay.
pub(crate) fn datagrams() -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(DATAGRAM_BUFFER)
        .write_buffer_size(DATAGRAM_BUFFER)
        .max_write_buffer_size(WS_MAX_WRITE_BUFFER)
        .max_message_size(Some(DATAGRAM))
        .max_frame_size(Some(DATAGRAM))
}

/// Makes small writes leave at once and the kernel queue little. A system without one of the options keeps its
/// default.
pub(crate) fn tune(stream: &tokio::net::TcpStream) {
    let _ = stream.set_nodelay(true);
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let _ = socket2::SockRef::from(stream).set_tcp_notsent_lowat(NOTSENT_LOWAT);
}
