//! Containers with every setting, alone and in random groups, are moved into a pod and out of it, and recreated where they
//! are, on each version of the engine: each is described as before, or that is refused before anything was stopped.

use std::collections::BTreeSet;
use std::env;

use anyhow::{Context, Result, ensure};
use flotilla_engine::ActionError;
use flotilla_protocol::Problem;
use flotilla_tests::container_diff::{comparable, comparable_in_pod, differences};
use flotilla_tests::container_settings::{ContainerSetting, SET_BY_ENGINE, SETTINGS, group, merge};
use flotilla_tests::engine::WORKER;
use flotilla_tests::lab::{EngineVersion, with_engines};
use flotilla_tests::pod_machine::PodMachine;
use flotilla_tests::program::run;
use futures_util::future::try_join_all;
use futures_util::{StreamExt as _, stream};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use serde_json::{Value, json};

/// How many containers are moved at a time on one engine: most of a move is waiting.
const AT_ONCE: usize = 8;

/// Random groups of settings for each engine, where `FLOTILLA_RECREATE_GROUPS` does not set another number.
const GROUPS: u64 = 8;

/// An image with an entrypoint.
const WITH_ENTRYPOINT: &str = "sample/entry:1";

/// Settings with which an engine or this computer may refuse to create a container; with each of the others it must
/// not.
const MAY_BE_REFUSED: [&str; 11] = [
    "CpuRealtime",
    "KernelMemory",
    "StorageOpt",
    "UsernsMode",
    "CpuCount",
    "CpuPercent",
    "IOMaximum",
    "CgroupnsMode",
    "MemorySwappiness",
    "OomKillDisable",
    "Blkio",
];

/// The result of moving one container into the pod and out of it.
#[derive(Debug, PartialEq, Eq)]
enum MoveOutcome {
    /// It is described as before.
    Unchanged,
    /// The move was refused for this reason, and nothing had changed.
    Refused(String),
    /// The engine did not create or start the container, for this reason.
    NotCreated(String),
}

struct TestBed<'a> {
    pod: PodMachine<'a>,
    network: String,
}

impl<'a> TestBed<'a> {
    fn new(pod: PodMachine<'a>) -> Result<Self> {
        let docker = |words: &[&str]| run(pod.machine.docker().args(words));
        let network = docker(&["network", "create", "--subnet", "10.98.0.0/16", "main"])?;
        docker(&["network", "create", "--subnet", "10.97.0.0/16", "side"])?;
        let words = [
            "--name",
            "source",
            "--ipc",
            "shareable",
            "--volume",
            "/from",
            "--volume",
            "named:/n",
            WORKER,
        ];
        pod.machine.docker_run(&words)?;
        docker(&["network", "connect", "main", "source"])?;
        docker(&["exec", "source", "mkdir", "/n/inner"])?;
        // `env` runs the command that follows it, so any command works with it.
        let entrypoint = r#"ENTRYPOINT ["env"]"#;
        docker(&["commit", "--change", entrypoint, "source", WITH_ENTRYPOINT])?;
        Ok(Self { pod, network })
    }

    /// A request with these settings. Addresses and ports, which only one container can have, follow from `number`.
    fn request(&self, number: usize, settings: &[ContainerSetting]) -> Value {
        let (high, low) = (number / 200 + 1, number % 200 + 10);
        let mut request = json!({"Image": WORKER, "HostConfig": {}});
        for setting in settings {
            let fill = |text: String| {
                text.replace("@NETID@", &self.network)
                    .replace("@NET@", "main")
                    .replace("@SIDE@", "side")
                    .replace("@ENTRY@", WITH_ENTRYPOINT)
                    .replace("@SOURCE@", "source")
                    .replace("@IP@", &format!("10.98.{high}.{low}"))
                    .replace("@SIDEIP@", &format!("10.97.{high}.{low}"))
                    .replace("@PORT@", &(20_000 + number).to_string())
            };
            merge(&mut request, setting.request(fill));
        }
        request
    }

