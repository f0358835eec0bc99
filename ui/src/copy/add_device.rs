//! Texts of Add Device.

use crate::components::mode_card::CardText;
use flotilla_protocol::{
    api::Stage,
    device::{NetworkMode, RelayPreference},
};

pub const STEPS: [&str; 3] = ["Name", "Network", "Install"];

pub const CONTINUE: &str = "Continue";
pub const BACK: &str = "Back";
pub const CLOSE: &str = "Close";
pub const CREATE: &str = "Create command";

pub const NAME: &str = "Device name";
pub const NAME_HINT: &str = "Lowercase letters, digits and hyphens. You can change it later.";
pub const TAGS: &str = "Tags (optional)";
pub const WHERE: &str = "Where is this device?";
pub const LOCAL: &str = "On my local network";
pub const LOCAL_TEXT: &str = "It can open this controller's address directly.";
pub const ELSEWHERE: &str = "Somewhere else";
pub const ELSEWHERE_TEXT: &str = "A server, another home, or a network behind a firewall.";
pub const NOT_REACHABLE: &str = "A device outside your local network can't reach this controller yet. Add a public address or tunnel in Settings, or enroll the device while it is on your network.";
pub const REACHED_AT: &str = "The device must be able to open one of these addresses of this computer";
pub const REACHED_AT_OUTSIDE: &str =
    "The device must be able to open one of these addresses of this computer from where it is";
pub const NONE_ANSWERS: &str = "This computer doesn't answer at any of its addresses. A firewall here may block them: allow TCP and UDP port 7443.";
pub const WHAT_HELPS: &str = "What would help";
/// The ways to make the controller reachable for a device elsewhere: a title and a text each.
pub const WAYS: [(&str, &str); 4] = [
    (
        "Port forwarding.",
        "Let your router pass TCP and UDP port 7443 on to this computer, and add the router's public address.",
    ),
    (
        "A VPN.",
        "Join this computer and the device to the same one, and add this computer's address there.",
    ),
    (
        "A tunnel.",
        "Let a server with a public address pass port 7443 on to this computer, and add the server's address.",
    ),
    (
        "SSH.",
        "If this computer can log in to the device, install over SSH from here. Where the device has no way back, the SSH connection carries its link while this computer runs.",
    ),
];
pub const OVER_SSH_FROM_HERE: &str = "Install over SSH from here";

pub const MODE: &str = "Network mode";
pub const RELAY: &str = "Access Relay";
pub const RELAY_HINT: &str = "A relay passes on encrypted packets. It can't read them.";
pub const DESKTOP_TITLE: &str = "Docker Desktop on Mac or Windows";
pub const DESKTOP_TEXT: &str = "Docker Desktop runs containers inside a small Linux virtual machine. Host networking there joins that virtual machine's network, not your Mac's or PC's. Only containers that also use host networking inside it become reachable; the computer itself does not.";
pub const SSH_ONLY_HOST: &str =
    "Over SSH the agent is installed directly on the device, so it only fits Host networking.";
pub const SSH_ONLY_NEW: &str =
    "Over SSH the agent of a new device is installed. This one is in the fleet already.";
pub const KEEP_COMMAND: &str = "Keep the command";

pub const INSTALL_COMMAND: &str = "Install command";
pub const DOCKER_COMMAND: &str = "Docker command";
pub const COMPOSE_FILE: &str = "Compose file";
pub const CONFIG_FILE: &str = "Config file";
pub const OVER_SSH: &str = "Over SSH";
pub const METHODS: &str = "Ways to install";
pub const VALID_FOR: &str = "Valid for";
pub const WORKS_ONCE: &str = "Works once.";
pub const AS_ROOT: &str = "Run as root";
pub const SKIP_DOCKER: &str = "Don't install Docker";
pub const INSPECT: &str = "Inspect the script first";
pub const INSPECT_TEXT: &str = "This shows the script instead of running it. It does not use up the command.";
pub const SHELL: &str = "Shell";
pub const SHELL_POSIX: &str = "Linux or macOS";
pub const SHELL_POWERSHELL: &str = "Windows PowerShell";
pub const TWO_CONTAINERS: &str = "This loads the agent's image and starts two containers:";
pub const TWO_CONTAINERS_STEPS: [&str; 2] = [
    "flotilla-pause, a tiny container that only holds the network. It is the one to restart last.",
    "flotilla-agent, in that network. Start your own containers with --network container:flotilla-pause to put them beside it.",
];
pub const COMPOSE_HINT: &str =
    "Save it as compose.yaml in a folder on the device, and follow the steps at its top.";
