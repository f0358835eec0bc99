//! Config files that are broken, edited, too late or used twice. The agent says what to do, and its exit code says
//! whether starting it again may help.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use flotilla_protocol::api::DeviceAdded;
use flotilla_protocol::device::{DeviceStatus, NetworkMode, RelayPreference};
use flotilla_tests::artifacts;
use flotilla_tests::eventually::{always, eventually, seconds};
use flotilla_tests::flotilla::{Agent, AgentSetup, Control, config_text, write_private};
use flotilla_tests::lab::{Lab, Machine, on};
use flotilla_tests::program::{command, run};
use serde_json::Value;
use toml::Table;

/// The exit code of an agent that would fail again if it were restarted.
const REFUSED: Option<i32> = Some(78);

#[test]
fn a_config_file_of_no_use_is_named_with_what_is_wrong_in_it() -> Result<()> {
    on(Lab::without_engines(1)?, async |lab| {
        let machine = lab.machine(1);
        let control = Control::start(lab)?;
        let added = control.add("nas").await?;
        let setup = AgentSetup::new(machine, &added)?;
        let good = config_text(&added)?;
        // The encoding of files that PowerShell writes by redirection.
        let utf16 = format!("\u{feff}{good}");
        let utf16: Vec<u8> = utf16.encode_utf16().flat_map(u16::to_le_bytes).collect();
        for (text, named) in [
            (b"\0\x01garbage".to_vec(), "damaged"),
            (utf16, "not text in UTF-8"),
            (good.repeat(100).into(), "too long"),
            (Vec::new(), "missing field `version`"),
            (
                format!("colour = \"red\"\n{good}").into(),
                "unknown field `colour`",
            ),
            (
                good.replace("version = 1", "version = 99").into(),
                "Update the agent",
            ),
            (good.replace("token = ", "tokn = ").into(), "unknown field `tokn`"),
            (good.replace("mesh_ip = \"", "mesh_ip = \"x").into(), "at line"),
        ] {
            refused(&setup, machine, &text, named).with_context(|| named.to_owned())?;
        }
        // The token is still good after all of these.
        write_private(file(&setup)?, good)?;
        let _agent = setup.start(machine)?;
        control.eventually_online("nas", seconds(5.0)).await.map(drop)
    })
}

#[test]
fn a_config_file_cut_short_anywhere_is_refused_and_keeps_its_secret() -> Result<()> {
    on(Lab::without_engines(1)?, async |lab| {
        let machine = lab.machine(1);
        let control = Control::start(lab)?;
        let added = control.add("nas").await?;
        let setup = AgentSetup::new(machine, &added)?;
        let good = config_text(&added)?;
        let whole = good.trim_end().len();
        // Also between two lines: such a file is valid TOML that lacks fields.
        let lines = good.match_indices('\n').map(|(end, _)| end + 1).step_by(4);
        for cut in (0..32)
            .map(|part| whole * part / 32)
            .chain(lines)
            .chain([whole - 1])
        {
            if cut < whole && good.is_char_boundary(cut) {
                refused(&setup, machine, &good.as_bytes()[..cut], "Download it again")
                    .with_context(|| format!("cut after {cut} of {whole} bytes"))?;
            }
        }
        let log = fs::read_to_string(machine.directory().join("agent.log"))?;
        let token: Table = good.parse()?;
        let secret = token["token"].as_str().and_then(|token| token.split_once('.'));
        let (_, secret) = secret.context("a token has two halves")?;
        ensure!(!log.contains(&secret[..8]), "the secret is in the log");
        ensure!(control.device("nas").await?.status == DeviceStatus::Pending);
        Ok(())
    })
}

/// Fails unless an agent started with this file ends with [`REFUSED`], and its last line names the file and `named`.
fn refused(setup: &AgentSetup, machine: &Machine, text: &[u8], named: &str) -> Result<()> {
    fs::write(file(setup)?, text)?;
    says_at_its_end(&mut setup.start(machine)?, &["nas.device.toml", named])
}

fn says_at_its_end(agent: &mut Agent, words: &[&str]) -> Result<()> {
    let code = agent.exit_code(seconds(10.0))?;
    let log = agent.log()?;
    let said = log.lines().last().unwrap_or_default();
    ensure!(code == REFUSED, "it ended with {code:?}: {said}");
    for word in words {
        ensure!(said.contains(word), "it does not say \"{word}\": {said}");
    }
    Ok(())
}

fn file(setup: &AgentSetup) -> Result<&Path> {
    setup.config.as_deref().context("no config file")
}

