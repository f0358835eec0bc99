//! Enrollment tokens: what a token does once, when it is refused, and that no other server is sent one.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use flotilla_identity::{PeerCertificate, PeerIdentity};
use flotilla_protocol::Code;
use flotilla_protocol::api::{AddDevice, RotateDevice, TokenLifetime};
use flotilla_protocol::device::DeviceStatus;
use flotilla_protocol::endpoint::Endpoint;
use flotilla_protocol::enroll::ConfigFile;
use flotilla_protocol::id::FleetId;
use flotilla_tests::eventually::{eventually, seconds};
use flotilla_tests::flotilla::{
    Agent, AgentSetup, Control, ControlSetup, config, install_line, write_private,
};
use flotilla_tests::impostor::{Impostor, PresentedIdentity};
use flotilla_tests::lab::with_lab;
use flotilla_tests::scripted_agent::{ScriptedAgent, greedy_request, refusal};

/// The exit code of an agent whose token was refused: it must not be restarted.
const REFUSED: Option<i32> = Some(78);

#[test]
fn a_used_token_enrolls_no_other_agent_and_repeats_a_lost_answer() -> Result<()> {
    with_lab(0, async |lab| {
        let control = Control::start(lab)?;
        let config = config(&control.add("nas").await?)?;
        let first = ScriptedAgent::new("first")?;
        let answer = first.enroll(&config).await?.response;
        let repeated = first.enroll(&config).await?.response;
        ensure!(
            answer.chain == repeated.chain && answer.device_id == repeated.device_id,
            "another certificate"
        );

        let second = ScriptedAgent::new("second")?.enroll(&config).await;
        ensure!(refusal(&second) == Some(Code::TokenUsed), "{second:?}");
        ensure!(control.devices().await?.len() == 1);
        Ok(())
    })
}

#[test]
fn of_two_agents_that_race_for_a_token_exactly_one_wins() -> Result<()> {
    with_lab(2, async |lab| {
        let control = Control::start(lab)?;
        for round in 0..5 {
            let added = control.add(&format!("nas-{round}")).await?;
            let mut agents = Vec::new();
            for machine in lab.machines() {
                agents.push(Agent::start(machine, &added)?);
            }
            control
                .eventually_online(added.device.name.as_str(), seconds(10.0))
                .await?;
            let mut ended = Vec::new();
            eventually("the loser ends", seconds(5.0), async || {
                for agent in &mut agents {
                    if let Ok(code) = agent.exit_code(seconds(0.0)) {
                        ended.push(code);
                    }
                }
                ensure!(!ended.is_empty());
                Ok(())
            })
            .await?;
            ensure!(ended == [REFUSED], "agents ended with {ended:?}");
            control
                .eventually_online(added.device.name.as_str(), seconds(5.0))
                .await?;
        }
        Ok(())
    })
}

#[test]
fn a_replaced_or_revoked_token_is_refused_and_says_so() -> Result<()> {
    with_lab(1, async |lab| {
        let control = Control::start(lab)?;
        let replaced = config(&control.add("nas").await?)?;
        let rotate = RotateDevice {
            device: "nas".to_owned(),
            lifetime: TokenLifetime::default(),
        };
        let fresh = control.send(&rotate).await?;
        let outcome = ScriptedAgent::new("late")?.enroll(&replaced).await;
        ensure!(refusal(&outcome) == Some(Code::TokenRevoked), "{outcome:?}");

        control.revoke("nas").await?;
        let mut agent = Agent::start(lab.machine(1), &fresh)?;
        let code = agent.exit_code(seconds(10.0))?;
        ensure!(code == REFUSED, "the agent ended with {code:?}\n{}", agent.log()?);
        ensure!(control.device("nas").await?.status == DeviceStatus::Revoked);
        Ok(())
    })
}

#[test]
fn an_expired_token_is_refused_and_the_agent_is_not_restarted() -> Result<()> {
    with_lab(1, async |lab| {
        let mut control = Control::start(lab)?;
        let added = control.add("nas").await?;
        control.stop()?;
        // Two hours later: the token was valid for one hour.
        let later = control.setup().clone().with_clock("+2h")?.start()?;
        let outcome = ScriptedAgent::new("late")?.enroll(&config(&added)?).await;
        ensure!(refusal(&outcome) == Some(Code::TokenExpired), "{outcome:?}");
        let mut agent = Agent::start(lab.machine(1), &added)?;
        let code = agent.exit_code(seconds(10.0))?;
        ensure!(code == REFUSED, "the agent ended with {code:?}\n{}", agent.log()?);
        ensure!(later.device("nas").await?.status == DeviceStatus::Pending);
        Ok(())
    })
}

