//! Every text as a snapshot, and what they promise beyond their letters.

use super::*;
use flotilla_protocol::device::RelayPreference;
use std::os::unix::fs::PermissionsExt;

/// A pending device called nas. Nothing in it is a real secret.
pub(super) fn config(mode: NetworkMode) -> ConfigFile {
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

pub(super) fn pin(letter: char) -> Pin {
    Pin::from_base64(&format!("{}=", letter.to_string().repeat(43))).unwrap()
}

fn added(mode: NetworkMode) -> DeviceAdded {
    device_added(&config(mode), &pin('T'))
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
fn a_pause_container_has_a_config_file_and_says_why_it_has_nothing_else() {
    let added = added(NetworkMode::Pause);
    assert!(added.config.is_some());
    assert_eq!(
        (added.install, added.docker_run, added.compose),
        (None, None, None)
    );
    assert_eq!(added.unavailable.docker_run.as_deref(), Some(NO_PAUSE));
    assert_eq!(added.unavailable.compose.as_deref(), Some(NO_PAUSE));
    assert_eq!(added.unavailable.config, None);
}

#[test]
fn without_an_address_nothing_is_handed_out() {
    let config = ConfigFile {
        endpoints: vec![],
        ..config(NetworkMode::Host)
    };
    let added = device_added(&config, &pin('T'));
    assert_eq!(
        (added.install, added.docker_run, added.compose, added.config),
        (None, None, None, None)
    );
    assert_eq!(added.unavailable.config.as_deref(), Some(NO_ADDRESS));
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
    for mode in [NetworkMode::Host, NetworkMode::Bridge] {
        let added = added(mode);
        assert!(!added.config_run.unwrap().contains(&config(mode).token));
    }
}

#[test]
fn every_shell_text_is_one_that_shells_parse() {
    for mode in [NetworkMode::Host, NetworkMode::Bridge] {
        let added = added(mode);
        let texts = [added.install, added.docker_run, added.config_run];
        for text in texts.into_iter().flatten() {
            for shell in ["bash", "sh"] {
                let checked = std::process::Command::new(shell)
                    .args(["-n", "-c", &text])
                    .output()
                    .unwrap();
                assert!(checked.status.success(), "{shell}: {text}");
            }
        }
    }
}

/// Stand-ins for what a pasted text calls: an engine that writes down its calls, and a download that fails.
fn without_download() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().display();
    let programs = [
        (
            "docker",
            format!(r#"echo "docker $*" >>"{at}/calls"; echo amd64"#),
        ),
        (
            "curl",
            "cat >/dev/null; echo 'curl: (22) 404' >&2; exit 22".to_owned(),
        ),
    ];
    for (name, body) in programs {
        let path = folder.path().join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    std::fs::write(folder.path().join("nas.device.toml"), "token = \"x\"\n").unwrap();
    folder
}

#[test]
fn a_download_that_fails_ends_a_pasted_text_with_that_one_error() {
    let added = added(NetworkMode::Host);
    for text in [added.docker_run.unwrap(), added.config_run.unwrap()] {
        for shell in ["bash", "sh"] {
            let folder = without_download();
            let path = format!("{}:/usr/bin:/bin", folder.path().display());
            let output = std::process::Command::new(shell)
                .args(["-c", &text])
                .current_dir(&folder)
                .env("PATH", path)
                .env("TMPDIR", folder.path())
                .stdin(std::process::Stdio::null())
                .output()
                .unwrap();
            assert_eq!(String::from_utf8(output.stderr).unwrap(), "curl: (22) 404\n");
            assert!(!output.status.success());
            let calls = std::fs::read_to_string(folder.path().join("calls")).unwrap();
            assert_eq!(
                calls, "docker version --format {{.Server.Arch}}\n",
                "{shell}: {text}"
            );
        }
    }
}
