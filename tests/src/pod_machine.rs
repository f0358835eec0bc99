//! A machine whose engine has a pod. The engine is followed in this process as the agent in that pod follows it.

use std::fs;

use anyhow::{Context, Result, bail, ensure};
use flotilla_engine::{ActionError, OwnContainer};
use flotilla_protocol::inventory::PodRole;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;

use crate::engine::WORKER;
use crate::eventually::{eventually, seconds};
use crate::followed_engine::FollowedEngine;
use crate::lab::Machine;

/// The machine and its followed engine. Dropping it ends the following.
#[derive(Debug)]
pub struct PodMachine<'a> {
    pub machine: &'a Machine,
    pub followed: FollowedEngine,
    /// Id of the pause container.
    pub pause: String,
    /// The minor version of the engine's API.
    pub api: u32,
}

impl<'a> PodMachine<'a> {
    /// Creates the pod on a machine with an engine. Containers of the sample image are its pause container and its
    /// agent.
    pub async fn start(machine: &'a Machine) -> Result<Self> {
        machine.load_images()?;
        let pause = machine.docker_run(&["--name", "flotilla-pause", "--stop-timeout", "1", WORKER])?;
        let network = format!("container:{pause}");
        let volume = "flotilla-agent:/var/lib/flotilla";
        machine.docker_run(&[
            "--name",
            "flotilla-agent",
            "--network",
            &network,
            "--volume",
            volume,
            WORKER,
        ])?;
        let process = machine.directory().join("process");
        fs::create_dir_all(&process)?;
        let mounts = format!(
            "1 0 8:1 /docker/containers/{pause}/hostname /etc/hostname rw - ext4 /dev/sda1 rw\n\
             2 0 8:1 /docker/volumes/flotilla-agent/_data /var/lib/flotilla rw - ext4 /dev/sda1 rw\n"
        );
        fs::write(process.join("mountinfo"), mounts)?;
        let followed = FollowedEngine::start_as(machine, OwnContainer::of_process(process));
        let mut pod = Self {
            machine,
            followed,
            pause,
            api: 0,
        };
        let version = pod.call("GET", "/version", None).await?;
        let version = version["ApiVersion"]
            .as_str()
            .and_then(|text| text.strip_prefix("1."));
        pod.api = version.context("an engine without a version")?.parse()?;
        Ok(pod)
    }

    /// Puts a container into the pod (`member`) or takes it out, and waits until the followed engine lists the
    /// container that replaced it; returns its id.
    pub async fn place(&self, name: &str, member: bool) -> Result<Result<String, ActionError>> {
        let old = self.id(name).await?;
        self.eventually_knows(&old, !member).await?;
        let placed = self.followed.engine.place_in_pod(&old, member).await;
        self.replaced(name, &old, member, placed).await
    }

    /// Recreates a container outside of the pod where it is; returns the new one's id.
    pub async fn recreate(&self, name: &str) -> Result<Result<String, ActionError>> {
        let old = self.id(name).await?;
        self.eventually_knows(&old, false).await?;
        let recreated = self.followed.engine.recreate(&old).await;
        self.replaced(name, &old, false, recreated).await
    }

    async fn replaced(
        &self,
        name: &str,
        old: &str,
        member: bool,
        outcome: Result<(), ActionError>,
    ) -> Result<Result<String, ActionError>> {
        if let Err(error) = outcome {
            return Ok(Err(error));
        }
        let new = self.id(name).await?;
        ensure!(new != old, "{name} was not made anew");
        self.eventually_knows(&new, member).await?;
        Ok(Ok(new))
    }

    async fn id(&self, name: &str) -> Result<String> {
        let answer = self.inspect(name).await?;
        Ok(answer["Id"].as_str().unwrap_or_default().to_owned())
    }

    async fn eventually_knows(&self, id: &str, member: bool) -> Result<()> {
        eventually("the container is known", seconds(10.0), async || {
            let rows = self.followed.inventory().await?.containers;
            let row = rows.into_iter().find(|row| row.id == id);
            let pod = row.context("it is not listed")?.pod;
            ensure!((pod == Some(PodRole::Member)) == member, "it is {pod:?}");
            Ok(())
        })
        .await
    }

    pub async fn inspect(&self, name: &str) -> Result<Value> {
        self.call("GET", &format!("/containers/{name}/json"), None).await
    }

    /// Creates a container by this request of the engine's API; returns its id.
    pub async fn create(&self, name: &str, request: &Value) -> Result<String> {
        let path = format!("/containers/create?name={name}");
        let made = self.call("POST", &path, Some(request)).await?;
        Ok(made["Id"].as_str().context("no id")?.to_owned())
    }

    /// Names of containers that a move left behind, such as the one that it had set aside. There should be none.
    pub async fn leftovers(&self) -> Result<Vec<String>> {
        let all = self.call("GET", "/containers/json?all=1", None).await?;
        let names = all
            .as_array()
            .into_iter()
            .flatten()
            .map(|it| it["Names"].to_string());
        Ok(names.filter(|names| names.contains(".flotilla-")).collect())
    }

    /// Sends a request of the engine's API without a client library, whose types could hide a field.
    ///
    /// # Errors
    /// The engine's status and message for a status of 400 or more.
    pub async fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
        let body = body.map(Value::to_string).unwrap_or_default();
        // HTTP 1.0 has no chunked bodies: an answer ends where the connection ends.
        let head = format!(
            "{method} {path} HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let mut stream = UnixStream::connect(self.machine.socket()).await?;
        stream.write_all(format!("{head}{body}").as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        let (head, body) = answer.split_once("\r\n\r\n").context("no answer")?;
        let status: u16 = head.split(' ').nth(1).context("no status")?.parse()?;
        if status >= 400 {
            bail!("{method} {path}: {status} {}", body.trim());
        }
        Ok(serde_json::from_str(body).unwrap_or_default())
    }
}
