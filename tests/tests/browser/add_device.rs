//! Add Device in a browser, by keyboard alone: from a name to a device that is online, in each network mode and by each
//! way to install; and what the dialog says where a way does not work.

use anyhow::{Result, bail, ensure};
use flotilla_protocol::device::{DeviceStatus, NetworkMode};
use flotilla_tests::browser::{Browser, Page, keys::Key};
use flotilla_tests::eventually::{eventually, seconds};
use flotilla_tests::flotilla::{Agent, AgentSetup, ControlSetup, write_private};
use flotilla_tests::lab::{Lab, Machine, on, with_lab};

/// Adds up the layout shifts of the page that do not follow from input.
const WATCH_MOVES: &str = "window.moved = 0; new PerformanceObserver(list => list.getEntries()
    .forEach(e => { if (!e.hadRecentInput) window.moved += e.value; })).observe({ type: 'layout-shift' })";

/// Opens Add Device and gives the name, which leads to the second step.
async fn name_it(page: &Page, name: &str) -> Result<()> {
    page.type_text("a").await?;
    page.focus_is("textbox", "Device name").await?;
    page.type_text(name).await?;
    page.press(Key::Enter).await?;
    page.focus_is("radio", "Host networking").await
}

/// Goes through Add Device to the last step, where `button` has the focus.
async fn create(page: &Page, name: &str, mode: NetworkMode, button: &str) -> Result<()> {
    name_it(page, name).await?;
    for other in NetworkMode::ALL.iter().skip(1).take(mode as usize) {
        page.press(Key::Down).await?;
        page.focus_is("radio", card(*other)).await?;
    }
    page.press(Key::Enter).await?;
    page.focus_is("button", button).await?;
    page.shows("Waiting for device…", seconds(2.0)).await.map(drop)
}

/// The name of a mode's radio button.
fn card(mode: NetworkMode) -> &'static str {
    match mode {
        NetworkMode::Host => "Host networking",
        NetworkMode::Bridge => "Bridge networking",
        NetworkMode::Pause => "Pause container",
        NetworkMode::Unknown => "Another mode",
    }
}

/// Opens a tab of the last step while the tab `selected` is open.
async fn choose(page: &Page, selected: &str, tab: &str) -> Result<()> {
    page.tab_to("tab", selected).await?;
    page.press(Key::Home).await?;
    for _ in 0..5 {
        if page.focus().await?.1 == tab {
            return page.press(Key::Enter).await;
        }
        page.press(Key::Right).await?;
    }
    bail!("no tab {tab}")
}

/// The text of a command or a file as the dialog shows it, whole.
async fn text_of(page: &Page, what: &str) -> Result<String> {
    let script = format!(
        "return document.querySelector('dialog pre[aria-label=\"Text of the {what}\"]')?.textContent ?? ''"
    );
    eventually(&format!("the text of the {what}"), seconds(5.0), async || {
        let text = page.run(&script).await?;
        let text = text.as_str().unwrap_or_default().to_owned();
        ensure!(!text.trim().is_empty(), "nothing is shown");
        Ok(text)
    })
    .await
}

/// Waits until the dialog shows the device as online, and closes the dialog.
async fn is_online(page: &Page, name: &str) -> Result<()> {
    page.shows(&format!("{name} is online"), seconds(20.0)).await?;
    page.focus_is("button", "Open device").await?;
    page.keep_picture(&format!("add-{name}-online")).await?;
    page.tab_to("button", "Done").await?;
    page.press(Key::Enter).await?;
    page.gone("dialog", "Add Device").await
}

#[test]
fn a_proposed_name_is_taken_with_enter_or_typed_over() -> Result<()> {
    on(Lab::without_engines(0)?, async |lab| {
        let (control, browser) = Browser::on_fleet(lab, ControlSetup::new(lab)?).await?;
        let page = &browser.page;
        page.type_text("a").await?;
        page.focus_is("textbox", "Device name").await?;
        let proposed = page.run("return document.activeElement.value").await?;
        let proposed = proposed.as_str().unwrap_or_default().to_owned();
        ensure!(
            proposed.split('-').filter(|word| !word.is_empty()).count() == 2,
            "it proposes \"{proposed}\""
        );
        page.press(Key::Enter).await?;
        page.focus_is("radio", "Host networking").await?;
        page.press(Key::Enter).await?;
        page.focus_is("button", "Copy install command").await?;
        let device = control.device(&proposed).await?;
        ensure!(device.status == DeviceStatus::Pending && device.mode == NetworkMode::Host);
        page.press(Key::Escape).await?;
        page.gone("dialog", "Add Device").await?;

        name_it(page, "nas").await?;
        page.press(Key::Enter).await?;
        page.focus_is("button", "Copy install command").await?;
        control.device("nas").await.map(drop)
    })
}

