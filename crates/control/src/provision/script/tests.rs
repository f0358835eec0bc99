//! The installer, run in a folder of stand-ins for the programs that it calls.

use super::*;
use crate::provision::tests::{config, pin};
use flotilla_protocol::device::NetworkMode;
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Output},
};

/// SHA-256 of what the stand-in for curl downloads.
const OF_ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

fn script() -> String {
    let digests = Digests {
        x86_64: Some(OF_ABC.into()),
        aarch64: None,
    };
    let endpoint = "192.168.1.10:7443".parse().unwrap();
    render(&config(NetworkMode::Host), &endpoint, &pin('T'), &digests)
}

/// A machine made of stand-ins: every program that changes something writes down how it was called.
struct Machine {
    root: tempfile::TempDir,
}

impl Machine {
    fn new() -> Self {
        let machine = Self {
            root: tempfile::tempdir().unwrap(),
        };
        let at = machine.path();
        for folder in ["bin", "local", "etc", "state", "systemd"] {
            fs::create_dir(format!("{at}/{folder}")).unwrap();
        }
        machine.program(
            "uname",
            r#"if [ "$1" = -s ]; then echo Linux; else echo x86_64; fi"#,
        );
        machine.program("id", r#"if [ "$2" = flotilla ]; then exit 1; fi; echo 0"#);
        machine.program("docker", "");
        // The stand-in reads its configuration as curl does, and downloads a program that notes its own calls.
        machine.program(
            "curl",
            &format!(
                r##"case "$*" in *--help*) exit 0;; esac
                    cat >>"{at}/curl-input"; while [ "$1" != -o ]; do shift; done
                    printf abc >"$2"; echo "curl $*" >>"{at}/calls""##
            ),
        );
        for name in ["useradd", "userdel", "usermod", "getent", "systemctl", "chown"] {
            machine.program(name, &format!(r#"echo "{name} $*" >>"{at}/calls""#));
        }
        machine
    }

    fn path(&self) -> &str {
        self.root.path().to_str().unwrap()
    }

    fn program(&self, name: &str, body: &str) {
        let path = self.root.path().join("bin").join(name);
        fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// The script with its paths moved into this machine.
    fn moved(&self, script: &str) -> String {
        let at = self.path();
        script
            .replace("/usr/local/bin/", &format!("{at}/local/"))
            .replace("/var/lib/flotilla", &format!("{at}/state"))
            .replace("/etc/flotilla/", &format!("{at}/etc/flotilla/"))
            .replace("/run/systemd/system", &format!("{at}/systemd"))
    }

    fn run(&self, script: &str, flags: &[&str]) -> Output {
        let path = format!("{}/bin:/usr/bin:/bin:/usr/sbin:/sbin", self.path());
        let file = self.root.path().join("agent.sh");
        fs::write(&file, self.moved(script)).unwrap();
        Command::new("bash")
            .arg(file)
            .args(flags)
            .env("PATH", path)
            .output()
            .unwrap()
    }

    fn calls(&self) -> String {
        fs::read_to_string(self.root.path().join("calls")).unwrap_or_default()
    }

    fn exists(&self, path: &str) -> bool {
        self.root.path().join(path).exists()
    }
}

fn said(output: &Output) -> String {
    let text = [&output.stdout[..], &output.stderr[..]].concat();
    String::from_utf8(text).unwrap()
}

#[test]
fn it_is_what_was_reviewed() {
    let script = script();
    let values: Vec<_> = script
        .lines()
        .take_while(|line| !line.starts_with("# What follows"))
        .collect();
    insta::assert_snapshot!(values.join("\n"));
}

#[test]
fn shellcheck_has_nothing_to_say() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("agent.sh");
    fs::write(&file, script()).unwrap();
    // SC2016: the docker command is text here; the shell that it is pasted into expands it.
    let checked = Command::new("shellcheck")
        .args(["--exclude", "SC2016"])
        .arg(file)
        .output();
    let checked =
        checked.expect("the program shellcheck is needed here: `cargo xtask setup --test` installs it");
    assert!(checked.status.success(), "{}", said(&checked));
}

#[test]
fn installing_downloads_checks_and_hands_over_to_the_agent() {
    let machine = Machine::new();
    let output = machine.run(&script().replace(OF_ABC, &"0".repeat(64)), &[]);
    assert!(!output.status.success());
    assert!(
        said(&output).contains("not the one that was announced"),
        "{}",
        said(&output)
    );
    assert!(!machine.exists("local/flotilla-agent") && !machine.exists("local/flotilla-agent.new"));

    // The downloaded "abc" is not a program, so calling it fails, after everything is in place.
    machine.run(&script(), &[]);
    assert_eq!(
        fs::read_to_string(machine.root.path().join("local/flotilla-agent")).unwrap(),
        "abc"
    );
    let mode = |path: &str| {
        fs::metadata(machine.root.path().join(path))
            .unwrap()
            .permissions()
            .mode()
            & 0o777
    };
    assert_eq!(mode("local/flotilla-agent"), 0o755);
    assert_eq!(mode("etc/flotilla/device.toml"), 0o600);
    let written = fs::read_to_string(machine.root.path().join("etc/flotilla/device.toml")).unwrap();
    assert!(toml::from_str::<ConfigFile>(&written).is_ok(), "{written}");
    assert!(
        machine.calls().contains("useradd --system"),
        "{}",
        machine.calls()
    );
    assert!(machine.calls().contains("usermod -a -G docker flotilla"));
}

#[test]
fn the_token_is_in_no_argument_and_no_output() {
    let machine = Machine::new();
    let output = machine.run(&script(), &[]);
    let token = config(NetworkMode::Host).token;
    assert!(!machine.calls().contains(&token) && !said(&output).contains(&token));
    let input = fs::read_to_string(machine.root.path().join("curl-input")).unwrap();
    assert_eq!(input, format!("header = \"Authorization: Bearer {token}\"\n"));
}

#[test]
fn as_root_makes_no_user() {
    let machine = Machine::new();
    machine.run(&script(), &["--as-root"]);
    assert!(machine.exists("local/flotilla-agent"));
    assert!(
        !machine.calls().contains("useradd") && !machine.calls().contains("chown"),
        "{}",
        machine.calls()
    );
}

#[test]
fn a_dry_run_says_every_step_and_takes_none() {
    let machine = Machine::new();
    let output = machine.run(&script(), &["--dry-run"]);
    assert!(output.status.success(), "{}", said(&output));
    let said = said(&output);
    assert_eq!(said.lines().count(), 4, "{said}");
    assert!(
        said.lines().all(|line| line.starts_with("flotilla: would ")),
        "{said}"
    );
    assert_eq!(machine.calls(), "");
    assert!(!machine.exists("local/flotilla-agent") && !machine.exists("etc/flotilla"));
}

#[test]
fn uninstalling_takes_away_all_that_was_put_there() {
    let machine = Machine::new();
    machine.run(&script(), &[]);
    machine.program("id", "echo 0");
    let at = machine.path().to_owned();
    fs::write(
        machine.root.path().join("local/flotilla-agent"),
        format!("#!/bin/sh\necho \"agent $*\" >>\"{at}/calls\"\n"),
    )
    .unwrap();
    let output = machine.run(&script(), &["--uninstall"]);
    assert!(output.status.success(), "{}", said(&output));
    assert!(
        machine.calls().ends_with("agent uninstall\nuserdel flotilla\n"),
        "{}",
        machine.calls()
    );
    for gone in ["local/flotilla-agent", "etc/flotilla", "state"] {
        assert!(!machine.exists(gone), "{gone}");
    }
    let again = machine.run(&script(), &["--uninstall"]);
    assert!(again.status.success(), "{}", said(&again));
}

#[test]
fn an_unsupported_system_is_told_what_to_do_instead() {
    let machine = Machine::new();
    machine.program(
        "uname",
        r#"if [ "$1" = -s ]; then echo Linux; else echo mips; fi"#,
    );
    let output = machine.run(&script(), &[]);
    assert!(said(&output).contains("There is no agent for this device's processor (mips)."));

    machine.program(
        "uname",
        r#"if [ "$1" = -s ]; then echo Linux; else echo aarch64; fi"#,
    );
    assert!(said(&machine.run(&script(), &[])).contains("This controller has no agent for"));

    let machine = Machine::new();
    fs::remove_dir(machine.root.path().join("systemd")).unwrap();
    let output = machine.run(&script(), &["--dry-run"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("does not run systemd") && said(&output).contains("docker load"));

    let machine = Machine::new();
    machine.program("curl", r#"case "$*" in *--pinnedpubkey*) exit 2;; esac"#);
    assert!(said(&machine.run(&script(), &[])).contains("curl is too old"));

    let machine = Machine::new();
    machine.program("id", "echo 1000");
    assert!(said(&machine.run(&script(), &[])).contains("sudo bash"));
    assert_eq!(machine.calls(), "");
}

#[test]
fn an_unknown_flag_is_a_usage_error_and_changes_nothing() {
    let machine = Machine::new();
    let output = machine.run(&script(), &["--as-rot"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("--as-root") && said(&output).contains("no option --as-rot"));
    assert_eq!(machine.calls(), "");
}

#[test]
fn a_download_that_was_cut_short_runs_nothing() {
    let machine = Machine::new();
    let whole = script();
    let last = whole.trim_end().rfind('\n').unwrap();
    let inner = (last..whole.trim_end().len()).chain((0..last).step_by(997));
    for cut in inner {
        let output = machine.run(&whole[..cut], &["--uninstall"]);
        assert_eq!(String::from_utf8_lossy(&output.stdout), "", "cut at {cut}");
        assert_eq!(machine.calls(), "", "cut at {cut}");
        assert!(Path::new(machine.path()).join("state").exists());
    }
}

#[test]
fn a_proxy_that_does_not_lead_to_the_controller_is_gone_around() {
    let machine = Machine::new();
    let at = machine.path().to_owned();
    let body = format!(
        r##"case "$*" in *--help*) exit 0;; esac
            cat >/dev/null; echo "curl $*" >>"{at}/calls"
            case "$*" in *--noproxy*) ;; *) echo 'curl: (7) no proxy there' >&2; exit 7;; esac
            while [ "$1" != -o ]; do shift; done; printf abc >"$2""##
    );
    machine.program("curl", &body);
    assert!(said(&machine.run(&script(), &[])).contains("could not be downloaded"));
    assert!(
        !machine.calls().contains("--noproxy"),
        "there is no proxy to go around"
    );
    let with_proxy = format!("export HTTPS_PROXY=http://127.0.0.1:9\n{}", script());
    assert!(said(&machine.run(&with_proxy, &[])).contains("trying without it"));
    assert!(machine.exists("local/flotilla-agent"));
}

#[test]
fn podman_is_made_to_listen_and_belongs_to_root() {
    let machine = Machine::new();
    machine.program("podman", "");
    machine.program("docker", "echo podman version 4.3.1");
    let script = script().replace("/run/docker.sock /var/run/docker.sock", "");
    machine.run(&script, &[]);
    assert!(
        machine
            .calls()
            .contains("systemctl enable --now --quiet podman.socket"),
        "{}",
        machine.calls()
    );
    let at = machine.path().to_owned();
    let socket = format!("{at}/podman.sock");
    let _listening = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let script = script.replace("/run/podman/podman.sock", &socket);
    assert!(said(&machine.run(&script, &[])).contains("again with --as-root"));
    assert!(!said(&machine.run(&script, &["--as-root"])).contains("again with --as-root"));
}

#[test]
fn an_engine_that_is_one_users_own_is_named_and_no_other_is_installed() {
    let machine = Machine::new();
    let at = machine.path().to_owned();
    for folder in ["run", "run/7"] {
        fs::create_dir(format!("{at}/{folder}")).unwrap();
    }
    let _listening = std::os::unix::net::UnixListener::bind(format!("{at}/run/7/docker.sock")).unwrap();
    let script = script()
        .replace(
            "/run/docker.sock /var/run/docker.sock /run/podman/podman.sock",
            "",
        )
        .replace("/run/user/", &format!("{at}/run/"));
    machine.program("apt-get", &format!(r#"echo "apt-get $*" >>"{at}/calls""#));
    let said = said(&machine.run(&script, &[]));
    assert!(
        said.contains(&format!("listens at {at}/run/7/docker.sock")) && said.contains("docker run -d"),
        "{said}"
    );
    assert!(!machine.calls().contains("apt-get") && machine.exists("local/flotilla-agent"));
}

#[test]
fn programs_of_the_system_are_found_where_the_path_does_not_name_them() {
    let machine = Machine::new();
    let file = machine.root.path().join("agent.sh");
    fs::write(&file, machine.moved(&script())).unwrap();
    let mut shell = Command::new("/bin/bash");
    shell
        .arg(file)
        .env("PATH", format!("{}/bin", machine.path()))
        .output()
        .unwrap();
    assert!(machine.exists("local/flotilla-agent"), "{}", machine.calls());
}
