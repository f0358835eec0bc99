//! How much a relay takes on.

use std::time::Duration;

/// How much a relay takes on.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Sessions at the same time.
    pub clients: usize,
    /// Streams at the same time that were not admitted yet.
    pub half_open: usize,
    /// Bytes that wait for one client.
    pub queue_bytes: usize,
    /// Bytes that wait for all clients together.
    pub queued_bytes: usize,
    /// Bytes per second that a client may send to keys that never sent it anything; four times as many at once.
    pub unasked: u64,
    /// Bytes per second that are passed on for all clients together. While more come, clients share them evenly.
    pub line: u64,
    /// After how much silence a session ends.
    pub idle: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            clients: 4096,
            half_open: 256,
            queue_bytes: 512 << 10,
            queued_bytes: 64 << 20,
            // A thousand peers that are greeted at once, and again every five seconds, take a fifth of it.
            unasked: 256 << 10,
            // 10 Gbit/s, a fast line of a server. Whoever runs a relay elsewhere knows its line.
            line: 1_250_000_000,
            idle: Duration::from_secs(90),
        }
    }
}
