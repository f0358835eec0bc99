//! The mesh in a browser: a rule is written by keyboard alone, and every view is accessible.

use anyhow::{Result, ensure};
use flotilla_protocol::api::StartingPolicy;
use flotilla_tests::browser::{Browser, Page, keys::Key};
use flotilla_tests::eventually::seconds;
use flotilla_tests::flotilla::{Control, ControlSetup};
use flotilla_tests::lab::{Lab, on};

/// Starts a fleet of devices that are not enrolled, and a browser that shows it. Rules need only the devices' names.
async fn open(lab: &Lab, start: StartingPolicy) -> Result<(Control, Browser)> {
    let control = ControlSetup::new(lab)?.with_ui()?.start()?;
    control.welcome(start).await?;
    for name in ["laptop", "nas"] {
        control.add(name).await?;
    }
    let browser = Browser::start(lab).await?;
    browser.page.open(&control.ready()?.ui).await?;
    Ok((control, browser))
}

#[test]
fn a_rule_is_written_reviewed_and_saved_by_keyboard_alone() -> Result<()> {
    on(Lab::without_engines(0)?, async |lab| {
        let (control, browser) = open(lab, StartingPolicy::Locked).await?;
        let page = &browser.page;
        page.type_text("gm").await?;
        page.find("heading", "Mesh").await?;
        page.tab_to("tab", "Map").await?;
        page.press(Key::End).await?;
        page.press(Key::Enter).await?;
        page.find("button", "Add rule").await?;
        page.tab_to("button", "Add rule").await?;
        page.press(Key::Enter).await?;
        write_rule(page).await?;
        page.shows("laptop may reach nas on tcp 22", seconds(2.0)).await?;

        page.tab_to("button", "Review policy").await?;
        page.press(Key::Enter).await?;
        page.shows("laptop → nas: tcp 22", seconds(5.0)).await?;
        page.is_faultless("mesh-review").await?;
        page.tab_to("button", "Save policy").await?;
        page.press(Key::Enter).await?;
        page.gone("dialog", "What this policy changes").await?;
        let saved = control.cli(&["policy", "get"])?;
        ensure!(
            saved.contains("ssh to nas") && saved.contains("device:laptop"),
            "{saved}"
        );
        let answer = control.cli(&["policy", "explain", "laptop", "nas", "tcp/22"])?;
        ensure!(answer.contains("Allowed by rule ssh to nas"), "{answer}");
        Ok(())
    })
}

async fn write_rule(page: &Page) -> Result<()> {
    page.focus_is("textbox", "Rule name").await?;
    page.type_text("ssh to nas").await?;
    page.tab_to("combobox", "From").await?;
    page.type_text("device:laptop").await?;
    page.press(Key::Enter).await?;
    page.tab_to("combobox", "To").await?;
    page.type_text("device:nas").await?;
    page.press(Key::Enter).await?;
    page.tab_to("textbox", "Ports").await?;
    page.type_text("22").await?;
    page.keep_picture("mesh-rule").await?;
    page.press(Key::Enter).await?;
    page.gone("textbox", "Rule name").await
}

#[test]
fn every_view_of_the_mesh_is_accessible_in_both_themes_and_fits_320_pixels() -> Result<()> {
    on(Lab::without_engines(0)?, async |lab| {
        let (control, browser) = open(lab, StartingPolicy::OpenLab).await?;
        let page = &browser.page;
        let api = &control.ready()?.api;
        let routes = [
            "/mesh",
            "/mesh/paths",
            "/mesh/policy",
            "/devices",
            "/devices/nas",
            "/devices/nas/paths",
            "/settings",
        ];
        page.is_faultless_in_every_theme_and_width("mesh", api, &routes)
            .await
    })
}
