//! One push, from connecting to its outcome.

use super::{
    exit::{SshExit, is_detail},
    explain::{self, explain},
    order::{InstallError, Order, add_line, end_tunnel, ssh},
    reachability_probe::{self, Reachability},
    ssh::{Call, Input, Line},
    tunnel,
};
use crate::{change::devices, core::Core, provision};
use flotilla_fleet::jobs::ActOutcome;
use flotilla_protocol::{Code, Problem, device::DeviceStatus, endpoint::Endpoint};
use std::{sync::Arc, time::Duration};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// Becomes root if that takes no password, and runs the script on standard input. Messages are in English, so that they
/// can be recognized. `sh -c` because the login shell that reads this line may not be a POSIX shell. The text is
/// constant: only the installer's own flags follow it, as arguments (`"$@"`), and never as a part of it.
const AS_ROOT: &str = r#"sh -c 'export LC_ALL=C; if [ "$(id -u)" = 0 ]; then exec bash -s -- "$@"; fi; exec sudo -n bash -s -- "$@"' flotilla"#;

/// How long the probe may take. Connecting takes 10 s at most and trying addresses 5 s; the rest is for slow devices.
const PROBE_MINUTES: u64 = 1;

/// How long installing may take: an engine from packages, on a small board with a slow network.
const INSTALL_MINUTES: u64 = 20;

/// Runs a push; `None` when the end of control cut it off.
pub(super) async fn run(core: &Arc<Core>, order: &Order, cancel: &CancellationToken) -> Option<ActOutcome> {
    let outcome = match carry_out(core, order, cancel).await {
        _ if core.stop.is_cancelled() => return None,
        Ok(()) if !cancel.is_cancelled() => return Some(ActOutcome::done()),
        Ok(()) | Err(InstallError::Canceled) => ActOutcome::canceled(Code::Conflict.because(format!(
            "It was ended before it was done. What was installed on {} by then is still there.",
            order.host
        ))),
        Err(InstallError::Failed(problem)) => {
            tracing::warn!(device.id = %order.device, problem.code = %problem.code, "a push over ssh failed");
            ActOutcome::failed(problem)
        }
    };
    tunnel::end_unused(core, order.device).await;
    Some(outcome)
}

/// `cancel` ends waits (for `ssh`, for the write lock), and never a write, so that store and cache agree.
async fn carry_out(core: &Arc<Core>, order: &Order, cancel: &CancellationToken) -> Result<(), InstallError> {
    if is_online(core, order) {
        // The end of control interrupted it when its agent was installed already.
        return Ok(());
    }
    let endpoint = match probe_reachability(core, order, cancel).await? {
        Some(endpoint) => {
            end_tunnel(core, order.device).await.map_err(Problem::from)?;
            endpoint
        }
        None => tunnel::open(core, order, cancel).await?,
    };
    install(core, order, &endpoint, cancel).await
}

fn is_online(core: &Core, order: &Order) -> bool {
    let state = core.cache.lock();
    let entry = state.device(order.device);
    entry.is_some_and(|entry| entry.status() == DeviceStatus::Online)
}

/// The first address at which the device reaches control; `None` when it reaches none.
async fn probe_reachability(
    core: &Core,
    order: &Order,
    cancel: &CancellationToken,
) -> Result<Option<Endpoint>, InstallError> {
    let say = |line: String| add_line(core, order.job, line);
    say(format!("Connecting to {}.", order.host));
    let addresses = core.endpoints();
    let script = reachability_probe::script(&addresses, &core.trust.leaf_key.pin());
    let mut reachability = Reachability::new(&addresses);
    let call = Call {
        host: &order.host,
        forward: None,
        command: AS_ROOT,
        input: Input::Text(&script),
    };
    let limit = (PROBE_MINUTES, cancel);
    let exit = run_within(order, limit, core, call, |line| match line {
        Line::Printed(line) if reachability.handle_line(line) => {}
        Line::Said(line) if is_detail(line) => {}
        Line::Printed(line) | Line::Said(line) => say(explain::quoted_line(line)),
    })
    .await?;
    if reachability.lacks_curl() {
        return Err(Code::InstallFailed
            .because(format!(
                "{0} has no curl, which the installer downloads with. Install curl on {0} and push again.",
                order.host
            ))
            .into());
    }
    if exit.status != Some(0) || !reachability.is_complete() {
        return Err(explain(&order.host, &exit).into());
    }
    reachability.lines().for_each(say);
    Ok(reachability.reached().cloned())
}

