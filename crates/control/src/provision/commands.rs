//! Shell lines: the install line, and the lines that load the agent's image and run it.
//!
//! Every text is one chain that ends at its first failure, and can be pasted again: what is there already is used
//! or replaced. Bash, dash and zsh read it alike, also at a prompt: no comment, no `!`, no variable left to be split.

use super::{
    container::{CONTAINER, DOCKER_SOCKET, MACHINE_ID, PAUSE, STATE, environment},
    desktop, pod,
    shell::quote,
    source::Source,
};
use flotilla_link::PROXY_VARIABLES;
use flotilla_protocol::device::NetworkMode;

/// Where a mounted config file is in the agent's container.
const MOUNTED_CONFIG: &str = "/etc/flotilla/device.toml";

/// The TUN device of the mesh's interface. The machine of an engine may lack it.
const TUN: &str = "/dev/net/tun";

/// A test whether the shell has a proxy for `https://`.
const HAS_PROXY: &str = "[ \"$https_proxy$HTTPS_PROXY$all_proxy$ALL_PROXY\" ]";

/// The install line: `curl … | sudo bash`, also where root has no sudo. A failed download is replaced by a script that
/// fails, so that the pipe does not end well. `sudo` takes the proxy variables away, so the installer gets them as its
/// first lines.
pub(super) fn install(source: &Source) -> String {
    let script = quote(&format!("https://{}/install/agent.sh", source.endpoint));
    let get = format!("{} -H {} {script}", curl(source), bearer(source));
    let around = format!("{{ {NOT_BY_PROXY}; flotilla_get --noproxy '*'; }}");
    format!(
        "command -v sudo >/dev/null || eval 'sudo() {{ \"$@\"; }}'; {{ flotilla_get() {{ {get} \"$@\"; }}; \
         if {HAS_PROXY}; then export -p | grep -i _proxy=; flotilla_get || {around}; else flotilla_get; fi || echo exit 1; }} | sudo bash"
    )
}

const NOT_BY_PROXY: &str = "echo 'flotilla: not by the proxy; trying without it' >&2";

/// Loads the image for the engine's architecture and runs the agent with its token in the environment.
pub(super) fn docker_run(source: &Source) -> String {
    let environment = environment(source).map(|(name, value)| format!("-e {name}={}", quote(&value)));
    let mut steps = vec![architecture("docker")];
    steps.extend(desktop::check(source, "docker"));
    steps.extend(socket("docker"));
    steps.extend(fetch(source));
    steps.extend(started("docker", source, &environment.join(" ")));
    chain(&steps)
}

/// Asks the engine for its architecture, which may be another machine's, and loads the image for it.
pub(super) fn load(source: &Source) -> String {
    let mut steps = vec![architecture("docker")];
    steps.extend(fetch(source));
    chain(&steps)
}

