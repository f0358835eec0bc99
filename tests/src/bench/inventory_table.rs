//! `fan-out-10k`: 10,000 containers of 100 devices in one table, from control's answer to the painted rows.
//!
//! The page runs in Chromium without a graphics card, so the processor draws every pixel. Each figure is beside the
//! limit that the specification of the user interface sets.

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use flotilla_protocol::api::{ListContainers, StartingPolicy};
use serde_json::Value;

use super::{Figure, percentile};
use crate::browser::{Browser, Page, keys};
use crate::eventually::{eventually, seconds};
use crate::flotilla::{Control, ControlSetup};
use crate::lab::Lab;
use crate::swarm::Swarm;

const DEVICES: usize = 100;
const CONTAINERS_EACH: usize = 100;
const ROWS: usize = DEVICES * CONTAINERS_EACH;

/// How many times the list is fetched, the page is opened, and the table is sorted.
const ROUNDS: usize = 10;

/// Texts that are typed into the filter letter by letter, and deleted again.
const LOOKED_FOR: [&str; 4] = ["web-07", "d0042", "postgres", "status:exited"];

/// How long the table is scrolled, in milliseconds.
const SCROLLED_MS: u32 = 3_000;

/// Takes all figures, in the order in which a person meets what they measure.
pub async fn inventory_table(lab: &Lab, report: &mut impl FnMut(Figure)) -> Result<()> {
    let control = ControlSetup {
        log: "warn".to_owned(),
        ..ControlSetup::new(lab)?
    };
    let control = control.with_ui()?.start()?;
    control.welcome(StartingPolicy::Locked).await?;
    let swarm = Swarm::enroll(&control.client()?, DEVICES).await?;
    let links = swarm.link_with(CONTAINERS_EACH);
    links.all_up(seconds(60.0)).await?;
    answers(&control, report).await?;
    let browser = Browser::start(lab).await?;
    browser.page.open(&control.ready()?.ui).await?;
    first_rows(&browser.page, &control.ready()?.api, report).await?;
    filtered(&browser.page, report).await?;
    sorted(&browser.page, report).await?;
    scrolled(&browser.page, report).await?;
    heap(&browser.page, report).await
}

async fn answers(control: &Control, report: &mut impl FnMut(Figure)) -> Result<()> {
    let client = control.client()?;
    let all = ListContainers { devices: Vec::new() };
    eventually("every container is known", seconds(30.0), async || {
        let known = client.send(&all).await?.items.len();
        ensure!(known == ROWS, "{known} of {ROWS}");
        Ok(())
    })
    .await?;
    let mut took = Vec::new();
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        client.send(&all).await?;
        took.push(begun.elapsed().as_secs_f64() * 1000.0);
    }
    report_percentiles(report, "answer read by a client", took, None);
    Ok(())
}

/// Measures from the last byte of the answer to the first painted row.
async fn first_rows(page: &Page, api: &str, report: &mut impl FnMut(Figure)) -> Result<()> {
    let mut took = Vec::new();
    for _ in 0..ROUNDS {
        page.open(&format!("{api}/containers")).await?;
        page.shows("10,000", seconds(15.0)).await?;
        let value = page.run(FIRST_ROW).await?;
        took.push(value.as_f64().context("no first row")?);
    }
    report_percentiles(
        report,
        "last byte to first row",
        took,
        Some(("aim 300 ms", 300.0)),
    );
    Ok(())
}

async fn filtered(page: &Page, report: &mut impl FnMut(Figure)) -> Result<()> {
    page.click("combobox", "Filter containers").await?;
    for text in LOOKED_FOR {
        for letter in text.chars() {
            page.type_text(&letter.to_string()).await?;
        }
        for _ in text.chars() {
            page.press(keys::Key::Backspace).await?;
        }
    }
    let took = numbers(&page.run(FILTERED).await?)?;
    ensure!(
        took.len() > LOOKED_FOR.len(),
        "only {} keys were measured",
        took.len()
    );
    report_percentiles(report, "key to filtered rows", took, Some(("aim 50 ms", 50.0)));
    Ok(())
}

async fn sorted(page: &Page, report: &mut impl FnMut(Figure)) -> Result<()> {
    let took = numbers(&page.run_async(SORTED, vec![ROUNDS.into()]).await?)?;
    report_percentiles(report, "click to sorted rows", took, Some(("aim 100 ms", 100.0)));
    Ok(())
}

async fn scrolled(page: &Page, report: &mut impl FnMut(Figure)) -> Result<()> {
    let seen = page.run_async(SCROLLED, vec![SCROLLED_MS.into()]).await?;
    let frames = seen["fps"].as_f64().context("no frames")?;
    report(figure("frames while scrolling", frames, "fps").beside("aim 55 fps", 55.0));
    let rows = seen["rows"].as_f64().context("no rows")?;
    report(figure("rows in the page at most", rows, "rows").beside("aim 80", 80.0));
    Ok(())
}

async fn heap(page: &Page, report: &mut impl FnMut(Figure)) -> Result<()> {
    let bytes = page.run("return performance.memory.usedJSHeapSize").await?;
    let mebibytes = bytes.as_f64().context("no heap")? / 1024.0 / 1024.0;
    report(figure("heap of the page", mebibytes, "MiB").beside("aim 80 MiB", 80.0));
    Ok(())
}

fn report_percentiles(
    report: &mut impl FnMut(Figure),
    what: &str,
    mut took: Vec<f64>,
    aim: Option<(&'static str, f64)>,
) {
    took.sort_by(f64::total_cmp);
    report(figure(&format!("{what}, p50"), percentile(&took, 50), "ms"));
    let worst = figure(&format!("{what}, p95"), percentile(&took, 95), "ms");
    report(match aim {
        Some((words, aim)) => worst.beside(words, aim),
        None => worst,
    });
}

fn figure(what: &str, value: f64, unit: &'static str) -> Figure {
    Figure::new("fan-out-10k", what.to_owned(), value, unit)
}

pub(super) fn numbers(value: &Value) -> Result<Vec<f64>> {
    let all = value.as_array().context("no list of figures")?;
    Ok(all.iter().filter_map(Value::as_f64).collect())
}

const FIRST_ROW: &str = "
    const answer = performance.getEntriesByType('resource').filter(e => e.name.endsWith('/api/v1/containers')).at(-1);
    const row = performance.getEntriesByName('flotilla:first-row').at(-1);
    return row.startTime - answer.responseEnd";

const FILTERED: &str =
    "return performance.getEntriesByName('flotilla:filter', 'measure').map(e => e.duration)";

/// Measures from each click to the task after the next frame: that frame is painted then.
const SORTED: &str = "
    const [rounds, done] = arguments;
    const header = [...document.querySelectorAll('[role=columnheader] button')].find(b => b.textContent.includes('Name'));
    const painted = () => new Promise(go => requestAnimationFrame(() => setTimeout(go)));
    (async () => {
        const took = [];
        for (let round = 0; round < rounds; round++) {
            const begun = performance.now();
            header.click();
            await painted();
            took.push(performance.now() - begun);
        }
        done(took);
    })()";

const SCROLLED: &str = "
    const [length, done] = arguments;
    const grid = document.querySelector('[role=grid]');
    const begun = performance.now();
    let frames = 0, rows = 0;
    const step = now => {
        frames++;
        rows = Math.max(rows, grid.querySelectorAll('[role=row]').length);
        if (now - begun < length) { grid.scrollTop += 40; requestAnimationFrame(step); }
        else done({ fps: frames * 1000 / (performance.now() - begun), rows });
    };
    requestAnimationFrame(step)";