#[test]
fn an_unknown_token_is_refused() -> Result<()> {
    with_lab(0, async |lab| {
        let control = Control::start(lab)?;
        let mut config = config(&control.add("nas").await?)?;
        let (id, secret) = config.token.split_once('.').context("a token has two halves")?;
        let guess: String = secret.chars().rev().collect();
        config.token = format!("{id}.{guess}");
        let outcome = ScriptedAgent::new("guesser")?.enroll(&config).await;
        ensure!(refusal(&outcome) == Some(Code::TokenUnknown), "{outcome:?}");
        ensure!(control.device("nas").await?.status == DeviceStatus::Pending);
        Ok(())
    })
}

#[test]
fn a_man_in_the_middle_is_never_sent_the_token() -> Result<()> {
    with_lab(1, async |lab| {
        let machine = lab.machine(1);
        let control = Control::start(lab)?;
        let added = control.add("nas").await?;
        let mut config = config(&added)?;
        let identity = PresentedIdentity::of_another_fleet(FleetId(config.fleet_id.0))?;
        let address = SocketAddr::from(([0, 0, 0, 0], 8443));
        let impostor = Impostor::start(address, &identity).await?;
        config.endpoints = vec![endpoint("10.77.0.2:8443")?];

        // First the agent.
        let setup = AgentSetup::new(machine, &added)?;
        let file = setup.config.as_deref().context("no config file")?;
        write_private(file, &toml::to_string(&config)?)?;
        let mut agent = setup.start(machine)?;
        eventually("the agent tried", seconds(10.0), async || {
            ensure!(impostor.received().connections > 1);
            agent.program().ensure_running()
        })
        .await?;

        // Then the install line. Its download prints a script that fails when it cannot get the real one.
        let line = install_line(&added)?.replace(":7443", ":8443");
        let download = download(&line)?;
        let script = machine.paste(download)?;
        ensure!(script.trim() == "exit 1", "it downloaded {script}");

        let plaintext = impostor.received().plaintext;
        ensure!(
            plaintext.is_empty(),
            "it was told {}",
            String::from_utf8_lossy(&plaintext)
        );
        ensure!(control.device("nas").await?.status == DeviceStatus::Pending);
        // Without the pin, the same line does send the impostor something, so the impostor works.
        let (before, pin) = download
            .split_once("--pinnedpubkey '")
            .context("no pin in the install line")?;
        let (_, after) = pin.split_once('\'').context("the pin does not end")?;
        machine.paste(&format!("{before}--max-time 1{after}"))?;
        ensure!(!impostor.received().plaintext.is_empty(), "the impostor is deaf");

        // The token is still good: with control's address the device enrolls.
        agent.stop()?;
        let _agent = Agent::start(machine, &added)?;
        control.eventually_online("nas", seconds(5.0)).await.map(drop)
    })
}

#[test]
fn a_devices_certificate_does_not_pass_for_controls() -> Result<()> {
    with_lab(1, async |lab| {
        let machine = lab.machine(1);
        let control = Control::start(lab)?;
        let thief = ScriptedAgent::new("thief")?;
        let stolen = thief
            .enroll(&config(&control.add("thief").await?)?)
            .await?
            .response;
        let identity = PresentedIdentity {
            chain: stolen.chain + &stolen.ca,
            key: thief.key.to_pem().to_string(),
        };
        let impostor = Impostor::start(SocketAddr::from(([0, 0, 0, 0], 8443)), &identity).await?;

        let added = control.add("nas").await?;
        let mut config = config(&added)?;
        config.endpoints = vec![endpoint("10.77.0.2:8443")?];
        let outcome = ScriptedAgent::new("victim")?.enroll(&config).await;
        ensure!(outcome.is_err() && refusal(&outcome).is_none(), "{outcome:?}");
        // The same with an agent that has only the pin, from its environment.
        let setup = AgentSetup {
            state_dir: machine.directory().join("state"),
            config: None,
            environment: variables(&config, "https://10.77.0.2:8443"),
        };
        let _agent = setup.start(machine)?;
        eventually("the agent tried", seconds(10.0), async || {
            ensure!(impostor.received().connections > 2);
            Ok(())
        })
        .await?;
        let plaintext = impostor.received().plaintext;
        ensure!(
            plaintext.is_empty(),
            "it was told {}",
            String::from_utf8_lossy(&plaintext)
        );
        Ok(())
    })
}

