//! Pods and network modes in a browser with real engines: a container moves into the pod and out of it by keyboard
//! alone, an agent moves into another mode, and all of it is accessible.

use anyhow::{Result, ensure};
use flotilla_protocol::api::{AddDevice, DeviceAdded, StartingPolicy};
use flotilla_protocol::device::NetworkMode;
use flotilla_tests::browser::{Browser, Page, keys::Key};
use flotilla_tests::engine::{WEB, WORKER};
use flotilla_tests::eventually::{eventually, seconds};
use flotilla_tests::flotilla::{Control, ControlSetup};
use flotilla_tests::install_text::{AGENT, InstallText, PAUSE};
use flotilla_tests::lab::{Lab, Machine, with_lab};
use flotilla_tests::program::run;

/// Starts a device in pause mode with three containers outside of its pod, and a browser that shows it.
async fn open(lab: &Lab) -> Result<(Control, DeviceAdded, Browser)> {
    let machine = lab.machine(1);
    machine.load_images()?;
    for (name, ports) in [("web", "8080:80"), ("web2", "8081:80")] {
        machine.docker_run(&["--name", name, "--publish", ports, WEB])?;
    }
    machine.docker_run(&["--name", "alone", WORKER])?;
    let control = ControlSetup::new(lab)?.with_ui()?.start()?;
    control.welcome(StartingPolicy::OpenLab).await?;
    let add = AddDevice {
        name: Some("nas".to_owned()),
        mode: Some(NetworkMode::Pause),
        ..AddDevice::default()
    };
    let added = control.send(&add).await?;
    InstallText::DockerRun.paste(machine, &added)?;
    control.eventually_online("nas", seconds(15.0)).await?;
    let browser = Browser::start(lab).await?;
    browser.page.open(&control.ready()?.ui).await?;
    Ok((control, added, browser))
}

/// Moves the focus to a container's row.
async fn to_row(page: &Page, name: &str) -> Result<()> {
    let begins = format!("{name}, ");
    let mut is_inside = false;
    for _ in 0..60 {
        let focus = page.focus().await?;
        let is_row = focus.0 == "row";
        if is_row && focus.1.starts_with(&begins) {
            return Ok(());
        }
        page.press(match (is_row, is_inside) {
            (true, true) => Key::Down,
            (true, false) => Key::Home,
            (false, _) => Key::Tab,
        })
        .await?;
        if is_row {
            // The focus moves with the next frame, or not at all where this is the first or the last row.
            let moved = eventually("the keyboard moves", seconds(0.5), async || {
                ensure!(page.focus().await? != focus, "it is on {focus:?}");
                Ok(())
            });
            moved.await.ok();
        }
        is_inside = is_row;
    }
    anyhow::bail!("the keyboard never reaches the row of {name}")
}

/// Opens the menu of a container's row and chooses an action, by keyboard.
async fn choose(page: &Page, row: &str, action: &str) -> Result<()> {
    to_row(page, row).await?;
    page.type_text(".").await?;
    page.find("menuitem", action).await?;
    for _ in 0..10 {
        if page.focus().await?.1 == action {
            return page.press(Key::Enter).await;
        }
        page.press(Key::Down).await?;
    }
    anyhow::bail!("the arrows never reach {action}")
}

fn network(machine: &Machine, container: &str) -> Result<String> {
    run(machine
        .docker()
        .args(["inspect", "--format", "{{.HostConfig.NetworkMode}}", container]))
}

#[test]
fn a_container_moves_into_the_pod_and_out_of_it_by_keyboard_alone() -> Result<()> {
    with_lab(1, async |lab| {
        let (_control, added, browser) = open(lab).await?;
        let (page, machine) = (&browser.page, lab.machine(1));
        let ip = added.device.mesh_ip;
        page.type_text("gc").await?;
        page.find("heading", "Containers").await?;
        page.shows(&ip.to_string(), seconds(5.0)).await?;

        choose(page, "web", "Put into the pod").await?;
        let asked = page.shows("Put web into the pod of nas?", seconds(2.0)).await?;
        ensure!(
            asked.contains("80/tcp") && asked.contains("Taking it out"),
            "{asked}"
        );
        page.is_faultless("pod-put").await?;
        page.focus_is("button", "Leave web where it is").await?;
        page.tab_to("button", "Put web into the pod").await?;
        page.press(Key::Enter).await?;
        page.shows("web is in the pod of nas.", seconds(20.0)).await?;
        ensure!(
            network(machine, "web")?.starts_with("container:"),
            "the engine says otherwise"
        );
        stands_together(page, &[AGENT, "web"]).await?;
        page.keep_picture("pod-containers").await?;

        // Both images expose port 80.
        choose(page, "web2", "Put into the pod").await?;
        page.tab_to("button", "Put web2 into the pod").await?;
        page.press(Key::Enter).await?;
        let refused = page.shows("web2 can't start", seconds(10.0)).await?;
        ensure!(
            refused.contains("Leave web2 where it is"),
            "the question has gone: {refused}"
        );
        page.keep_picture("pod-clash").await?;
        page.press(Key::Escape).await?;
        page.gone("alertdialog", "Put web2 into the pod of nas?").await?;

        choose(page, "web", "Take out of the pod").await?;
        page.tab_to("button", "Take web out of the pod").await?;
        page.press(Key::Enter).await?;
        page.shows("web left the pod of nas.", seconds(20.0)).await?;
        ensure!(
            !network(machine, "web")?.starts_with("container:"),
            "the engine says otherwise"
        );
        ensure!(
            run(machine.docker().args(["port", "web"]))?.contains("8080"),
            "its port is not back"
        );
        Ok(())
    })
}

