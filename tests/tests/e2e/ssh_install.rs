//! Installing an agent over SSH (`flotilla device push`): on a host that reaches control, on one that does not, and
//! where the owner is told why it failed.

use std::collections::BTreeSet;
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use anyhow::{Context, Result, ensure};
use flotilla_protocol::activity::Action;
use flotilla_protocol::api::{GetPush, ListActivity, ListSshHosts, PushState};
use flotilla_protocol::device::{Device, DeviceStatus};
use flotilla_tests::eventually::{eventually, seconds};
use flotilla_tests::flotilla::Control;
use flotilla_tests::lab::{Lab, Machine, on};
use flotilla_tests::program::run;
use flotilla_tests::sshd::{Owner, Sshd};
use flotilla_tests::systemd::System;

const UNIT: &str = "flotilla-agent.service";
const BINARY: &str = "/usr/local/bin/flotilla-agent";

/// A booted Debian with an SSH server, and an owner with a key for it.
struct SshTarget<'a> {
    machine: &'a Machine,
    system: System,
    sshd: Sshd,
    owner: Owner,
    control: Control,
}

impl<'a> SshTarget<'a> {
    async fn new(lab: &'a Lab) -> Result<Self> {
        let machine = lab.machine(1);
        let system = System::boot(machine)?;
        let owner = Owner::new(lab)?;
        owner.add_alias("garage", machine)?;
        let sshd = Sshd::start(&system, machine, &owner.key()?)?;
        owner.trust_host_key(machine, &sshd.host_key)?;
        let control = owner.control(lab)?.start()?;
        control.add("nas").await?;
        Ok(Self {
            machine,
            system,
            sshd,
            owner,
            control,
        })
    }

    fn push(&self) -> Result<String> {
        self.control
            .cli(&["device", "push", "nas", "garage", "--skip-docker"])
            .with_context(|| self.system.journal(UNIT).unwrap_or_default())
    }

    async fn online(&self) -> Result<Device> {
        let device = self.control.eventually_online("nas", seconds(30.0)).await;
        device.with_context(|| self.system.journal(UNIT).unwrap_or_default())
    }

    /// The token in the config file that the push wrote on the device.
    fn token(&self) -> Result<String> {
        let line = self
            .system
            .paste("sed -n 's/^token = //p' /etc/flotilla/device.toml")?;
        Ok(line.trim_matches('"').to_owned())
    }

    async fn refused(&self) -> Result<String> {
        let refusal = self.push().err().context("the push did not fail")?;
        ensure!(!self.system.has(BINARY)?, "something was installed");
        ensure!(self.control.device("nas").await?.status == DeviceStatus::Pending);
        Ok(format!("{refusal:#}"))
    }
}

/// The arguments and the environment of every process that ran in any namespace of this computer during `work`.
fn programs_during<T>(work: impl FnOnce() -> T) -> (T, BTreeSet<Vec<u8>>) {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let watching = scope.spawn(|| {
            let mut seen = BTreeSet::new();
            while !done.load(Ordering::Relaxed) {
                for process in fs::read_dir("/proc").into_iter().flatten().flatten() {
                    let texts = ["cmdline", "environ"].map(|name| fs::read(process.path().join(name)));
                    seen.extend(texts.into_iter().flatten());
                }
            }
            seen
        });
        let answer = work();
        done.store(true, Ordering::Relaxed);
        (answer, watching.join().unwrap_or_default())
    })
}

