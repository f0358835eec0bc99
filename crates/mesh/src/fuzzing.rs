//! The filter with bytes at both ends, as the fuzzer drives it. Built for that alone.

use crate::filter::Filter;
use flotilla_protocol::mesh::Filter as Rules;
use flotilla_wire::packet::parse;
use std::time::Instant;

/// A filter, and the reading of headers before it.
#[derive(Debug, Default)]
pub struct Gate(Filter);

impl Gate {
    pub fn set_rules(&mut self, rules: &Rules) {
        self.0.set_rules(rules);
    }

    /// Sends any bytes as a packet; whether they were one.
    pub fn outbound(&mut self, bytes: &[u8], now: Instant) -> bool {
        let headers = parse(bytes);
        if let Some(headers) = &headers {
            assert!(headers.offset <= bytes.len());
            self.0.outbound(headers, now);
        }
        headers.is_some()
    }

    /// Receives any bytes as a packet; whether they pass.
    pub fn inbound(&mut self, bytes: &[u8], now: Instant) -> bool {
        parse(bytes).is_some_and(|headers| self.0.inbound(&headers, now).is_ok())
    }
}
