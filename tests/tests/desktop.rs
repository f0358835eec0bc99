//! The desktop app in its window: it starts control and this computer's agent, and shows both.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use flotilla_tests::browser::Page;
use flotilla_tests::desktop::Desktop;
use flotilla_tests::engine::WEB;
use flotilla_tests::eventually::seconds;
use flotilla_tests::lab::{Lab, with_lab};
use flotilla_tests::program::run;

/// A picture of a painted window has more bytes than this; one of a window in one color has about a kilobyte.
const PAINTED: usize = 8 * 1024;

#[test]
fn the_window_shows_this_computer_online_with_its_containers() -> Result<()> {
    with_lab(1, async |lab| {
        lab.machine(1).load_images()?;
        lab.machine(1).docker_run(&["--name", "web", WEB])?;
        let desktop = Desktop::start(lab).await?;
        let page = &desktop.page;
        welcome(page).await?;
        page.click("link", "Devices").await?;
        page.shows("Online", seconds(10.0)).await?;
        page.click("link", "Containers").await?;
        page.shows("web", seconds(5.0)).await?;
        let picture = page.picture().await?;
        page.keep_picture("desktop").await?;
        ensure!(
            picture.len() > PAINTED,
            "the picture has {} bytes: nothing is painted",
            picture.len()
        );
        desktop.close().await
    })
}

#[test]
fn a_computer_without_the_right_gets_onto_the_mesh_by_one_click_and_consent() -> Result<()> {
    with_lab(1, async |lab| {
        let pkexec = FakePkexec::new(lab)?;
        let desktop = Desktop::start_without_rights(lab, &pkexec.directory).await?;
        let page = &desktop.page;
        welcome(page).await?;
        page.shows("is not on the mesh", seconds(15.0)).await?;
        // The link is not found by its name, which contains the name of this computer and the whole reason.
        page.run("document.querySelector('.troubles a').click()").await?;
        page.find("button", INSTALL).await?;
        page.keep_picture("desktop-service").await?;

        pkexec.answer_with(DISAGREES)?;
        page.click("button", INSTALL).await?;
        page.shows("nobody agreed to it", seconds(10.0)).await?;
        page.keep_picture("desktop-service-declined").await?;

        pkexec.answer_with(AGREES)?;
        page.click("button", INSTALL).await?;
        page.shows("The system service is installed", seconds(10.0))
            .await?;
        let asked = pkexec.last_arguments()?;
        let asked: Vec<_> = asked.lines().collect();
        let ["/bin/sh", "-c", .., "/usr/local/bin", hash] = asked[..] else {
            bail!("it asked for {asked:?}");
        };
        let (config, agent) = pkexec.last_input()?;
        ensure!(agent == hash, "agreed to {hash} and got {agent}");
        ensure!(config.contains("token = ") && !asked.iter().any(|part| part.contains("token")));
        let written = lab.directory("desktop/data")?.join("service.device.toml");
        ensure!(!written.exists(), "the config file with its token is on disk");
        desktop.close().await
    })
}

const INSTALL: &str = "Install the system service";
const AGREES: i32 = 0;
/// The exit code with which pkexec says that the user declined (pkexec(1)).
const DISAGREES: i32 = 126;

/// A `pkexec` that asks no user: it answers with an exit code that the test sets, and records what it was asked for.
struct FakePkexec {
    directory: PathBuf,
}

impl FakePkexec {
    fn new(lab: &Lab) -> Result<Self> {
        let pkexec = Self {
            directory: lab.directory("person")?,
        };
        let program = pkexec.directory.join("pkexec");
        fs::write(&program, PKEXEC)?;
        fs::set_permissions(program, fs::Permissions::from_mode(0o755))?;
        Ok(pkexec)
    }

    fn answer_with(&self, code: i32) -> Result<()> {
        Ok(fs::write(self.directory.join("answer"), code.to_string())?)
    }

    /// What was written to its standard input: the config file, and the SHA-256 of the agent that follows it.
    fn last_input(&self) -> Result<(String, String)> {
        let given = fs::read(self.directory.join("given"))?;
        let end = given.iter().position(|byte| *byte == b'\n').context("no line")?;
        let agent = self.directory.join("agent");
        fs::write(&agent, &given[end + 1..])?;
        let sum = run(Command::new("sha256sum").arg(agent))?;
        let sum = sum.split_whitespace().next().context("no hash")?.to_owned();
        Ok((String::from_utf8(STANDARD.decode(&given[..end])?)?, sum))
    }

    /// The arguments of its last run, one on each line.
    fn last_arguments(&self) -> Result<String> {
        Ok(fs::read_to_string(self.directory.join("asked"))?)
    }
}

/// Stands in for the system's program, which asks the user in a window of its own.
const PKEXEC: &str = r#"#!/bin/sh
cd "$(dirname "$0")" || exit 127
printf '%s\n' "$@" > asked
[ "$(cat answer)" -ne 0 ] || cat > given
exit "$(cat answer)"
"#;

async fn welcome(page: &Page) -> Result<()> {
    page.ready().await?;
    if page.text().await?.contains("Fleet name") {
        page.keep_picture("desktop-welcome").await?;
        page.answer_welcome().await?;
    }
    Ok(())
}
