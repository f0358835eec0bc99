//! The install line, run where programs are missing or a proxy is in the way.

use super::added;
use flotilla_protocol::device::NetworkMode;
use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Command};

const SHELLS: [&str; 2] = ["bash", "sh"];

/// A curl that prints an installer, which prints what it was given. Its proxy does not work.
const CURL: &str = r#"
[ "$AT_FAULT" ] && { echo 'curl: (6) no such host' >&2; exit 6; }
case "$*" in *--noproxy*) ;; *) [ "$https_proxy" ] && { echo 'curl: (7) no proxy there' >&2; exit 7; } ;; esac
echo 'echo "installed with [$*] by [$https_proxy]"'
"#;

/// A sudo that empties the environment, as the real one does.
const SUDO: &str = r#"echo 'with sudo'; exec /usr/bin/env -i "$@""#;

struct Shell {
    root: tempfile::TempDir,
    shell: &'static str,
}

impl Shell {
    /// A machine with curl and bash, and no other programs than those named.
    fn new(shell: &'static str, with_sudo: bool) -> Self {
        let root = tempfile::tempdir().unwrap();
        let programs = [("curl", CURL), ("sudo", SUDO)];
        for (name, body) in programs.iter().take(if with_sudo { 2 } else { 1 }) {
            let path = root.path().join(name);
            fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
            fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        for name in ["bash", "grep"] {
            let found = ["/usr/bin", "/bin"].map(|folder| Path::new(folder).join(name));
            let program = found.iter().find(|path| path.exists()).unwrap();
            std::os::unix::fs::symlink(program, root.path().join(name)).unwrap();
        }
        Self { root, shell }
    }

    /// The line's exit status, output and error output.
    fn paste(&self, line: &str, set: &[(&str, &str)]) -> (Option<i32>, String, String) {
        let output = Command::new(format!("/bin/{}", self.shell))
            .args(["-c", line])
            .env_clear()
            .env("PATH", self.root.path())
            .envs(set.iter().copied())
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    }
}

fn line() -> String {
    added(NetworkMode::Host).install.unwrap()
}

#[test]
fn root_needs_no_sudo_and_others_have_it() {
    for shell in SHELLS {
        let without = Shell::new(shell, false).paste(&line(), &[]);
        assert_eq!(
            without,
            (Some(0), "installed with [] by []\n".to_owned(), String::new()),
            "{shell}"
        );
        let flags = format!("{} -s -- --dry-run", line());
        let with = Shell::new(shell, true).paste(&flags, &[]);
        assert_eq!(
            with.1, "with sudo\ninstalled with [--dry-run] by []\n",
            "{shell}: {}",
            with.2
        );
    }
}

#[test]
fn a_download_that_failed_is_not_an_installation_that_went_well() {
    for shell in SHELLS {
        for set in [
            &[("AT_FAULT", "1")][..],
            &[("AT_FAULT", "1"), ("https_proxy", "http://127.0.0.1:9")],
        ] {
            let (code, printed, said) = Shell::new(shell, false).paste(&line(), set);
            assert_eq!((code, printed.as_str()), (Some(1), ""), "{shell}: {said}");
            assert!(said.contains("curl: (6)"), "{said}");
        }
    }
}

#[test]
fn a_proxy_that_does_not_lead_there_is_gone_around_and_the_installer_knows_it_behind_sudo() {
    let proxy = "http://ann:it's \"$HOME\" `id`@127.0.0.1:9";
    for (shell, with_sudo) in SHELLS
        .into_iter()
        .flat_map(|shell| [(shell, true), (shell, false)])
    {
        let (code, printed, said) = Shell::new(shell, with_sudo).paste(&line(), &[("https_proxy", proxy)]);
        assert_eq!(code, Some(0), "{shell}: {said}");
        assert!(
            printed.ends_with(&format!("installed with [] by [{proxy}]\n")),
            "{shell}: {printed}"
        );
        assert!(said.contains("trying without it"), "{said}");
    }
}
