//! `device push`: installs a device's agent over SSH and prints its progress, line by line.

use crate::{args::Push as Arguments, failure::Failure, jobs, out};
use flotilla_client::Client;
use flotilla_protocol::api::{EndPush, GetDevice, GetPush, PushDevice, SshInstall};

pub(super) async fn push(client: &Client, arguments: Arguments) -> Result<(), Failure> {
    let Arguments {
        name,
        host,
        as_root,
        skip_docker,
        end,
        detach,
    } = arguments;
    if end {
        return self::end(client, name).await;
    }
    let host = host.unwrap_or_default();
    let install = SshInstall {
        host,
        as_root,
        skip_docker,
    };
    let device = name.clone();
    let begun = client.send(&PushDevice { device, install }).await?;
    if let Some(job) = begun.job
        && jobs::follow(client, job, detach, false).await?.is_none()
    {
        return Ok(());
    }
    let device = begun.device_id.to_string();
    let done = client.send(&GetPush { device }).await?;
    let how = if done.tunneled {
        " SSH carries its link for as long as this controller runs."
    } else {
        ""
    };
    Ok(out::line(&format!(
        "{name} is installed on {} and comes online now.{how}",
        done.host
    ))?)
}

async fn end(client: &Client, name: String) -> Result<(), Failure> {
    let device = client.send(&GetDevice { device: name }).await?;
    let id = device.id.to_string();
    client.send(&EndPush { device: id }).await?;
    Ok(out::line(&format!(
        "No push to {0} runs, and no SSH tunnel is kept for it.",
        device.name
    ))?)
}