/// Takes the config file from the last step to a machine and starts the agent there.
async fn enroll(page: &Page, machine: &Machine, name: &str) -> Result<Agent> {
    choose(page, "Install command", "Config file").await?;
    page.focus_is("button", "Download config file").await?;
    eventually("it lives for a day", seconds(5.0), async || {
        let left = page
            .run("return document.querySelector('dialog select').value")
            .await?;
        ensure!(left == "86400", "it is {left}");
        Ok(())
    })
    .await?;
    page.keep_picture("add-config-file").await?;
    let config = machine.directory().join(format!("{name}.device.toml"));
    write_private(&config, &text_of(page, "config file").await?)?;
    let setup = AgentSetup {
        state_dir: machine.directory().join(format!("{name}-state")),
        config: Some(config),
        environment: Vec::new(),
    };
    setup.start(machine)
}

#[test]
fn host_networking_by_a_config_file_and_nothing_moves_meanwhile() -> Result<()> {
    with_lab(1, async |lab| {
        let (control, browser) = Browser::on_fleet(lab, ControlSetup::new(lab)?).await?;
        let page = &browser.page;
        create(page, "nas", NetworkMode::Host, "Copy install command").await?;
        page.run(WATCH_MOVES).await?;
        let _agent = enroll(page, lab.machine(1), "nas").await?;
        page.shows("nas is online", seconds(20.0)).await?;
        let moved = page.run("return window.moved").await?;
        ensure!(
            moved.as_f64().is_some_and(|moved| moved <= 0.01),
            "it moved by {moved}"
        );
        is_online(page, "nas").await?;
        ensure!(control.device("nas").await?.mode == NetworkMode::Host);
        Ok(())
    })
}

#[test]
fn bridge_networking_by_a_docker_command() -> Result<()> {
    with_lab(1, async |lab| {
        let (control, browser) = Browser::on_fleet(lab, ControlSetup::new(lab)?).await?;
        let page = &browser.page;
        create(page, "box", NetworkMode::Bridge, "Copy Docker command").await?;
        page.keep_picture("add-docker-command").await?;
        lab.machine(1).paste(&text_of(page, "Docker command").await?)?;
        is_online(page, "box").await?;
        ensure!(control.device("box").await?.mode == NetworkMode::Bridge);
        Ok(())
    })
}

#[test]
fn a_pause_container_by_a_docker_command() -> Result<()> {
    with_lab(1, async |lab| {
        let (control, browser) = Browser::on_fleet(lab, ControlSetup::new(lab)?).await?;
        let page = &browser.page;
        create(page, "pod", NetworkMode::Pause, "Copy Compose file").await?;
        let compose = text_of(page, "Compose file").await?;
        ensure!(compose.contains("service:pause"), "{compose}");
        page.keep_picture("add-pause-compose").await?;
        choose(page, "Compose file", "Docker command").await?;
        page.focus_is("button", "Copy Docker command").await?;
        page.shows("starts two containers", seconds(2.0)).await?;
        page.keep_picture("add-pause-docker").await?;
        lab.machine(1).paste(&text_of(page, "Docker command").await?)?;
        is_online(page, "pod").await?;
        ensure!(control.device("pod").await?.mode == NetworkMode::Pause);
        Ok(())
    })
}

#[test]
fn a_device_elsewhere_is_reached_over_ssh_instead() -> Result<()> {
    on(Lab::without_engines(0)?, async |lab| {
        let (_control, browser) = Browser::on_fleet(lab, ControlSetup::new(lab)?).await?;
        let page = &browser.page;
        page.type_text("a").await?;
        page.focus_is("textbox", "Device name").await?;
        page.type_text("vps").await?;
        page.tab_to("radio", "On my local network").await?;
        page.press(Key::Down).await?;
        page.tab_to("button", "Install over SSH from here").await?;
        page.press(Key::Enter).await?;
        page.focus_is("radio", "Host networking").await?;
        page.press(Key::Down).await?;
        page.shows("it only fits Host networking", seconds(2.0)).await?;
        page.press(Key::Up).await?;
        page.press(Key::Enter).await?;
        page.focus_is("combobox", "SSH host").await?;
        page.press(Key::Enter).await?;
        page.shows("Enter a host.", seconds(2.0)).await?;
        // No computer has this address, and the switch of this lab leads to no other network.
        page.type_text("nobody@192.0.2.1").await?;
        page.press(Key::Enter).await?;
        page.shows("did not finish", seconds(20.0)).await?;
        page.keep_picture("add-ssh-failed").await?;
        let shown = page.text().await?;
        ensure!(shown.contains("192.0.2.1"), "it shows: {shown}");
        page.tab_to("tab", "Over SSH").await?;
        page.press(Key::Home).await?;
        page.press(Key::Enter).await?;
        // The token was not sent anywhere, so the install command is still offered.
        page.find("button", "Copy install command").await.map(drop)
    })
}

