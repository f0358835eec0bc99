//! `device add` and `device rotate`: a new token, printed as text to paste on the device.

use crate::{
    age::{moment, until},
    args::{Add, Form, Rotate, Token},
    clock,
    failure::Failure,
    lifetime::Lifetime,
    out::{self, Lines},
};
use flotilla_client::Client;
use flotilla_protocol::{
    Timestamp,
    api::{AddDevice, DeviceAdded, ReachableAt, RemoveDevice, RotateDevice, TestAddresses, TokenLifetime},
    name::Tag,
};
use jiff::tz::TimeZone;
use std::{collections::BTreeSet, time::Duration};
use tokio::time::timeout;

/// Lifetime of the token in a config file. A person carries the file to the device, which takes longer than pasting a
/// line.
const CONFIG_LIFETIME: Lifetime = Lifetime(24 * 3600);

/// How long to wait for the test of control's addresses, because a person waits for the line. `flotilla address list`
/// waits longer.
const TEST_LIMIT: Duration = Duration::from_secs(2);

pub(super) async fn add(client: &Client, arguments: Add) -> Result<(), Failure> {
    let Add {
        name,
        mode,
        relay,
        tags,
        token,
    } = arguments;
    let added = client
        .send(&AddDevice {
            name: name.map(String::from),
            mode: Some(mode),
            relay: Some(relay),
            tags: tags.iter().map(Tag::to_string).collect(),
            expires_seconds: token.expires_seconds(),
        })
        .await?;
    if let Ok(Ok(tested)) = timeout(TEST_LIMIT, client.send(&TestAddresses)).await {
        for doubt in doubts(&tested) {
            out::note(doubt);
        }
    }
    if let Err(failure) = print_token(&added, &token) {
        // The token was not printed, so no device can ever use it.
        let device = added.device.id.to_string();
        client.send(&RemoveDevice { device }).await?;
        return Err(failure);
    }
    Ok(())
}

/// The reasons why no device may be able to use the line, each once; none where one address is fine.
fn doubts(tested: &[ReachableAt]) -> BTreeSet<&str> {
    if tested.iter().any(|one| one.reachable && one.doubt.is_none()) {
        return BTreeSet::new();
    }
    let reasons = tested
        .iter()
        .filter_map(|one| one.reason.as_deref().or(one.doubt.as_deref()));
    reasons.collect()
}

pub(super) async fn rotate(client: &Client, arguments: Rotate) -> Result<(), Failure> {
    let Rotate { name, token } = arguments;
    let expires_seconds = token.expires_seconds();
    let added = client
        .send(&RotateDevice {
            device: name,
            lifetime: TokenLifetime { expires_seconds },
        })
        .await?;
    print_token(&added, &token)
}

impl Token {
    pub(super) fn expires_seconds(&self) -> Option<u32> {
        let default = (self.form == Some(Form::Config)).then_some(CONFIG_LIFETIME);
        self.expires.or(default).map(|lifetime| lifetime.0)
    }
}

/// Prints a fresh token in the form that was asked for.
pub(super) fn print_token(added: &DeviceAdded, token: &Token) -> Result<(), Failure> {
    if token.json {
        return Ok(out::json(added)?);
    }
    match token.form {
        None => Ok(out::print(&as_lines(&instructions(
            added,
            clock::now(),
            &clock::zone(),
        )))?),
        Some(form) => match text(added, form) {
            (Some(text), _) => Ok(out::print(&as_lines(text.trim_end()))?),
            (None, reason) => Err(Failure::NoSuchForm {
                reason: reason
                    .unwrap_or("This form is not available for this device.")
                    .to_owned(),
            }),
        },
    }
}

fn as_lines(text: &str) -> Lines {
    let mut lines = Lines::default();
    lines.push_text(text);
    lines
}