    /// Creates a container, moves it into the pod and out again, and removes it.
    async fn try_out(
        &self,
        number: usize,
        settings: &[ContainerSetting],
        starts: bool,
    ) -> Result<MoveOutcome> {
        let name = format!("c{number}");
        let request = self.request(number, settings);
        let tried = self.there_and_back(&name, &request, starts).await;
        let removed = self
            .pod
            .call("DELETE", &format!("/containers/{name}?force=1"), None)
            .await;
        removed.ok();
        tried.with_context(|| format!("{name}: {request}"))
    }

    async fn there_and_back(&self, name: &str, request: &Value, starts: bool) -> Result<MoveOutcome> {
        let pod = &self.pod;
        if let Err(error) = pod.create(name, request).await {
            return Ok(MoveOutcome::NotCreated(error.to_string()));
        }
        let start = format!("/containers/{name}/start");
        if starts && let Err(error) = pod.call("POST", &start, None).await {
            return Ok(MoveOutcome::NotCreated(error.to_string()));
        }
        let before = pod.inspect(name).await?;
        // Into the pod, out of it, and once more where it is.
        for (member, recreates) in [(true, false), (false, false), (false, true)] {
            let (now, is_running) = (pod.inspect(name).await?, starts);
            let outcome = if recreates {
                pod.recreate(name).await?
            } else {
                pod.place(name, member).await?
            };
            match outcome {
                Ok(_) => {}
                Err(error) => {
                    let after = pod.inspect(name).await?;
                    let parts = ["Id", "State", "Name", "HostConfig"]
                        .map(|part| (now[part].clone(), after[part].clone()));
                    ensure!(
                        parts.iter().all(|(a, b)| a == b),
                        "{error} It was not left alone: {parts:?}"
                    );
                    return Ok(MoveOutcome::Refused(refusal(error)));
                }
            }
            let after = pod.inspect(name).await?;
            let comparable_of = if member { comparable_in_pod } else { comparable };
            let differences = differences(&comparable_of(&before), &comparable_of(&after));
            ensure!(
                differences.is_empty(),
                "member {member}, recreated there {recreates}: {}",
                differences.join("; ")
            );
            ensure!(after["State"]["Running"] == is_running, "{}", after["State"]);
            let network = after["HostConfig"]["NetworkMode"].as_str().unwrap_or_default();
            ensure!(
                (network == format!("container:{}", pod.pause)) == member,
                "{network}"
            );
        }
        Ok(MoveOutcome::Unchanged)
    }
}

/// The message that people get.
fn refusal(error: ActionError) -> String {
    Problem::from(error).message
}

/// Tries every setting alone, on containers that are not started.
async fn each_alone(bed: &TestBed<'_>) -> Result<()> {
    let fits = SETTINGS
        .iter()
        .enumerate()
        .filter(|(_, setting)| setting.since <= bed.pod.api);
    let runs = stream::iter(fits)
        .map(async |(number, setting)| (setting.text(), bed.try_out(number, &[*setting], false).await));
    let outcomes: Vec<_> = runs.buffer_unordered(AT_ONCE).collect().await;
    let wrong = outcomes.into_iter().filter(|(setting, outcome)| match outcome {
        Ok(MoveOutcome::Unchanged) => false,
        Ok(MoveOutcome::Refused(_)) => !setting.contains("AutoRemove"),
        Ok(MoveOutcome::NotCreated(_)) => !MAY_BE_REFUSED.iter().any(|known| setting.contains(known)),
        Err(_) => true,
    });
    all_right(wrong.map(|(setting, outcome)| match outcome {
        Err(error) => format!("{error:#}"),
        other => format!("{setting}: {other:?}"),
    }))
}

