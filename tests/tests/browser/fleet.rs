//! The pages of a fleet in a browser, with real devices.

use anyhow::{Context, Result, ensure};
use flotilla_protocol::API_PORT;
use flotilla_protocol::api::StartingPolicy;
use flotilla_protocol::device::DeviceStatus;
use flotilla_tests::browser::{Browser, Page, keys::Key};
use flotilla_tests::engine::WORKER;
use flotilla_tests::eventually::{eventually, seconds};
use flotilla_tests::flotilla::ControlSetup;
use flotilla_tests::lab::{Lab, on, with_lab};
use flotilla_tests::systemd::System;

use crate::overlays;
use crate::widths::{ROUTES, varied_fleet};

/// The beginning of the banner that a page shows when it has lost contact with control.
const LOST: &str = "Lost contact with the controller";

/// Goes to another page of the application without a reload.
async fn go(page: &Page, name: &str) -> Result<()> {
    page.click("link", name).await?;
    page.find("heading", name).await.map(drop)
}

#[test]
fn a_first_visit_is_welcomed_and_then_sees_an_empty_fleet() -> Result<()> {
    on(Lab::without_engines(0)?, async |lab| {
        let control = ControlSetup::new(lab)?.with_ui()?.start()?;
        let browser = Browser::start(lab).await?;
        let page = &browser.page;
        page.open(&control.ready()?.ui).await?;
        page.answer_welcome().await?;
        page.find("button", "Add Device").await?;
        let address = page.run("return location.href").await?;
        ensure!(
            !address.to_string().contains("code"),
            "the code is still in the address: {address}"
        );
        page.is_faultless("first-visit").await
    })
}

#[test]
fn add_device_by_keyboard_alone_ends_with_a_device_that_is_online() -> Result<()> {
    with_lab(1, async |lab| {
        let control = ControlSetup::new(lab)?.with_ui()?.start()?;
        control.welcome(StartingPolicy::OpenLab).await?;
        let browser = Browser::start(lab).await?;
        let page = &browser.page;
        page.open(&control.ready()?.ui).await?;
        let system = System::boot(lab.machine(1))?;

        page.type_text("a").await?;
        page.focus_is("textbox", "Device name").await?;
        page.type_text("nas").await?;
        page.press(Key::Enter).await?;
        page.focus_is("radio", "Host networking").await?;
        page.press(Key::Enter).await?;
        page.focus_is("button", "Copy install command").await?;
        page.shows("Waiting for device…", seconds(2.0)).await?;
        ensure!(control.device("nas").await?.status == DeviceStatus::Pending);
        page.keep_picture("add-device-install").await?;

        let line = install_line(page).await?;
        system.paste(&line)?;
        page.shows("nas is online", seconds(10.0)).await?;
        page.keep_picture("add-device-online").await?;
        page.tab_to("button", "Done").await?;
        page.press(Key::Enter).await?;
        page.gone("dialog", "Add Device").await?;
        let focus = page.run("return document.activeElement.tagName").await?;
        ensure!(focus != "BODY", "the focus fell to the page's body");
        Ok(())
    })
}

/// The whole install command, from the dialog's text.
async fn install_line(page: &Page) -> Result<String> {
    let text = page
        .run("return document.querySelector('dialog[open]').innerText")
        .await?;
    let text = text.as_str().unwrap_or_default().replace('\u{a0}', " ");
    let start = text
        .find("command -v sudo")
        .with_context(|| format!("no install line in: {text}"))?;
    let end = text[start..].find("sudo bash").context("the line is cut")?;
    Ok(text[start..start + end + "sudo bash".len()].to_owned())
}

#[test]
fn a_container_shows_up_without_reload_and_is_stopped_for_real() -> Result<()> {
    with_lab(1, async |lab| {
        let (_fleet, browser) = Browser::on_device(lab).await?;
        let page = &browser.page;
        go(page, "Containers").await?;
        page.shows("web", seconds(2.0)).await?;
        page.run("window.notReloaded = true").await?;
        lab.machine(1).docker_run(&["--name", "fresh", WORKER])?;
        page.shows("fresh", seconds(2.0)).await?;
        page.keep_picture("containers").await?;

        page.click("button", "Actions for fresh").await?;
        page.click("menuitem", "Stop").await?;
        page.click("button", "Stop fresh").await?;
        eventually("the engine says that it has stopped", seconds(5.0), async || {
            ensure!(lab.machine(1).container_state("fresh")? == "exited");
            Ok(())
        })
        .await?;
        page.shows("Exited", seconds(2.0)).await?;
        ensure!(
            page.run("return window.notReloaded").await? == true,
            "the page was loaded again"
        );
        Ok(())
    })
}

