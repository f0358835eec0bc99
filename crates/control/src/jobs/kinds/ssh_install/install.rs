//! One push, from connecting to its outcome.

use super::{
    InstallError, Order, add_line, change,
    exit::{SshExit, is_detail},
    explain::{self, explain},
    host::{Host, InvalidHost},
    is_running, new_push, publish,
    reachability_probe::{self, Reachability},
    ssh::{Call, Input, Line, Ssh},
    tunnel,
};
use crate::{
    cache::PushRecord, change::devices, core::Core, provision, refusal::Refusal, store::NewActivity,
};
use flotilla_fleet::access::Caller;
use flotilla_protocol::{
    Code, Problem,
    activity::Action,
    api::{Push, PushState, SshInstall},
    device::{DeviceStatus, NetworkMode},
    endpoint::Endpoint,
    id::DeviceId,
    name::DeviceName,
};
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

/// Starts a push. Its progress is published on the live stream.
pub(crate) fn begin(
    core: &Arc<Core>,
    caller: &Caller,
    device: DeviceId,
    install: SshInstall,
) -> Result<Push, Refusal> {
    let host: Host = install.host.parse().map_err(|error: InvalidHost| {
        Refusal::new(Code::InvalidInput, error.to_string()).with_field("host")
    })?;
    let entry = core.device(device)?;
    let name = entry.row.name.clone();
    fits(&name, entry.row.mode, entry.status(), entry.row.this_computer)?;
    let order = Order {
        actor: caller.actor(),
        device: entry.row.id,
        name: name.clone(),
        host,
        as_root: install.as_root,
        skip_docker: install.skip_docker,
    };
    let push = new_push(&order.host, order.device, core.clock.now());
    let (cancel, over) = (core.stop.child_token(), CancellationToken::new());
    {
        let mut records = core.pushes.lock();
        let before = records.remove(&order.device);
        if let Some(running) = before.as_ref().filter(|before| is_running(&before.push)) {
            let message = format!(
                "{name} is being installed on {} already. Wait for that, or end it first.",
                running.push.host
            );
            records.extend(before.map(|before| (order.device, before)));
            return Err(Refusal::new(Code::Conflict, message));
        }
        let tunnel = before.and_then(|before| before.tunnel);
        let record = PushRecord {
            push: push.clone(),
            cancel: cancel.clone(),
            over: over.clone(),
            tunnel,
        };
        records.insert(order.device, record);
    }
    publish(core, &push);
    let (core, over) = (core.clone(), over.drop_guard());
    core.clone().tasks.spawn(async move {
        run(core, order, cancel).await;
        drop(over);
    });
    Ok(push)
}

/// Refuses devices that can't be installed by a script on another computer.
fn fits(
    name: &DeviceName,
    mode: NetworkMode,
    status: DeviceStatus,
    this_computer: bool,
) -> Result<(), Refusal> {
    let conflict = |message: String| Err(Refusal::new(Code::Conflict, message));
    if mode != NetworkMode::Host {
        return conflict(format!(
            "The installer runs the agent directly on the device, so it only fits Host networking, and {name} is for {mode}. \
             Change its network mode, or paste its docker command."
        ));
    }
    if this_computer {
        return conflict(format!(
            "{name} is this computer: it needs no SSH. Use the install command."
        ));
    }
    if status == DeviceStatus::Online {
        return conflict(format!(
            "{name} is online, so its agent is installed already. To put it on another computer, revoke {name} first."
        ));
    }
    Ok(())
}

/// Runs a push, and publishes and records its outcome. When the push is ended, [`super::end`] does that.
pub(super) async fn run(core: Arc<Core>, order: Order, cancel: CancellationToken) {
    let outcome = match carry_out(&core, &order, &cancel).await {
        _ if cancel.is_cancelled() => return,
        Err(InstallError::Canceled) => return,
        Err(InstallError::Failed(problem)) => Err(problem),
        Ok(()) => Ok(()),
    };
    let host = &order.host;
    let details = match &outcome {
        Ok(()) => format!("Its agent was installed on {host} over SSH."),
        Err(problem) => format!(
            "Its agent was not installed on {host} over SSH. {}",
            problem.message
        ),
    };
    if let Err(problem) = &outcome {
        tracing::warn!(device.id = %order.device, problem.code = %problem.code, "a push over ssh failed");
        tunnel::forget_unused(&core, order.device).await;
    }
    change(&core, order.device, |push| match &outcome {
        Ok(()) => push.state = PushState::Installed,
        Err(problem) => {
            push.state = PushState::Failed;
            push.failure = Some(problem.clone());
        }
    });
    core.record(NewActivity {
        actor: order.actor,
        action: Action::DevicePushed,
        target: Some(host.to_string()),
        device: Some((order.device, order.name.to_string())),
        succeeded: outcome.is_ok(),
        details,
    })
    .await;
}

/// `cancel` ends waits (for `ssh`, for the write lock), and never a write, so that store and cache agree.
async fn carry_out(core: &Arc<Core>, order: &Order, cancel: &CancellationToken) -> Result<(), InstallError> {
    let endpoint = match probe_reachability(core, order, cancel).await? {
        Some(endpoint) => {
            tunnel::forget(core, order.device).await.map_err(Problem::from)?;
            endpoint
        }
        None => tunnel::open(core, order, cancel).await?,
    };
    install(core, order, &endpoint, cancel).await
}

/// The first address at which the device reaches control; `None` when it reaches none.
async fn probe_reachability(
    core: &Core,
    order: &Order,
    cancel: &CancellationToken,
) -> Result<Option<Endpoint>, InstallError> {
    let say = |line: String| add_line(core, order.device, line);
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
        return Err(Problem::new(
            Code::InstallFailed,
            format!(
                "{0} has no curl, which the installer downloads with. Install curl on {0} and push again.",
                order.host
            ),
        )
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
    change(core, order.device, |push| push.state = PushState::Installing);
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
            add_line(core, order.device, explain::quoted_line(&line));
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
    let ssh = Ssh::new(&core.pushes.program);
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
