//! Cases of people whose containers were recreated, tried on each version of the engine.

use anyhow::{Context, Result, ensure};
use flotilla_engine::ActionError;
use flotilla_protocol::inventory::ContainerAction::{Restart, Start, Stop};
use flotilla_tests::container_diff::{comparable, differences};
use flotilla_tests::engine::WORKER;
use flotilla_tests::eventually::{eventually, seconds};
use flotilla_tests::lab::{EngineVersion, with_engines};
use flotilla_tests::pod_machine::PodMachine;
use flotilla_tests::program::run;
use serde_json::{Value, json};

/// Runs a scenario on an engine of each of these versions.
fn on_each(engines: &[EngineVersion], scenario: impl AsyncFn(&PodMachine<'_>) -> Result<()>) -> Result<()> {
    with_engines(engines, async |lab| {
        for machine in lab.machines() {
            let pod = PodMachine::start(machine).await?;
            let tried = scenario(&pod).await;
            tried.with_context(|| format!("on an engine that speaks 1.{}", pod.api))?;
            let left = pod.leftovers().await?;
            ensure!(left.is_empty(), "{left:?}");
        }
        Ok(())
    })
}

fn docker(pod: &PodMachine<'_>, words: &[&str]) -> Result<String> {
    run(pod.machine.docker().args(words))
}

/// Runs a container of the sample image with these options.
fn worker(pod: &PodMachine<'_>, name: &str, options: &[&str]) -> Result<String> {
    pod.machine
        .docker_run(&[&["--name", name][..], options, &[WORKER]].concat())
}

/// The error with which a move is refused. Fails when the container was changed, or the message has an id in it.
async fn refused(pod: &PodMachine<'_>, name: &str, member: bool) -> Result<ActionError> {
    let before = pod.inspect(name).await?;
    let error = pod.place(name, member).await?.err().context("it was moved")?;
    let after = pod.inspect(name).await?;
    for part in ["Id", "State", "HostConfig", "NetworkSettings"] {
        ensure!(before[part] == after[part], "{part} changed: {error}");
    }
    let text = error.to_string();
    let has_id = text
        .split(|c: char| !c.is_ascii_hexdigit())
        .any(|word| word.len() >= 64);
    ensure!(!has_id, "{text}");
    Ok(error)
}

async fn moved(pod: &PodMachine<'_>, name: &str, member: bool) -> Result<()> {
    pod.place(name, member)
        .await?
        .with_context(|| format!("{name} to {member}"))?;
    let running = pod.inspect(name).await?["State"]["Running"] == true;
    ensure!(running, "{name} does not run");
    Ok(())
}

#[test]
fn what_the_engine_made_up_is_not_asked_for_and_what_was_asked_for_comes_back() -> Result<()> {
    on_each(&EngineVersion::ALL, async |pod| {
        docker(pod, &["network", "create", "macs"])?;
        worker(pod, "mac-a", &["--network", "macs"])?;
        worker(pod, "mac-keeper", &["--network", "macs"])?;
        moved(pod, "mac-a", true).await?;
        // Older engines give this container the IP address that is free now, and the MAC address that follows from it.
        worker(pod, "mac-c", &["--network", "macs"])?;
        moved(pod, "mac-a", false).await?;
        let network = pod.call("GET", "/networks/macs", None).await?;
        let members = network["Containers"].as_object().context("no members")?;
        let mut macs: Vec<_> = members.values().map(|it| it["MacAddress"].to_string()).collect();
        macs.sort();
        macs.dedup();
        ensure!(macs.len() == 3, "{members:?}");
        let made_up = &pod.inspect("mac-a").await?["Config"]["MacAddress"];
        ensure!(made_up.as_str().unwrap_or_default().is_empty(), "{made_up}");

        let licensed = json!({"Image": WORKER, "MacAddress": "02:42:ac:aa:bb:cc"});
        pod.create("licensed", &licensed).await?;
        pod.call("POST", "/containers/licensed/start", None).await?;
        moved(pod, "licensed", true).await?;
        moved(pod, "licensed", false).await?;
        let answer = pod.inspect("licensed").await?;
        ensure!(
            answer["Config"]["MacAddress"] == "02:42:ac:aa:bb:cc",
            "{}",
            answer["Config"]
        );
        let at = &answer["NetworkSettings"]["Networks"]["bridge"]["MacAddress"];
        ensure!(at == "02:42:ac:aa:bb:cc", "{at}");
        Ok(())
    })
}

#[test]
fn what_is_taken_or_gone_is_named_while_the_container_still_runs() -> Result<()> {
    on_each(&EngineVersion::ALL, async |pod| {
        docker(pod, &["network", "create", "--subnet", "10.99.8.0/24", "fixed"])?;
        worker(
            pod,
            "dns8",
            &[
                "--network",
                "fixed",
                "--ip",
                "10.99.8.53",
                "--publish",
                "18053:53",
            ],
        )?;
        moved(pod, "dns8", true).await?;
        worker(pod, "thief8", &["--network", "fixed", "--ip", "10.99.8.53"])?;
        let text = refused(pod, "dns8", false).await?.to_string();
        ensure!(text.contains("10.99.8.53") && text.contains("thief8"), "{text}");
        docker(pod, &["rm", "--force", "thief8"])?;
        worker(pod, "proxy8", &["--publish", "18053:53"])?;
        let text = refused(pod, "dns8", false).await?.to_string();
        ensure!(text.contains("18053/tcp") && text.contains("proxy8"), "{text}");
        docker(pod, &["rm", "--force", "proxy8"])?;
        docker(pod, &["network", "rm", "fixed"])?;
        let text = refused(pod, "dns8", false).await?.to_string();
        ensure!(text.contains("network fixed is missing"), "{text}");
        // A new network of that name counts as the missing one.
        docker(pod, &["network", "create", "--subnet", "10.99.8.0/24", "fixed"])?;
        moved(pod, "dns8", false).await?;
        let at = pod.inspect("dns8").await?["NetworkSettings"]["Networks"]["fixed"]["IPAddress"].take();
        ensure!(at == "10.99.8.53", "{at}");
        Ok(())
    })
}

#[test]
fn what_is_missing_or_left_over_is_named_before_anything_is_stopped() -> Result<()> {
    on_each(&EngineVersion::ALL, async |pod| {
        docker(pod, &["network", "create", "gone13"])?;
        docker(
            pod,
            &["create", "--name", "cron13", "--network", "gone13", WORKER],
        )?;
        docker(pod, &["network", "rm", "gone13"])?;
        let id = pod.inspect("cron13").await?["Id"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        let error = pod.followed.engine.act(&id, Start).await;
        let text = error.err().context("it started")?.to_string();
        ensure!(text.contains("network gone13 is missing"), "{text}");

        worker(pod, "web15", &[])?;
        docker(pod, &["commit", "web15", "sample/lone:1"])?;
        docker(pod, &["create", "--name", "noimg14", "sample/lone:1"])?;
        docker(pod, &["rmi", "--force", "sample/lone:1"])?;
        let text = refused(pod, "noimg14", true).await?.to_string();
        ensure!(text.contains("image of noimg14 is gone"), "{text}");
        docker(pod, &["create", "--name", "web15.flotilla-old", WORKER])?;
        let text = refused(pod, "web15", true).await?.to_string();
        ensure!(text.contains("container web15.flotilla-old"), "{text}");
        docker(pod, &["rm", "web15.flotilla-old"])?;
        Ok(())
    })
}

#[test]
fn containers_that_depend_on_a_container_are_named() -> Result<()> {
    on_each(&EngineVersion::ALL, async |pod| {
        for (borrower, options) in [
            ("dbg10", ["--pid", "container:app"]),
            ("shm10", ["--ipc", "container:app"]),
            ("net10", ["--network", "container:app"]),
            ("web10", ["--link", "app:alias"]),
        ] {
            worker(pod, "app", &["--ipc", "shareable"])?;
            let id = worker(pod, borrower, &options)?;
            let text = refused(pod, "app", true).await?.to_string();
            ensure!(text.contains(borrower), "{text}");
            docker(pod, &["rm", "--force", "app"])?;
            if borrower != "web10" {
                let error = pod.followed.engine.act(&id, Restart).await;
                let error = error.err().with_context(|| format!("{borrower} was restarted"))?;
                ensure!(
                    error.to_string().contains("which is gone from this device"),
                    "{error}"
                );
                // A container in the process namespace of the other ended with it.
                let is_up = pod.inspect(borrower).await?["State"]["Running"] == true;
                ensure!(is_up || borrower == "dbg10", "{borrower} was stopped");
            }
            docker(pod, &["rm", "--force", borrower])?;
        }
        worker(pod, "self-removing", &["--rm"])?;
        let error = refused(pod, "self-removing", true).await?;
        ensure!(matches!(error, ActionError::RemovesItself(_)), "{error}");
        Ok(())
    })
}

#[test]
fn a_task_of_a_swarm_is_the_swarms() -> Result<()> {
    on_each(&EngineVersion::ALL, async |pod| {
        docker(
            pod,
            &[
                "swarm",
                "init",
                "--advertise-addr",
                "127.0.0.1",
                "--listen-addr",
                "127.0.0.1:2377",
            ],
        )?;
        let service = [
            "service",
            "create",
            "--detach",
            "--name",
            "svc16",
            "--network",
            "host",
            "--no-resolve-image",
            WORKER,
        ];
        docker(pod, &service)?;
        let task = eventually("the task runs", seconds(30.0), async || {
            let rows = pod.followed.inventory().await?.containers;
            rows.into_iter()
                .find(|row| row.name.starts_with("svc16.1."))
                .context("no task")
        })
        .await?;
        let reason = refused(pod, &task.name, true).await?.to_string();
        ensure!(reason.contains("swarm service svc16 will replace it"), "{reason}");
        let stopped = pod.followed.engine.act(&task.id, Stop).await;
        ensure!(
            matches!(stopped, Err(ActionError::SwarmTask { .. })),
            "{stopped:?}"
        );
        docker(pod, &["swarm", "leave", "--force"])?;
        Ok(())
    })
}

#[test]
fn everything_that_tools_lose_is_there_after_a_pod_and_others_are_told_what_they_lose() -> Result<()> {
    on_each(&EngineVersion::ALL, async |pod| {
        docker(pod, &["network", "create", "--subnet", "10.99.18.0/24", "n18"])?;
        docker(pod, &["network", "create", "n18b"])?;
        let mut words: Vec<_> = EVERYTHING.split_whitespace().collect();
        words.extend(["--label", r#"odd=a=b "c" {d}"#, "--health-cmd", "test -e /data"]);
        worker(pod, "all18", &words)?;
        docker(pod, &["network", "connect", "--alias", "b1", "n18b", "all18"])?;
        worker(pod, "web18", &["--network", "n18"])?;
        let before = pod.inspect("all18").await?;
        eventually("the row tells who finds it how", seconds(5.0), async || {
            let row = pod.followed.container("all18").await?;
            let [n18, n18b] = &row.found_as[..] else {
                anyhow::bail!("{row:?}")
            };
            ensure!(
                ["a1", "a2", "all18"]
                    .iter()
                    .all(|name| n18.names.iter().any(|known| known == name))
                    && n18.neighbors == ["web18"],
                "{n18:?}"
            );
            ensure!(
                n18b.names.contains(&"b1".to_owned()) && n18b.neighbors.is_empty(),
                "{n18b:?}"
            );
            Ok(())
        })
        .await?;
        moved(pod, "all18", true).await?;
        moved(pod, "all18", false).await?;
        let after = pod.inspect("all18").await?;
        let differences = differences(&comparable(&before), &comparable(&after));
        ensure!(differences.is_empty(), "{differences:#?}");
        let ip = &after["NetworkSettings"]["Networks"]["n18"]["IPAddress"];
        ensure!(ip == "10.99.18.50", "{ip}");
        let volumes = |answer: &Value| {
            let mounts = answer["Mounts"].as_array().into_iter().flatten();
            let mut names: Vec<_> = mounts
                .map(|mount| (mount["Destination"].to_string(), mount["Name"].to_string()))
                .collect();
            names.sort();
            names
        };
        ensure!(volumes(&before) == volumes(&after), "{:?}", volumes(&after));
        Ok(())
    })
}

/// Options that other tools lose when they recreate a container.
const EVERYTHING: &str = "--shm-size 96m --stop-signal SIGTERM --stop-timeout 7 --restart on-failure:3 \
    --ulimit nofile=2048:2048 --ulimit core=0 --sysctl net.ipv4.ip_unprivileged_port_start=80 \
    --tmpfs /t:rw,size=8m,mode=1770 --device /dev/null:/dev/zero2:r --group-add 27 --cap-drop ALL --cap-add CHOWN \
    --security-opt no-new-privileges --read-only --memory 64m --memory-reservation 32m --cpus 0.5 --cpu-shares 512 \
    --pids-limit 50 --log-driver json-file --log-opt max-size=1m --log-opt max-file=2 --log-opt tag={{.Name}} \
    --add-host db:10.1.2.3 --add-host gw:host-gateway --dns 10.9.9.9 --dns-search a.example --dns-opt ndots:2 \
    --hostname all.example --domainname example --network n18 --ip 10.99.18.50 --network-alias a1 --network-alias a2 \
    --publish 127.0.0.1:18018:80 --publish 18019-18021:9000-9002/udp --expose 7000-7003 \
    --volume v18:/data:ro,nocopy --volume /srv:/host:rprivate --mount type=volume,dst=/anon --volume /anon2 \
    --label empty= --env E=a=b --env EMPTY= --workdir /tmp --user 0:0 \
    --health-interval 1s --health-timeout 1s --health-retries 9 --health-start-period 1s";

/// Only older engines create a second network with the same name.
#[test]
fn a_container_on_one_of_two_networks_of_one_name_comes_back_to_its_own() -> Result<()> {
    on_each(&[EngineVersion::Installed], async |pod| {
        let twin = json!({"Name": "twin", "CheckDuplicate": false});
        let mut ids = Vec::new();
        for name in ["on-one", "on-two"] {
            let made = pod.call("POST", "/networks/create", Some(&twin)).await?;
            let id = made["Id"].as_str().unwrap_or_default().to_owned();
            worker(pod, name, &[])?;
            docker(pod, &["network", "connect", &id, name])?;
            docker(pod, &["network", "disconnect", "bridge", name])?;
            ids.push(id);
        }
        eventually("each lists its own", seconds(5.0), async || {
            let networks = pod.followed.inventory().await?.networks;
            let on = |id: &String| {
                networks
                    .iter()
                    .find(|network| network.id == *id)
                    .map(|it| it.containers.clone())
            };
            let listed = [on(&ids[0]), on(&ids[1])];
            ensure!(
                listed == [Some(vec!["on-one".to_owned()]), Some(vec!["on-two".to_owned()])],
                "{listed:?}"
            );
            Ok(())
        })
        .await?;
        moved(pod, "on-one", true).await?;
        moved(pod, "on-one", false).await?;
        let networks = pod.inspect("on-one").await?["NetworkSettings"]["Networks"].take();
        let only = networks.as_object().is_some_and(|all| all.len() == 1);
        ensure!(
            only && networks["twin"]["NetworkID"] == ids[0].as_str(),
            "{networks}"
        );
        Ok(())
    })
}
