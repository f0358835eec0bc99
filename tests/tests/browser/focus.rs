//! The focus stays where a person has put it: live data rebuilds no open panel, a closed one gives the focus back, edits
//! are not lost to Escape or to another person's save, and toasts can be reached above a dialog.

use anyhow::{Context, Result, ensure};
use flotilla_protocol::api::{GetPolicy, SetPolicy};
use flotilla_protocol::policy::{Policy, Rule};
use flotilla_tests::browser::{Browser, Page, keys::Key};
use flotilla_tests::eventually::{eventually, seconds};
use flotilla_tests::flotilla::{Control, ControlSetup};
use flotilla_tests::lab::{Lab, on, with_lab};

/// Counts the live frames with a device, of which a running agent causes one every five seconds.
const COUNT_FRAMES: &str = r#"
    window.heard = 0;
    const data = Object.getOwnPropertyDescriptor(MessageEvent.prototype, 'data').get;
    Object.defineProperty(MessageEvent.prototype, 'data', { get() {
        const text = data.call(this);
        if (typeof text === 'string' && text.includes('"kind":"device"')) window.heard++;
        return text;
    } })"#;

async fn heard(page: &Page) -> Result<u64> {
    page.run("return window.heard")
        .await?
        .as_u64()
        .context("no number")
}

/// Waits until the page has heard of its device this many times, and has painted the last.
async fn hears(page: &Page, frames: u64) -> Result<()> {
    let before = heard(page).await?;
    eventually("the device reports", seconds(30.0), async || {
        ensure!(heard(page).await? >= before + frames, "nothing came");
        Ok(())
    })
    .await?;
    let painted =
        "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(() => done()))";
    page.run_async(painted, Vec::new()).await.map(drop)
}

/// Marks the open panel, so that it can be told from another in its place.
const MARK: &str = "document.querySelector('aside.drawer').marked = true";

async fn is_marked(page: &Page) -> Result<()> {
    let marked = page
        .run("return document.querySelector('aside.drawer')?.marked ?? false")
        .await?;
    ensure!(marked == true, "the panel was built again");
    Ok(())
}

#[test]
fn live_data_rebuilds_no_open_panel_and_never_moves_the_focus() -> Result<()> {
    with_lab(1, async |lab| {
        let (_fleet, browser) = Browser::on_device(lab).await?;
        let page = &browser.page;
        page.run(COUNT_FRAMES).await?;
        page.click("link", "Containers").await?;
        page.click("button", "Actions for web").await?;
        page.find("menuitem", "Stop").await?;
        while page.focus().await?.1 != "Stop" {
            page.press(Key::Down).await?;
        }
        hears(page, 1).await?;
        page.focus_is("menuitem", "Stop").await?;
        page.press(Key::Escape).await?;
        page.gone("menuitem", "Stop").await?;

        // The focus is on the row of the menu.
        page.press(Key::Enter).await?;
        page.focus_is("complementary", "Details of web").await?;
        page.keep_picture("container-details").await?;
        page.run(MARK).await?;
        page.find("combobox", "Filter containers").await?.click().await?;
        page.type_text("we").await?;
        hears(page, 2).await?;
        page.type_text("b").await?;
        page.focus_is("combobox", "Filter containers").await?;
        let typed = page.run("return document.activeElement.value").await?;
        ensure!(typed == "web", "it is {typed}");
        is_marked(page).await?;

        page.tab_to("link", "nas").await?;
        hears(page, 1).await?;
        page.focus_is("link", "nas").await?;
        is_marked(page).await?;
        page.press(Key::Escape).await?;
        page.gone("complementary", "Details of web").await?;
        let focus = page.run("return document.activeElement.tagName").await?;
        ensure!(focus != "BODY", "the focus fell to the page's body");
        Ok(())
    })
}

fn rule(name: &str) -> Result<Rule> {
    let text = format!(r#"{{"name":"{name}","from":["tag:a"],"to":["tag:b"],"proto":"tcp","ports":[22]}}"#);
    Ok(serde_json::from_str(&text)?)
}

/// Saves a policy as another caller.
async fn save(control: &Control, change: impl FnOnce(&mut Policy)) -> Result<()> {
    let mut policy = control.send(&GetPolicy).await?.policy;
    change(&mut policy);
    let request = SetPolicy {
        policy,
        revision: None,
    };
    control.send(&request).await.map(drop)
}

const LAB_RULE: &str = "Every device reaches every other";

/// Opens the policy and the form of its rule, and types at the end of the rule's name.
async fn edit_rule(page: &Page) -> Result<()> {
    page.type_text("gm").await?;
    page.find("heading", "Mesh").await?;
    page.click("tab", "Policy").await?;
    page.click("button", &format!("Edit rule {LAB_RULE}")).await?;
    page.focus_is("textbox", "Rule name").await?;
    page.press(Key::End).await?;
    page.type_text("!").await
}

#[test]
fn edits_of_a_rule_are_kept_from_escape_and_compared_with_anothers_save() -> Result<()> {
    on(Lab::without_engines(0)?, async |lab| {
        let (control, browser) = Browser::on_fleet(lab, ControlSetup::new(lab)?).await?;
        let page = &browser.page;
        edit_rule(page).await?;
        page.run(MARK).await?;
        page.press(Key::Escape).await?;
        page.focus_is("button", "Keep editing").await?;
        page.is_faultless("discard-question").await?;
        page.press(Key::Enter).await?;
        page.gone("alertdialog", "Discard your changes?").await?;
        page.focus_is("textbox", "Rule name").await?;

        let ssh = rule("ssh")?;
        save(&control, |policy| policy.rules.insert(0, ssh)).await?;
        page.find("button", "Edit rule ssh").await?;
        page.focus_is("textbox", "Rule name").await?;
        is_marked(page).await?;
        page.click("button", "Keep rule").await?;
        // The line of the rule has another name, so the first one of the list is next.
        page.focus_is("button", "Edit rule ssh").await?;

        save(&control, |policy| policy.rules.retain(|rule| rule.name != "ssh")).await?;
        page.click("button", "Compare").await?;
        page.find("dialog", "Two people changed the policy").await?;
        page.shows("Removes ssh", seconds(2.0)).await?;
        page.is_faultless("policy-compared").await?;
        page.click("button", "Put my changes on top").await?;
        page.gone("dialog", "Two people changed the policy").await?;
        page.click("button", "Save policy").await?;
        page.shows("Saved as revision", seconds(5.0)).await?;

        // A toast is in reach above a dialog.
        page.type_text("?").await?;
        page.find("dialog", "Keyboard shortcuts").await?;
        page.is_faultless("toast-above-dialog").await?;
        page.click("button", "Dismiss").await?;
        page.gone("button", "Dismiss").await?;
        let rules = control.send(&GetPolicy).await?.policy.rules;
        let names: Vec<_> = rules.iter().map(|rule| rule.name.as_str()).collect();
        ensure!(names == [format!("{LAB_RULE}!")], "{names:?}");
        Ok(())
    })
}
