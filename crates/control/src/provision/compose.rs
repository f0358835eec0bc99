//! The compose file that runs the agent.

use super::{
    commands::load,
    config::expiry,
    container::{CONTAINER, DOCKER_SOCKET, MACHINE_ID, STATE, environment},
    desktop, pod,
    source::Source,
};
use flotilla_link::PROXY_VARIABLES;
use flotilla_protocol::device::NetworkMode;
use serde_json::Value;

/// `compose.yaml`, with the lines that load the image in its head.
pub(super) fn text(source: &Source) -> String {
    let image = scalar(&source.config.agent_image);
    let (pause, example) = match source.mode() {
        NetworkMode::Pause => (pod::service(&image), pod::example(source)),
        NetworkMode::Host | NetworkMode::Bridge | NetworkMode::Unknown => Default::default(),
    };
    format!(
        "{head}\
         services:\n\
         {pause}\
         {agent}\
         {example}\
         volumes:\n  \
           state:\n    \
             name: {CONTAINER}\n",
        head = head(source),
        agent = agent(source, &image),
    )
}

fn head(source: &Source) -> String {
    format!(
        "# Flotilla agent for {name}. It can enroll one device until {expires}: treat it like a password.\n\
         {remark}\
         # 1. Load the agent's image:\n\
         #   {load}\n\
         # 2. In the folder of this file: docker compose up -d\n\
         # If another text started an agent here, end that one first: docker rm --force {CONTAINER}\n\
         # It stays the same device, since its state is on a volume.\n",
        name = source.config.device_name,
        expires = expiry(source.config),
        remark = desktop::remark(source).unwrap_or_default(),
        load = load(source).replace('\n', "\n#   "),
    )
}

fn agent(source: &Source, image: &str) -> String {
    let network = match source.mode() {
        NetworkMode::Host => "    network_mode: host\n",
        NetworkMode::Bridge | NetworkMode::Unknown => "",
        NetworkMode::Pause => "    network_mode: service:pause\n    depends_on: [pause]\n",
    };
    let environment: String = environment(source)
        .iter()
        .map(|(name, value)| format!("      {name}: {}\n", scalar(value)))
        .collect();
    // Without a value, Compose takes the shell's, if it has one.
    let proxy: String = PROXY_VARIABLES.map(|name| format!("      {name}:\n")).concat();
    format!(
        "  agent:\n    \
             image: {image}\n    \
             pull_policy: never\n    \
             container_name: {CONTAINER}\n    \
             restart: unless-stopped\n    \
             read_only: true\n    \
             cap_drop: [ALL]\n    \
             cap_add: [NET_ADMIN]\n    \
             devices: [/dev/net/tun] # leave out where the device has no such file: then it has no mesh\n\
         {network}    \
             security_opt: [\"no-new-privileges:true\", \"label:disable\"]\n    \
             environment:\n\
         {environment}\
         {proxy}    \
             volumes:\n      \
               - state:{STATE}\n      \
               - {DOCKER_SOCKET}:{DOCKER_SOCKET}\n      \
               - {MACHINE_ID}:{MACHINE_ID}:ro # leave out where the device has no such file\n"
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
