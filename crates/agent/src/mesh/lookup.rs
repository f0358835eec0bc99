//! Looks up the names of relays, again and again because their addresses change.

use flotilla_link::lookup;
use flotilla_protocol::{
    endpoint::Endpoint,
    id::RelayId,
    mesh::{NetworkMap, Relay},
};
use std::{net::SocketAddr, time::Duration};
use tokio::{task::JoinSet, time::timeout};

/// How often names are looked up again.
pub(super) const AGAIN: Duration = Duration::from_secs(60);

/// How long a resolver may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Lookups under way.
#[derive(Debug, Default)]
pub(super) struct Lookups(JoinSet<(RelayId, Vec<SocketAddr>)>);

impl Lookups {
    /// Looks up every relay of a map.
    pub(super) fn start(&mut self, map: &NetworkMap) {
        self.0.abort_all();
        for relay in &map.relays {
            let Relay { id, endpoints, .. } = relay.clone();
            self.0.spawn(async move { (id, addresses(&endpoints).await) });
        }
    }

    /// The next relay that has addresses. Waits for ever where no lookup is under way.
    pub(super) async fn next(&mut self) -> (RelayId, Vec<SocketAddr>) {
        loop {
            match self.0.join_next().await {
                Some(Ok((relay, addresses))) if !addresses.is_empty() => return (relay, addresses),
                Some(_) => {}
                None => std::future::pending().await,
            }
        }
    }
}

/// The addresses of all endpoints, in their order. A name that has none now may have some later, so it is passed over.
async fn addresses(endpoints: &[Endpoint]) -> Vec<SocketAddr> {
    let mut found = Vec::new();
    for endpoint in endpoints {
        let addresses = timeout(PATIENCE, lookup(endpoint.host(), endpoint.port()));
        if let Ok(Ok(addresses)) = addresses.await {
            found.extend(addresses);
        }
    }
    let mut unique = Vec::with_capacity(found.len());
    for address in found {
        if !unique.contains(&address) {
            unique.push(address);
        }
    }
    unique
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mesh::samples::{map, relay};

    #[tokio::test]
    async fn addresses_keep_their_order_and_names_that_lead_nowhere_are_passed_over() {
        let endpoints = [
            "192.0.2.9:443",
            "no-such-name.invalid:7443",
            "[2001:db8::1]:7443",
            "192.0.2.9:443",
        ];
        let found = addresses(&endpoints.map(|text| text.parse().unwrap())).await;
        let expected = ["192.0.2.9:443", "[2001:db8::1]:7443"];
        assert_eq!(found, expected.map(|text| text.parse::<SocketAddr>().unwrap()));
    }

    #[tokio::test]
    async fn each_relay_of_a_map_is_looked_up() {
        let mut lookups = Lookups::default();
        lookups.start(&map(1));
        let found = lookups.next().await;
        assert_eq!(found, (relay(), vec!["127.0.0.1:7443".parse().unwrap()]));
    }
}
