//! The frame around every page: it fits windows of every width, and listens to no more after hours than at first.

use anyhow::{Context, Result, ensure};
use flotilla_protocol::api::{ActOnContainers, ContainerRef};
use flotilla_protocol::inventory::ContainerAction;
use flotilla_tests::browser::{Browser, Page, keys::Key};
use flotilla_tests::engine::WORKER;
use flotilla_tests::eventually::{eventually, seconds};
use flotilla_tests::fleet::Fleet;
use flotilla_tests::lab::{Machine, with_lab};

/// Widths of a narrow phone, of the first window with one line per row, of the first with the whole sidebar, and of
/// screens up to 4K, in pixels.
const WIDTHS: [u32; 5] = [320, 640, 1024, 1920, 3840];

const ROUTES: [&str; 4] = ["/devices", "/containers", "/devices/nas", "/settings"];

/// What of the frame is cut off, or outside of the window.
const CUT_OFF: &str = "
    const wrong = [];
    const root = document.documentElement;
    if (root.scrollWidth > root.clientWidth) wrong.push(`${root.scrollWidth - root.clientWidth} px wider than the window`);
    const title = document.querySelector('.top-bar h1');
    const text = document.createRange();
    text.selectNodeContents(title);
    // A part of a pixel is enough for an ellipsis.
    const missing = text.getBoundingClientRect().width - title.getBoundingClientRect().width;
    if (title.scrollWidth > title.clientWidth || missing > 0.01) wrong.push(`the title is cut off: ${title.innerText}`);
    for (const part of document.querySelectorAll('.top-bar > *, .jobs .popover')) {
        const { left, right, bottom } = part.getBoundingClientRect();
        const what = part.className || part.tagName;
        if (left < 0 || right > root.clientWidth || bottom > root.clientHeight) wrong.push(`${what} is outside`);
    }
    const main = document.querySelector('main');
    if (main.scrollWidth > main.clientWidth) wrong.push('the page scrolls sideways');
    return wrong";

/// Begins a job that goes on for minutes, so that the top bar has its count.
async fn begin_long_job(fleet: &Fleet, machine: &Machine) -> Result<()> {
    let container = "stays";
    machine.docker_run(&[
        "--name",
        container,
        "--stop-timeout",
        "300",
        WORKER,
        "sleep",
        "600",
    ])?;
    let stop = ActOnContainers {
        action: ContainerAction::Stop,
        containers: vec![ContainerRef {
            device: "nas".to_owned(),
            container: container.to_owned(),
        }],
    };
    eventually("the job begins", seconds(10.0), async || {
        fleet.control.send(&stop).await.map(drop)
    })
    .await
}

async fn cut_off(page: &Page, name: &str) -> Result<Vec<String>> {
    for theme in ["light", "dark"] {
        page.prefer_theme(theme).await?;
        page.wait_until_still().await?;
        page.keep_picture(&format!("width-{theme}-{name}")).await?;
    }
    let wrong = page.run(CUT_OFF).await?;
    let wrong = wrong.as_array().context("no list")?.iter();
    Ok(wrong.map(|wrong| format!("{name}: {wrong}")).collect())
}

#[test]
fn titles_are_whole_and_nothing_is_outside_of_windows_from_a_phone_to_4k() -> Result<()> {
    with_lab(1, async |lab| {
        let (fleet, browser) = Browser::on_device(lab).await?;
        let (page, api) = (&browser.page, &fleet.control.ready()?.api);
        begin_long_job(&fleet, lab.machine(1)).await?;
        let mut wrong = Vec::new();
        for width in WIDTHS {
            page.resize(width, 800).await?;
            for route in ROUTES {
                page.open(&format!("{api}{route}")).await?;
                page.wait_until_still().await?;
                let name = format!("{width}{}", route.replace('/', "-"));
                wrong.extend(cut_off(page, &name).await?);
            }
            page.run("document.querySelector('.jobs > button').click()")
                .await?;
            page.shows("Stop stays", seconds(2.0)).await?;
            wrong.extend(cut_off(page, &format!("{width}-jobs")).await?);
        }
        ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
        Ok(())
    })
}