#[test]
fn an_edited_config_file_changes_nothing_that_control_decides() -> Result<()> {
    on(Lab::without_engines(1)?, async |lab| {
        let machine = lab.machine(1);
        let control = Control::start(lab)?;
        let added = control.add("nas").await?;
        let setup = AgentSetup::new(machine, &added)?;
        let mut edited: Table = config_text(&added)?.parse()?;
        for (name, value) in [
            ("device_name", "admin"),
            ("device_id", "01937c5e-7b1a-7c3e-8b9e-0123456789ab"),
            ("mesh_ip", "100.64.0.1"),
            ("mesh_cidr", "10.0.0.0/8"),
            ("network_mode", "bridge"),
            ("relay", "always"),
            ("agent_image", "somebody/else:1"),
            ("token_expires", "2030-01-01T00:00:00Z"),
        ] {
            let before = edited.insert(name.to_owned(), value.into());
            ensure!(before.is_some(), "the config file has no {name}");
        }
        edited.insert("tags".to_owned(), vec!["prod"].into());
        // As an editor of Windows saves it, and readable for all users.
        let text = format!("\u{feff}{}", edited.to_string().replace('\n', "\r\n"));
        fs::write(file(&setup)?, text)?;
        fs::set_permissions(file(&setup)?, fs::Permissions::from_mode(0o644))?;

        let agent = setup.start(machine)?;
        let device = control.eventually_online("nas", seconds(5.0)).await?;
        ensure!(
            device.id == added.device.id
                && device.mesh_ip == added.device.mesh_ip
                && device.mode == NetworkMode::Host
                && device.relay == RelayPreference::Auto
                && device.tags.is_empty(),
            "{device:?}"
        );
        ensure!(control.devices().await?.len() == 1, "there is another device");
        is_who_control_says(&setup, &added)?;
        let warned = agent.log()?;
        ensure!(
            warned.contains("WARN")
                && warned.contains("others may read the token")
                && warned.contains("chmod 600"),
            "{warned}"
        );
        Ok(())
    })
}

/// Fails unless name, id and mesh address that the agent reports are those that control gave it.
fn is_who_control_says(setup: &AgentSetup, added: &DeviceAdded) -> Result<()> {
    let mut status = command(artifacts::agent()?, ["status", "--json", "--state-dir"]);
    let status: Value = serde_json::from_str(&run(status.arg(&setup.state_dir))?)?;
    let device = &status["device"];
    ensure!(
        device["name"] == "nas"
            && device["id"] == added.device.id.to_string()
            && device["mesh_ip"] == added.device.mesh_ip.to_string(),
        "{status}"
    );
    Ok(())
}

#[test]
fn a_config_file_that_comes_too_late_or_twice_says_what_to_do() -> Result<()> {
    on(Lab::without_engines(2)?, async |lab| {
        let mut control = Control::start(lab)?;
        let (nas, late) = (control.add("nas").await?, control.add("late").await?);
        let setup = AgentSetup::new(lab.machine(1), &nas)?;
        let mut first = setup.start(lab.machine(1))?;
        control.eventually_online("nas", seconds(5.0)).await?;

        let mut second = Agent::start(lab.machine(2), &nas)?;
        says_at_its_end(
            &mut second,
            &["has enrolled a device already", "Create a new command"],
        )?;

        // An agent that is enrolled starts again with the same file, and with a broken one.
        for text in [config_text(&nas)?, "garbage"] {
            first.kill()?;
            write_private(file(&setup)?, text)?;
            first = setup.start(lab.machine(1))?;
            control
                .eventually_is("nas", DeviceStatus::Online, seconds(10.0))
                .await?;
            first.program().ensure_running()?;
        }
        eventually("it goes on without the file", seconds(5.0), async || {
            let log = first.log()?;
            ensure!(log.contains("of no use; going on as before"), "{log}");
            first.program().ensure_running()
        })
        .await?;

        control.stop()?;
        // Two hours later: the token was valid for one hour.
        let later = control.setup().clone().with_clock("+2h")?.start()?;
        let mut expired = Agent::start(lab.machine(2), &late)?;
        says_at_its_end(&mut expired, &["has expired", "Create a new command"])?;
        ensure!(later.device("late").await?.status == DeviceStatus::Pending);
        Ok(())
    })
}

#[test]
fn a_config_file_of_another_fleet_never_gives_its_token_away() -> Result<()> {
    on(Lab::without_engines(1)?, async |lab| {
        let machine = lab.machine(1);
        let control = Control::start(lab)?;
        for (name, field, value, says) in [
            (
                "pinned",
                "ca_pin",
                "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
                "does not present the fleet's authority",
            ),
            (
                "named",
                "fleet_id",
                "01937c5e-7b1a-7c3e-8b9e-0123456789ab",
                "this device to fleet 01937c5e",
            ),
        ] {
            let added = control.add(name).await?;
            let setup = AgentSetup::new(machine, &added)?;
            let mut edited: Table = config_text(&added)?.parse()?;
            edited.insert(field.to_owned(), value.into());
            write_private(file(&setup)?, &edited.to_string())?;
            let mut agent = setup.start(machine)?;
            eventually("it says whom it does not trust", seconds(5.0), async || {
                let log = agent.log()?;
                ensure!(log.contains(says), "{log}");
                Ok(())
            })
            .await?;
            // Another computer may have control's address for now, so the agent keeps trying, without more messages.
            let lines = agent.log()?.lines().count();
            always(seconds(2.0), async || {
                agent.program().ensure_running()?;
                ensure!(agent.log()?.lines().count() <= lines + 1, "it repeats itself");
                Ok(())
            })
            .await?;
            let device = control.device(name).await?;
            ensure!(device.status == DeviceStatus::Pending && device.enrolled.is_none());
        }
        Ok(())
    })
}
