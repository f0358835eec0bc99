//! Names, addresses and published ports that a container needs and another one has. They are looked for before anything
//! is stopped, so that a conflict that can be foreseen interrupts no container.

use super::swap::{NEW, OLD};
use crate::{
    action::ActionError,
    attachment::WantedAddress,
    connection::is_not_found,
    engine_errors::{self, explain},
    verbatim,
};
use bollard::{Docker, models::ContainerSummary, query_parameters::ListContainersOptionsBuilder};
use serde_json::Value;

/// Refuses when a container has one of the names that are used in between.
///
/// # Errors
/// [`ActionError::Leftover`].
pub(super) async fn check_names(docker: &Docker, name: &str) -> Result<(), ActionError> {
    for suffix in [NEW, OLD] {
        let leftover = format!("{name}{suffix}");
        match verbatim::inspect(docker, &leftover).await {
            Ok(_) => {
                let name = name.to_owned();
                return Err(ActionError::Leftover { name, leftover });
            }
            Err(error) if is_not_found(&error) => {}
            Err(error) => return Err(explain(error, &leftover)),
        }
    }
    Ok(())
}

/// Refuses when another container has one of these addresses.
///
/// # Errors
/// [`ActionError::AddressTaken`].
pub(super) async fn check_addresses(
    docker: &Docker,
    id: &str,
    name: &str,
    wanted: &[WantedAddress],
) -> Result<(), ActionError> {
    for WantedAddress { network, address } in wanted {
        let answer = docker.inspect_network(network, None).await;
        let answer = answer.map_err(|error| explain(error, name))?;
        let others = answer
            .containers
            .into_iter()
            .flatten()
            .filter(|(other, _)| other != id);
        let has_it = |given: &Option<String>| {
            given.as_deref().and_then(|given| given.split('/').next()) == Some(address)
        };
        let holder = others
            .filter(|(_, at)| has_it(&at.ipv4_address) || has_it(&at.ipv6_address))
            .find_map(|(_, at)| at.name);
        if let Some(holder) = holder {
            return Err(ActionError::AddressTaken {
                name: name.to_owned(),
                address: address.clone(),
                network: engine_errors::name(&answer.name.unwrap_or_default()),
                holder,
            });
        }
    }
    Ok(())
}

/// Refuses when another container publishes one of these ports of the device. Other programs that listen there are
/// found only when the engine tries.
///
/// # Errors
/// [`ActionError::PortTaken`].
pub(super) async fn check_ports(
    docker: &Docker,
    id: &str,
    name: &str,
    bindings: &Value,
) -> Result<(), ActionError> {
    let wanted = published(bindings);
    if wanted.is_empty() {
        return Ok(());
    }
    let running = ListContainersOptionsBuilder::new().build();
    let running = docker.list_containers(Some(running)).await;
    let running = running.map_err(|error| explain(error, id))?;
    let others = running.iter().filter(|other| other.id.as_deref() != Some(id));
    for other in others {
        if let Some(port) = wanted.iter().find(|port| port.is_taken_by(other)) {
            let holder = other.names.iter().flatten().next().cloned().unwrap_or_default();
            return Err(ActionError::PortTaken {
                name: name.to_owned(),
                port: format!("{}/{}", port.number, port.protocol),
                holder: holder.trim_start_matches('/').to_owned(),
            });
        }
    }
    Ok(())
}

/// A port of the device on which a container is published.
#[derive(Debug, PartialEq, Eq)]
struct PublishedPort {
    number: u16,
    protocol: String,
    /// Empty for all addresses.
    address: String,
}

impl PublishedPort {
    fn is_taken_by(&self, other: &ContainerSummary) -> bool {
        other.ports.iter().flatten().any(|port| {
            let protocol = port.typ.map(|typ| typ.to_string()).unwrap_or_default();
            let address = port.ip.as_deref().unwrap_or_default();
            let meets = is_all(&self.address) || is_all(address) || self.address == address;
            port.public_port == Some(self.number) && protocol == self.protocol && meets
        })
    }
}

fn is_all(address: &str) -> bool {
    matches!(address, "" | "0.0.0.0" | "::")
}

/// The ports that are asked for by number. Of a range, and where no port is given, the engine takes a free one.
fn published(bindings: &Value) -> Vec<PublishedPort> {
    let ports = bindings.as_object().into_iter().flatten();
    let all = ports.flat_map(|(key, at)| {
        let protocol = key.split_once('/').map_or("tcp", |(_, protocol)| protocol);
        let at = at.as_array().into_iter().flatten();
        at.filter_map(move |at| {
            Some(PublishedPort {
                number: at["HostPort"]
                    .as_str()?
                    .parse()
                    .ok()
                    .filter(|number| *number != 0)?,
                protocol: protocol.to_owned(),
                address: at["HostIp"].as_str().unwrap_or_default().to_owned(),
            })
        })
    });
    all.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_port_is_taken_where_number_protocol_and_address_meet() {
        let bindings = json!({"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8080"}, {"HostPort": "0"}, {"HostPort": "9000-9010"}], "53/udp": null});
        let wanted = published(&bindings);
        assert_eq!(wanted.len(), 1, "{wanted:?}");
        let other = |port: Value| serde_json::from_value(json!({"Ports": [port]})).unwrap();
        let takes = |ip: &str, public: u16, typ: &str| {
            wanted[0].is_taken_by(&other(
                json!({"IP": ip, "PrivatePort": 1, "PublicPort": public, "Type": typ}),
            ))
        };
        assert!(takes("127.0.0.1", 8080, "tcp") && takes("0.0.0.0", 8080, "tcp") && takes("::", 8080, "tcp"));
        assert!(
            !takes("127.0.0.2", 8080, "tcp")
                && !takes("127.0.0.1", 8080, "udp")
                && !takes("127.0.0.1", 80, "tcp")
        );
    }
}
