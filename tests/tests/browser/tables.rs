//! Tables in a browser: actions are about the rows that are shown, the focus never falls out of the table, rows are
//! opened as links are, and cells have buttons of their own.

use anyhow::{Context, Result, ensure};
use flotilla_tests::browser::{Browser, Page, keys::Key};
use flotilla_tests::engine::WORKER;
use flotilla_tests::eventually::{eventually, seconds};
use flotilla_tests::fleet::Fleet;
use flotilla_tests::flotilla::{Agent, ControlSetup};
use flotilla_tests::lab::{Lab, Machine, on, with_lab};

/// Starts a fleet of one device with the containers `web`, `alpha` and `beta`, and a browser that shows them in the
/// table.
async fn on_containers(lab: &Lab) -> Result<(Fleet, Browser)> {
    for name in ["alpha", "beta"] {
        lab.machine(1).load_images()?;
        lab.machine(1).docker_run(&["--name", name, WORKER])?;
    }
    let (fleet, browser) = Browser::on_device(lab).await?;
    browser.page.click("link", "Containers").await?;
    browser.page.shows("beta", seconds(5.0)).await?;
    browser.page.run("window.notReloaded = true").await?;
    Ok((fleet, browser))
}

async fn says(page: &Page, script: &str) -> Result<String> {
    let answer = page.run(&format!("return String({script})")).await?;
    Ok(answer.as_str().context("no text")?.to_owned())
}

/// Waits until a script's value is this text.
async fn becomes(page: &Page, script: &str, wanted: &str) -> Result<()> {
    eventually(&format!("{script} is {wanted}"), seconds(5.0), async || {
        let found = says(page, script).await?;
        ensure!(found == wanted, "it is {found}");
        Ok(())
    })
    .await
}

/// Gives the focus to the row of a container.
async fn focus_row(page: &Page, name: &str) -> Result<()> {
    let script = format!(
        "[...document.querySelectorAll('.body [role=row]')].find(row => row.ariaLabel.startsWith('{name},')).focus()"
    );
    page.run(&script).await.map(drop)
}

/// The name of the container in whose row the focus is, or what has it instead.
const FOCUSED: &str = "document.activeElement.ariaLabel?.split(',')[0] ?? document.activeElement.tagName";

fn remove(machine: &Machine, name: &str) -> Result<()> {
    let done = machine.docker().args(["rm", "--force", name]).status()?;
    ensure!(done.success(), "docker rm: {done}");
    Ok(())
}

#[test]
fn actions_are_about_the_selected_rows_that_the_filter_shows() -> Result<()> {
    with_lab(1, async |lab| {
        let (_fleet, browser) = on_containers(lab).await?;
        let page = &browser.page;
        page.click("checkbox", "Select all").await?;
        page.shows("3 selected", seconds(2.0)).await?;
        page.click("combobox", "Filter containers").await?;
        page.type_text("alpha").await?;
        page.shows("1 selected", seconds(2.0)).await?;
        becomes(page, "document.querySelector('.head input').checked", "true").await?;
        page.click("button", "Stop").await?;
        page.click("button", "Stop alpha").await?;
        let machine = lab.machine(1);
        eventually("it has stopped", seconds(20.0), async || {
            ensure!(machine.container_state("alpha")? == "exited");
            Ok(())
        })
        .await?;
        for hidden in ["web", "beta"] {
            let state = machine.container_state(hidden)?;
            ensure!(state == "running", "{hidden} is {state}");
        }

        // Equal counts are not equal sets: two are selected, two others are shown.
        page.open(&says(page, "location.origin + '/containers'").await?)
            .await?;
        focus_row(page, "alpha").await?;
        page.type_text(" ").await?;
        page.click("combobox", "Filter containers").await?;
        page.type_text("web").await?;
        page.shows("1 of 3 containers", seconds(2.0)).await?;
        becomes(page, "document.querySelector('.head input').checked", "false").await
    })
}

