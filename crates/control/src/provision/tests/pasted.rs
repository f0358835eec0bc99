//! Texts for shells, run for real in a folder of stand-ins for the programs they call.

use super::{added, config, pin};
use crate::provision::device_added;
use flotilla_protocol::device::NetworkMode;
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Output, Stdio},
};

const SHELLS: [&str; 2] = ["bash", "sh"];

/// An engine that keeps a file per container, writes down its calls, and fails at the verb that `fails` names.
const ENGINE: &str = r#"
echo "${0##*/} $*" >>"$AT/calls"
verb=$1; case $verb in run | create) while [ "$1" != --name ]; do shift; done; name=$2 ;; *) for name; do :; done ;; esac
if [ "$(cat "$AT/fails" 2>/dev/null)" = "$verb" ]; then echo "no $verb today" >&2; exit 1; fi
case $verb in
  version) case $0 in *podman) exit 1 ;; esac; echo amd64 ;;
  info) case $* in *OperatingSystem*) cat "$AT/system" ;; *RemoteSocket*) echo unix:///run/user/7/podman.sock ;; *) echo amd64 ;; esac ;;
  load) cat >/dev/null ;;
  container | start) [ -f "$AT/containers/$name" ] ;;
  create | run) [ ! -f "$AT/containers/$name" ] && echo "$verb" >"$AT/containers/$name" ;;
  rm) rm "$AT/containers/$name" ;;
esac
"#;

/// Downloads a file, or what it is told fails.
const CURL: &str = r#"
cat >"$AT/curl-input"; [ "$(cat "$AT/fails" 2>/dev/null)" = curl ] && { echo 'curl: (22) 404' >&2; exit 22; }
while [ "$1" != -o ]; do shift; done; echo tar >"$2"
"#;

/// A computer with an engine and a browser's downloads.
struct Computer(tempfile::TempDir);