#[test]
fn a_push_to_a_host_with_a_way_back_brings_the_device_online() -> Result<()> {
    on(Lab::without_engines(1)?, async |lab| {
        let target = SshTarget::new(lab).await?;
        let hosts = target.control.send(&ListSshHosts).await?;
        ensure!(hosts.len() == 1 && hosts[0].alias == "garage", "{hosts:?}");

        let (said, programs) = programs_during(|| target.push());
        let said = said?;
        ensure!(
            said.contains("leads to this controller.") && said.contains("nas is installed on garage"),
            "{said}"
        );
        let device = target.online().await?;
        ensure!(!device.link.tunneled && device.endpoint_trials.iter().all(|trial| trial.reached));
        let owner = target.system.unit(UNIT, "User")?;
        ensure!(owner == "flotilla", "it runs as {owner}");

        let token = target.token()?;
        ensure!(token.len() > 40, "{token:?} is no token");
        let holds_token = |text: &[u8]| String::from_utf8_lossy(text).contains(&token);
        ensure!(
            programs.len() > 20 && !programs.iter().any(|text| holds_token(text)),
            "a process list shows it"
        );
        ensure!(!said.contains(&token) && !target.control.everything_written()?.contains(&token));
        let activity = target.control.send(&ListActivity::default()).await?.items;
        let entry = activity.iter().find(|entry| entry.action == Action::DevicePushed);
        let entry = entry.context("no activity")?;
        ensure!(
            entry.succeeded && entry.target.as_deref() == Some("garage"),
            "{entry:?}"
        );
        Ok(())
    })
}

#[test]
fn a_push_to_a_host_without_a_way_back_leaves_a_tunnel_that_outlives_control() -> Result<()> {
    on(Lab::without_engines(1)?, async |lab| {
        let mut target = SshTarget::new(lab).await?;
        for rule in [
            "add table inet outgoing",
            "add chain inet outgoing output { type filter hook output priority 0; }",
            "add rule inet outgoing output oifname eth0 tcp sport != 22 drop",
            "add rule inet outgoing output oifname eth0 meta l4proto != tcp drop",
        ] {
            run(target.machine.command("nft").arg(rule))?;
        }
        let said = target.push()?;
        ensure!(
            said.contains("does not answer within 5 s") && said.contains("SSH carries its link"),
            "{said}"
        );
        let device = target.online().await?;
        ensure!(device.link.tunneled, "{:?}", device.link);
        eventually("its trials", seconds(15.0), async || {
            let trials = target.control.device("nas").await?.endpoint_trials;
            let reached: Vec<_> = trials.iter().map(|trial| trial.reached).collect();
            ensure!(reached == [false, true], "{trials:?}");
            Ok(())
        })
        .await?;

        ensure!(target.control.stop()?.success());
        target.control.start_again()?;
        ensure!(target.online().await?.link.tunneled);
        // A killed control cannot end its `ssh`, which has to notice by itself.
        target.control.kill()?;
        target.control.start_again()?;
        ensure!(target.online().await?.link.tunneled);
        let push = GetPush {
            device: "nas".to_owned(),
        };
        let push = target.control.send(&push).await?;
        ensure!(push.tunneled && push.state == PushState::Installed, "{push:?}");

        target.control.cli(&["device", "push", "nas", "--end"])?;
        let gone = target
            .control
            .eventually_is("nas", DeviceStatus::Reconnecting, seconds(5.0));
        gone.await.map(drop)
    })
}

#[test]
fn an_owner_who_is_not_let_in_is_told_why_and_nothing_is_installed() -> Result<()> {
    on(Lab::without_engines(1)?, async |lab| {
        let target = SshTarget::new(lab).await?;
        let (machine, fingerprint) = (target.machine, target.sshd.fingerprint(lab.machine(1))?);

        target.owner.trust_host_key(machine, "")?;
        let said = target.refused().await?;
        ensure!(
            said.contains("does not know the host key")
                && said.contains(&fingerprint)
                && said.contains("`ssh garage`"),
            "{said}"
        );

        target
            .owner
            .trust_host_key(machine, &target.owner.another_key("impostor")?)?;
        let said = target.refused().await?;
        ensure!(
            said.contains("is not the one that this computer knows")
                && said.contains(&fingerprint)
                && said.contains("ssh-keygen -R"),
            "{said}"
        );

        target.owner.trust_host_key(machine, &target.sshd.host_key)?;
        let stranger = target.owner.another_key("stranger")?;
        target.system.write("/etc/ssh/lab_authorized_keys", stranger)?;
        let said = target.refused().await?;
        ensure!(
            said.contains("takes none of this computer's SSH keys") && said.contains("(it takes: publickey)"),
            "{said}"
        );

        let unanswered = target.control.cli(&["device", "push", "nas", "10.77.0.99"]);
        let said = format!("{:#}", unanswered.err().context("it was installed")?);
        ensure!(said.contains("does not answer to SSH"), "{said}");
        Ok(())
    })
}
