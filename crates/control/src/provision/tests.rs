//! Every text as a snapshot, and promises about all of them.

use super::*;
use flotilla_protocol::device::RelayPreference;

mod line;
mod pasted;
mod whatever_passes;

/// A pending device called nas. Nothing in it is a real secret.
pub(crate) fn config(mode: NetworkMode) -> ConfigFile {
    ConfigFile {
        version: 1,
        fleet_id: "01937c5e-7b1a-7c3e-8b9e-0123456789ab".parse().unwrap(),
        device_id: "01937c5e-7b1a-7c3e-8b9e-0123456789cd".parse().unwrap(),
        device_name: "nas".parse().unwrap(),
        endpoints: vec![
            "192.168.1.10:7443".parse().unwrap(),
            "home.example.net:7443".parse().unwrap(),
        ],
        ca_pin: pin('C'),
        token: "01937c5e7b1a7c3e8b9e0123456789ef.c2VjcmV0LXNlY3JldC1zZWNyZXQ".into(),
        token_expires: "2026-01-02T03:04:05Z".parse().unwrap(),
        mesh_ip: [100, 71, 0, 7].into(),
        mesh_cidr: "100.71.0.0/16".into(),
        network_mode: mode,
        relay: RelayPreference::Auto,
        tags: vec!["prod".parse().unwrap(), "media".parse().unwrap()],
        agent_image: "flotilla/agent:0.1.0".into(),
        ca_pem: "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n".into(),
    }
}

pub(crate) fn pin(letter: char) -> Pin {
    Pin::from_base64(&format!("{}=", letter.to_string().repeat(43))).unwrap()
}

fn added(mode: NetworkMode) -> DeviceAdded {
    device_added(&config(mode), false, &pin('T'))
}

#[test]
fn host_networking_has_every_form() {
    let added = added(NetworkMode::Host);
    assert_eq!(added.unavailable, Unavailable::default());
    insta::assert_snapshot!("install", added.install.unwrap());
    insta::assert_snapshot!("docker_run_host", added.docker_run.unwrap());
    insta::assert_snapshot!("compose_host", added.compose.unwrap());
    insta::assert_snapshot!("config", added.config.unwrap());
    insta::assert_snapshot!("config_run_host", added.config_run.unwrap());
}

#[test]
fn bridge_networking_has_no_right_to_the_devices_network() {
    let added = added(NetworkMode::Bridge);
    assert_eq!(added.install, None);
    assert_eq!(added.unavailable.install.as_deref(), Some(ONLY_HOST));
    insta::assert_snapshot!("docker_run_bridge", added.docker_run.unwrap());
    insta::assert_snapshot!("compose_bridge", added.compose.unwrap());
    insta::assert_snapshot!("config_run_bridge", added.config_run.unwrap());
}

#[test]
fn a_pod_has_its_pause_container_in_every_form() {
    let added = added(NetworkMode::Pause);
    assert_eq!(added.install, None);
    assert_eq!(added.unavailable.install.as_deref(), Some(ONLY_HOST));
    insta::assert_snapshot!("docker_run_pause", added.docker_run.unwrap());
    insta::assert_snapshot!("compose_pause", added.compose.unwrap());
    insta::assert_snapshot!("config_run_pause", added.config_run.unwrap());
}

#[test]
fn windows_has_lines_of_its_own() {
    for mode in NetworkMode::ALL {
        let text = added(*mode).docker_run_powershell.unwrap();
        insta::assert_snapshot!(format!("docker_run_powershell_{mode}"), text);
    }
}

#[test]
fn without_an_address_nothing_is_handed_out() {
    let config = ConfigFile {
        endpoints: vec![],
        ..config(NetworkMode::Host)
    };
    let added = device_added(&config, false, &pin('T'));
    assert_eq!(
        (added.install, added.docker_run, added.compose, added.config),
        (None, None, None, None)
    );
    assert_eq!(added.unavailable.config.as_deref(), Some(NO_ADDRESS));
}

#[test]
fn an_agent_in_a_container_is_told_no_name_that_only_systems_know_where_there_is_another_address() {
    let texts = |endpoints: &[&str]| {
        let endpoints = endpoints.iter().map(|text| text.parse().unwrap()).collect();
        let config = ConfigFile {
            endpoints,
            ..config(NetworkMode::Host)
        };
        let added = device_added(&config, false, &pin('T'));
        let in_container = [
            added.docker_run,
            added.docker_run_powershell,
            added.compose,
            added.config_run,
        ];
        (added.install.unwrap(), in_container.map(Option::unwrap))
    };
    let (install, in_container) = texts(&["ctl.local:7443", "192.168.1.10:7443"]);
    assert!(install.contains("https://ctl.local:7443/"), "{install}");
    for text in in_container {
        assert!(
            !text.contains("ctl.local") && text.contains("192.168.1.10:7443"),
            "{text}"
        );
    }
    // Without another address the name is used, since the network's name server may know it.
    for text in texts(&["ctl.local:7443"]).1 {
        assert!(text.contains("ctl.local:7443"), "{text}");
    }
}

#[test]
fn the_config_file_reads_back_and_holds_no_private_key() {
    let text = added(NetworkMode::Host).config.unwrap();
    let read: ConfigFile = toml::from_str(&text).unwrap();
    assert_eq!(read.ca_pem, config(NetworkMode::Host).ca_pem);
    assert_eq!(read.endpoints.len(), 2);
    assert!(!text.contains("PRIVATE"));
}

#[test]
fn the_line_that_runs_a_config_file_holds_no_secret() {
    for mode in NetworkMode::ALL {
        let added = added(*mode);
        assert!(!added.config_run.unwrap().contains(&config(*mode).token));
    }
}

#[test]
fn every_shell_text_is_one_that_shells_parse_also_at_a_prompt() {
    for mode in NetworkMode::ALL {
        let added = added(*mode);
        let texts = [added.install, added.docker_run, added.config_run];
        for text in texts.into_iter().flatten() {
            for shell in ["bash", "sh"] {
                let checked = std::process::Command::new(shell)
                    .args(["-n", "-c", &text])
                    .output()
                    .unwrap();
                assert!(checked.status.success(), "{shell}: {text}");
            }
            // At a prompt, bash and zsh replace `!` by history, and zsh knows no comments.
            assert!(!text.contains('!'), "{text}");
            assert!(
                !text.lines().any(|line| line.trim_start().starts_with('#')),
                "{text}"
            );
        }
    }
}
