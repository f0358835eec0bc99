//! The compose file that runs the agent.

use super::{
    Source,
    commands::{CONTAINER, DOCKER_SOCKET, MACHINE_ID, Network, STATE, environment, load},
    config::expiry,
};
use serde_json::Value;

/// `compose.yaml`, with the lines that load the image in its head.
pub(super) fn text(source: &Source, network: Network) -> String {
    let config = source.config;
    let load = load(source).replace('\n', "\n#   ");
    let reach = match network {
        Network::Host => "    network_mode: host\n",
        Network::Bridge => "",
    };
    let environment: String = environment(source)
        .iter()
        .map(|(name, value)| format!("      {name}: {}\n", scalar(value)))
        .collect();
    format!(
        "# Flotilla agent for {name}. It can enroll one device until {expires}: treat it like a password.\n\
         # 1. Load the agent's image:\n\
         #   {load}\n\
         # 2. In the folder of this file: docker compose up -d\n\
         services:\n  \
           agent:\n    \
             image: {image}\n    \
             pull_policy: never\n    \
             container_name: {CONTAINER}\n    \
             restart: unless-stopped\n    \
             read_only: true\n    \
             cap_drop: [ALL]\n    \
             cap_add: [NET_ADMIN]\n    \
             devices: [/dev/net/tun]\n\
         {reach}    \
             security_opt: [\"no-new-privileges:true\", \"label:disable\"]\n    \
             environment:\n\
         {environment}    \
             volumes:\n      \
               - state:{STATE}\n      \
               - {DOCKER_SOCKET}:{DOCKER_SOCKET}\n      \
               - {MACHINE_ID}:{MACHINE_ID}:ro # leave out where the device has no such file\n\
         volumes:\n  \
           state:\n    \
             name: {CONTAINER}\n",
        name = config.device_name,
        expires = expiry(config),
        image = scalar(&config.agent_image),
    )
}

/// A YAML scalar in double quotes (JSON strings are such), with Compose's own interpolation switched off.
fn scalar(text: &str) -> String {
    Value::from(text).to_string().replace('$', "$$")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scalar_is_neither_broken_nor_interpolated() {
        assert_eq!(scalar("a\"b: $HOME\n"), r#""a\"b: $$HOME\n""#);
    }
}
