//! The limits of a relay.

use std::time::Duration;

/// The limits of a relay.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Sessions at the same time.
    pub clients: usize,
    /// TLS legs at the same time that are not admitted yet.
    pub half_open: usize,
    /// Bytes that wait to be sent to one client.
    pub queue_bytes: usize,
    /// Bytes that wait to be sent to all clients together.
    pub queued_bytes: usize,
    /// Bytes per second that a client may send to keys that never sent it anything; four times as many at once.
    pub unasked: u64,
    /// Bytes per second that are passed on for all clients together. When more come, clients share them evenly.
    pub line: u64,
    /// A session ends after this long without a frame from its client.
    pub idle: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            clients: 4096,
            half_open: 256,
            queue_bytes: 512 << 10,
            queued_bytes: 64 << 20,
            // Greeting a thousand peers at once, and again every five seconds, takes a fifth of it.
            unasked: 256 << 10,
            // 10 Gbit/s, a fast line of a server. The owner of a relay elsewhere sets the rate of its line.
            line: 1_250_000_000,
            idle: Duration::from_secs(90),
        }
    }
}