/// Counts what listens on the window, on the document and to media queries, and keeps the sockets of the page.
const COUNT: &str = "
    const listeners = new Map();
    const of = (target, type, options) => {
        const of_target = listeners.get(target) ?? listeners.set(target, new Map()).get(target);
        const key = `${type} ${options === true || !!options?.capture}`;
        return of_target.get(key) ?? of_target.set(key, new Set()).get(key);
    };
    const lasts = target => target === window || target === document || target instanceof MediaQueryList;
    const { addEventListener: add, removeEventListener: remove } = EventTarget.prototype;
    EventTarget.prototype.addEventListener = function (type, listener, options) {
        const target = this ?? window;
        if (lasts(target) && !options?.once) of(target, type, options).add(listener);
        return add.call(target, type, listener, options);
    };
    EventTarget.prototype.removeEventListener = function (type, listener, options) {
        const target = this ?? window;
        if (lasts(target)) of(target, type, options).delete(listener);
        return remove.call(target, type, listener, options);
    };
    window.listening = () => [...listeners.values()].flatMap(types => [...types.values()])
        .reduce((sum, set) => sum + set.size, 0);
    const Socket = window.WebSocket;
    window.sockets = [];
    window.WebSocket = class extends Socket {
        constructor(...address) { super(...address); sockets.push(this); }
    };";

async fn number(page: &Page, script: &str) -> Result<u64> {
    let answer = page.run(&format!("return {script}")).await?;
    answer.as_u64().with_context(|| format!("{script} is {answer}"))
}

/// Goes through pages with tables, a map and forms, and opens and closes a menu, a list of values and a dialog.
async fn walk_through_pages(page: &Page) -> Result<()> {
    for (keys, heading) in [
        ("gm", "Mesh"),
        ("gs", "Stacks"),
        ("gd", "Devices"),
        ("gc", "Containers"),
    ] {
        page.type_text(keys).await?;
        page.find("heading", heading).await?;
    }
    page.click("button", "Actions for web").await?;
    page.find("menuitem", "Stop").await?;
    page.press(Key::Escape).await?;
    page.gone("menuitem", "Stop").await?;
    page.click("button", "State: All").await?;
    page.press(Key::Escape).await?;
    page.type_text("?").await?;
    page.find("dialog", "Keyboard shortcuts").await?;
    page.press(Key::Escape).await?;
    page.gone("dialog", "Keyboard shortcuts").await?;
    page.wait_until_still().await
}

/// Ends the page's stream, and waits for the next one.
async fn reconnect(page: &Page) -> Result<()> {
    let before = number(page, "sockets.length").await?;
    page.run("sockets.at(-1).close()").await?;
    eventually("the page has another stream", seconds(10.0), async || {
        let open = number(page, "sockets.at(-1).readyState").await?;
        ensure!(number(page, "sockets.length").await? > before && open == 1);
        Ok(())
    })
    .await
}

#[test]
fn the_page_listens_to_no_more_after_many_pages_and_reconnects_than_after_few() -> Result<()> {
    with_lab(1, async |lab| {
        let (fleet, browser) = Browser::on_device(lab).await?;
        let page = &browser.page;
        page.run_before_pages(COUNT).await?;
        page.open(&format!("{}/containers", fleet.control.ready()?.api))
            .await?;
        // What is made once, when it is first needed, is there after the first round.
        walk_through_pages(page).await?;
        reconnect(page).await?;
        let first = number(page, "listening()").await?;
        ensure!(first > 0, "nothing is counted");
        for _ in 0..4 {
            walk_through_pages(page).await?;
            reconnect(page).await?;
        }
        let last = number(page, "listening()").await?;
        ensure!(last == first, "{first} listeners became {last}");
        Ok(())
    })
}
