//! API tokens against the running programs: what a token may not view, it is told nowhere.

use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use flotilla_client::{Access, Client, Error};
use flotilla_protocol::agent::Report;
use flotilla_protocol::api::{AddDevice, ListDevices, Resource};
use flotilla_tests::eventually::{eventually, seconds};
use flotilla_tests::flotilla::Control;
use flotilla_tests::lab::{Lab, on};
use flotilla_tests::program::attempt;
use flotilla_tests::reporting_device::reporting_device;
use futures_util::StreamExt;
use serde_json::Value;
use tokio::time::timeout;

/// Everything on the device that the token must not see is called by one of these.
const HIDDEN: [&str; 3] = ["vault", "ledger", "hidden"];

fn device(name: &str, tag: &str) -> AddDevice {
    AddDevice {
        name: Some(name.to_owned()),
        tags: vec![tag.to_owned()],
        ..AddDevice::default()
    }
}

fn container(name: &str) -> Result<Report> {
    let container = serde_json::json!({
        "kind": "container", "id": name, "name": name, "image": "nginx", "state": "running", "status": "Up",
        "health": "none", "ports": [],
    });
    let items = vec![serde_json::from_value(container)?];
    Ok(Report::Upsert { items })
}

/// `flotilla ARGUMENTS` of a program that has only a token.
fn flotilla(control: &Control, token: &str, arguments: &[&str]) -> Result<Command> {
    let mut cli = Command::new(&control.setup().program);
    cli.args(arguments)
        .env("FLOTILLA_API", &control.ready()?.api)
        .env("FLOTILLA_API_TOKEN", token);
    Ok(cli)
}

fn no_word_of_others(text: &str) -> Result<()> {
    let named = HIDDEN.iter().find(|word| text.contains(*word));
    ensure!(named.is_none(), "it says {named:?}: {text}");
    Ok(())
}

#[test]
fn a_token_for_a_tag_sees_nothing_else_and_ends_when_it_is_revoked() -> Result<()> {
    on(Lab::without_engines(0)?, async |lab| {
        let control = Control::start(lab)?;
        let ours = reporting_device(&control, device("shop", "prod")).await?;
        let theirs = reporting_device(&control, device("vault", "lab")).await?;
        ours.send(container("web")?).await?;
        theirs.send(container("ledger")?).await?;
        eventually("both containers", seconds(5.0), async || {
            control.container("shop", "web").await?;
            control.container("vault", "ledger").await
        })
        .await?;
        let made = control.cli(&[
            "token", "create", "ci", "--role", "viewer", "--tag", "prod", "--json",
        ])?;
        let made: Value = serde_json::from_str(&made)?;
        let token = made["token"].as_str().context("no token")?;
        ensure!(made["name"] == "ci" && made["expires"].is_string() && token.starts_with("flotilla_"));

        for (arguments, items) in [
            (&["device", "list", "--json"][..], 1),
            (&["ps", "--json"], 1),
            (&["paths", "--json"], 0),
        ] {
            let said = attempt(&mut flotilla(&control, token, arguments)?)?;
            said.ended_with(0, &[])?;
            let list: Value = serde_json::from_str(&said.said)?;
            let found = list["items"].as_array().map(Vec::len);
            ensure!(found == Some(items), "{arguments:?}: {list}");
            no_word_of_others(&said.said)?;
        }
        let log = attempt(&mut flotilla(&control, token, &["activity", "--json"])?)?;
        log.ended_with(0, &["shop"])?;
        no_word_of_others(&log.said)?;
        let export = attempt(&mut flotilla(&control, token, &["activity", "--export", "csv"])?)?;
        export.ended_with(0, &["id,at,actor,", ",device_added,,shop,"])?;
        no_word_of_others(&export.said)?;
        for (arguments, code) in [
            (&["stop", "shop/web"][..], 3),
            (&["stop", "vault/ledger"], 4),
            (&["device", "show", "vault"], 4),
            (&["device", "tag", "shop", "+lab"], 3),
            (&["policy", "get"], 3),
            (&["token", "list"], 3),
        ] {
            let said = attempt(&mut flotilla(&control, token, arguments)?)?;
            said.ended_with(code, &[])
                .with_context(|| format!("{arguments:?}"))?;
        }
        follow_and_revoke(&control, token, (&ours, &theirs)).await
    })
}

type Reports<'a> = &'a tokio::sync::mpsc::Sender<Report>;

async fn follow_and_revoke(
    control: &Control,
    token: &str,
    (ours, theirs): (Reports<'_>, Reports<'_>),
) -> Result<()> {
    let access = Access::new(&control.ready()?.api, token).map_err(anyhow::Error::msg)?;
    let client = Client::new(access);
    let mut live = client.live().await?;
    theirs.send(container("ledger-2")?).await?;
    control.add("hidden").await?;
    eventually("the others' change", seconds(5.0), async || {
        control.container("vault", "ledger-2").await
    })
    .await?;
    ours.send(container("web-2")?).await?;
    loop {
        let frame = timeout(seconds(10.0), live.next())
            .await
            .context("no frame came")?;
        let frame = frame.context("the stream ended")??;
        no_word_of_others(&serde_json::to_string(&frame)?)?;
        if matches!(&frame.upsert, Some(Resource::Container(row)) if row.item.name == "web-2") {
            break;
        }
    }
    control.cli(&["token", "revoke", "ci"])?;
    let revoked = Instant::now();
    timeout(seconds(2.0), async {
        while let Some(Ok(_)) = live.next().await {}
    })
    .await
    .with_context(|| format!("the stream outlived its token by {:?}", revoked.elapsed()))?;
    let refused = client.send(&ListDevices).await;
    ensure!(matches!(refused, Err(Error::UnknownToken { .. })), "{refused:?}");
    attempt(&mut flotilla(control, token, &["ps"])?)?.ended_with(3, &["does not know this token"])?;
    let log = control.cli(&["activity", "--json"])?;
    ensure!(
        log.contains("token_created") && log.contains("token_revoked"),
        "{log}"
    );
    let (_, secret) = token.split_once('.').context("a token has an id and a secret")?;
    ensure!(!log.contains(secret) && !control.everything_written()?.contains(secret));
    Ok(())
}