/// The text of a form, or the reason why it does not exist.
fn text(added: &DeviceAdded, form: Form) -> (Option<&str>, Option<&str>) {
    let reasons = &added.unavailable;
    let (text, reason) = match form {
        Form::Install => (&added.install, &reasons.install),
        Form::DockerRun => (&added.docker_run, &reasons.docker_run),
        Form::Powershell => (&added.docker_run_powershell, &reasons.docker_run),
        Form::Compose => (&added.compose, &reasons.compose),
        Form::Config => (&added.config, &reasons.config),
        Form::ConfigRun => (&added.config_run, &reasons.config),
    };
    (text.as_deref(), reason.as_deref())
}

/// The best form, with what a person needs to know about it.
fn instructions(added: &DeviceAdded, now: Timestamp, zone: &TimeZone) -> String {
    let name = &added.device.name;
    let expires = format!(
        "{} ({})",
        moment(added.token_expires, zone),
        until(added.token_expires, now)
    );
    let head = format!(
        "{name} waits for its agent, with mesh address {}.\n",
        added.device.mesh_ip
    );
    if let Some(line) = added.install.as_ref().or(added.docker_run.as_ref()) {
        return format!("{head}Run this on {name}. It works once, until {expires}:\n\n{line}\n");
    }
    match (&added.config, &added.unavailable.install) {
        (Some(config), _) => {
            format!(
                "{head}Save this on {name} as {name}.device.toml. It works once, until {expires}:\n\n{config}"
            )
        }
        (None, Some(reason)) => format!("{head}{reason}\n"),
        (None, None) => head,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_no_device_can_follow_is_doubted_before_it_is_handed_out() {
        let one = |reachable, reason: Option<&str>, doubt: Option<&str>| ReachableAt {
            endpoint: "192.0.2.7:7443".parse().unwrap(),
            reachable,
            reason: reason.map(str::to_owned),
            doubt: doubt.map(str::to_owned),
        };
        let shut = one(false, Some("shut"), None);
        assert_eq!(
            doubts(&[shut.clone(), shut.clone()])
                .into_iter()
                .collect::<Vec<_>>(),
            ["shut"]
        );
        assert!(doubts(&[shut.clone(), one(true, None, None)]).is_empty());
        let both = [shut, one(true, None, Some("who knows"))];
        assert_eq!(
            doubts(&both).into_iter().collect::<Vec<_>>(),
            ["shut", "who knows"]
        );
    }
    use serde_json::json;

    fn added(install: Option<&str>) -> DeviceAdded {
        serde_json::from_value(json!({
            "device": {
                "id": "01937c5e-7b1a-7c3e-8b9e-0123456789ab", "name": "nas", "mesh_ip": "100.64.0.7",
                "mode": "host", "relay": "auto", "tags": [],
            },
            "token_expires": "2026-01-02T04:04:05Z",
            "install": install, "docker_run": "docker run", "compose": null, "config": "version = 1\n",
            "unavailable": {"install": "It only fits Host networking.", "compose": "Not yet."},
        }))
        .unwrap()
    }

    #[test]
    fn people_get_the_best_form_with_its_expiry() {
        let now = "2026-01-02T03:04:05Z".parse().unwrap();
        insta::assert_snapshot!(instructions(&added(Some("curl … | sudo bash")), now, &TimeZone::UTC), @r"
        nas waits for its agent, with mesh address 100.64.0.7.
        Run this on nas. It works once, until 2026-01-02 04:04 (in 1 h):

        curl … | sudo bash
        ");
        assert!(instructions(&added(None), now, &TimeZone::UTC).ends_with("docker run\n"));
    }

    #[test]
    fn a_form_that_does_not_fit_says_why() {
        assert_eq!(
            text(&added(None), Form::Install),
            (None, Some("It only fits Host networking."))
        );
        assert_eq!(text(&added(None), Form::DockerRun).0, Some("docker run"));
    }

    #[test]
    fn a_config_file_lives_a_day_unless_told_otherwise() {
        let token = |form, expires| Token {
            expires,
            json: false,
            form,
        };
        assert_eq!(token(Some(Form::Config), None).expires_seconds(), Some(86_400));
        assert_eq!(
            token(Some(Form::Config), Some(Lifetime(900))).expires_seconds(),
            Some(900)
        );
        assert_eq!(token(None, None).expires_seconds(), None);
    }
}