#[test]
fn the_focus_stays_in_the_table_whatever_goes() -> Result<()> {
    with_lab(1, async |lab| {
        let (_fleet, browser) = on_containers(lab).await?;
        let page = &browser.page;
        focus_row(page, "alpha").await?;
        page.type_text(" ").await?;
        page.click("button", "Clear").await?;
        becomes(page, FOCUSED, "alpha").await?;

        page.click("button", "State: All").await?;
        let value = "document.querySelector('.facet-values input')";
        page.run(&format!("{value}.focus(); {value}.click()")).await?;
        page.shows("of 3 containers", seconds(2.0)).await?;
        becomes(page, &format!("document.activeElement === {value}"), "true").await?;
        page.run(&format!("{value}.click()")).await?;
        page.press(Key::Escape).await?;
        page.shows("3 of 3 containers", seconds(2.0)).await?;

        focus_row(page, "beta").await?;
        page.type_text(".").await?;
        page.press(Key::Down).await?;
        let item = says(page, "document.activeElement.textContent").await?;
        lab.machine(1).docker_run(&["--name", "fresh", WORKER])?;
        page.shows("fresh", seconds(5.0)).await?;
        let then = says(page, "document.activeElement.textContent").await?;
        ensure!(then == item, "the menu jumped from {item} to {then}");
        page.press(Key::Escape).await?;
        becomes(page, FOCUSED, "beta").await?;

        remove(lab.machine(1), "beta")?;
        eventually("another row has the focus", seconds(5.0), async || {
            let focused = says(page, FOCUSED).await?;
            ensure!(
                ["alpha", "fresh", "web"].contains(&focused.as_str()),
                "it is on {focused}"
            );
            Ok(())
        })
        .await?;

        page.run("localStorage.setItem('single-keys', 'false')").await?;
        page.open(&says(page, "location.origin + '/containers'").await?)
            .await?;
        focus_row(page, "alpha").await?;
        page.type_text("/.v").await?;
        becomes(page, FOCUSED, "alpha").await?;
        page.gone("menuitem", "Stop").await
    })
}

#[test]
fn rows_are_opened_as_links_are_and_text_in_them_can_be_selected() -> Result<()> {
    with_lab(1, async |lab| {
        let (_fleet, browser) = on_containers(lab).await?;
        let page = &browser.page;
        let image = "document.querySelector('.body [data-column=image]')";
        page.run(&format!(
            "getSelection().selectAllChildren({image}); {image}.click()"
        ))
        .await?;
        becomes(page, "location.pathname", "/containers").await?;
        page.run("getSelection().removeAllRanges()").await?;
        page.run("document.querySelector(\".body a[href='/containers/nas/web/logs']\").click()")
            .await?;
        becomes(page, "location.pathname", "/containers/nas/web/logs").await?;
        page.click("link", "Containers").await?;
        page.find("heading", "Containers").await?;
        page.run("[...document.querySelectorAll('.body [role=row]')].find(row => row.ariaLabel.startsWith('web,')).querySelector('[data-column=image]').click()")
            .await?;
        becomes(page, "location.pathname", "/containers/nas/web").await?;
        page.press(Key::Escape).await?;
        becomes(page, "location.pathname", "/containers").await?;

        focus_row(page, "alpha").await?;
        page.type_text("v").await?;
        becomes(page, "location.pathname", "/containers/nas/alpha").await?;
        becomes(page, FOCUSED, "alpha").await?;
        page.press(Key::Down).await?;
        becomes(page, "location.pathname", "/containers/nas/beta").await?;
        becomes(page, FOCUSED, "beta").await?;

        page.run("document.querySelector(\".body a[href='/devices/nas']\").click()")
            .await?;
        page.find("heading", "nas").await?;
        page.click("link", "Devices").await?;
        page.click("button", "Copy mesh address of nas").await?;
        page.shows("is copied.", seconds(2.0)).await?;
        becomes(page, "window.notReloaded", "true").await
    })
}

/// The start of the name of the button in the first cell with a path, which names the way and why it is so.
const PATH: &str = "document.querySelector('.path-cell')?.ariaLabel";

#[test]
fn the_path_to_a_device_is_told_and_its_address_copied_in_its_row() -> Result<()> {
    on(Lab::without_engines(1)?, async |lab| {
        let mut setup = ControlSetup::new(lab)?;
        setup.arguments.push("--local-agent".to_owned());
        let (control, browser) = Browser::on_fleet(lab, setup).await?;
        let (page, machine) = (&browser.page, lab.machine(1));
        let added = control.add(machine.name()).await?;
        let _agent = Agent::start(machine, &added)?;
        control.eventually_online(machine.name(), seconds(15.0)).await?;
        page.click("link", "Devices").await?;
        page.shows("This one", seconds(15.0)).await?;
        let path = eventually("the path is direct", seconds(40.0), async || {
            let path = says(page, PATH).await?;
            ensure!(
                path.starts_with(&format!("Path to {}: Direct", machine.name())),
                "it is {path}"
            );
            Ok(path)
        })
        .await?;
        page.click("button", &path).await?;
        page.shows("RTT", seconds(2.0)).await?;
        page.click("button", "Test path now").await?;
        page.shows("answered in", seconds(15.0)).await?;
        page.keep_picture("devices-path").await?;
        page.press(Key::Escape).await?;
        page.gone("button", "Test path now").await?;
        becomes(page, "document.activeElement.tagName !== 'BODY'", "true").await?;

        let copy = format!("Copy mesh address of {}", machine.name());
        page.click("button", &copy).await?;
        page.shows(&format!("{} is copied.", added.device.mesh_ip), seconds(2.0))
            .await
            .map(drop)
    })
}
