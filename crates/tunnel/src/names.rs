//! Whether the mesh's route leaves this device its name servers.

use std::fs;
use std::net::{IpAddr, Ipv4Addr};

use flotilla_protocol::interface;
use flotilla_protocol::mesh::NetworkMap;

use crate::TunnelError;

/// Where a Linux has its name servers, in the form of `resolv.conf(5)`. The second file has those that the system's own
/// resolver asks, where it has one.
const FILES: [&str; 2] = ["/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"];

/// Whether a device with this map reaches the name servers that it has at this moment. They come and go with leases,
/// so an answer is good for a short time. Reads two small files.
///
/// # Errors
/// [`TunnelError::NameServer`]: one has an address inside the mesh's range and is none of the mesh's devices.
pub fn name_servers_are_reached(map: &NetworkMap) -> Result<(), TunnelError> {
    let texts = FILES.into_iter().filter_map(|file| fs::read_to_string(file).ok());
    match map.address.range().zip(cut_off(texts, map)) {
        Some((mesh, server)) => Err(TunnelError::NameServer { mesh, server }),
        None => Ok(()),
    }
}

/// The first name server that the mesh's route would cut the device off from.
fn cut_off(texts: impl IntoIterator<Item = String>, map: &NetworkMap) -> Option<Ipv4Addr> {
    let range = map.address.range()?;
    let is_on_mesh = |server| {
        let mut peers = map.peers.iter().map(|peer| peer.address);
        server == map.address.address || peers.any(|peer| peer == server)
    };
    let servers = texts.into_iter().flat_map(|text| interface::name_servers(&text));
    servers
        .filter(|server| range.contains(IpAddr::V4(*server)))
        .find(|server| !is_on_mesh(*server))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_server_inside_of_the_mesh_that_is_none_of_its_peers_would_be_lost() {
        let mut map: NetworkMap = serde_json::from_value(serde_json::json!({
            "revision": 1,
            "address": {"address": "100.100.0.2", "prefix": 16},
            "relay": "auto",
            "peers": [{
                "id": "01937c5e-7b1a-7c3e-8b9e-0123456789ab",
                "name": "names",
                "public_key": "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=",
                "address": "100.100.0.53",
                "relay": "auto",
            }],
            "relays": [],
            "filter": {"allows": []},
        }))
        .unwrap();
        let lost = |servers: &[&str], map: &NetworkMap| {
            let text = servers.iter().map(|server| format!("nameserver {server}\n"));
            cut_off(["search lan\n".to_owned(), text.collect()], map).map(|server| server.to_string())
        };
        let kept = ["192.168.1.1", "100.100.0.53", "100.100.0.2"];
        assert_eq!(lost(&kept, &map), None);
        assert_eq!(
            lost(&["192.168.1.1", "100.100.2.136"], &map).as_deref(),
            Some("100.100.2.136")
        );
        map.peers.clear();
        assert_eq!(lost(&kept, &map).as_deref(), Some("100.100.0.53"));
    }
}