/// Waits until the rows below the pause container's are those of these members, in any order.
async fn stands_together(page: &Page, members: &[&str]) -> Result<()> {
    eventually("the pod's rows stand together", seconds(5.0), async || {
        let rows = page
            .run("return [...document.querySelectorAll('[role=grid] [role=row]')].map(row => [row.getBoundingClientRect().y, row.ariaLabel ?? '']).sort((a, b) => a[0] - b[0]).map(row => row[1])")
            .await?;
        let rows: Vec<String> = serde_json::from_value(rows)?;
        let place = |name: &str| rows.iter().position(|row| row.starts_with(&format!("{name}, ")));
        let head = place(PAUSE);
        for member in members {
            let behind = place(member).zip(head).map(|(own, head)| own.wrapping_sub(head));
            ensure!(
                behind.is_some_and(|behind| (1..=members.len()).contains(&behind)),
                "{member} is not in the pod: {rows:?}"
            );
        }
        Ok(())
    })
    .await
}

#[test]
fn the_pods_agent_and_pause_container_say_why_they_stay() -> Result<()> {
    with_lab(1, async |lab| {
        let (control, _, browser) = open(lab).await?;
        let page = &browser.page;
        let containers = format!("{}/containers", control.ready()?.api);
        for (row, why) in [(PAUSE, "It holds the network"), (AGENT, "Flotilla's own agent")] {
            page.open(&containers).await?;
            page.shows(row, seconds(5.0)).await?;
            to_row(page, row).await?;
            page.type_text(".").await?;
            let menu = page.shows("Restart", seconds(2.0)).await?;
            ensure!(menu.contains(why) && !menu.contains("Put into the pod"), "{menu}");
        }
        Ok(())
    })
}

#[test]
fn a_device_changes_its_network_mode_by_keyboard_alone() -> Result<()> {
    with_lab(1, async |lab| {
        let (control, _, browser) = open(lab).await?;
        let page = &browser.page;
        page.open(&format!("{}/devices/nas", control.ready()?.api))
            .await?;
        page.tab_to("button", "Change network mode").await?;
        page.press(Key::Enter).await?;
        page.focus_is("radio", "Pause container").await?;
        page.press(Key::Up).await?;
        page.focus_is("radio", "Bridge networking").await?;
        page.shows("What stops being reachable", seconds(2.0)).await?;
        page.keep_picture("mode-choose").await?;
        page.press(Key::Escape).await?;
        page.focus_is("button", "Keep editing").await?;
        page.press(Key::Enter).await?;
        page.gone("alertdialog", "Discard your changes?").await?;
        page.focus_is("radio", "Bridge networking").await?;
        page.tab_to("button", "Change to Bridge networking").await?;
        page.press(Key::Enter).await?;
        page.shows("nas is online with Bridge networking.", seconds(40.0))
            .await?;
        page.keep_picture("mode-changed").await?;
        page.tab_to("button", "Done").await?;
        page.press(Key::Enter).await?;
        page.gone("dialog", "Change network mode of nas").await?;
        let mode = network(lab.machine(1), AGENT)?;
        ensure!(mode == "bridge", "its network is {mode}");
        ensure!(control.device("nas").await?.mode == NetworkMode::Bridge);
        Ok(())
    })
}

#[test]
fn an_agent_that_cannot_move_by_itself_is_moved_by_hand() -> Result<()> {
    with_lab(1, async |lab| {
        let (fleet, browser) = Browser::on_device(lab).await?;
        let (page, ready) = (&browser.page, fleet.control.ready()?);
        page.open(&format!("{}/devices/nas?ask=mode", ready.api)).await?;
        page.focus_is("radio", "Host networking").await?;
        page.press(Key::Down).await?;
        let warning = page.shows("What stops being reachable", seconds(2.0)).await?;
        ensure!(
            warning.contains("Everything that listens on nas itself"),
            "{warning}"
        );
        page.tab_to("button", "Change to Bridge networking").await?;
        page.press(Key::Enter).await?;
        page.shows("nas can't move by itself", seconds(5.0)).await?;
        page.find("button", "Copy Docker command").await?;
        page.keep_picture("mode-by-hand").await
    })
}

#[test]
fn pods_and_modes_are_accessible_in_both_themes_and_fit_320_pixels() -> Result<()> {
    with_lab(1, async |lab| {
        let (control, _, browser) = open(lab).await?;
        let app = ["httpd", "-f", "-p", "8082", "-h", "/www"];
        let inside = format!("container:{PAUSE}");
        lab.machine(1)
            .docker_run(&[&["--name", "wiki", "--network", &inside, WEB], &app[..]].concat())?;
        let (page, api) = (&browser.page, &control.ready()?.api);
        let routes = [
            "/containers",
            "/devices/nas",
            "/devices/nas?ask=mode",
            "/devices/nas/paths",
        ];
        page.is_faultless_in_every_theme_and_width("pods", api, &routes)
            .await
    })
}
