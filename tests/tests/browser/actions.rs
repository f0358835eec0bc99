//! Actions in their places: the palette says why something cannot be done now, several containers are one job, and a
//! question lists what is lost and what stays.

use anyhow::{Result, ensure};
use flotilla_tests::browser::{Browser, Page, keys::Key};
use flotilla_tests::engine::WORKER;
use flotilla_tests::eventually::{eventually, seconds};
use flotilla_tests::lab::{Machine, with_lab};

/// Opens the palette and types a text once it has the focus.
async fn type_in_palette(page: &Page, text: &str) -> Result<()> {
    page.click("button", "Search or run a command").await?;
    page.focus_is("combobox", "Search or run a command").await?;
    page.type_text(text).await
}

async fn stops_several_as_one_job(page: &Page, machine: &Machine) -> Result<()> {
    for name in ["one", "two"] {
        page.find("checkbox", &format!("Select {name}"))
            .await?
            .click()
            .await?;
    }
    page.click("button", "Stop").await?;
    let asked = page.shows("Stop 2 containers?", seconds(2.0)).await?;
    ensure!(asked.contains("one") && asked.contains("two"), "{asked}");
    page.is_faultless("actions-stop-several").await?;
    page.click("button", "Stop 2 containers").await?;
    page.shows("2 containers were stopped.", seconds(30.0)).await?;
    eventually(
        "the engine says that both have stopped",
        seconds(5.0),
        async || {
            for name in ["one", "two"] {
                ensure!(machine.container_state(name)? == "exited", "{name} runs");
            }
            Ok(())
        },
    )
    .await?;
    page.click("button", "Jobs").await?;
    page.shows("Stop 2 containers", seconds(2.0)).await?;
    page.press(Key::Escape).await
}

async fn revoking_lists_what_is_lost(page: &Page) -> Result<()> {
    page.click("link", "Devices").await?;
    page.click("button", "Actions for nas").await?;
    page.click("menuitem", "Revoke").await?;
    let asked = page.shows("What is lost", seconds(2.0)).await?;
    for part in [
        "nas loses management",
        "What stays",
        "Containers on nas keep running.",
        "To bring it back",
    ] {
        ensure!(asked.contains(part), "\"{part}\" is not in: {asked}");
    }
    page.focus_is("button", "Keep nas").await?;
    page.keep_picture("actions-revoke").await?;
    page.press(Key::Escape).await?;
    page.gone("alertdialog", "Revoke nas?").await
}

async fn an_offline_device_is_the_reason(page: &Page) -> Result<()> {
    type_in_palette(page, "web").await?;
    page.shows("on nas", seconds(2.0)).await?;
    page.press(Key::Right).await?;
    page.shows("nas is offline.", seconds(2.0)).await?;
    page.type_text("start").await?;
    page.press(Key::Enter).await?;
    let said = page
        .run("return document.querySelector('.palette-foot').innerText")
        .await?;
    ensure!(said == "nas is offline.", "it says {said}");
    page.is_faultless("actions-palette-offline").await
}

#[test]
fn an_action_is_asked_about_done_or_refused_with_its_reason() -> Result<()> {
    with_lab(1, async |lab| {
        let (mut fleet, browser) = Browser::on_device(lab).await?;
        let (page, machine) = (&browser.page, lab.machine(1));
        for name in ["one", "two"] {
            machine.docker_run(&["--name", name, WORKER])?;
        }
        page.click("link", "Containers").await?;
        page.shows("two", seconds(5.0)).await?;
        stops_several_as_one_job(page, machine).await?;
        revoking_lists_what_is_lost(page).await?;
        fleet.agent.kill()?;
        page.shows("Offline", seconds(60.0)).await?;
        an_offline_device_is_the_reason(page).await
    })
}
