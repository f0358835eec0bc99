//! Every setting that a container can have, alone and in random groups, on engines of every age, into a pod and out of
//! it: the container is described as before, or it is refused before anything was stopped.

use std::collections::BTreeSet;
use std::env;

use anyhow::{Context, Result, ensure};
use flotilla_engine::ActionError;
use flotilla_protocol::Problem;
use flotilla_tests::engine::WORKER;
use flotilla_tests::lab::{Engine, with_engines};
use flotilla_tests::likeness::{differences, likeness, likeness_in_pod};
use flotilla_tests::podded::Podded;
use flotilla_tests::program::run;
use flotilla_tests::settings::{OF_THE_ENGINE, SETTINGS, Setting, group, merge};
use futures_util::future::try_join_all;
use futures_util::{StreamExt as _, stream};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use serde_json::{Value, json};

/// How many containers are moved at a time on one engine: most of a move is waiting.
const AT_ONCE: usize = 8;

/// Random groups of settings for each engine in CI.
const GROUPS: u64 = 8;

/// An image that says what is run before the command.
const WITH_ENTRYPOINT: &str = "sample/entry:1";

/// The settings that this test's computer or its engines refuse to begin with; each of the others has to be tried.
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

/// What happened to one container.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Same,
    /// The move was refused, and nothing had changed.
    Refused(String),
    /// The engine makes or starts no such container.
    NoSuch(String),
}

struct Stage<'a> {
    podded: Podded<'a>,
    network: String,
}

impl<'a> Stage<'a> {
    fn new(podded: Podded<'a>) -> Result<Self> {
        let docker = |words: &[&str]| run(podded.machine.docker().args(words));
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
        podded.machine.docker_run(&words)?;
        docker(&["network", "connect", "main", "source"])?;
        docker(&["exec", "source", "mkdir", "/n/inner"])?;
        // `env` runs any command that follows it.
        let entrypoint = r#"ENTRYPOINT ["env"]"#;
        docker(&["commit", "--change", entrypoint, "source", WITH_ENTRYPOINT])?;
        Ok(Self { podded, network })
    }

