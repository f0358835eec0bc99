//! `log-view`: the page of a log with 100,000 lines, how it scrolls and how soon it shows what is looked for.
//!
//! The page runs in Chromium without a graphics card, so the processor draws every pixel. Each figure is beside the limit
//! that the specification of the user interface sets.

use anyhow::{Context, Result, ensure};
use flotilla_protocol::api::StartingPolicy;

use super::{Figure, inventory_table::numbers, percentile};
use crate::browser::{Browser, Page, keys::Key};
use crate::engine::WORKER;
use crate::eventually::seconds;
use crate::fleet::Fleet;
use crate::flotilla::ControlSetup;
use crate::lab::Lab;

/// Writes a hundred thousand lines of the length that lines of servers have.
const SCRIPT: &str = "seq 1 100000 | sed 's/.*/2026-01-02T03:04:05 INFO request & served in 12 ms for client 192.0.2.7/'; exec sleep 3600";

/// Texts that are typed letter by letter, and deleted again: one in every line, one in a few, and one in none.
const LOOKED_FOR: [&str; 3] = ["request", "request 999", "nowhere"];

/// How long the log is scrolled, in milliseconds.
const SCROLLED_MS: u32 = 3_000;

/// Takes all figures, once without wrapped lines and once with.
pub async fn log_view(lab: &Lab, report: &mut impl FnMut(Figure)) -> Result<()> {
    let machine = lab.machine(1);
    machine.load_images()?;
    machine.docker_run(&["--name", "many", WORKER, "sh", "-c", SCRIPT])?;
    let fleet = Fleet::start(lab, ControlSetup::new(lab)?.with_ui()?).await?;
    fleet.control.welcome(StartingPolicy::OpenLab).await?;
    fleet.control.container_shows("nas", "many").await?;
    let browser = Browser::start(lab).await?;
    let page = &browser.page;
    page.open(&fleet.control.ready()?.ui).await?;
    page.run("localStorage.setItem('log.tail', '')").await?;
    let api = &fleet.control.ready()?.api;
    page.open(&format!("{api}/containers/nas/many/logs")).await?;
    page.shows("100,000 lines", seconds(60.0)).await?;
    scrolled(page, "wrapped", report).await?;
    page.click("button", "Wrap").await?;
    page.wait_until_still().await?;
    scrolled(page, "not wrapped", report).await?;
    searched(page, report).await?;
    let bytes = page.run("return performance.memory.usedJSHeapSize").await?;
    let mebibytes = bytes.as_f64().context("no heap")? / 1024.0 / 1024.0;
    report(Figure::new(
        "log-view",
        "heap of the page beside its wasm",
        mebibytes,
        "MiB",
    ));
    Ok(())
}

async fn scrolled(page: &Page, how: &str, report: &mut impl FnMut(Figure)) -> Result<()> {
    let seen = page.run_async(SCROLLED, vec![SCROLLED_MS.into()]).await?;
    let frames = seen["fps"].as_f64().context("no frames")?;
    let what = format!("frames while scrolling, {how}");
    report(Figure::new("log-view", what, frames, "fps").beside("aim 50 fps", 50.0));
    let rows = seen["rows"].as_f64().context("no rows")?;
    let what = format!("rows in the page at most, {how}");
    report(Figure::new("log-view", what, rows, "rows").beside("aim 300", 300.0));
    Ok(())
}

async fn searched(page: &Page, report: &mut impl FnMut(Figure)) -> Result<()> {
    page.click("searchbox", "Search logs").await?;
    for text in LOOKED_FOR {
        for letter in text.chars() {
            page.type_text(&letter.to_string()).await?;
        }
        for _ in text.chars() {
            page.press(Key::Backspace).await?;
        }
    }
    let script = "return performance.getEntriesByName('flotilla:log-search', 'measure').map(e => e.duration)";
    let mut took = numbers(&page.run(script).await?)?;
    ensure!(
        took.len() > LOOKED_FOR.len(),
        "only {} keys were measured",
        took.len()
    );
    took.sort_by(f64::total_cmp);
    report(Figure::new(
        "log-view",
        "key to what is found, p50",
        percentile(&took, 50),
        "ms",
    ));
    let worst = Figure::new(
        "log-view",
        "key to what is found, p95",
        percentile(&took, 95),
        "ms",
    );
    report(worst.beside("aim 80 ms", 80.0));
    Ok(())
}

const SCROLLED: &str = "
    const [length, done] = arguments;
    const lines = document.querySelector('.log-lines');
    lines.scrollTop = 0;
    const begun = performance.now();
    let frames = 0, rows = 0;
    const step = now => {
        frames++;
        rows = Math.max(rows, lines.querySelectorAll('.log-place').length);
        if (now - begun < length) { lines.scrollTop += 60; requestAnimationFrame(step); }
        else done({ fps: frames * 1000 / (performance.now() - begun), rows });
    };
    requestAnimationFrame(step)";
