//! Which page is shown: the one of the newest address, with what is open in it, whatever code arrives when. And what a page
//! fetches only when it needs it: the chart of a device.

use anyhow::{Result, ensure};
use flotilla_tests::browser::{Browser, Page, keys::Key};
use flotilla_tests::eventually::{eventually, seconds};
use flotilla_tests::lab::with_lab;

/// Holds back the code of the dashboard until the page calls `release`.
const HOLD: &str = "
    const fetched = window.fetch;
    const code = new Promise(arrive => window.release = arrive);
    window.fetch = async (what, ...more) => {
        if (String(what.url ?? what).includes('/split_dashboard-')) await code;
        return fetched(what, ...more);
    };";

/// The heading, the window's title, and whether the dashboard is there.
const SHOWN: &str = "
    return [document.querySelector('h1').innerText, document.title, document.querySelector('.dashboard') !== null]";

async fn heading_is(page: &Page, wanted: &str) -> Result<()> {
    eventually(&format!("the heading is {wanted}"), seconds(5.0), async || {
        let heading = page.run("return document.querySelector('h1')?.innerText").await?;
        ensure!(heading == wanted, "it is {heading}");
        Ok(())
    })
    .await
}

async fn code_that_arrives_late_opens_nothing(page: &Page, api: &str) -> Result<()> {
    page.run_before_pages(HOLD).await?;
    page.visit(&format!("{api}/")).await?;
    heading_is(page, "Dashboard").await?;
    page.type_text("gc").await?;
    heading_is(page, "Containers").await?;
    // All other code is fetched once the page is complete.
    page.ready().await?;
    page.run("window.release()").await?;
    page.wait_until_still().await?;
    let shown = page.run(SHOWN).await?;
    ensure!(
        shown[0] == "Containers" && shown[1] == "Containers · Flotilla" && shown[2] == false,
        "{shown}"
    );
    // The page that was left opens when it is asked for again.
    page.type_text("gh").await?;
    page.shows("Needs attention", seconds(5.0)).await.map(drop)
}

/// A link, the way back and the name of a device lead where they say, and the address follows.
async fn addresses_and_pages_agree(page: &Page, api: &str) -> Result<()> {
    let path = async || page.run("return location.pathname").await;
    page.open(&format!("{api}/devices/nas/trust")).await?;
    let id = eventually("the name became the id", seconds(5.0), async || {
        let path = path().await?.as_str().unwrap_or_default().to_owned();
        ensure!(path.ends_with("/trust") && !path.contains("nas"), "{path}");
        Ok(path)
    })
    .await?;
    page.click("link", "Images").await?;
    heading_is(page, "Images").await?;
    ensure!(path().await? == "/images", "{}", path().await?);
    page.run("history.back()").await?;
    heading_is(page, "nas").await?;
    ensure!(path().await? == id.as_str(), "{}", path().await?);
    page.find("tab", "Trust").await?;
    for unknown in ["/nowhere", "/devices/nas/nowhere", "/mesh/nowhere"] {
        page.open(&format!("{api}{unknown}")).await?;
        page.shows("No page has this address", seconds(5.0)).await?;
    }
    Ok(())
}

async fn the_chart_draws_what_was_heard(page: &Page, api: &str) -> Result<()> {
    let scripts = "
        const names = performance.getEntriesByType('resource').map(entry => new URL(entry.name).pathname);
        return names.filter(name => name.startsWith('/chart-')).length";
    page.open(&format!("{api}/devices")).await?;
    ensure!(page.run(scripts).await? == 0, "a list fetches the code of charts");
    page.open(&format!("{api}/devices/nas")).await?;
    ensure!(
        page.run(scripts).await? == 1,
        "the page was complete without its chart"
    );
    eventually("the chart has two figures", seconds(20.0), async || {
        let last = page
            .run("return document.querySelector('[role=slider]').getAttribute('aria-valuemax')")
            .await?;
        let last: u32 = last.as_str().unwrap_or_default().parse()?;
        ensure!(last >= 1, "{last}");
        Ok(())
    })
    .await?;
    let image = page
        .run("return document.querySelector('.chart [role=img]').getAttribute('aria-label')")
        .await?;
    let image = image.as_str().unwrap_or_default().to_owned();
    ensure!(
        image.starts_with("CPU of nas, last 5 min: now ") && image.contains(" %, peak "),
        "{image}"
    );
    let canvases = page
        .run("return document.querySelectorAll('.chart canvas').length")
        .await?;
    ensure!(canvases == 1, "{canvases} canvases");
    page.run("document.querySelector('[role=slider]').focus()")
        .await?;
    page.press(Key::Home).await?;
    page.focus_is("slider", "Time").await?;
    let first = page
        .run("return document.activeElement.getAttribute('aria-valuenow')")
        .await?;
    ensure!(first == "0", "{first}");
    page.click("button", "Show as table").await?;
    page.find("region", "CPU of nas").await?;
    for theme in ["light", "dark"] {
        page.prefer_theme(theme).await?;
        page.keep_picture(&format!("chart-{theme}")).await?;
    }
    Ok(())
}

#[test]
fn the_newest_address_decides_what_is_shown_and_a_chart_is_fetched_where_it_is_drawn() -> Result<()> {
    with_lab(1, async |lab| {
        let (fleet, browser) = Browser::on_device(lab).await?;
        let (page, api) = (&browser.page, &fleet.control.ready()?.api);
        addresses_and_pages_agree(page, api).await?;
        the_chart_draws_what_was_heard(page, api).await?;
        code_that_arrives_late_opens_nothing(page, api).await
    })
}