pub const COMPOSE_POD: &str = "Save it as compose.yaml in a folder on the device, add your own services with network_mode: service:pause, and follow the steps at its top.";
pub const DOWNLOAD_COMPOSE: &str = "Download Compose file";
pub const DOWNLOAD_CONFIG: &str = "Download config file";
pub const NEW_COMMAND: &str = "Create a new command";

pub const SSH_TEXT: &str = "This computer logs in to the device with your own ssh, your keys and your known hosts, and runs the installer there. No unknown host is trusted, and no password is asked for.";
pub const SSH_HOST: &str = "SSH host";
pub const SSH_HOST_HINT: &str = "A host of your SSH configuration, or user@host, or user@host:port.";
pub const HOST_MISSING: &str = "Enter a host.";
pub const INSTALL_OVER_SSH: &str = "Install over SSH";
pub const STOP_INSTALLING: &str = "Stop installing";
pub const SSH_STATUS: &str = "SSH status";
pub const SSH_OUTPUT: &str = "Output of the installer";
pub const TUNNEL: &str = "Its link goes through SSH";
pub const USED_OVER_SSH: &str = "The installation over SSH took a new token along, so what was shown here no longer works. Create a new command to use it instead.";

pub const STATUS: &str = "Enrollment status";
pub const WAITING: &str = "Waiting for device…";
pub const STAGE_ONLINE: &str = "Online";
pub const TESTING: &str = "Self-test…";
pub const REACHABLE: &str = "Self-test: reachable";
pub const UNREACHABLE: &str = "Self-test: not reachable";
pub const NO_CONTACT: &str = "Nothing has reached the controller yet";
pub const WITHDRAWN: &str = "This command was replaced and can't enroll a device any more.";
pub const SHOWN_ONCE: &str =
    "The command was shown once and is not shown again. Create a new one if you no longer have it.";

pub const CREATING: &str = "Creating a new command…";
pub const KEEPS_WORKING: &str = "You can close this; the command keeps working until it expires.";

pub const OPEN_DEVICE: &str = "Open device";
pub const ADD_ANOTHER: &str = "Add another device";
pub const DONE: &str = "Done";
pub const MESH_ADDRESS: &str = "Mesh address";
pub const SYSTEM: &str = "Operating system";
pub const ENGINE: &str = "Engine";
pub const PATH: &str = "Path from here";
pub const MISSED_HINT: &str = "It is online by another one. These matter when that one is gone.";
pub const NO_PROBLEMS: &str = "No problems found.";

/// The texts of the card of a network mode.
#[must_use]
pub fn card(mode: NetworkMode) -> CardText {
    match mode {
        NetworkMode::Host => CardText {
            title: "Host networking",
            summary: "Share this device with the mesh",
            explanation: "The agent uses the device's own network. Anything listening on the device, such as a web server, a database or a container with published ports, can be reached at its mesh address. Nothing is open until an access rule allows it.",
            use_when: "other devices should reach services on this one.",
        },
        NetworkMode::Bridge => CardText {
            title: "Bridge networking",
            summary: "Manage containers, expose nothing",
            explanation: "The agent runs in a network of its own, walled off from the device. You can manage every container here, but no other device can reach this one over the mesh, whatever the rules say.",
            use_when: "you only want to manage containers.",
        },
        NetworkMode::Pause => CardText {
            title: "Pause container",
            summary: "Expose chosen containers, hide the device",
            explanation: "A tiny container that only holds a network. The agent and the containers you choose join it and share one mesh address, like a Kubernetes pod; the device stays hidden. One on port 80 and one on 8080 appear as 100.64.0.7:80 and 100.64.0.7:8080. Two can't use the same port.",
            use_when: "some containers should be reachable and the device should not.",
        },
        NetworkMode::Unknown => CardText {
            title: "Another mode",
            summary: "A mode of a newer Flotilla",
            explanation: "The controller is newer than this app. Update the app to see what this mode does.",
            use_when: "",
        },
    }
}