#[test]
fn a_command_that_nothing_uses_says_what_to_check_and_one_that_expired_says_so() -> Result<()> {
    on(Lab::without_engines(0)?, async |lab| {
        // Control's clock is behind the browser's, so the browser takes its commands for older than they are.
        let setup = ControlSetup::new(lab)?.with_clock("-3m")?;
        let (mut control, browser) = Browser::on_fleet(lab, setup).await?;
        let page = &browser.page;
        create(page, "nas", NetworkMode::Host, "Copy install command").await?;
        page.shows("Nothing has reached the controller yet", seconds(5.0))
            .await?;
        page.tab_to("button", "Copy check command").await?;
        page.keep_picture("add-no-contact").await?;

        control.stop()?;
        let behind = control.setup().clone().with_clock("-3h")?;
        let control = behind.start()?;
        page.open(&control.ready()?.ui).await?;
        name_it(page, "pi").await?;
        page.press(Key::Enter).await?;
        page.shows("can't enroll a device any more", seconds(5.0)).await?;
        page.keep_picture("add-expired").await?;
        page.find("button", "Create a new command").await.map(drop)
    })
}

/// The faults of the dialog as it is shown.
async fn faults(page: &Page, name: &str) -> Result<Vec<String>> {
    page.keep_picture(name).await?;
    let mut wrong = page.faults(name).await?;
    let over = "const d = document.querySelector('dialog[open] .dialog-body');
        return d && d.scrollWidth > d.clientWidth";
    if page.run(over).await? == true {
        wrong.push(format!("{name}: wider than the dialog"));
    }
    Ok(wrong)
}

/// Walks through all steps and tabs; returns the faults of each.
async fn walk(page: &Page, look: &str, device: &str) -> Result<Vec<String>> {
    let mut wrong = Vec::new();
    page.type_text("a").await?;
    page.focus_is("textbox", "Device name").await?;
    page.type_text(device).await?;
    page.shows("Reachable from here", seconds(5.0)).await?;
    wrong.extend(faults(page, &format!("{look}-name")).await?);
    page.tab_to("radio", "On my local network").await?;
    page.press(Key::Down).await?;
    page.find("button", "Add an address").await?;
    wrong.extend(faults(page, &format!("{look}-elsewhere")).await?);
    page.press(Key::Up).await?;
    page.press(Key::Enter).await?;
    page.focus_is("radio", "Host networking").await?;
    wrong.extend(faults(page, &format!("{look}-network")).await?);
    page.press(Key::Enter).await?;
    page.focus_is("button", "Copy install command").await?;
    wrong.extend(faults(page, &format!("{look}-install")).await?);
    let tabs = [
        "Install command",
        "Docker command",
        "Compose file",
        "Config file",
        "Over SSH",
    ];
    for pair in tabs.windows(2) {
        choose(page, pair[0], pair[1]).await?;
        eventually("the tab is open", seconds(5.0), async || {
            let open = page
                .run("return document.querySelector('[role=tab][aria-selected=true]').innerText")
                .await?;
            ensure!(open == pair[1], "it is {open}");
            Ok(())
        })
        .await?;
        let name = pair[1].to_lowercase().replace(' ', "-");
        wrong.extend(faults(page, &format!("{look}-{name}")).await?);
    }
    page.press(Key::Escape).await?;
    page.gone("dialog", "Add Device").await?;
    Ok(wrong)
}

#[test]
fn every_step_is_accessible_in_both_themes_and_fits_320_pixels() -> Result<()> {
    on(Lab::without_engines(0)?, async |lab| {
        let (_control, browser) = Browser::on_fleet(lab, ControlSetup::new(lab)?).await?;
        let page = &browser.page;
        let mut wrong = Vec::new();
        for theme in ["light", "dark"] {
            page.prefer_theme(theme).await?;
            for width in [1280, 320] {
                page.resize(width, 800).await?;
                let look = format!("{theme}-{width}");
                wrong.extend(walk(page, &look, &format!("{theme}-{width}")).await?);
            }
        }
        ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
        Ok(())
    })
}
