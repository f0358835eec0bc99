//! Pushes over the API with a stand-in for `ssh`.

mod canceling;

use super::*;
use crate::{
    cache::{OwnersSsh, Reader},
    testbed::{Machine, Testbed, program},
};
use flotilla_protocol::{
    activity::Activity,
    api::{List, LiveFrame, PushState, Resource, Scope},
};
use http::Method;
use std::{path::Path, time::Duration};

/// A stand-in for `ssh` that notes its calls and its input. `$REACH` is its answer for each address, `$INSTALL` how
/// installing ends; the tunnel's command is `cat`.
const SSH: &str = r#"
    dir=$(dirname "$0")
    echo "$*" >>"$dir/calls"
    echo "debug1: Server host key: ssh-ed25519 SHA256:abc" >&2
    case "$*" in
    *" cat")
        port=$(sed -n 's/.*-R 127.0.0.1:\([0-9]*\):.*/\1/p' <<<"$*")
        if [ -e "$dir/no-forwarding" ]; then
            echo "Warning: remote port forwarding failed for listen port $port" >&2
        else
            echo "debug1: remote forward success for: listen 127.0.0.1:$port, connect 127.0.0.1:7443" >&2
        fi
        echo $$ >>"$dir/tunnels"
        exec cat
        ;;
    esac
    input=$(cat)
    case "$input" in
    *flotilla-look:*)
        eval "$(cat "$dir/look")"
        ;;
    *)
        echo "$input" >"$dir/script"
        printf 'flotilla: \033[1mdownload\033[0m the agent\n'
        eval "$(cat "$dir/install")"
        ;;
    esac
"#;

const REACHED: &str = "echo 'flotilla-look: 0 192.0.2.1:7443'; echo 'flotilla-look: done'";
const UNREACHED: &str = "echo 'flotilla-look: 28 192.0.2.1:7443'; echo 'flotilla-look: done'";

struct Pushed {
    bed: Testbed,
    dir: tempfile::TempDir,
}

