//! Where a container engine may listen, and what to tell a person when none can be reached there.

use flotilla_protocol::inventory::EngineState;
use std::{
    io::{self, ErrorKind},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

/// The places to look for an engine, best first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sockets {
    paths: Vec<PathBuf>,
    /// Why `DOCKER_HOST` cannot be used; then there is no place to look.
    refusal: Option<String>,
    /// The socket of one user's own engine, if one was found.
    users_own: Option<PathBuf>,
}

impl Sockets {
    /// `docker_host` is the value of `DOCKER_HOST`; without one, the places where Docker and Podman listen by default,
    /// system-wide first. `runtime_dir` is `XDG_RUNTIME_DIR`, where rootless engines listen, and `home` is where Docker
    /// Desktop does.
    pub fn new(docker_host: Option<&str>, runtime_dir: Option<&Path>, home: Option<&Path>) -> Self {
        match docker_host.filter(|host| !host.is_empty()) {
            Some(host) => match host.strip_prefix("unix://").filter(|path| path.starts_with('/')) {
                Some(path) => Self::at(path),
                None => Self {
                    paths: Vec::new(),
                    refusal: Some(format!(
                        "DOCKER_HOST is \"{host}\", and the agent only speaks to a local socket. \
                         Unset it, or write unix:///var/run/docker.sock, and restart the agent."
                    )),
                    users_own: None,
                },
            },
            None => {
                let mut paths = vec![PathBuf::from("/var/run/docker.sock")];
                paths.extend(runtime_dir.map(|dir| dir.join("docker.sock")));
                for desktop in [".docker/desktop/docker.sock", ".docker/run/docker.sock"] {
                    paths.extend(home.map(|home| home.join(desktop)));
                }
                paths.push(PathBuf::from("/run/podman/podman.sock"));
                paths.extend(runtime_dir.map(|dir| dir.join("podman/podman.sock")));
                Self {
                    paths,
                    refusal: None,
                    users_own: None,
                }
            }
        }
    }

    /// Adds the socket of one user's own engine. The agent can't reach it, so it is only named where there is no other engine.
    #[must_use]
    pub fn with_users_own(self, users_own: Option<PathBuf>) -> Self {
        Self { users_own, ..self }
    }

    /// Exactly one place to look.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self {
            paths: vec![path.into()],
            refusal: None,
            users_own: None,
        }
    }

    /// The first place where an engine accepts a connection, or the state that best explains why there is none: an
    /// engine that refuses us says more than one that does not run, and that more than an absent one.
    pub(crate) async fn locate(&self) -> Result<PathBuf, EngineState> {
        let mut best: Option<EngineState> = None;
        for path in &self.paths {
            let state = match tokio::net::UnixStream::connect(path).await {
                Ok(_) => return Ok(path.clone()),
                Err(error) => explain(path, &error),
            };
            if best.as_ref().is_none_or(|best| weight(&state) > weight(best)) {
                best = Some(state);
            }
        }
        let best = best.unwrap_or_else(|| EngineState::Absent {
            reason: self.refusal.clone().unwrap_or_default(),
            since: None,
        });
        Err(match (&best, &self.users_own) {
            (EngineState::Absent { .. }, Some(socket)) => EngineState::Absent {
                reason: one_users(socket),
                since: None,
            },
            _ => best,
        })
    }
}

fn weight(state: &EngineState) -> u8 {
    match state {
        EngineState::Running(_) | EngineState::Unfit { .. } => 3,
        EngineState::Denied { .. } => 2,
        EngineState::Stopped { .. } => 1,
        EngineState::Absent { .. } | EngineState::Unknown => 0,
    }
}

fn explain(path: &Path, error: &io::Error) -> EngineState {
    let place = path.display();
    let podman = path.to_string_lossy().contains("podman");
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => EngineState::Absent {
            since: None,
            reason: format!(
                "There is no container engine at {place}. Install Docker, or start it: sudo systemctl start docker"
            ),
        },
        // The agent may not look into the folder, so it can't know whether there is an engine.
        ErrorKind::PermissionDenied if std::fs::metadata(path).is_err() => EngineState::Absent {
            since: None,
            reason: format!(
                "The agent sees no container engine at {place}: it may not look into that folder."
            ),
        },
        ErrorKind::PermissionDenied => EngineState::Denied {
            since: None,
            reason: match socket_group(path) {
                Some(group) => format!(
                    "The agent may not use {place}. Add the agent's user to the group {group} and restart the agent: \
                     sudo usermod -aG {group} flotilla && sudo systemctl restart flotilla-agent"
                ),
                None => format!("The agent may not use {place}. Install the agent with --as-root."),
            },
        },
        ErrorKind::ConnectionRefused => EngineState::Stopped {
            since: None,
            reason: format!(
                "The container engine at {place} is not running. Start it: sudo systemctl start {}",
                if podman { "podman.socket" } else { "docker" }
            ),
        },
        _ => EngineState::Stopped {
            since: None,
            reason: format!("The container engine at {place} cannot be reached: {error}."),
        },
    }
}

