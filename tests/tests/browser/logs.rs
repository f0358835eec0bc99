//! The log of a container on its page: followed, searched, chosen from on the device, and whole after cut connections,
//! whatever the container writes and however much.

use anyhow::{Context, Result, ensure};
use flotilla_protocol::API_PORT;
use flotilla_tests::browser::{Browser, Page, keys::Key};
use flotilla_tests::engine::WORKER;
use flotilla_tests::eventually::{eventually, seconds};
use flotilla_tests::fleet::Fleet;
use flotilla_tests::lab::{Lab, Machine, with_lab};

/// Starts a fleet of one device with a container that runs a script, and a browser on the page of its log.
async fn on_log(lab: &Lab, name: &str, script: &str) -> Result<(Fleet, Browser)> {
    let machine = lab.machine(1);
    machine.load_images()?;
    machine.docker_run(&["--name", name, WORKER, "sh", "-c", script])?;
    let (fleet, browser) = Browser::on_device(lab).await?;
    fleet.control.container_shows("nas", name).await?;
    let api = &fleet.control.ready()?.api;
    browser
        .page
        .open(&format!("{api}/containers/nas/{name}/logs"))
        .await?;
    Ok((fleet, browser))
}

async fn says(page: &Page, script: &str) -> Result<String> {
    let answer = page.run(&format!("return String({script})")).await?;
    Ok(answer.as_str().context("no text")?.to_owned())
}

/// Waits until a script's value is this text.
async fn becomes(page: &Page, script: &str, wanted: &str) -> Result<()> {
    eventually(&format!("{script} is {wanted}"), seconds(20.0), async || {
        let found = says(page, script).await?;
        ensure!(found == wanted, "it is {found}");
        Ok(())
    })
    .await
}

/// The lines that are elements of the page.
const ROWS: &str = "document.querySelectorAll('.log-place').length";

/// The texts of the lines that are in the page.
const TEXTS: &str =
    "[...document.querySelectorAll('.log-place .log-text')].map(text => text.textContent).join('|')";

/// How far the end is from the view, in px.
const FROM_END: &str = "(lines => Math.round(lines.scrollHeight - lines.clientHeight - lines.scrollTop))(document.querySelector('.log-lines'))";

/// Keeps the text of each file that the page lets the browser save.
const KEEP_FILES: &str = "
    const make = URL.createObjectURL;
    URL.createObjectURL = blob => { blob.text().then(text => window.saved = text); return make.call(URL, blob); }";

/// All lines that are loaded.
async fn loaded(page: &Page) -> Result<String> {
    page.run("window.saved = undefined").await?;
    page.click("button", "Download logs").await?;
    eventually("the file is saved", seconds(5.0), async || {
        let saved = page.run("return window.saved ?? null").await?;
        Ok(saved.as_str().context("nothing is")?.to_owned())
    })
    .await
}

fn do_with(machine: &Machine, verb: &str, name: &str) -> Result<()> {
    let done = machine.docker().args([verb, name]).status()?;
    ensure!(done.success(), "docker {verb}: {done}");
    Ok(())
}

/// Markup, a title and a place for a terminal, a direction, bytes that are no text, a line of a million bytes, an error,
/// and then a line now and then.
const HOSTILE: &str = r#"echo '<img src=x onerror=window.pwned=1>'; printf '\033]0;pwned\007\033[2J\033[31mred\033[0m \342\200\256back\377\000\n';
    head -c 1000000 /dev/zero | tr '\0' x; echo; echo 'an error' >&2; sleep 0.3; i=1; while [ $i -le 400 ]; do echo "tick $i"; i=$((i + 1)); sleep 0.3; done"#;

