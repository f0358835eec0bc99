//! Texts for shells, run in a folder of stand-ins for the programs that they call.

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

/// An engine that keeps a file per container, notes its calls, fails at the verb that `fails` names, and lacks the
/// files that `lacks` names. It is Podman by its name, or if `is-podman` says so.
const ENGINE: &str = r#"
echo "${0##*/} $*" >>"$AT/calls"
verb=$1; podman=; [ -f "$AT/is-podman" ] && podman=1
case $0 in *podman) podman=1 ;; esac
case "$*" in "run --rm "*) verb=probe ;; esac
case $verb in run | create) while [ "$1" != --name ]; do shift; done; name=$2 ;; *) for name; do :; done ;; esac
if [ "$(cat "$AT/fails" 2>/dev/null)" = "$verb" ]; then echo "no $verb today" >&2; exit 1; fi
case $verb in
  version) [ ! "$podman" ] && echo amd64 ;;
  info)
    case $*$podman in
      *OperatingSystem*) cat "$AT/system" ;;
      *SecurityOptions*) cat "$AT/security" ;;
      *Host*1) case $* in *Exists*) cat "$AT/listens" ;; *Path*) echo unix:///run/user/7/podman.sock ;; *) echo arm64 ;; esac ;;
      *) echo; echo "can't evaluate field Host" >&2; exit 1 ;;
    esac ;;
  context) echo unix:///run/user/7/docker.sock ;;
  probe) for file in $(cat "$AT/lacks" 2>/dev/null); do case $* in *"$file"*) echo "no $file" >&2; exit 125 ;; esac; done; echo flotilla-agent ;;
  load) cat >/dev/null ;;
  container | start) [ -f "$AT/containers/$name" ] ;;
  create | run) [ ! -f "$AT/containers/$name" ] && echo "$verb" >"$AT/containers/$name" ;;
  rm) rm "$AT/containers/$name" ;;
esac
"#;

/// A curl that downloads a file, unless it is told to fail; its proxy does not work.
const CURL: &str = r#"
cat >"$AT/curl-input"; echo "$*" >>"$AT/curl-calls"
[ "$(cat "$AT/fails" 2>/dev/null)" = curl ] && { echo 'curl: (22) 404' >&2; exit 22; }
case "$*" in *--noproxy*) ;; *) [ "$https_proxy" ] && { echo 'curl: (7) no proxy there' >&2; exit 7; } ;; esac
while [ "$1" != -o ]; do shift; done; echo tar >"$2"
"#;

/// A computer with an engine and a browser's downloads.
struct Computer(tempfile::TempDir);