fn all_right(wrong: impl Iterator<Item = String>) -> Result<()> {
    let wrong: Vec<_> = wrong.collect();
    ensure!(
        wrong.is_empty(),
        "{} containers:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    Ok(())
}

/// Tries settings of networks alone, and random groups, on containers that run: engines describe networks of running
/// containers only.
async fn running(bed: &TestBed<'_>, first: u64, groups: u64) -> Result<usize> {
    let about_networks = |setting: &&ContainerSetting| {
        let is_about = ["NetworkMode", "MacAddress", "Hostname", "Port", "Links", "Mode"];
        setting.starts
            && setting.since <= bed.pod.api
            && is_about.iter().any(|word| setting.text().contains(word))
    };
    let alone = SETTINGS
        .iter()
        .filter(about_networks)
        .map(|setting| vec![*setting]);
    let seeds = first..first + groups;
    let random = seeds.map(|seed| group(bed.pod.api, &mut StdRng::seed_from_u64(seed)));
    let all = alone.chain(random).zip(1000..);
    let runs = stream::iter(all).map(async |(settings, number)| bed.try_out(number, &settings, true).await);
    let outcomes: Vec<_> = runs.buffer_unordered(AT_ONCE).collect().await;
    let was_not_created = |outcome: &Result<MoveOutcome>| matches!(outcome, Ok(MoveOutcome::NotCreated(_)));
    let tried = outcomes
        .iter()
        .filter(|outcome| !was_not_created(outcome))
        .count();
    ensure!(tried * 2 > outcomes.len(), "most were never made: {outcomes:#?}");
    all_right(
        outcomes
            .into_iter()
            .filter_map(Result::err)
            .map(|error| format!("{error:#}")),
    )?;
    Ok(tried)
}

/// Fails when this engine describes a setting that [`SETTINGS`] lacks.
async fn every_setting_is_tried(bed: &TestBed<'_>) -> Result<()> {
    let tried: Vec<Value> = SETTINGS
        .iter()
        .map(|setting| bed.request(0, &[*setting]))
        .collect();
    let keys = |value: &Value| {
        value
            .as_object()
            .into_iter()
            .flatten()
            .map(|(key, _)| key.clone())
            .collect::<BTreeSet<_>>()
    };
    let tried: BTreeSet<_> = tried
        .iter()
        .flat_map(|tried| [keys(tried), keys(&tried["HostConfig"])])
        .flatten()
        .collect();
    let shown = bed.pod.inspect("source").await?;
    let shown = [keys(&shown["Config"]), keys(&shown["HostConfig"])];
    let missed: Vec<_> = shown
        .iter()
        .flatten()
        .filter(|key| !tried.contains(*key) && !SET_BY_ENGINE.contains(&key.as_str()))
        .collect();
    ensure!(missed.is_empty(), "not tried: {missed:?}");
    Ok(())
}

#[test]
fn a_container_has_all_its_settings_again_after_a_pod_or_was_never_moved() -> Result<()> {
    // A long run uses new seeds each time, or those from FLOTILLA_RECREATE_SEED on.
    let variable = |name: &str| env::var(name).ok().map(|text| text.parse::<u64>()).transpose();
    let (groups, first) = match (
        variable("FLOTILLA_RECREATE_GROUPS")?,
        variable("FLOTILLA_RECREATE_SEED")?,
    ) {
        (None, _) => (GROUPS, 1),
        (Some(groups), first) => (groups, first.unwrap_or_else(|| rand::random_range(1..1 << 40))),
    };
    with_engines(&EngineVersion::ALL, async |lab| {
        try_join_all(lab.machines().iter().map(async |machine| {
            let bed = TestBed::new(PodMachine::start(machine).await?)?;
            let version = bed.pod.api;
            let tried = async {
                every_setting_is_tried(&bed).await?;
                each_alone(&bed).await?;
                running(&bed, first, groups).await
            };
            let tried = tried
                .await
                .with_context(|| format!("on an engine that speaks 1.{version}, seeds from {first}"))?;
            let left = bed.pod.leftovers().await?;
            ensure!(left.is_empty(), "{left:?}");
            say(&format!(
                "version 1.{version}: {} alone, {tried} running, seeds from {first}",
                SETTINGS.len()
            ));
            Ok(())
        }))
        .await?;
        Ok(())
    })
}

#[expect(
    clippy::print_stderr,
    reason = "figures of a long run are shown in the terminal"
)]
fn say(text: &str) {
    eprintln!("{text}");
}