    /// `number` makes what there can be only one of.
    fn request(&self, number: usize, settings: &[Setting]) -> Value {
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

    /// Moves one container into the pod and out again.
    async fn try_out(&self, number: usize, settings: &[Setting], starts: bool) -> Result<Outcome> {
        let name = format!("c{number}");
        let request = self.request(number, settings);
        let tried = self.there_and_back(&name, &request, starts).await;
        let removed = self
            .podded
            .call("DELETE", &format!("/containers/{name}?force=1"), None)
            .await;
        removed.ok();
        tried.with_context(|| format!("{name}: {request}"))
    }

    async fn there_and_back(&self, name: &str, request: &Value, starts: bool) -> Result<Outcome> {
        let podded = &self.podded;
        if let Err(error) = podded.create(name, request).await {
            return Ok(Outcome::NoSuch(error.to_string()));
        }
        let start = format!("/containers/{name}/start");
        if starts && let Err(error) = podded.call("POST", &start, None).await {
            return Ok(Outcome::NoSuch(error.to_string()));
        }
        let before = podded.inspect(name).await?;
        for member in [true, false] {
            let (now, is_running) = (podded.inspect(name).await?, starts);
            match podded.place(name, member).await? {
                Ok(_) => {}
                Err(error) => {
                    let after = podded.inspect(name).await?;
                    let told = ["Id", "State", "Name", "HostConfig"]
                        .map(|part| (now[part].clone(), after[part].clone()));
                    ensure!(
                        told.iter().all(|(a, b)| a == b),
                        "{error} It was not left alone: {told:?}"
                    );
                    return Ok(Outcome::Refused(refusal(error)));
                }
            }
            let after = podded.inspect(name).await?;
            let is_like = if member { likeness_in_pod } else { likeness };
            let differences = differences(&is_like(&before), &is_like(&after));
            ensure!(
                differences.is_empty(),
                "member {member}: {}",
                differences.join("; ")
            );
            ensure!(after["State"]["Running"] == is_running, "{}", after["State"]);
            let network = after["HostConfig"]["NetworkMode"].as_str().unwrap_or_default();
            ensure!(
                (network == format!("container:{}", podded.pause)) == member,
                "{network}"
            );
        }
        Ok(Outcome::Same)
    }
}

/// The reason, which names nothing by 64 digits.
fn refusal(error: ActionError) -> String {
    Problem::from(error).message
}

/// Every setting alone, described and not started.
async fn each_alone(stage: &Stage<'_>) -> Result<()> {
    let fits = SETTINGS
        .iter()
        .enumerate()
        .filter(|(_, setting)| setting.since <= stage.podded.api);
    let runs = stream::iter(fits)
        .map(async |(number, setting)| (setting.text(), stage.try_out(number, &[*setting], false).await));
    let outcomes: Vec<_> = runs.buffer_unordered(AT_ONCE).collect().await;
    let wrong = outcomes.into_iter().filter(|(setting, outcome)| match outcome {
        Ok(Outcome::Same) => false,
        Ok(Outcome::Refused(_)) => !setting.contains("AutoRemove"),
        Ok(Outcome::NoSuch(_)) => !MAY_BE_REFUSED.iter().any(|known| setting.contains(known)),
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

/// What engines tell of a network they tell only of a container that runs.
async fn running(stage: &Stage<'_>, first: u64, groups: u64) -> Result<usize> {
    let about_networks = |setting: &&Setting| {
        let is_about = ["NetworkMode", "MacAddress", "Hostname", "Port", "Links", "Mode"];
        setting.starts
            && setting.since <= stage.podded.api
            && is_about.iter().any(|word| setting.text().contains(word))
    };
    let alone = SETTINGS
        .iter()
        .filter(about_networks)
        .map(|setting| vec![*setting]);
    let seeds = first..first + groups;
    let random = seeds.map(|seed| group(stage.podded.api, &mut StdRng::seed_from_u64(seed)));
    let all = alone.chain(random).zip(1000..);
    let runs = stream::iter(all).map(async |(settings, number)| stage.try_out(number, &settings, true).await);
    let outcomes: Vec<_> = runs.buffer_unordered(AT_ONCE).collect().await;
    let is_no_such = |outcome: &Result<Outcome>| matches!(outcome, Ok(Outcome::NoSuch(_)));
    let tried = outcomes.iter().filter(|outcome| !is_no_such(outcome)).count();
    ensure!(tried * 2 > outcomes.len(), "most were never made: {outcomes:#?}");
    all_right(
        outcomes
            .into_iter()
            .filter_map(Result::err)
            .map(|error| format!("{error:#}")),
    )?;
    Ok(tried)
}

/// All that this engine tells of a container's settings is tried out above.
async fn knows_all(stage: &Stage<'_>) -> Result<()> {
    let tried: Vec<Value> = SETTINGS
        .iter()
        .map(|setting| stage.request(0, &[*setting]))
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
    let shown = stage.podded.inspect("source").await?;
    let shown = [keys(&shown["Config"]), keys(&shown["HostConfig"])];
    let missed: Vec<_> = shown
        .iter()
        .flatten()
        .filter(|key| !tried.contains(*key) && !OF_THE_ENGINE.contains(&key.as_str()))
        .collect();
    ensure!(missed.is_empty(), "not tried: {missed:?}");
    Ok(())
}

#[test]
fn whatever_a_container_was_asked_for_it_has_again_after_a_pod_or_it_never_left() -> Result<()> {
    // A long run begins where none has begun, or where one is told to.
    let told = |name: &str| env::var(name).ok().map(|text| text.parse::<u64>()).transpose();
    let (groups, first) = match (told("FLOTILLA_RECREATE_GROUPS")?, told("FLOTILLA_RECREATE_SEED")?) {
        (None, _) => (GROUPS, 1),
        (Some(groups), first) => (groups, first.unwrap_or_else(|| rand::random_range(1..1 << 40))),
    };
    with_engines(&Engine::ALL, async |lab| {
        try_join_all(lab.machines().iter().map(async |machine| {
            let stage = Stage::new(Podded::start(machine).await?)?;
            let version = stage.podded.api;
            let tried = async {
                knows_all(&stage).await?;
                each_alone(&stage).await?;
                running(&stage, first, groups).await
            };
            let tried = tried
                .await
                .with_context(|| format!("on an engine that speaks 1.{version}, seeds from {first}"))?;
            let left = stage.podded.leftovers().await?;
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
    reason = "figures of a long run are for whoever started it"
)]
fn say(text: &str) {
    eprintln!("{text}");
}