#[test]
fn a_log_is_followed_searched_and_chosen_from_and_hostile_bytes_do_nothing() -> Result<()> {
    with_lab(1, async |lab| {
        let (_fleet, browser) = on_log(lab, "talker", HOSTILE).await?;
        let page = &browser.page;
        page.shows("tick 3", seconds(15.0)).await?;
        becomes(page, FROM_END, "0").await?;
        becomes(page, "window.pwned", "undefined").await?;
        becomes(page, "document.querySelectorAll('.log-lines img').length", "0").await?;
        let title = says(page, "document.title").await?;
        ensure!(title.starts_with("talker") && !title.contains("pwned"), "{title}");

        // Who scrolls up stays there, and is told of what comes.
        page.run("document.querySelector('.log-lines').scrollTop = 0")
            .await?;
        page.find("button", "Jump to latest").await?;
        becomes(page, "document.querySelector('.hue-red')?.textContent", "red").await?;
        let texts = says(page, TEXTS).await?;
        ensure!(
            texts.contains("<img src=x") && texts.contains("an error"),
            "{texts}"
        );
        ensure!(!texts.contains(['\u{202e}', '\u{1b}', '\u{7}', '\0']), "{texts}");
        becomes(
            page,
            "document.querySelector('.log-line.error .log-text').textContent",
            "an error",
        )
        .await?;
        page.shows("new line", seconds(5.0)).await?;
        becomes(page, "document.querySelector('.log-lines').scrollTop", "0").await?;
        page.click("button", "Jump to latest").await?;
        becomes(page, FROM_END, "0").await?;

        // By keyboard: search, step, back to the lines, and follow.
        page.run("document.querySelector('.log-lines').focus()").await?;
        page.type_text("t").await?;
        becomes(page, "!!document.querySelector('.log-place .log-time')", "true").await?;
        page.type_text("f").await?;
        becomes(page, "[...document.querySelectorAll('[aria-pressed]')].find(b => b.textContent == 'Follow').ariaPressed", "false").await?;
        page.find("searchbox", "Search logs")
            .await?
            .send_keys("TICK 1")
            .await?;
        page.shows("No match", seconds(5.0)).await?;
        page.find("searchbox", "Search logs").await?.clear().await?;
        page.find("searchbox", "Search logs")
            .await?
            .send_keys("tick 2")
            .await?;
        page.press(Key::Enter).await?;
        becomes(
            page,
            "document.querySelector('.log-place.current mark')?.textContent",
            "tick 2",
        )
        .await?;
        page.press(Key::Escape).await?;
        page.focus_is("log", "Logs of talker on nas").await?;
        is_chosen_from_on_the_device(page).await
    })
}

async fn is_chosen_from_on_the_device(page: &Page) -> Result<()> {
    page.find("textbox", "Only lines that match")
        .await?
        .send_keys("^tick [12]$")
        .await?;
    page.press(Key::Enter).await?;
    becomes(page, TEXTS, "tick 1|tick 2").await?;
    page.find("textbox", "Only lines that match")
        .await?
        .send_keys("(")
        .await?;
    page.press(Key::Enter).await?;
    page.find("button", "Try again").await.map(drop)
}

/// Writes numbers, of which the last is followed by a word.
fn counting(lines: usize) -> String {
    format!(
        "i=1; while [ $i -le {lines} ]; do echo $i; i=$((i + 1)); sleep 0.15; done; echo over; exec sleep 600"
    )
}

#[test]
fn a_log_goes_on_once_and_in_order_when_links_and_sockets_are_cut() -> Result<()> {
    with_lab(1, async |lab| {
        let (fleet, browser) = on_log(lab, "counter", &counting(300)).await?;
        let page = &browser.page;
        page.run(KEEP_FILES).await?;
        page.shows("20", seconds(10.0)).await?;
        // The link of the device, and then the connection of the page.
        let port = fleet.control.fleet_port()?;
        lab.refuse_on_control(port)?;
        eventually("the agent notices", seconds(35.0), async || {
            ensure!(fleet.agent.log()?.contains("dialing again"));
            Ok(())
        })
        .await?;
        lab.accept_on_control()?;
        page.shows("nothing missed", seconds(40.0)).await?;
        becomes(page, &format!("{TEXTS}.includes('nothing missed')"), "false").await?;
        lab.refuse_on_control(API_PORT)?;
        page.shows("The log goes on by itself", seconds(15.0)).await?;
        lab.accept_on_control()?;
        page.shows("nothing missed", seconds(40.0)).await?;
        page.shows("over", seconds(60.0)).await?;
        let text = loaded(page).await?;
        let expected: String = (1..=300).map(|number| format!("{number}\n")).collect();
        ensure!(text == format!("{expected}over\n"), "{text}");
        Ok(())
    })
}