fn variables(config: &ConfigFile, url: &str) -> Vec<(String, String)> {
    let token = ("FLOTILLA_TOKEN", config.token.clone());
    let pin = ("FLOTILLA_CA_PIN", config.ca_pin.to_string());
    let url = ("FLOTILLA_ENROLL_URL", url.to_owned());
    [token, pin, url]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
}

#[test]
fn a_request_for_more_than_is_given_is_ignored() -> Result<()> {
    with_lab(0, async |lab| {
        let control = Control::start(lab)?;
        let other = control.add("other").await?;
        let added = control.add("nas").await?;
        let config = config(&added)?;
        let greedy = ScriptedAgent::new("greedy")?;
        for wish in [
            PeerIdentity::device(config.fleet_id, other.device.id),
            PeerIdentity::control(config.fleet_id),
        ] {
            let csr = greedy_request(&greedy.key, &wish.to_string())?;
            let chain = greedy.enroll_with(&config, &csr).await?.response.chain;
            let (_, pem) = x509_parser::pem::parse_x509_pem(chain.as_bytes())?;
            let own = PeerIdentity::device(config.fleet_id, added.device.id);
            ensure!(
                PeerCertificate::from_der(&pem.contents)?.identity == own,
                "it is not itself"
            );
            let certificate = pem.parse_x509()?;
            let usage = certificate
                .extended_key_usage()?
                .context("no extended key usage")?
                .value;
            ensure!(usage.client_auth && !usage.server_auth && !usage.any, "{usage:?}");
        }
        Ok(())
    })
}

#[test]
fn the_token_is_in_no_log_no_file_and_no_process_of_control() -> Result<()> {
    with_lab(1, async |lab| {
        let machine = lab.machine(1);
        let setup = ControlSetup {
            log: "trace".to_owned(),
            ..ControlSetup::new(lab)?
        };
        let control = setup.start()?;
        let added = control.add("nas").await?;
        let token = config(&added)?.token;
        let secret = token
            .split_once('.')
            .context("a token has two halves")?
            .1
            .to_owned();

        let script = machine.paste(download(install_line(&added)?)?)?;
        ensure!(
            script.contains(&secret),
            "the script is not rendered for its token"
        );
        let used = Agent::start(machine, &added)?;
        control.eventually_online("nas", seconds(5.0)).await?;
        let late = ScriptedAgent::new("late")?.enroll(&config(&added)?).await;
        ensure!(refusal(&late) == Some(Code::TokenUsed), "{late:?}");

        let process = format!("/proc/{}", control.process());
        for (name, text) in [
            ("control's output", control.everything_written()?),
            ("the agent's log", used.log()?),
            (
                "control's command line",
                fs::read_to_string(format!("{process}/cmdline"))?,
            ),
            (
                "control's environment",
                fs::read_to_string(format!("{process}/environ"))?,
            ),
        ] {
            ensure!(!text.contains(&secret), "{name} holds the token");
        }
        nowhere_below(control.data_dir(), &secret)
    })
}

fn nowhere_below(directory: &Path, secret: &str) -> Result<()> {
    for entry in fs::read_dir(directory)?.flatten() {
        if entry.file_type()?.is_dir() {
            nowhere_below(&entry.path(), secret)?;
        } else if entry.file_type()?.is_file() {
            let bytes = fs::read(entry.path())?;
            let found = bytes
                .windows(secret.len())
                .any(|window| window == secret.as_bytes());
            ensure!(!found, "{} holds the token", entry.path().display());
        }
    }
    Ok(())
}

#[test]
fn the_shortest_life_of_a_token_is_fifteen_minutes_and_it_is_kept() -> Result<()> {
    with_lab(0, async |lab| {
        let control = Control::start(lab)?;
        let add = |seconds| AddDevice {
            name: Some("nas".to_owned()),
            expires_seconds: Some(seconds),
            ..AddDevice::default()
        };
        for outside in [899, 604_801] {
            ensure!(
                control.send(&add(outside)).await.is_err(),
                "{outside} s were given"
            );
        }
        let added = control.send(&add(900)).await?;
        let life = added.token_expires.duration_since(flotilla_tests::clock::now());
        ensure!((890..=900).contains(&life.as_secs()), "{life:?}");
        Ok(())
    })
}

fn endpoint(text: &str) -> Result<Endpoint> {
    text.parse().map_err(|error| anyhow::anyhow!("{text}: {error}"))
}

/// The part of an install line that downloads the script and prints it, before anything runs as root.
fn download(install_line: &str) -> Result<&str> {
    let (download, _) = install_line
        .split_once(" | sudo bash")
        .context("nothing is given to bash in the install line")?;
    Ok(download)
}
