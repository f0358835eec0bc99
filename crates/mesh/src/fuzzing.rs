//! The filter with raw bytes as packets, for the fuzzer. Built only for it.

use crate::filter::Filter;
use flotilla_protocol::mesh::Filter as Rules;
use flotilla_wire::packet::parse;
use std::time::Instant;

/// A filter that parses the headers of the packets that it is given.
#[derive(Debug, Default)]
pub struct FuzzedFilter(Filter);

impl FuzzedFilter {
    pub fn set_rules(&mut self, rules: &Rules) {
        self.0.set_rules(rules);
    }

    /// Sends bytes as a packet; returns whether they are one.
    pub fn outbound(&mut self, bytes: &[u8], now: Instant) -> bool {
        let headers = parse(bytes);
        if let Some(headers) = &headers {
            assert!(headers.offset <= bytes.len());
            self.0.outbound(headers, now);
        }
        headers.is_some()
    }

    /// Receives bytes as a packet; returns whether they pass.
    pub fn inbound(&mut self, bytes: &[u8], now: Instant) -> bool {
        parse(bytes).is_some_and(|headers| self.0.inbound(&headers, now).is_ok())
    }
}
