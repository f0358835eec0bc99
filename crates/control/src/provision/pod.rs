//! The pause container: it holds the network that the agent and the device's chosen containers share.
//!
//! It runs the agent's image, so that no second one has to be fetched, and waits. It outlives every agent, since
//! replacing it would cut off the containers that share its network. When an engine starts again, it may try to start
//! those containers before the pause container, and give up; the pause container then starts them over the engine's
//! socket.

use super::{
    container::{COMMAND, DOCKER_SOCKET, LABEL, PAUSE, STATE},
    shell::quote,
    source::Source,
};

/// Creates it unless it exists, and starts it unless it runs. The image declares a volume for an agent's state, which
/// is covered so that no unnamed volume is left behind.
pub(super) fn started(engine: &str, source: &Source, socket: &str) -> [String; 2] {
    let image = quote(&source.config.agent_image);
    [
        format!(
            "{{ {engine} container inspect {PAUSE} >/dev/null 2>&1 ||\n  \
             {engine} create --name {PAUSE} --label {LABEL} --restart always --pull never \\\n    \
             --read-only --cap-drop ALL --security-opt no-new-privileges --security-opt label=disable \\\n    \
             --tmpfs {STATE} -v {socket}:{DOCKER_SOCKET} {image} {COMMAND}; }}"
        ),
        format!("{engine} start {PAUSE}"),
    ]
}

/// The pause container as a service of a Compose file.
pub(super) fn service(image: &str) -> String {
    format!(
        "  pause: # holds the network of the pod\n    \
             image: {image}\n    \
             command: [{COMMAND}]\n    \
             pull_policy: never\n    \
             container_name: {PAUSE}\n    \
             labels: [{LABEL}]\n    \
             restart: always\n    \
             network_mode: bridge\n    \
             read_only: true\n    \
             tmpfs: [{STATE}]\n    \
             volumes: [\"{DOCKER_SOCKET}:{DOCKER_SOCKET}\"] # to start members that the engine could not\n    \
             cap_drop: [ALL]\n    \
             security_opt: [\"no-new-privileges:true\", \"label:disable\"]\n    \
             # Ports of the pod that are published on the device belong here, whoever listens on them:\n    \
             # ports: [\"8080:8080\"]\n"
    )
}

/// An example of how the owner's own containers join the pod.
pub(super) fn example(source: &Source) -> String {
    format!(
        "  # Your containers in the pod look like this. Their ports are open at {address}, as access rules allow,\n  \
           # and no two of them can use the same port.\n  \
           # web:\n  \
           #   image: nginx\n  \
           #   network_mode: service:pause\n  \
           #   depends_on: [pause]\n",
        address = source.config.mesh_ip,
    )
}