/// A relay preference: its title and its text.
#[must_use]
pub fn relay(relay: RelayPreference) -> (&'static str, &'static str) {
    match relay {
        RelayPreference::Auto => (
            "Auto",
            "Direct first, relay if needed. Connects directly whenever it can. If firewalls or NAT prevent that, traffic goes through a relay until a direct path works.",
        ),
        RelayPreference::Always => (
            "Always",
            "Through a relay. Sends this device's traffic through a relay even when a direct path exists. Use it on networks with strict outbound rules.",
        ),
        RelayPreference::Never => (
            "Never",
            "Direct paths only. If no direct path works, this device can't be reached over the mesh, and Flotilla shows why.",
        ),
        RelayPreference::Unknown => (
            "Another",
            "The controller is newer than this app. Update the app to see what this means.",
        ),
    }
}

/// The sentence for a stage that is reached.
#[must_use]
pub fn reached(stage: Stage, device: &str, from: Option<&str>) -> String {
    match (stage, from) {
        (Stage::Reached, Some(from)) => format!("Device reached the controller (from {from})"),
        (Stage::Reached, None) => "Device reached the controller".to_owned(),
        (Stage::IdentityChecked, _) => "Identity checked".to_owned(),
        (Stage::CertificateIssued, _) => "Certificate issued".to_owned(),
        (Stage::Online, _) => format!("{device} is online"),
        (Stage::Unknown, _) => "Another step is done".to_owned(),
    }
}

/// The sentence for a stage that is not reached yet.
#[must_use]
pub fn upcoming(stage: Stage) -> String {
    match stage {
        Stage::Online => STAGE_ONLINE.to_owned(),
        earlier => reached(earlier, "", None),
    }
}

#[must_use]
pub fn name_taken(name: &str) -> String {
    format!(
        "There is already a device named {name}. Choose another name, or re-enroll {name} from its Trust tab."
    )
}

#[must_use]
pub fn reenroll_title(device: &str) -> String {
    format!("Re-enroll {device}")
}

#[must_use]
pub fn run_this_on(device: &str) -> String {
    format!("Run this on {device}")
}

#[must_use]
pub fn install_on(device: &str) -> String {
    format!("Install on {device}")
}

#[must_use]
pub fn ssh_connecting(host: &str) -> String {
    format!("Connecting to {host}…")
}

#[must_use]
pub fn ssh_installing(device: &str, host: &str) -> String {
    format!("Installing {device} on {host}…")
}

#[must_use]
pub fn ssh_installed(device: &str) -> String {
    format!("Installed. {device} is on its way online.")
}

#[must_use]
pub fn ssh_stopped(host: &str) -> String {
    format!("The installation on {host} did not finish.")
}

#[must_use]
pub fn ssh_failed(host: &str) -> String {
    format!("ssh to {host} ended early. Try the same in a terminal to see why.")
}

/// Why a device that cannot dial the controller is online: by an SSH tunnel.
#[must_use]
pub fn tunneled(device: &str) -> String {
    format!(
        "{device} can't open any address of this controller, so this computer keeps an SSH connection to it and its link goes through that. {device} is online while Flotilla runs here and can log in there."
    )
}

#[must_use]
pub fn missed(device: &str) -> String {
    format!("Addresses that {device} can't open")
}

#[must_use]
pub fn expires_in(left: &str) -> String {
    format!("Expires in {left}")
}

#[must_use]
pub fn expired(at: &str) -> String {
    format!("This command expired at {at} and can't enroll a device any more.")
}

#[must_use]
pub fn replaces(device: &str) -> String {
    format!(
        "A command for {device} was already created. Creating another one replaces it: what you copied stops working."
    )
}

#[must_use]
pub fn stays_pending(device: &str) -> String {
    format!("You can close this; {device} stays listed as Pending.")
}

/// The steps for a config file.
#[must_use]
pub fn config_steps(device: &str) -> [String; 3] {
    [
        "Install Docker Engine or Podman on the device.".to_owned(),
        format!("Put {device}.device.toml in a folder there."),
        "Run the command below in that folder.".to_owned(),
    ]
}

#[must_use]
pub fn config_warning(until: &str) -> String {
    format!("This file can enroll one device until {until}. Treat it like a password.")
}

#[must_use]
pub fn no_contact(address: &str) -> String {
    format!("The device must be able to open {address}. Run this on the device to check that it can:")
}

/// An attempt without the token of the command, from this address.
#[must_use]
pub fn identity_failed(from: &str) -> String {
    format!(
        "Something at {from} tried to enroll but couldn't prove it holds this command. Nothing was added."
    )
}