fn one_users(socket: &Path) -> String {
    format!(
        "The container engine here is one user's own: it was found at {}, where the agent's service can't reach it. For its          containers, remove this agent (sudo flotilla-agent uninstall) and, as that user, run the agent in that engine, as          Add Device shows.",
        socket.display()
    )
}

/// The name of the group that a socket is open to; `None` when only root may use it.
fn socket_group(path: &Path) -> Option<String> {
    let metadata = std::fs::metadata(path).ok()?;
    let groups = std::fs::read_to_string("/etc/group").unwrap_or_default();
    (metadata.gid() != 0)
        .then(|| group_name(&groups, metadata.gid()).unwrap_or_else(|| metadata.gid().to_string()))
}

fn group_name(groups: &str, gid: u32) -> Option<String> {
    groups.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, number) = (fields.next()?, fields.nth(1)?);
        (number.parse() == Ok(gid)).then(|| name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_local_socket_is_accepted_as_docker_host() {
        assert_eq!(
            Sockets::new(Some("unix:///tmp/d.sock"), None, None),
            Sockets::at("/tmp/d.sock")
        );
        for host in [
            "tcp://10.0.0.1:2375",
            "ssh://nas",
            "unix://relative",
            "/var/run/docker.sock",
        ] {
            let sockets = Sockets::new(Some(host), None, None);
            assert!(sockets.paths.is_empty() && sockets.refusal.unwrap().contains(host));
        }
        assert_eq!(
            Sockets::new(Some(""), None, None).paths[0],
            Path::new("/var/run/docker.sock")
        );
    }

    #[tokio::test]
    async fn an_absent_and_a_dead_engine_are_told_apart_and_the_reason_says_the_way_out() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("docker.sock");
        let absent = Sockets::at(&path).locate().await.unwrap_err();
        assert!(
            matches!(&absent, EngineState::Absent { reason, .. } if reason.contains("systemctl start docker"))
        );

        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        let dead = Sockets::at(&path).locate().await.unwrap_err();
        assert!(matches!(&dead, EngineState::Stopped { reason, .. } if reason.contains("not running")));
    }

    #[tokio::test]
    async fn an_engine_of_one_users_own_is_named_instead_of_a_way_to_install_another() {
        let dir = tempfile::tempdir().unwrap();
        let own = Path::new("/run/user/1000/docker.sock");
        let sockets = Sockets {
            paths: ["docker.sock", "podman.sock"]
                .map(|name| dir.path().join(name))
                .into(),
            ..Sockets::new(None, None, None).with_users_own(Some(own.into()))
        };
        let Err(EngineState::Absent { reason, .. }) = sockets.locate().await else {
            panic!()
        };
        assert!(
            reason.contains("/run/user/1000/docker.sock") && reason.contains("as that user"),
            "{reason}"
        );
        assert!(!reason.contains("Install"), "{reason}");

        // One of the whole device says more, also where it does not run.
        drop(std::os::unix::net::UnixListener::bind(&sockets.paths[0]).unwrap());
        let dead = sockets.locate().await.unwrap_err();
        assert!(matches!(&dead, EngineState::Stopped { .. }), "{dead:?}");
    }

    #[tokio::test]
    async fn the_first_place_that_answers_wins_over_better_ones_that_do_not() {
        let dir = tempfile::tempdir().unwrap();
        let (dead, live) = (dir.path().join("a.sock"), dir.path().join("b.sock"));
        drop(std::os::unix::net::UnixListener::bind(&dead).unwrap());
        let _listener = tokio::net::UnixListener::bind(&live).unwrap();
        let sockets = Sockets {
            paths: vec![dir.path().join("none.sock"), dead, live.clone()],
            refusal: None,
            users_own: None,
        };
        assert_eq!(sockets.locate().await.unwrap(), live);
    }

    #[test]
    fn a_refused_socket_names_the_group_to_join() {
        assert_eq!(
            group_name("root:x:0:\ndocker:x:998:ann\n", 998).as_deref(),
            Some("docker")
        );
        assert_eq!(group_name("garbage\n", 998), None);
    }
}