/// Installs with a new token. The device downloads the agent from `endpoint`.
async fn install(
    core: &Core,
    order: &Order,
    endpoint: &Endpoint,
    cancel: &CancellationToken,
) -> Result<(), InstallError> {
    core.ssh.set_reached(order.job);
    add_line(core, order.job, format!("Installing on {}.", order.host));
    let write_guard = cancel.run_until_cancelled(core.write_lock.lock()).await;
    let offered =
        devices::offer_for_ssh_install(core, order.device, write_guard.ok_or(InstallError::Canceled)?).await;
    let config = offered.map_err(|refusal| refusal.0)?;
    let script = provision::script_text(&config, endpoint, &core.trust.leaf_key.pin(), &core.builds).await?;
    let script = format!("exec 2>&1\n{script}");
    let command = [
        Some(AS_ROOT),
        order.as_root.then_some("--as-root"),
        order.skip_docker.then_some("--skip-docker"),
    ];
    let command = command.into_iter().flatten().collect::<Vec<_>>().join(" ");
    let call = Call {
        host: &order.host,
        forward: None,
        command: &command,
        input: Input::Text(&script),
    };
    let limit = (INSTALL_MINUTES, cancel);
    let exit = run_within(order, limit, core, call, |line| match line {
        Line::Said(line) if is_detail(line) => {}
        // The installer does not print its token, but a program that it runs, or the login shell, might.
        Line::Printed(line) | Line::Said(line) => {
            let line = line.replace(&config.token, "…");
            add_line(core, order.job, explain::quoted_line(&line));
        }
    })
    .await?;
    match exit.status {
        Some(0) => Ok(()),
        _ => {
            let mut problem = explain(&order.host, &exit);
            problem.message = problem.message.replace(&config.token, "…");
            Err(problem.into())
        }
    }
}

async fn run_within(
    order: &Order,
    (minutes, cancel): (u64, &CancellationToken),
    core: &Core,
    call: Call<'_>,
    on_line: impl FnMut(Line<'_>),
) -> Result<SshExit, InstallError> {
    let ssh = ssh(core);
    let running = ssh.run(call, on_line);
    let running = cancel.run_until_cancelled(timeout(Duration::from_secs(60 * minutes), running));
    match running.await.ok_or(InstallError::Canceled)? {
        Ok(exit) => Ok(exit?),
        Err(_) => Err(explain::too_slow(&order.host, minutes).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testbed::program;
    use std::{
        io::Write,
        process::{Command, Stdio},
    };

    /// Runs the command by a login shell on a computer with this output of `id -u` and this `sudo`.
    fn run(shell: &str, user: &str, sudo: &str) -> String {
        let dir = tempfile::tempdir().unwrap();
        program(dir.path(), "id", &format!("echo {user}"));
        program(dir.path(), "sudo", sudo);
        let mut child = Command::new(shell)
            .args(["-c", &format!("{AS_ROOT} --as-root --skip-docker")])
            .env("PATH", format!("{}:/usr/bin:/bin", dir.path().display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let script = b"echo \"script: $*\"";
        // A `sudo` that refuses reads nothing.
        let _ = child.stdin.take().unwrap().write_all(script);
        let output = child.wait_with_output().unwrap();
        String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
    }

    #[test]
    fn root_runs_the_script_at_once_and_others_by_sudo_which_never_asks() {
        let through = r#"echo "sudo $1"; shift; exec "$@""#;
        for shell in ["sh", "bash"] {
            assert_eq!(run(shell, "0", "exit 1"), "script: --as-root --skip-docker\n");
            assert_eq!(
                run(shell, "1000", through),
                "sudo -n\nscript: --as-root --skip-docker\n"
            );
        }
    }

    #[test]
    fn what_sudo_says_is_said_in_english() {
        let said = run(
            "sh",
            "1000",
            "echo \"$LC_ALL: a password is required\" >&2; exit 1",
        );
        assert_eq!(said, "C: a password is required\n");
    }
}
