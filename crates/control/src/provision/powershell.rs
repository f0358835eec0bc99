//! The lines that load the agent's image and run it, for PowerShell on Windows.
//!
//! The lines are one block, which ends at its first failure (Windows PowerShell 5.1 can't chain commands) and can be
//! pasted again. `curl` is another command in PowerShell, so `curl.exe` is named.

use super::{
    container::{COMMAND, CONTAINER, DOCKER_SOCKET, LABEL, PAUSE, STATE, environment},
    desktop,
    shell::quote_powershell as quote,
    source::Source,
};
use flotilla_protocol::device::NetworkMode;

/// Loads the image for the engine's architecture and runs the agent with its token in the environment.
pub(super) fn docker_run(source: &Source) -> String {
    let mut steps = vec!["$arch = docker version --format '{{.Server.Arch}}'".to_owned()];
    steps.extend(desktop::check_powershell(source));
    steps.extend(fetch(source));
    if source.mode() == NetworkMode::Pause {
        steps.extend(pause(source));
    }
    steps.push(format!(
        "if ({}) {{ docker rm --force {CONTAINER} | Out-Null }}",
        existing(CONTAINER)
    ));
    let steps: String = steps
        .iter()
        .map(|step| format!("  {step}\n  if ($LASTEXITCODE) {{ return }}\n"))
        .collect();
    format!("& {{\n{steps}  {}\n}}", run(source))
}

fn fetch(source: &Source) -> [String; 2] {
    let pin = quote(&source.tls_pin.to_string());
    let bearer = quote(&format!("Authorization: Bearer {}", source.config.token));
    // An endpoint has no character that is special in double quotes.
    let url = format!("\"https://{}/install/agent-image/$arch.tar\"", source.endpoint);
    [
        format!(
            "$image = [IO.Path]::GetTempFileName()\n  \
             curl.exe -fsSk --proto '=https' --pinnedpubkey {pin} -H {bearer} {url} -o $image"
        ),
        "docker load --input $image; Remove-Item $image".to_owned(),
    ]
}

fn pause(source: &Source) -> [String; 2] {
    let image = quote(&source.config.agent_image);
    [
        format!(
            "if (-not ({})) {{\n    \
             docker create --name {PAUSE} --label {LABEL} --restart always --pull never `\n      \
             --read-only --cap-drop ALL --security-opt no-new-privileges --tmpfs {STATE} `\n      \
             -v {DOCKER_SOCKET}:{DOCKER_SOCKET} {image} {COMMAND}\n  }}",
            existing(PAUSE)
        ),
        format!("docker start {PAUSE}"),
    ]
}

/// A command that prints the container's id, or nothing.
fn existing(name: &str) -> String {
    format!("docker ps --all --quiet --filter 'name=^{name}$'")
}

fn run(source: &Source) -> String {
    let network = match source.mode() {
        NetworkMode::Host => "--network host ".to_owned(),
        NetworkMode::Bridge | NetworkMode::Unknown => String::new(),
        NetworkMode::Pause => format!("--network container:{PAUSE} "),
    };
    let environment =
        environment(source).map(|(name, value)| format!("-e {}", quote(&format!("{name}={value}"))));
    format!(
        "docker run -d --name {CONTAINER} --restart unless-stopped --pull never `\n    \
         --read-only --cap-drop ALL {network}--cap-add NET_ADMIN --device /dev/net/tun --security-opt no-new-privileges `\n    \
         -v {CONTAINER}:{STATE} -v {DOCKER_SOCKET}:{DOCKER_SOCKET} `\n    \
         {environment} `\n    \
         {image}",
        environment = environment.join(" "),
        image = quote(&source.config.agent_image),
    )
}