impl Pushed {
    async fn new(look: &str, install: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let ssh = program(dir.path(), "ssh", SSH);
        let bed = Testbed::with_ssh(OwnersSsh::new(ssh, Some(dir.path().to_owned()))).await;
        let pushed = Self { bed, dir };
        pushed.write("look", look);
        pushed.write("install", install);
        let _: serde_json::Value = pushed.bed.post("/devices", r#"{"name":"nas"}"#).await;
        pushed
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path().join(name), text).unwrap();
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path().join(name)).unwrap_or_default()
    }

    async fn push(&self, body: &str) -> Push {
        self.bed.post("/devices/nas/push", body).await
    }

    /// Waits until the push passes the check.
    async fn until(&self, wanted: impl Fn(&Push) -> bool) -> Push {
        let mut frames = self.bed.core.cache.subscribe(Scope::All);
        let push: Push = self.bed.get("/devices/nas/push").await;
        if wanted(&push) {
            push
        } else {
            shown(&mut frames, wanted).await
        }
    }

    async fn done(&self) -> Push {
        self.until(|push| !is_running(push)).await
    }

    /// Waits for the newest entry of the activity log about a push, which is written after the push is shown as done.
    async fn recorded(&self) -> Activity {
        let mut frames = self.bed.core.cache.subscribe(Scope::All);
        loop {
            let log: List<Activity> = self.bed.get("/activity").await;
            let found = log
                .items
                .into_iter()
                .find(|entry| entry.action == Action::DevicePushed);
            if let Some(entry) = found {
                return entry;
            }
            frames.next().await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_push_installs_with_a_fresh_token_that_only_standard_input_has() {
    let pushed = Pushed::new(REACHED, "echo 'flotilla: Done.'").await;
    let begun = pushed
        .push(r#"{"host":"pi@garage:2222","as_root":true,"skip_docker":true}"#)
        .await;
    assert_eq!(
        (begun.state, begun.host.as_str()),
        (PushState::Connecting, "pi@garage:2222")
    );
    let push = pushed.done().await;
    assert_eq!(push.state, PushState::Installed, "{push:?}");
    assert!(!push.tunneled && push.failure.is_none());
    let lines = push.lines.join("\n");
    assert!(
        lines.contains("192.0.2.1:7443 leads to this controller.")
            && lines.contains("\n> flotilla: download the agent\n")
            && lines.ends_with("\n> flotilla: Done."),
        "{lines}"
    );

    let script = pushed.read("script");
    let token = script
        .lines()
        .find_map(|line| line.strip_prefix("TOKEN="))
        .unwrap();
    assert!(script.contains("CONTROL=https://192.0.2.1:7443\n"));
    assert!(
        pushed.bed.enroll(&Machine::new("garage"), token).await.is_ok(),
        "the token enrolls"
    );
    let calls = pushed.read("calls");
    assert!(!calls.contains(token) && !lines.contains(token));
    // The remote command is a constant for `sh -c`; flags come behind it.
    assert!(
        calls
            .lines()
            .all(|call| call.contains("BatchMode=yes") && call.contains("-- garage sh -c "))
    );
    assert!(
        calls.trim_end().ends_with("flotilla --as-root --skip-docker"),
        "{calls}"
    );

    let entry = pushed.recorded().await;
    assert!(entry.succeeded && entry.target.as_deref() == Some("pi@garage:2222"));
    assert_eq!(
        entry.details,
        "Its agent was installed on pi@garage:2222 over SSH."
    );
}

#[tokio::test]
async fn a_token_that_comes_back_is_not_shown() {
    let install = r#"sed -n 's/^TOKEN=/leak /p' "$dir/script"; echo "flotilla: $(sed -n 's/^TOKEN=/leak /p' "$dir/script")"; exit 1"#;
    let pushed = Pushed::new(REACHED, install).await;
    pushed.push(r#"{"host":"garage"}"#).await;
    let push = pushed.done().await;
    let entry = pushed.recorded().await;
    let shown = format!("{push:?} {entry:?}");
    let script = pushed.read("script");
    let token = script
        .lines()
        .find_map(|line| line.strip_prefix("TOKEN="))
        .unwrap();
    assert!(shown.contains("leak …") && !shown.contains(token), "{shown}");
    assert_eq!(push.failure.unwrap().code, Code::InstallFailed);
}

#[tokio::test]
async fn an_unknown_host_key_ends_it_before_a_token_is_made() {
    let refusal = "echo 'No ED25519 host key is known for garage and you have requested strict checking.' >&2; echo 'Host key verification failed.' >&2; exit 255";
    let pushed = Pushed::new(refusal, "").await;
    let before = pushed.bed.core.cache.lock().find("nas").unwrap().token.clone();
    pushed.push(r#"{"host":"garage"}"#).await;
    let push = pushed.done().await;
    let failure = push.failure.unwrap();
    assert_eq!(
        (push.state, failure.code),
        (PushState::Failed, Code::HostKeyUnknown)
    );
    assert!(failure.message.contains("ssh-ed25519 SHA256:abc") && failure.message.contains("`ssh garage`"));
    assert_eq!(pushed.bed.core.cache.lock().find("nas").unwrap().token, before);
    assert!(!pushed.recorded().await.succeeded);
}

#[tokio::test]
async fn a_device_without_a_way_back_gets_a_tunnel_which_lives_until_it_is_ended() {
    let pushed = Pushed::new(UNREACHED, "echo 'flotilla: Done.'").await;
    pushed.push(r#"{"host":"garage"}"#).await;
    let push = pushed.done().await;
    assert_eq!(
        (push.state, push.tunneled),
        (PushState::Installed, true),
        "{push:?}"
    );
    let core = pushed.bed.core.clone();
    let device = push.device_id;
    let endpoints = core.endpoints_of(device);
    assert_eq!(endpoints.len(), 2);
    assert!(
        pushed
            .read("script")
            .contains(&format!("CONTROL=https://{}\n", endpoints[1]))
    );
    let stored = core.store.list_tunnels().await.unwrap();
    assert_eq!(stored[&device].endpoint(), endpoints[1]);
    let token = pushed.read("script");
    let token = token
        .lines()
        .find_map(|line| line.strip_prefix("TOKEN="))
        .unwrap();
    let enrolled = pushed.bed.enroll(&Machine::new("garage"), token).await.unwrap();
    assert_eq!(enrolled.endpoints, endpoints, "the agent is told of it");

    // A lost connection is opened again.
    let mut frames = core.cache.subscribe(Scope::All);
    kill(pushed.read("tunnels").trim());
    shown(&mut frames, |push| push.failure.is_some()).await;
    shown(&mut frames, |push| push.failure.is_none()).await;
    eventually(|| pushed.read("tunnels").lines().count() == 2).await;

    let (status, _) = pushed.bed.call(Method::DELETE, "/devices/nas/push", "").await;
    assert!(status.is_success());
    assert_eq!(core.endpoints_of(device).len(), 1);
    assert!(core.store.list_tunnels().await.unwrap().is_empty());
    let push: Push = pushed.bed.get("/devices/nas/push").await;
    assert!(!push.tunneled);
}

#[tokio::test]
async fn a_tunnel_that_was_stored_is_kept_again_and_ends_with_its_device() {
    let pushed = Pushed::new(UNREACHED, "exit 0").await;
    let core = pushed.bed.core.clone();
    let device = core.cache.lock().find("nas").unwrap().row.id;
    let tunnel = crate::store::Tunnel {
        host: "garage".into(),
        port: 21_000,
    };
    core.store.save_tunnel(device, &tunnel).await.unwrap();
    core.cache
        .lock()
        .note(device, |entry| entry.tunnel = Some(tunnel));
    resume(&core);
    eventually(|| !pushed.read("tunnels").is_empty()).await;
    let push: Push = pushed.bed.get("/devices/nas/push").await;
    assert!(push.tunneled);
    assert!(pushed.read("calls").contains("-R 127.0.0.1:21000:127.0.0.1:7443"));
    let _: serde_json::Value = pushed.bed.post("/devices/nas/revoke", "{}").await;
    assert!(core.store.list_tunnels().await.unwrap().is_empty());
    core.tasks.close();
    core.tasks.wait().await;
}

#[tokio::test]
async fn where_no_tunnel_is_allowed_that_is_said_and_nothing_is_installed() {
    let pushed = Pushed::new(UNREACHED, "").await;
    pushed.write("no-forwarding", "");
    pushed.push(r#"{"host":"garage"}"#).await;
    let failure = pushed.done().await.failure.unwrap();
    assert!(failure.message.contains("AllowTcpForwarding"), "{failure:?}");
    assert_eq!(pushed.read("script"), "");
}

#[tokio::test]
async fn what_fits_no_push_is_refused_with_a_reason() {
    let pushed = Pushed::new(REACHED, "").await;
    let _: serde_json::Value = pushed
        .bed
        .post("/devices", r#"{"name":"box","mode":"bridge"}"#)
        .await;
    for (device, body, code, field) in [
        (
            "nas",
            r#"{"host":"-oProxyCommand=id"}"#,
            Code::InvalidInput,
            Some("host"),
        ),
        ("nas", r#"{"host":"a b"}"#, Code::InvalidInput, Some("host")),
        (
            "nas",
            r#"{"host":"a","shell":"sh"}"#,
            Code::InvalidInput,
            Some("shell"),
        ),
        ("box", r#"{"host":"a"}"#, Code::Conflict, None),
        ("gone", r#"{"host":"a"}"#, Code::NotFound, None),
    ] {
        let path = format!("/devices/{device}/push");
        let problem = pushed.bed.refused(Method::POST, &path, body).await;
        assert_eq!((problem.code, problem.field.as_deref()), (code, field), "{body}");
    }
    let never = pushed.bed.refused(Method::GET, "/devices/nas/push", "").await;
    assert_eq!(never.code, Code::NotFound);
    assert_eq!(pushed.read("calls"), "");
}

#[tokio::test]
async fn hosts_are_those_of_the_owners_configuration() {
    let pushed = Pushed::new(REACHED, "").await;
    let none: Vec<SshHost> = pushed.bed.get("/ssh/hosts").await;
    assert_eq!(none, []);
    std::fs::create_dir(pushed.path().join(".ssh")).unwrap();
    std::fs::write(pushed.path().join(".ssh/config"), "Host garage\n  User pi\n").unwrap();
    let hosts: Vec<SshHost> = pushed.bed.get("/ssh/hosts").await;
    assert_eq!(hosts.len(), 1);
    assert_eq!(
        (hosts[0].alias.as_str(), hosts[0].user.as_deref()),
        ("garage", Some("pi"))
    );
}

fn is_running(push: &Push) -> bool {
    matches!(push.state, PushState::Connecting | PushState::Installing)
}

/// The first push on the live stream that passes the check.
async fn shown(frames: &mut Reader, wanted: impl Fn(&Push) -> bool) -> Push {
    loop {
        let frame: LiveFrame = serde_json::from_str(&frames.next().await.unwrap()).unwrap();
        match frame.upsert {
            Some(Resource::Push(push)) if wanted(&push) => return push,
            _ => {}
        }
    }
}

async fn eventually(is_so: impl Fn() -> bool) {
    let looking = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), looking)
        .await
        .expect("within 10 s");
}

fn kill(process: &str) {
    let killed = std::process::Command::new("kill").arg(process).status().unwrap();
    assert!(killed.success());
}
