//! The tunnel of a device that can't dial control: on the device's loopback, `ssh` listens for the agent's link and
//! carries it to the fleet port.
//!
//! On the device `cat` runs, whose input stays open while this control lives: when control dies in any way, its input
//! ends, and with it the connection and the port there. A port that a lost connection still holds becomes free when the
//! agent's next attempt finds that connection dead.

use super::{
    explain::{self, explain},
    host::Host,
    order::{InstallError, Order, add_line, end_tunnel, ssh},
    ssh::{Call, Input, Line},
    view,
};
use crate::{change::tunnels, core::Core, store::Tunnel};
use flotilla_link::Backoff;
use flotilla_protocol::{Code, Problem, endpoint::Endpoint, id::DeviceId};
use rand::Rng;
use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    ops::RangeInclusive,
    sync::Arc,
    time::Duration,
};
use tokio::{
    sync::{Notify, oneshot},
    time::{Instant, sleep, timeout},
};
use tokio_util::sync::CancellationToken;

/// Ports on the device: below those of outgoing connections, and above those of usual services.
const PORTS: RangeInclusive<u16> = 21_000..=29_999;

/// Ports that are tried. One that is taken is rare; two in a row mean another problem.
const ATTEMPTS: usize = 2;

/// How long `ssh` may take to say that the port is listened on.
const OPEN_WITHIN: Duration = Duration::from_secs(30);

/// The command on the device: it prints nothing, and ends with its input.
const COMMAND: &str = "cat";

/// Opens a tunnel to a device, which is kept from then on. Answers the endpoint at which the device reaches control.
pub(super) async fn open(
    core: &Arc<Core>,
    order: &Order,
    cancel: &CancellationToken,
) -> Result<Endpoint, InstallError> {
    let say = |line: String| add_line(core, order.job, line);
    say("No address of this controller answers from there, so SSH is going to carry the link.".to_owned());
    end_tunnel(core, order.device).await.map_err(Problem::from)?;
    let mut failure = explain::no_forwarding(&order.host);
    for _ in 0..ATTEMPTS {
        let port = core.random().random_range(PORTS);
        let tunnel = Tunnel {
            host: order.host.to_string(),
            port,
        };
        let opened = cancel.run_until_cancelled(first_opened(core, order, &tunnel));
        match opened.await.ok_or(InstallError::Canceled)? {
            Ok(guard) => {
                let endpoint = tunnel.endpoint();
                let kept = tunnels::keep(core, order.device, tunnel, guard).await;
                kept.map_err(Problem::from)?;
                say(format!(
                    "The device reaches this controller at {endpoint}, through SSH."
                ));
                return Ok(endpoint);
            }
            Err(problem) => failure = problem,
        }
        if failure.code != Code::SshUnreachable {
            break;
        }
    }
    Err(failure.into())
}

/// Starts a tunnel's task, and waits until the tunnel is up for the first time.
async fn first_opened(
    core: &Arc<Core>,
    order: &Order,
    tunnel: &Tunnel,
) -> Result<tokio_util::sync::DropGuard, Problem> {
    let cancel = core.stop.child_token();
    let guard = cancel.clone().drop_guard();
    let (opened, first) = oneshot::channel();
    let runner = TunnelRunner {
        core: core.clone(),
        device: order.device,
        host: order.host.clone(),
        tunnel: tunnel.clone(),
    };
    core.tasks.spawn(runner.run(cancel, Some(opened)));
    match timeout(OPEN_WITHIN, first).await {
        Ok(Ok(Ok(()))) => Ok(guard),
        Ok(Ok(Err(problem))) => Err(problem),
        Ok(Err(_)) | Err(_) => Err(explain::no_forwarding(&order.host)),
    }
}

/// Starts the tunnels that were saved in an earlier run of control.
pub(crate) fn resume(core: &Arc<Core>) {
    let stored: Vec<(DeviceId, Tunnel)> = {
        let state = core.cache.lock();
        let devices = state.devices();
        devices
            .filter_map(|entry| Some((entry.row.id, entry.tunnel.clone()?)))
            .collect()
    };
    for (device, tunnel) in stored {
        let Ok(host) = tunnel.host.parse::<Host>() else {
            tracing::error!(device.id = %device, "a stored tunnel leads to no host");
            continue;
        };
        let cancel = core.stop.child_token();
        core.ssh.set_tunnel(device, Some(cancel.clone()));
        let runner = TunnelRunner {
            core: core.clone(),
            device,
            host,
            tunnel,
        };
        core.tasks.spawn(runner.run(cancel, None));
    }
}