#[test]
fn an_offline_device_is_shown_with_its_age_and_its_rows_stay() -> Result<()> {
    with_lab(1, async |lab| {
        let (mut fleet, browser) = Browser::on_device(lab).await?;
        let page = &browser.page;
        go(page, "Devices").await?;
        page.shows("Online", seconds(2.0)).await?;
        fleet.agent.kill()?;
        page.shows("Reconnecting", seconds(5.0)).await?;
        page.shows("Offline", seconds(50.0)).await?;
        go(page, "Containers").await?;
        page.find("button", "1 of 1 devices unreachable").await?;
        let text = page.shows("web", seconds(2.0)).await?;
        ensure!(text.contains("ago"), "no age: {text}");
        page.is_faultless("offline").await?;

        fleet.agent = fleet.setup.start(lab.machine(1))?;
        fleet.is_back().await?;
        page.gone("button", "1 of 1 devices unreachable").await
    })
}

#[test]
fn every_page_is_accessible_in_both_themes_and_fits_320_pixels() -> Result<()> {
    with_lab(1, async |lab| {
        let (fleet, browser) = varied_fleet(lab).await?;
        let page = &browser.page;
        let api = &fleet.control.ready()?.api;
        let routes = [&ROUTES[..], &["/welcome", "/no/such/page"]].concat();
        page.is_faultless_in_every_theme_and_width("fleet", api, &routes)
            .await
    })
}

#[test]
fn everything_that_opens_over_a_page_is_accessible_in_both_themes() -> Result<()> {
    with_lab(1, async |lab| {
        let (fleet, browser) = varied_fleet(lab).await?;
        let wrong = overlays::faults_of_all(&browser.page, &fleet.control.ready()?.api).await?;
        ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
        Ok(())
    })
}

/// Waits until the banner is gone and the page shows this container, which was started while contact was lost.
async fn mends(page: &Page, container: &str) -> Result<()> {
    eventually("nothing is said any more", seconds(15.0), async || {
        let shown = page.text().await?;
        ensure!(
            shown.contains(container) && !shown.contains(LOST),
            "it shows: {shown}"
        );
        Ok(())
    })
    .await
}

#[test]
fn lost_contact_is_said_and_mends_without_a_reload() -> Result<()> {
    with_lab(1, async |lab| {
        let (_fleet, browser) = Browser::on_device(lab).await?;
        let page = &browser.page;
        go(page, "Containers").await?;
        page.run("window.notReloaded = true").await?;
        lab.refuse_on_control(API_PORT)?;
        lab.machine(1).docker_run(&["--name", "meanwhile", WORKER])?;
        let shown = page.shows(LOST, seconds(5.0)).await?;
        ensure!(shown.contains("web"), "what was known is gone: {shown}");
        lab.accept_on_control()?;
        mends(page, "meanwhile").await?;
        lab.lose_on_control(API_PORT)?;
        lab.machine(1).docker_run(&["--name", "unheard", WORKER])?;
        page.shows(LOST, seconds(15.0)).await?;
        lab.accept_on_control()?;
        mends(page, "unheard").await?;
        ensure!(
            page.run("return window.notReloaded").await? == true,
            "the page was loaded again"
        );
        Ok(())
    })
}

#[test]
fn a_restarted_control_asks_a_browser_to_sign_in_again() -> Result<()> {
    with_lab(1, async |lab| {
        let (mut fleet, browser) = Browser::on_device(lab).await?;
        let page = &browser.page;
        fleet.control.kill()?;
        page.shows(LOST, seconds(3.0)).await?;
        fleet.control.start_again()?;
        let shown = page.shows("This browser is not signed in", seconds(10.0)).await?;
        ensure!(!shown.contains(LOST), "it is still said: {shown}");
        page.open(&fleet.control.ready()?.ui).await?;
        page.find("link", "Containers").await.map(drop)
    })
}

#[test]
fn selected_devices_get_tags_and_lose_trust_after_a_question() -> Result<()> {
    with_lab(1, async |lab| {
        let (fleet, browser) = Browser::on_device(lab).await?;
        let page = &browser.page;
        go(page, "Devices").await?;
        page.find("checkbox", "Select nas").await?.click().await?;
        page.click("button", "Edit tags").await?;
        page.find("combobox", "Tags to add")
            .await?
            .send_keys("edge")
            .await?;
        page.press(Key::Enter).await?;
        page.click("button", "Save tags of 1 device").await?;
        page.gone("dialog", "Edit tags of 1 device").await?;
        let tags = fleet.control.device("nas").await?.tags;
        ensure!(tags.iter().any(|tag| tag.as_str() == "edge"), "tags: {tags:?}");

        page.find("checkbox", "Select nas").await?.click().await?;
        page.click("button", "Revoke").await?;
        let field = page.find("textbox", "Type nas to confirm").await?;
        page.is_faultless("revoke-selected").await?;
        field.send_keys("nas").await?;
        page.press(Key::Enter).await?;
        page.shows("nas is revoked.", seconds(5.0)).await?;
        ensure!(fleet.control.device("nas").await?.status == DeviceStatus::Revoked);
        Ok(())
    })
}
