//! `device mode` and `device keep-host`: changes the network mode of a device.

use super::{add::print_token, update};
use crate::{
    args::{Form, Mode, Token},
    failure::Failure,
    jobs, out,
};
use flotilla_client::Client;
use flotilla_protocol::api::{ByHand, ChangeMode, DeviceChange, ModeChange};

pub(super) async fn change(client: &Client, arguments: Mode) -> Result<(), Failure> {
    let Mode {
        name,
        mode,
        token,
        detach,
    } = arguments;
    let changed = client
        .send(&ChangeMode {
            device: name,
            change: ModeChange {
                mode,
                expires_seconds: token.expires_seconds(),
            },
        })
        .await?;
    if token.json {
        out::json(&changed)?;
    } else {
        let device = &changed.device.name;
        out::note(&format!("The network mode of {device} is {mode}."));
    }
    match changed.by_hand {
        None => {
            let Some(job) = changed.job else { return Ok(()) };
            jobs::follow(client, job, detach, token.json).await.map(drop)
        }
        Some(_) if token.json => Ok(()),
        Some(ByHand { reason, texts }) => {
            out::note(&format!("{reason} Run this on {}:", changed.device.name));
            // This form fits every mode.
            let form = token.form.or(Some(Form::DockerRun));
            print_token(&texts, &Token { form, ..token })
        }
    }
}

pub(super) async fn keep_host(client: &Client, name: String) -> Result<(), Failure> {
    let change = DeviceChange {
        host_kept: Some(true),
        ..DeviceChange::default()
    };
    let device = update(client, name, change).await?;
    Ok(out::line(&format!(
        "{} keeps host networking, also on Docker Desktop.",
        device.name
    ))?)
}
