//! Shell lines: the install line, and the lines that load the agent's image and run it.
//!
//! Every text is one chain that ends at its first failure, and can be pasted again: what is there already is used
//! or replaced. Bash, dash and zsh read it alike, also at a prompt: no comment, no `!`, no variable left to be split.

use super::{Source, desktop, pod, shell::quote};
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

/// `curl … | sudo bash`.
pub(super) fn install(source: &Source) -> String {
    let curl = curl(source, "-fsSk");
    let script = quote(&format!("https://{}/install/agent.sh", source.endpoint));
    format!("{curl} -H {} {script} | sudo bash", bearer(source))
}

/// Loads the image for the engine's architecture and runs the agent with its token in the environment.
pub(super) fn docker_run(source: &Source) -> String {
    let environment = environment(source).map(|(name, value)| format!("-e {name}={}", quote(&value)));
    let mut steps = vec![architecture()];
    steps.extend(desktop::check(source, "docker"));
    steps.extend(fetch(source));
    steps.extend(started("docker", source, DOCKER_SOCKET, &environment.join(" ")));
    chain(&steps)
}

/// Asks the engine for its architecture, which may be another machine's, and loads the image for it.
pub(super) fn load(source: &Source) -> String {
    let mut steps = vec![architecture()];
    steps.extend(fetch(source));
    chain(&steps)
}

/// Runs the agent with the config file of the present folder, by Docker or Podman. It holds no secret: the
/// token is read from the file, and reaches curl on its standard input.
pub(super) fn config_run(source: &Source) -> String {
    let file = format!("{}.device.toml", source.config.device_name);
    let engine = "\"$engine\"";
    let header = quote(r#"s/^token = "\(.*\)"$/header = "Authorization: Bearer \1"/p"#);
    let (curl, url) = (curl(source, "-fsSk"), image_url(source));
    // The file is private to whoever downloaded it, so the container's root needs the right to read past that.
    let mount =
        format!("--cap-add DAC_OVERRIDE --mount \"type=bind,src=$PWD/{file},dst={MOUNTED_CONFIG},readonly\"");
    let mut steps = vec![
        format!("chmod 600 {file}"),
        "engine=$(command -v docker || command -v podman)".to_owned(),
        format!(
            "arch=$({engine} version --format '{{{{.Server.Arch}}}}' 2>/dev/null || {engine} info --format '{{{{.Host.Arch}}}}')"
        ),
    ];
    steps.extend(desktop::check(source, engine));
    steps.extend([
        "image=$(mktemp)".to_owned(),
        format!("sed -n {header} {file} | {curl} -K - {url} -o \"$image\""),
        loaded(engine),
        // Podman's may be a user's own.
        format!(
            "case $engine in\n  \
               *podman) socket=$({engine} info --format '{{{{.Host.RemoteSocket.Path}}}}') && socket=${{socket#unix://}} ;;\n  \
               *) socket={DOCKER_SOCKET} ;;\nesac"
        ),
    ]);
    steps.extend(started(engine, source, "\"$socket\"", &mount));
    format!("{} run --config {MOUNTED_CONFIG}", chain(&steps))
}

/// The variables that stand in for a config file.
pub(super) fn environment(source: &Source) -> [(&'static str, String); 3] {
    [
        ("FLOTILLA_ENROLL_URL", format!("https://{}", source.endpoint)),
        ("FLOTILLA_TOKEN", source.config.token.clone()),
        ("FLOTILLA_CA_PIN", source.config.ca_pin.to_string()),
    ]
}

/// Each step only after the one before it.
fn chain(steps: &[String]) -> String {
    steps.join(" &&\n")
}

fn architecture() -> String {
    "arch=$(docker version --format '{{.Server.Arch}}')".to_owned()
}

fn fetch(source: &Source) -> [String; 3] {
    let (curl, url) = (curl(source, "-fsSk"), image_url(source));
    [
        "image=$(mktemp)".to_owned(),
        format!("{curl} -H {} {url} -o \"$image\"", bearer(source)),
        loaded("docker"),
    ]
}

/// From a file and not in a pipe, where the engine would add an error of its own to the one of a download that
/// failed; and the engine reads it through the shell, because a sandboxed one sees other temporary files.
fn loaded(engine: &str) -> String {
    format!("{engine} load <\"$image\" && rm \"$image\"")
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

/// The agent takes the place of an agent that is there: its state is on the volume, so it stays the same device,
/// and this is how it gets another network mode or a newer image. A container of the pod is not replaced, since
/// others share its network.
fn started(engine: &str, source: &Source, socket: &str, enrollment: &str) -> Vec<String> {
    let mut steps = Vec::new();
    if source.mode() == NetworkMode::Pause {
        steps.extend(pod::started(engine, source, socket));
    }
    steps.push(format!(
        "{{ {engine} rm --force {CONTAINER} >/dev/null 2>&1 || true; }}"
    ));
    steps.push(run(engine, source, socket, enrollment));
    steps
}

/// `--pull never`: a registry must not be asked for an image of this name. `label=disable`: under SELinux a
/// container could not use the engine's socket. `NET_ADMIN` and the device are for the mesh's interface.
fn run(engine: &str, source: &Source, socket: &str, enrollment: &str) -> String {
    let network = match source.mode() {
        NetworkMode::Host => "--network host ".to_owned(),
        NetworkMode::Bridge => String::new(),
        NetworkMode::Pause => format!("--network container:{} ", pod::PAUSE),
    };
    let image = quote(&source.config.agent_image);
    format!(
        "{engine} run -d --name {CONTAINER} --restart unless-stopped --pull never \\\n  \
         --read-only --cap-drop ALL {network}--cap-add NET_ADMIN --device /dev/net/tun --security-opt no-new-privileges --security-opt label=disable \\\n  \
         -v {CONTAINER}:{STATE} -v {socket}:{DOCKER_SOCKET} \\\n  \
         $([ -f {MACHINE_ID} ] && echo --mount type=bind,src={MACHINE_ID},dst={MACHINE_ID},readonly) \\\n  \
         {enrollment} \\\n  \
         {image}"
    )
}