/// Runs the agent with the config file of the present folder, by Docker or Podman. It holds no secret: the
/// token is read from the file, and reaches curl on its standard input.
pub(super) fn config_run(source: &Source) -> String {
    let file = format!("{}.device.toml", source.config.device_name);
    let engine = "\"$engine\"";
    let header = quote(r#"s/^token = "\(.*\)"$/header = "Authorization: Bearer \1"/p"#);
    let get = format!(
        "sed -n {header} {file} | {} -K - {}",
        curl(source),
        image_url(source)
    );
    // The file is private to the user who downloaded it, so the container's root needs the right to read past that.
    let mount =
        format!("--cap-add DAC_OVERRIDE --mount \"type=bind,src=$PWD/{file},dst={MOUNTED_CONFIG},readonly\"");
    let mut steps = vec![
        format!("chmod 600 {file}"),
        "engine=$(command -v docker || command -v podman)".to_owned(),
        architecture(engine),
    ];
    steps.extend(desktop::check(source, engine));
    steps.extend(socket(engine));
    steps.extend(loaded(engine, &get));
    steps.extend(started(engine, source, &mount));
    format!("{} run --config {MOUNTED_CONFIG}", chain(&steps))
}

/// Each step only after the one before it.
fn chain(steps: &[String]) -> String {
    steps.join(" &&\n")
}

/// Podman has no server whose architecture could be asked, also where it is called docker.
fn architecture(engine: &str) -> String {
    format!(
        "{{ arch=$({engine} version --format '{{{{.Server.Arch}}}}' 2>/dev/null) || arch=$({engine} info --format '{{{{.Host.Arch}}}}'); }}"
    )
}

fn fetch(source: &Source) -> [String; 3] {
    let get = format!("{} -H {} {}", curl(source), bearer(source), image_url(source));
    loaded("docker", &get)
}

/// Loads the image from a file and not through a pipe, where a failed download would cause a second error, the
/// engine's. The shell opens the file, because a sandboxed engine has other temporary files.
fn loaded(engine: &str, get: &str) -> [String; 3] {
    [
        format!("flotilla_get() {{ {get} -o \"$image\" \"$@\"; }}"),
        "image=$(mktemp)".to_owned(),
        format!(
            "if {{ flotilla_get || {{ {HAS_PROXY} && {NOT_BY_PROXY} && flotilla_get --noproxy '*'; }}; }} &&\n  \
               {engine} load <\"$image\"; then rm \"$image\"; else rm \"$image\"; false; fi"
        ),
    ]
}

/// Finds the engine's socket on the engine's own machine. Only Podman answers for `Host`: it may be a user's own, and
/// may not listen. A rootless Docker's socket is found as the command line finds it.
fn socket(engine: &str) -> [String; 2] {
    let ask = |what| format!("{engine} info --format '{{{{{what}}}}}' 2>/dev/null");
    let not_listening = quote(
        "Podman does not listen for its programs, so the agent could not use it. Run systemctl enable --now podman.socket \
         (where it is one user alone: systemctl --user enable --now podman.socket), and paste this again.",
    );
    [
        format!(
            "case $({}) in false) echo {not_listening} >&2; false ;; esac",
            ask(".Host.RemoteSocket.Exists")
        ),
        format!(
            "{{ socket=$({}) || case $({}) in\n  \
               *rootless*) socket=$({engine} context inspect --format '{{{{.Endpoints.docker.Host}}}}') ;;\n  \
               *) socket={DOCKER_SOCKET} ;;\nesac; }} &&\nsocket=${{socket#unix://}}",
            ask(".Host.RemoteSocket.Path"),
            ask(".SecurityOptions"),
        ),
    ]
}

/// A curl that talks only to the holder of the pinned key: `-k` drops the check of a public authority and not that of
/// the pin. A proxy that does not answer costs 20 s.
fn curl(source: &Source) -> String {
    format!(
        "curl -fsSk --connect-timeout 20 --proto '=https' --pinnedpubkey '{}'",
        source.tls_pin
    )
}

fn bearer(source: &Source) -> String {
    quote(&format!("Authorization: Bearer {}", source.config.token))
}

/// The image's address with `$arch` left for the shell; an endpoint has no character that is special in double quotes.
fn image_url(source: &Source) -> String {
    format!("\"https://{}/install/agent-image/$arch.tar\"", source.endpoint)
}

/// Starts the agent in place of one that exists: its state is on the volume, so it stays the same device, and this is
/// how it gets another network mode or a newer image. The pod's pause container is not replaced, since others share its
/// network.
fn started(engine: &str, source: &Source, enrollment: &str) -> Vec<String> {
    let mut steps = Vec::new();
    if source.mode() == NetworkMode::Pause {
        steps.extend(pod::started(engine, source, SOCKET));
    }
    steps.push(format!(
        "{{ {engine} rm --force {CONTAINER} >/dev/null 2>&1 || true; }}"
    ));
    steps.push(run(engine, source, enrollment));
    steps
}

/// The path that [`socket`] found; the default one where only the last command of the text is run.
const SOCKET: &str = "\"${socket:-/var/run/docker.sock}\"";

/// `--pull never`: a registry must not be asked for an image of this name. `label=disable`: under SELinux a
/// container could not use the engine's socket. `NET_ADMIN` and the device are for the mesh's interface.
fn run(engine: &str, source: &Source, enrollment: &str) -> String {
    let network = match source.mode() {
        NetworkMode::Host => "--network host ".to_owned(),
        NetworkMode::Bridge | NetworkMode::Unknown => String::new(),
        NetworkMode::Pause => format!("--network container:{} ", PAUSE),
    };
    let image = quote(&source.config.agent_image);
    let [tun, machine_id] = [
        format!("--device {TUN}"),
        format!("--mount type=bind,src={MACHINE_ID},dst={MACHINE_ID},readonly"),
    ]
    .map(|option| if_there(engine, &image, &option));
    // The agent uses the shell's proxies; a variable that is not set is not passed.
    let proxy = PROXY_VARIABLES.map(|name| format!("-e {name}")).join(" ");
    format!(
        "{engine} run -d --name {CONTAINER} --restart unless-stopped --pull never \\\n  \
         --read-only --cap-drop ALL {network}--cap-add NET_ADMIN --security-opt no-new-privileges --security-opt label=disable \\\n  \
         -v {CONTAINER}:{STATE} -v {SOCKET}:{DOCKER_SOCKET} \\\n  \
         {tun} \\\n  \
         {machine_id} \\\n  \
         {proxy} \\\n  \
         {enrollment} \\\n  \
         {image}"
    )
}

/// Adds the option only where the engine accepts it. Only the engine can tell, since its machine may be another than
/// the shell's.
fn if_there(engine: &str, image: &str, option: &str) -> String {
    format!(
        "$({engine} run --rm --pull never --network none {option} {image} version >/dev/null 2>&1 && echo {option})"
    )
}