#[test]
fn a_container_that_stops_keeps_its_log_and_goes_on_with_it_when_it_is_started() -> Result<()> {
    with_lab(1, async |lab| {
        let (_fleet, browser) = on_log(lab, "worker", "echo begun; exec sleep 600").await?;
        let page = &browser.page;
        page.shows("begun", seconds(10.0)).await?;
        do_with(lab.machine(1), "kill", "worker")?;
        page.shows("worker has stopped.", seconds(20.0)).await?;
        becomes(page, TEXTS, "begun|worker has stopped.").await?;
        page.click("button", "Start").await?;
        becomes(page, TEXTS, "begun|worker has stopped.|begun").await?;
        page.find("button", "Stop").await?;

        page.click("tab", "Inspect").await?;
        becomes(page, "location.pathname", "/containers/nas/worker/inspect").await?;
        page.shows("Network mode", seconds(5.0)).await?;
        page.click("link", "Containers").await?;
        page.find("heading", "Containers").await?;
        page.run("[...document.querySelectorAll('.body [role=row]')].find(row => row.ariaLabel.startsWith('worker,')).focus()").await?;
        page.type_text("v").await?;
        page.find("log", "Newest lines").await?;
        becomes(
            page,
            "document.querySelector('.log-newest').innerText.split('begun').length",
            "3",
        )
        .await?;
        page.is_faultless("container-drawer").await?;
        page.press(Key::Enter).await?;
        page.click("button", "View logs").await?;
        becomes(page, "location.pathname.split('/').at(-1)", "logs").await
    })
}

/// Widths of windows of which the pictures are kept.
const WIDTHS: [(u32, u32); 4] = [(320, 700), (640, 800), (1280, 800), (3840, 2160)];

#[test]
fn a_hundred_thousand_lines_are_few_elements_at_each_width_and_in_both_themes() -> Result<()> {
    with_lab(1, async |lab| {
        let script = r#"seq 1 99990; printf '\033[32m2026 INFO\033[0m a server listens\n'; printf '\033[33mWARN\033[0m it is slow\n'; sleep 1; echo 'it fails' >&2; exec sleep 600"#;
        let (_fleet, browser) = on_log(lab, "many", script).await?;
        let page = &browser.page;
        page.shows("it fails", seconds(20.0)).await?;
        page.shows("1,000 lines", seconds(5.0)).await?;
        page.run("const lines = document.querySelectorAll('.log-tools select')[1]; lines.value = ''; lines.dispatchEvent(new Event('change'))")
            .await?;
        page.shows("99,993 lines", seconds(30.0)).await?;
        let mut wrong = Vec::new();
        for (width, height) in WIDTHS {
            page.resize(width, height).await?;
            wrong.extend(page.faults_in_every_theme(&format!("logs-{width}")).await?);
            for part in ["0", "0.4", "1"] {
                page.run(&format!(
                    "const lines = document.querySelector('.log-lines'); lines.scrollTop = lines.scrollHeight * {part}"
                ))
                .await?;
                page.wait_until_still().await?;
                let rows: usize = says(page, ROWS).await?.parse()?;
                ensure!((10..=300).contains(&rows), "{rows} rows at {width} px");
            }
        }
        ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
        page.run("document.querySelector('.log-lines').scrollTop = 0")
            .await?;
        becomes(page, &format!("{TEXTS}.startsWith('1|2|3|')"), "true").await
    })
}
