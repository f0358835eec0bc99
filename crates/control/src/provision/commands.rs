//! Shell lines: the install line, and the lines that load the agent's image and run it.

use super::{Source, shell::quote};
use flotilla_protocol::device::NetworkMode;

/// Name of the agent's container and of the volume that holds its state: a container that is created anew,
/// by whichever text, is the same device.
pub(super) const CONTAINER: &str = "flotilla-agent";

/// Where the agent's image keeps state.
pub(super) const STATE: &str = "/var/lib/flotilla";

pub(super) const DOCKER_SOCKET: &str = "/var/run/docker.sock";

/// Tells a copied volume from a recreated container. The bind mount needs the file to be there.
pub(super) const MACHINE_ID: &str = "/etc/machine-id";

/// Where a mounted config file is in the agent's container.
const MOUNTED_CONFIG: &str = "/etc/flotilla/device.toml";

/// In whose network a containerized agent runs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Network {
    /// The device's own.
    Host,
    /// The engine's default: from there the mesh is reached, and nothing is reached there.
    Bridge,
}

impl Network {
    pub(super) fn of(mode: NetworkMode) -> Option<Self> {
        match mode {
            NetworkMode::Host => Some(Self::Host),
            NetworkMode::Bridge => Some(Self::Bridge),
            NetworkMode::Pause => None,
        }
    }
}

/// `curl … | sudo bash`.
pub(super) fn install(source: &Source) -> String {
    let curl = curl(source, "-fsSk");
    let script = quote(&format!("https://{}/install/agent.sh", source.endpoint));
    format!("{curl} -H {} {script} | sudo bash", bearer(source))
}

/// Loads the image for the engine's architecture and runs the agent with its token in the environment.
pub(super) fn docker_run(source: &Source, network: Network) -> String {
    let environment = environment(source).map(|(name, value)| format!("-e {name}={}", quote(&value)));
    let run = run("docker", source, network, DOCKER_SOCKET, &environment.join(" "));
    format!("{} &&\n{run}", load(source))
}

/// Asks the engine for its architecture, which may be another machine's, and loads the image for it.
pub(super) fn load(source: &Source) -> String {
    let curl = curl(source, "-fsSk");
    let fetched = fetched("docker");
    format!(
        "arch=$(docker version --format '{{{{.Server.Arch}}}}') &&\n\
         image=$(mktemp) &&\n\
         {curl} -H {} {} {fetched}",
        bearer(source),
        image_url(source)
    )
}

/// What follows a download. In a pipe, the engine would add an error of its own to the one of a download that
/// failed; and it reads the file through the shell, because a sandboxed engine sees other temporary files.
fn fetched(engine: &str) -> String {
    format!("-o \"$image\" &&\n{engine} load <\"$image\" && rm \"$image\"")
}

/// Runs the agent with the config file of the present folder, by Docker or Podman. It holds no secret: the
/// token is read from the file, and reaches curl on its standard input.
pub(super) fn config_run(source: &Source, network: Network) -> String {
    let file = format!("{}.device.toml", source.config.device_name);
    let header = r#"s/^token = "\(.*\)"$/header = "Authorization: Bearer \1"/p"#;
    let curl = curl(source, "-fsSk");
    let url = image_url(source);
    let fetched = fetched("\"$engine\"");
    // The file is private to whoever downloaded it, so the container's root needs the right to read past that.
    let mount =
        format!("--cap-add DAC_OVERRIDE --mount \"type=bind,src=$PWD/{file},dst={MOUNTED_CONFIG},readonly\"");
    let run = run("\"$engine\"", source, network, "\"$socket\"", &mount);
    format!(
        "chmod 600 {file} &&\n\
         engine=$(command -v docker || command -v podman) &&\n\
         arch=$(\"$engine\" version --format '{{{{.Server.Arch}}}}' 2>/dev/null || \"$engine\" info --format '{{{{.Host.Arch}}}}') &&\n\
         image=$(mktemp) &&\n\
         sed -n {header} {file} | {curl} -K - {url} {fetched} &&\n\
         socket={DOCKER_SOCKET} && {{ [ -S \"$socket\" ] || socket=/run/podman/podman.sock; }} &&\n\
         {run} run --config {MOUNTED_CONFIG}",
        header = quote(header),
    )
}

/// The variables that stand in for a config file.
pub(super) fn environment(source: &Source) -> [(&'static str, String); 3] {
    [
        ("FLOTILLA_ENROLL_URL", format!("https://{}", source.endpoint)),
        ("FLOTILLA_TOKEN", source.config.token.clone()),
        ("FLOTILLA_CA_PIN", source.config.ca_pin.to_string()),
    ]
}

/// A curl that speaks only to the holder of the pinned key. `-k` leaves that check in force and drops the one
/// that needs a public authority.
fn curl(source: &Source, flags: &str) -> String {
    format!(
        "curl {flags} --proto '=https' --pinnedpubkey '{}'",
        source.tls_pin
    )
}

fn bearer(source: &Source) -> String {
    quote(&format!("Authorization: Bearer {}", source.config.token))
}

/// The image's address with `$arch` left for the shell; an endpoint has no character that double quotes leave alive.
fn image_url(source: &Source) -> String {
    format!("\"https://{}/install/agent-image/$arch.tar\"", source.endpoint)
}

/// `--pull never`: a registry must not be asked for an image of this name. `label=disable`: under SELinux a
/// container could not use the engine's socket. `NET_ADMIN` and the device are for the mesh's interface.
fn run(engine: &str, source: &Source, network: Network, socket: &str, enrollment: &str) -> String {
    let reach = match network {
        Network::Host => "--network host ",
        Network::Bridge => "",
    };
    let image = quote(&source.config.agent_image);
    format!(
        "{engine} run -d --name {CONTAINER} --restart unless-stopped --pull never \\\n  \
         --read-only --cap-drop ALL {reach}--cap-add NET_ADMIN --device /dev/net/tun --security-opt no-new-privileges --security-opt label=disable \\\n  \
         -v {CONTAINER}:{STATE} -v {socket}:{DOCKER_SOCKET} \\\n  \
         $([ -f {MACHINE_ID} ] && echo --mount type=bind,src={MACHINE_ID},dst={MACHINE_ID},readonly) \\\n  \
         {enrollment} \\\n  \
         {image}"
    )
}