/// Ends the tunnel of a push that failed, unless the device is enrolled and its agent may use it.
pub(super) async fn end_unused(core: &Core, device: DeviceId) {
    let is_enrolled = core.cache.read(device, |entry| entry.row.enrolled.is_some()) == Some(true);
    if is_enrolled {
        return;
    }
    if let Err(error) = end_tunnel(core, device).await {
        tracing::error!(device.id = %device, %error, "a tunnel was not forgotten");
    }
}

/// The task that keeps one tunnel open.
struct TunnelRunner {
    core: Arc<Core>,
    device: DeviceId,
    host: Host,
    tunnel: Tunnel,
}

impl TunnelRunner {
    /// Runs until cancelled; with `opened`, also until the first attempt fails.
    async fn run(self, cancel: CancellationToken, mut opened: Option<oneshot::Sender<Result<(), Problem>>>) {
        let mut backoff = Backoff::default();
        let mut logged = None;
        loop {
            let up = Notify::new();
            let connection = self.carry(&up);
            tokio::pin!(connection);
            let end = tokio::select! {
                () = cancel.cancelled() => return,
                problem = &mut connection => problem,
                () = up.notified() => {
                    backoff.handle_up(Instant::now().into_std());
                    logged = None;
                    if let Some(opened) = opened.take() {
                        let _ = opened.send(Ok(()));
                    }
                    self.show_failure(None).await;
                    match cancel.run_until_cancelled(connection).await {
                        Some(problem) => problem,
                        None => return,
                    }
                }
            };
            if let Some(opened) = opened.take() {
                let _ = opened.send(Err(end));
                return;
            }
            if logged != Some(end.code) {
                tracing::warn!(device.id = %self.device, problem.code = %end.code, "a tunnel over ssh is down; it is opened again");
                logged = Some(end.code);
            }
            self.show_failure(Some(end)).await;
            let pause = backoff.handle_down(Instant::now().into_std(), &mut *self.core.random());
            if cancel.run_until_cancelled(sleep(pause)).await.is_none() {
                return;
            }
        }
    }

    /// Runs one connection; answers why it ended. Notifies `up` when the device listens.
    async fn carry(&self, up: &Notify) -> Problem {
        let forward = format!("{}:{}", self.tunnel.endpoint(), target(self.core.fleet_addr));
        let (listens, refuses) = forward_messages(self.tunnel.port);
        let refused = Notify::new();
        let call = Call {
            host: &self.host,
            forward: Some(&forward),
            command: COMMAND,
            input: Input::Open,
        };
        let ssh = ssh(&self.core);
        let running = ssh.run(call, |line| {
            if let Line::Said(line) = line {
                if line.contains(&listens) {
                    up.notify_one();
                } else if line.contains(&refuses) {
                    refused.notify_one();
                }
            }
        });
        tokio::select! {
            exit = running => match exit {
                Ok(exit) => explain(&self.host, &exit),
                Err(problem) => problem,
            },
            () = refused.notified() => explain::no_forwarding(&self.host),
        }
    }

    /// Shows in the device's push why its tunnel is down; `None` when it is up.
    async fn show_failure(&self, failure: Option<Problem>) {
        if self.core.ssh.set_failure(self.device, failure) {
            view::publish(&self.core, self.device).await;
        }
    }
}

/// The address of the fleet port from this computer.
fn target(fleet: SocketAddr) -> SocketAddr {
    let ip = match fleet.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, fleet.port())
}

/// The messages of `ssh -v` that the host listens on a port, and that it does not.
fn forward_messages(port: u16) -> (String, String) {
    (
        format!("remote forward success for: listen 127.0.0.1:{port},"),
        format!("remote port forwarding failed for listen port {port}"),
    )
}
