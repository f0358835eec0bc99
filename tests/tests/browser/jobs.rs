//! A job that takes long says for how long it has, and can be canceled while a person waits for it.

use anyhow::{Context, Result, ensure};
use flotilla_protocol::api::ListJobs;
use flotilla_protocol::job::JobState;
use flotilla_tests::browser::{Browser, Page, keys::Key};
use flotilla_tests::engine::WORKER;
use flotilla_tests::eventually::{eventually, seconds};
use flotilla_tests::flotilla::Control;
use flotilla_tests::lab::{Machine, with_lab};

/// More containers than a device stops at once, so that some have not begun when the job is canceled. Each takes the
/// whole time that it is given to stop.
const SLOW: usize = 6;
const STOP_TIMEOUT: &str = "14";

fn slow(number: usize) -> String {
    format!("slow-{number}")
}

/// Starts a stack of containers that do not end when they are told to, and one of a container that does.
fn stacks(machine: &Machine) -> Result<()> {
    machine.load_images()?;
    let label = |stack: &str| format!("--label=com.docker.compose.project={stack}");
    for number in 0..SLOW {
        let (name, label) = (slow(number), label("shop"));
        let sleep = [WORKER, "sleep", "600"];
        machine.docker_run(
            &[
                &["--name", &name, "--stop-timeout", STOP_TIMEOUT, &label],
                &sleep[..],
            ]
            .concat(),
        )?;
    }
    machine
        .docker_run(&["--name", "quick", &label("blog"), WORKER])
        .map(drop)
}

/// How long the wait has lasted, in words, and whether it can be ended.
const WAITING: &str = "
    const waiting = document.querySelector('.drawer .waiting');
    if (!waiting) return null;
    return [waiting.querySelector('.num').innerText, !!waiting.querySelector('button')]";

/// Follows a wait until it can be ended. Each sight of it has to be right for the time that it says.
async fn waits_until_it_can_be_canceled(page: &Page) -> Result<()> {
    let mut seen = Vec::new();
    eventually("the wait can be ended", seconds(14.0), async || {
        let waiting = page.run(WAITING).await?;
        let elapsed = waiting[0].as_str().context("nothing is waited for")?.to_owned();
        let can_be_ended = waiting[1] == true;
        seen.push((elapsed, can_be_ended));
        ensure!(can_be_ended, "it cannot yet");
        Ok(())
    })
    .await?;
    for (elapsed, can_be_ended) in &seen {
        let passed = elapsed
            .strip_suffix(" s")
            .and_then(|passed| passed.parse::<u32>().ok());
        let is_right = match passed {
            Some(passed) => passed >= 3 && *can_be_ended == (passed >= 10),
            None => elapsed.is_empty() && !can_be_ended,
        };
        ensure!(
            is_right,
            "\"{elapsed}\" with a way out: {can_be_ended}; all: {seen:?}"
        );
    }
    let is_told = seen
        .iter()
        .any(|(elapsed, can_be_ended)| !elapsed.is_empty() && !can_be_ended);
    ensure!(is_told, "{seen:?}");
    page.keep_picture("job-waiting").await
}

/// The state of the newest job.
async fn newest(control: &Control) -> Result<JobState> {
    let jobs = control.send(&ListJobs::default()).await?.items;
    let newest = jobs.iter().max_by_key(|job| job.began).context("no job")?;
    Ok(newest.state)
}

/// A toast that comes while a dialog is open is above it, and the keyboard and the pointer reach it.
async fn a_toast_is_above_the_dialog(page: &Page) -> Result<()> {
    let on_top = "
        const toast = document.querySelector('dialog[open] .toast');
        if (!toast) return false;
        const { x, y, width, height } = toast.getBoundingClientRect();
        return toast.contains(document.elementFromPoint(x + width / 2, y + height / 2))";
    eventually("the toast is on top", seconds(25.0), async || {
        ensure!(page.run(on_top).await? == true, "it is not");
        Ok(())
    })
    .await?;
    page.find("dialog", "Keyboard shortcuts").await?;
    page.keep_picture("job-toast-above-dialog").await?;
    page.press(Key::F8).await?;
    page.focus_is("region", "Notifications").await?;
    while page
        .run("return document.querySelector('.toast') !== null")
        .await?
        == true
    {
        page.run("document.querySelector('.toast .icon-button').focus()")
            .await?;
        page.press(Key::Enter).await?;
    }
    page.press(Key::Escape).await?;
    page.gone("dialog", "Keyboard shortcuts").await
}

#[test]
fn several_stacks_are_stopped_as_one_job_which_is_canceled_while_it_is_waited_for() -> Result<()> {
    with_lab(1, async |lab| {
        let machine = lab.machine(1);
        stacks(machine)?;
        let (fleet, browser) = Browser::on_device(lab).await?;
        let page = &browser.page;
        page.click("link", "Stacks").await?;
        for stack in ["shop", "blog"] {
            page.find("checkbox", &format!("Select {stack}"))
                .await?
                .click()
                .await?;
        }
        page.click("button", "Stop").await?;
        let asked = page.shows("Stop 2 stacks?", seconds(2.0)).await?;
        ensure!(
            asked.contains("shop on nas") && asked.contains("blog on nas"),
            "{asked}"
        );
        page.keep_picture("stacks-stop-several").await?;
        page.click("button", "Stop 2 stacks").await?;
        page.run("document.querySelector(\".body a[href='/stacks/nas/shop']\").click()")
            .await?;
        page.shows("Stopping 2 stacks…", seconds(3.0)).await?;
        waits_until_it_can_be_canceled(page).await?;
        page.click("button", "Cancel").await?;
        page.type_text("?").await?;
        a_toast_is_above_the_dialog(page).await?;
        let state = newest(&fleet.control).await?;
        ensure!(state == JobState::Canceled, "the job is {state}");
        let mut running = 0;
        for number in 0..SLOW {
            running += usize::from(machine.container_state(&slow(number))? == "running");
        }
        ensure!((1..SLOW).contains(&running), "{running} of {SLOW} run");
        page.gone("button", "Cancel").await
    })
}
