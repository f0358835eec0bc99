//! The networks that this computer is in, which the mesh must not overlap.

use flotilla_protocol::{cidr::IpRange, interface};

/// Networks that this computer is in and addresses of its name servers: the mesh's range must not overlap them.
pub(crate) fn local_networks() -> Vec<IpRange> {
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    let networks = interfaces.iter().filter_map(|interface| match &interface.addr {
        if_addrs::IfAddr::V4(v4) => IpRange::new(v4.ip.into(), v4.prefixlen).ok(),
        if_addrs::IfAddr::V6(_) => None,
    });
    networks.chain(name_servers()).collect()
}

/// The name servers of both files: where a local resolver is used, the second file has those that it asks.
fn name_servers() -> impl Iterator<Item = IpRange> {
    let files = ["/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"];
    let texts = files
        .into_iter()
        .filter_map(|file| std::fs::read_to_string(file).ok());
    let servers = texts.flat_map(|text| interface::name_servers(&text));
    servers.map(|server| IpRange::one(server.into()))
}