impl Computer {
    fn new(engine: &str) -> Self {
        let computer = Self(tempfile::tempdir().unwrap());
        fs::create_dir(computer.at().join("containers")).unwrap();
        computer.note("system", "Debian GNU/Linux 12 (bookworm) box");
        computer.note(
            "nas.device.toml",
            &format!("token = \"{}\"\n", config(NetworkMode::Host).token),
        );
        for (name, body) in [(engine, ENGINE), ("curl", CURL)] {
            let path = computer.at().join(name);
            fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
            fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        // Only what the texts may count on, so that an engine of this machine stays out.
        for name in ["sh", "cat", "rm", "chmod", "mktemp", "sed"] {
            let found = ["/usr/bin", "/bin"].map(|folder| Path::new(folder).join(name));
            let program = found.iter().find(|path| path.exists()).unwrap();
            std::os::unix::fs::symlink(program, computer.at().join(name)).unwrap();
        }
        computer
    }

    fn at(&self) -> &Path {
        self.0.path()
    }

    fn note(&self, name: &str, text: &str) {
        fs::write(self.at().join(name), text).unwrap();
    }

    fn paste(&self, shell: &str, text: &str) -> Output {
        Command::new(format!("/bin/{shell}"))
            .args(["-c", text])
            .current_dir(self.at())
            .env("PATH", self.at())
            .env("AT", self.at())
            .env("TMPDIR", self.at())
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// The verbs that the engine was called with, since the last look.
    fn calls(&self) -> Vec<String> {
        let path = self.at().join("calls");
        let calls = fs::read_to_string(&path).unwrap_or_default();
        fs::write(path, "").unwrap();
        let verb = |line: &str| line.split(' ').nth(1).unwrap_or_default().to_owned();
        calls.lines().map(verb).collect()
    }

    fn has(&self, container: &str) -> bool {
        self.at().join("containers").join(container).exists()
    }
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn texts(mode: NetworkMode) -> [String; 2] {
    let added = added(mode);
    [added.docker_run.unwrap(), added.config_run.unwrap()]
}

#[test]
fn a_text_that_is_pasted_again_replaces_the_agent_and_keeps_the_pod() {
    for mode in NetworkMode::ALL {
        for text in texts(*mode) {
            for shell in SHELLS {
                let computer = Computer::new("docker");
                for _ in 0..2 {
                    let output = computer.paste(shell, &text);
                    assert!(output.status.success(), "{shell} {}: {text}", said(&output));
                    assert_eq!(said(&output), "");
                    assert!(computer.has("flotilla-agent"));
                }
                let calls = computer.calls();
                let count = |verb: &str| calls.iter().filter(|call| *call == verb).count();
                assert_eq!((count("run"), count("rm")), (2, 2), "{calls:?}");
                let pods = usize::from(*mode == NetworkMode::Pause);
                assert_eq!((count("create"), count("start")), (pods, 2 * pods), "{calls:?}");
                assert_eq!(computer.has("flotilla-pause"), pods == 1);
            }
        }
    }
}

#[test]
fn a_text_ends_at_its_first_failure_with_that_one_error() {
    let steps = ["version", "curl", "load", "create", "start", "run"];
    for text in texts(NetworkMode::Pause) {
        for (shell, fails) in SHELLS
            .into_iter()
            .flat_map(|shell| steps.map(|step| (shell, step)))
        {
            let computer = Computer::new("docker");
            computer.note("fails", fails);
            let output = computer.paste(shell, &text);
            if fails == "version" && text.contains("podman") {
                // There is another way to ask.
                assert!(output.status.success(), "{}", said(&output));
                continue;
            }
            assert!(!output.status.success(), "{shell} {fails}");
            assert_eq!(
                said(&output).lines().count(),
                1,
                "{shell} {fails}: {}",
                said(&output)
            );
            let calls = computer.calls();
            let last = if fails == "curl" { "version" } else { fails };
            assert_eq!(calls.last().map(String::as_str), Some(last), "{shell}: {calls:?}");
            assert!(!computer.has("flotilla-agent"));
        }
    }
}

#[test]
fn an_agent_that_runs_is_replaced_only_once_its_image_is_there() {
    for text in texts(NetworkMode::Bridge) {
        let computer = Computer::new("docker");
        computer.note("containers/flotilla-agent", "run");
        computer.note("fails", "curl");
        assert!(!computer.paste("sh", &text).status.success());
        assert!(computer.has("flotilla-agent"));
    }
}

#[test]
fn docker_desktop_is_told_before_anything_is_done_unless_somebody_decided_for_it() {
    for system in ["Docker Desktop docker-desktop", "Alpine Linux docker-desktop"] {
        for shell in SHELLS {
            let computer = Computer::new("docker");
            computer.note("system", system);
            for text in texts(NetworkMode::Host) {
                let output = computer.paste(shell, &text);
                assert!(!output.status.success());
                let said = said(&output);
                assert!(
                    said.contains("choose Pause container or Bridge networking"),
                    "{said}"
                );
                assert_eq!(computer.calls(), ["version", "info"]);
            }
            let kept = device_added(&config(NetworkMode::Host), true, &pin('T'));
            let kept = [kept.docker_run.unwrap(), kept.config_run.unwrap()];
            let others = [texts(NetworkMode::Bridge), texts(NetworkMode::Pause)];
            for text in others.concat().iter().chain(&kept) {
                assert!(computer.paste(shell, text).status.success(), "{text}");
            }
        }
    }
}

#[test]
fn a_config_file_is_run_by_podman_where_there_is_no_docker() {
    for mode in NetworkMode::ALL {
        let computer = Computer::new("podman");
        let [_, text] = texts(*mode);
        let output = computer.paste("sh", &text);
        assert!(output.status.success(), "{}: {text}", said(&output));
        let calls = fs::read_to_string(computer.at().join("calls")).unwrap();
        let run = calls.lines().last().unwrap();
        assert!(
            run.starts_with("podman run") && run.contains("-v /run/user/7/podman.sock:/var/run/docker.sock"),
            "{calls}"
        );
        let input = fs::read_to_string(computer.at().join("curl-input")).unwrap();
        let token = config(*mode).token;
        assert_eq!(input, format!("header = \"Authorization: Bearer {token}\"\n"));
    }
}
