//! The networks that this computer is in, which the mesh must not overlap.

use flotilla_fleet::Cidr;
use flotilla_protocol::interface;

/// Networks that this computer is in and addresses of its name servers: the mesh's range must not overlap them.
pub(crate) fn local_networks() -> Vec<Cidr> {
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    let networks = interfaces.iter().filter_map(|interface| match &interface.addr {
        if_addrs::IfAddr::V4(v4) => format!("{}/{}", v4.ip, v4.netmask.to_bits().count_ones())
            .parse()
            .ok(),
        if_addrs::IfAddr::V6(_) => None,
    });
    networks.chain(name_servers()).collect()
}

/// The name servers of both files: where a local resolver is used, the second file has those that it asks.
fn name_servers() -> impl Iterator<Item = Cidr> {
    let files = ["/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"];
    let texts = files
        .into_iter()
        .filter_map(|file| std::fs::read_to_string(file).ok());
    let servers = texts.flat_map(|text| interface::name_servers(&text));
    servers.filter_map(|server| format!("{server}/32").parse().ok())
}