impl Computer {
    fn new(engine: &str) -> Self {
        let computer = Self(tempfile::tempdir().unwrap());
        fs::create_dir(computer.at().join("containers")).unwrap();
        computer.note("system", "Debian GNU/Linux 12 (bookworm) box");
        computer.note("security", "[name=seccomp,profile=default]");
        computer.note("listens", "true");
        computer.note(
            "nas.device.toml",
            &format!("token = \"{}\"\n", config(NetworkMode::Host).token),
        );
        for (name, body) in [(engine, ENGINE), ("curl", CURL)] {
            let path = computer.at().join(name);
            fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
            fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        // Only programs that the texts may use, so that an engine of the machine that runs the tests is not found.
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
        self.paste_with(shell, text, None)
    }

    fn paste_with(&self, shell: &str, text: &str, proxy: Option<&str>) -> Output {
        Command::new(format!("/bin/{shell}"))
            .args(["-c", text])
            .current_dir(self.at())
            .env("PATH", self.at())
            .env("AT", self.at())
            .env("TMPDIR", self.at())
            .env_remove("https_proxy")
            .envs(proxy.map(|proxy| ("https_proxy", proxy)))
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// The verbs that the engine was called with since the last call of this.
    fn calls(&self) -> Vec<String> {
        let path = self.at().join("calls");
        let calls = fs::read_to_string(&path).unwrap_or_default();
        fs::write(path, "").unwrap();
        let verb = |line: &str| match line.split(' ').nth(1).unwrap_or_default() {
            "run" if line.contains(" run --rm ") => "probe".to_owned(),
            verb => verb.to_owned(),
        };
        calls.lines().map(verb).collect()
    }

    /// The arguments with which the agent's container was made.
    fn run(&self) -> String {
        let calls = fs::read_to_string(self.at().join("calls")).unwrap();
        calls.lines().last().unwrap().to_owned()
    }

    fn temporary_files(&self) -> usize {
        let files = fs::read_dir(self.at()).unwrap();
        files
            .filter(|file| {
                file.as_ref()
                    .unwrap()
                    .file_name()
                    .to_string_lossy()
                    .starts_with("tmp.")
            })
            .count()
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
            assert!(!output.status.success(), "{shell} {fails}");
            assert_eq!(
                said(&output).lines().count(),
                1,
                "{shell} {fails}: {}",
                said(&output)
            );
            let calls = computer.calls();
            // The text asks as for Podman first, which fails with Docker.
            let last = if ["curl", "version"].contains(&fails) {
                "info"
            } else {
                fails
            };
            assert_eq!(calls.last().map(String::as_str), Some(last), "{shell}: {calls:?}");
            assert!(!computer.has("flotilla-agent"));
            assert_eq!(computer.temporary_files(), 0, "{shell} {fails}");
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
fn docker_desktop_is_told_before_anything_is_done_unless_its_owner_decided_for_it() {
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

#[test]
fn docker_may_be_podman_by_another_name() {
    for (shell, mode) in SHELLS
        .into_iter()
        .flat_map(|shell| NetworkMode::ALL.iter().map(move |mode| (shell, *mode)))
    {
        for text in texts(mode) {
            let computer = Computer::new("docker");
            computer.note("is-podman", "");
            let output = computer.paste(shell, &text);
            assert!(output.status.success(), "{shell} {}: {text}", said(&output));
            assert_eq!(said(&output), "");
            let curl = fs::read_to_string(computer.at().join("curl-calls")).unwrap();
            assert!(curl.contains("/install/agent-image/arm64.tar "), "{curl}");
            assert!(
                computer
                    .run()
                    .contains("-v /run/user/7/podman.sock:/var/run/docker.sock"),
                "{}",
                computer.run()
            );
        }
    }
}

#[test]
fn a_podman_that_does_not_listen_is_named_before_anything_is_done() {
    for text in texts(NetworkMode::Pause) {
        let computer = Computer::new("docker");
        computer.note("is-podman", "");
        computer.note("listens", "false");
        let output = computer.paste("sh", &text);
        assert!(!output.status.success() && said(&output).contains("systemctl enable --now podman.socket"));
        assert!(!computer.has("flotilla-pause") && !computer.at().join("curl-calls").exists());
    }
}

#[test]
fn a_rootless_engine_is_found_where_its_user_finds_it() {
    for text in texts(NetworkMode::Pause) {
        let computer = Computer::new("docker");
        computer.note("security", "[name=seccomp,profile=default name=rootless]");
        let output = computer.paste("sh", &text);
        assert!(output.status.success(), "{}", said(&output));
        assert!(
            computer
                .run()
                .contains("-v /run/user/7/docker.sock:/var/run/docker.sock"),
            "{}",
            computer.run()
        );
    }
}

#[test]
fn what_the_engines_machine_lacks_is_left_out_whatever_the_shells_machine_has() {
    let (tun, machine_id) = (
        "--device /dev/net/tun",
        "--mount type=bind,src=/etc/machine-id,dst=/etc/machine-id,readonly",
    );
    for (lacks, has) in [
        ("", [true, true]),
        ("/etc/machine-id", [true, false]),
        ("/dev/net/tun", [false, true]),
        ("/dev/net/tun /etc/machine-id", [false, false]),
    ] {
        for (text, shell) in texts(NetworkMode::Host).into_iter().zip(SHELLS) {
            let computer = Computer::new("docker");
            computer.note("lacks", lacks);
            let output = computer.paste(shell, &text);
            assert!(output.status.success(), "{}", said(&output));
            assert_eq!(said(&output), "");
            assert_eq!(
                [tun, machine_id].map(|option| computer.run().contains(option)),
                has,
                "{}",
                computer.run()
            );
        }
    }
}

#[test]
fn a_proxy_that_does_not_lead_there_is_gone_around_and_the_agent_is_told_of_it() {
    for (text, shell) in texts(NetworkMode::Bridge).into_iter().zip(SHELLS) {
        let computer = Computer::new("docker");
        let output = computer.paste_with(shell, &text, Some("http://ann:s3cret@127.0.0.1:9"));
        assert!(output.status.success(), "{}", said(&output));
        assert!(said(&output).contains("trying without it"), "{}", said(&output));
        let run = computer.run();
        assert!(
            run.contains(" -e https_proxy -e HTTPS_PROXY ") && !run.contains("s3cret"),
            "{run}"
        );
    }
}
