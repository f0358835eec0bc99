//! The addresses of control in a browser: added in Add Device where a device needs one, listed and removed in Settings.

use anyhow::{Result, ensure};
use flotilla_protocol::api::{Fleet, GetFleet};
use flotilla_tests::browser::{Browser, keys::Key};
use flotilla_tests::eventually::seconds;
use flotilla_tests::flotilla::{AgentSetup, Control, ControlSetup};
use flotilla_tests::lab::{Lab, Machine, on};

async fn fleet(control: &Control) -> Result<Fleet> {
    control.send(&GetFleet).await
}

#[test]
fn a_device_elsewhere_waits_for_an_address_that_is_added_right_there() -> Result<()> {
    on(Lab::without_engines(0)?, async |lab| {
        let (control, browser) = Browser::on_fleet(lab, ControlSetup::new(lab)?).await?;
        let page = &browser.page;
        page.type_text("a").await?;
        page.focus_is("textbox", "Device name").await?;
        page.type_text("vps").await?;
        let own = lab.control().to_string();
        let shown = page.shows("Reachable from here", seconds(5.0)).await?;
        ensure!(
            shown.contains(&own) && shown.contains("Not tried by a device yet"),
            "{shown}"
        );
        page.keep_picture("add-name").await?;
        page.tab_to("radio", "On my local network").await?;
        page.press(Key::Down).await?;
        page.focus_is("radio", "Somewhere else").await?;
        page.shows("can't reach this controller yet", seconds(2.0))
            .await?;
        page.shows("What would help", seconds(2.0)).await?;
        page.keep_picture("add-elsewhere").await?;
        page.press(Key::Enter).await?;
        page.focus_is("radio", "Somewhere else").await?;

        page.tab_to("button", "Add an address").await?;
        page.press(Key::Enter).await?;
        page.focus_is("textbox", "New address").await?;
        page.type_text("not an address").await?;
        page.press(Key::Enter).await?;
        page.shows("is not an address", seconds(2.0)).await?;
        page.keep_picture("add-elsewhere-wrong").await?;
        // What is typed is not lost to one key.
        page.press(Key::Escape).await?;
        page.focus_is("button", "Keep editing").await?;
        page.press(Key::Enter).await?;
        page.gone("alertdialog", "Discard your changes?").await?;
        page.focus_is("textbox", "New address").await?;
        let kept = page.run("return document.activeElement.value").await?;
        ensure!(kept == "not an address", "it is {kept}");
        page.press(Key::Escape).await?;
        page.click("button", "Discard changes").await?;
        page.focus_is("button", "Add an address").await?;
        page.press(Key::Enter).await?;
        page.focus_is("textbox", "New address").await?;
        // An empty field asks nothing, and the dialog around it stays.
        page.press(Key::Escape).await?;
        page.focus_is("button", "Add an address").await?;
        page.press(Key::Enter).await?;
        page.focus_is("textbox", "New address").await?;
        page.type_text("fleet.example.org").await?;
        page.press(Key::Enter).await?;
        page.focus_is("button", "Continue").await?;
        let added = fleet(&control).await?.added_endpoints;
        ensure!(
            added
                .iter()
                .any(|added| added.to_string() == "fleet.example.org:7443"),
            "{added:?}"
        );
        page.press(Key::Enter).await?;
        page.focus_is("radio", "Host networking").await
    })
}

#[test]
fn addresses_are_looked_after_in_settings() -> Result<()> {
    on(Lab::without_engines(1)?, async |lab| {
        let (control, browser) = Browser::on_fleet(lab, ControlSetup::new(lab)?).await?;
        let machine: &Machine = lab.machine(1);
        let added = control.add("nas").await?;
        let _agent = AgentSetup::new(machine, &added)?.start(machine)?;
        control.eventually_online("nas", seconds(10.0)).await?;
        let page = &browser.page;
        page.click("link", "Settings").await?;
        page.tab_to("button", "Add an address").await?;
        page.press(Key::Enter).await?;
        page.focus_is("textbox", "New address").await?;
        let other = format!("{}:7444", lab.control().ip());
        page.type_text(&other).await?;
        page.press(Key::Enter).await?;
        page.focus_is("button", "Add an address").await?;
        page.shows("Added by you", seconds(2.0)).await?;
        page.shows("Not reachable from here", seconds(10.0)).await?;
        page.shows("Not reached by nas", seconds(15.0)).await?;
        page.shows("Reached by nas", seconds(2.0)).await?;
        page.is_faultless("settings-addresses").await?;

        page.press(Key::Enter).await?;
        page.focus_is("textbox", "New address").await?;
        page.type_text(&other).await?;
        page.press(Key::Enter).await?;
        page.shows("is in the list already", seconds(2.0)).await?;
        page.press(Key::Escape).await?;
        page.click("button", "Discard changes").await?;
        page.focus_is("button", "Add an address").await?;
        page.find("button", &format!("Remove {other}"))
            .await?
            .click()
            .await?;
        page.shows(&format!("{other} is removed"), seconds(5.0)).await?;
        ensure!(fleet(&control).await?.added_endpoints.is_empty());
        page.click("button", "Undo").await?;
        page.find("button", &format!("Remove {other}")).await.map(drop)
    })
}
