//! What a page shows while it waits, when a call has no answer, and when the page itself has stopped.

use anyhow::{Context, Result, ensure};
use flotilla_protocol::agent::Report;
use flotilla_protocol::api::AddDevice;
use flotilla_tests::browser::{Browser, Page};
use flotilla_tests::eventually::{eventually, seconds};
use flotilla_tests::flotilla::ControlSetup;
use flotilla_tests::lab::{Lab, on};
use flotilla_tests::reporting_device::reporting_device;

/// From here on the page's calls of addresses in `broken` fail, those in `hung` have no answer until they are given up,
/// and those in `refused` are not signed in. Waiting times of more than 20 s are shortened, and sockets are kept.
const TROUBLE: &str = "
    const [call, later, Socket] = [window.fetch, window.setTimeout, window.WebSocket];
    window.trouble = { broken: '', hung: '', refused: '', sockets: [] };
    window.fetch = (address, init) => {
        const is = kind => trouble[kind] && String(address).includes(trouble[kind]);
        if (is('broken')) return Promise.reject(new TypeError('broken'));
        if (is('hung')) return new Promise((_, reject) => {
            init.signal.addEventListener('abort', () => reject(init.signal.reason));
        });
        if (is('refused')) {
            const problem = JSON.stringify({ code: 'unauthenticated', message: 'Sign in first.' });
            return Promise.resolve(new Response(problem, { status: 401 }));
        }
        return call(address, init);
    };
    window.setTimeout = (run, wait, ...rest) => later(run, wait > 20000 ? 300 : wait, ...rest);
    window.WebSocket = class extends Socket {
        constructor(...address) { super(...address); trouble.sockets.push(this); }
    };";

async fn trouble(page: &Page, kind: &str, address: &str) -> Result<()> {
    page.run(&format!("trouble.{kind} = '{address}'")).await.map(drop)
}

fn volume(name: &str) -> Result<Report> {
    let volume = serde_json::json!({ "kind": "volume", "name": name, "driver": "local", "used_by": [] });
    let items = vec![serde_json::from_value(volume)?];
    Ok(Report::Upsert { items })
}

#[test]
fn a_call_without_an_answer_ends_and_says_why_and_a_refused_session_is_noticed_wherever_it_is_refused()
-> Result<()> {
    on(Lab::without_engines(0)?, async |lab| {
        let (control, browser) = Browser::on_fleet(lab, ControlSetup::new(lab)?).await?;
        let page = &browser.page;
        let add = AddDevice {
            name: Some("nas".to_owned()),
            ..AddDevice::default()
        };
        let nas = reporting_device(&control, add).await?;
        nas.send(volume("pg_data")?).await?;
        page.run(TROUBLE).await?;
        cannot_be_loaded(page, &nas).await?;
        session_is_refused(page).await
    })
}

async fn cannot_be_loaded(page: &Page, nas: &tokio::sync::mpsc::Sender<Report>) -> Result<()> {
    trouble(page, "broken", "/api/v1/volumes").await?;
    page.click("link", "Volumes").await?;
    page.shows("The controller didn't answer", seconds(5.0)).await?;
    page.click("button", "Details").await?;
    let details = page.shows("GET /api/v1/volumes", seconds(2.0)).await?;
    ensure!(details.contains("Request: "), "{details}");
    page.find("button", "Copy details").await?;
    page.is_faultless("not-loaded").await?;
    // A change that arrives now is a part of the list, and must not look like the whole of it.
    nas.send(volume("media_cache")?).await?;
    page.wait_until_still().await?;
    let shown = page.text().await?;
    ensure!(!shown.contains("media_cache"), "{shown}");
    trouble(page, "broken", "").await?;
    page.click("button", "Try again").await?;
    page.shows("media_cache", seconds(5.0)).await?;
    page.shows("pg_data", seconds(1.0)).await?;

    trouble(page, "hung", "/api/v1/networks").await?;
    page.click("link", "Networks").await?;
    page.shows("The controller didn't answer within 30 s", seconds(5.0))
        .await?;
    trouble(page, "hung", "").await
}

async fn session_is_refused(page: &Page) -> Result<()> {
    trouble(page, "refused", "/api/v1/images").await?;
    page.click("link", "Images").await?;
    page.shows("This browser is not signed in", seconds(5.0)).await?;
    trouble(page, "refused", "").await?;
    page.click("button", "Try again").await?;
    page.find("heading", "Images").await?;
    // A stream that was lost is no longer listened to by anything.
    let lost = "const [first, ...later] = trouble.sockets; first?.close();
        return !!first && later.length > 0 && first.onmessage === null && first.onclose === null";
    eventually(
        "another stream in place of the lost one",
        seconds(10.0),
        async || {
            ensure!(page.run(lost).await? == true, "the first one is still there");
            Ok(())
        },
    )
    .await
}

/// Runs a program of WebAssembly that only traps, as a panic does.
const TRAP: &str = "
    const bytes = [0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 7, 5, 1, 1, 102, 0, 0, 10, 5, 1, 3, 0, 0, 11];
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array(bytes)));
    setTimeout(() => exports.f());";

#[test]
fn times_are_told_in_the_chosen_zone_and_a_page_that_stopped_says_so() -> Result<()> {
    on(Lab::without_engines(0)?, async |lab| {
        let (control, browser) = Browser::on_fleet(lab, ControlSetup::new(lab)?).await?;
        let page = &browser.page;
        page.set_time_zone("Pacific/Kiritimati").await?;
        page.open(&format!("{}/activity", control.ready()?.api)).await?;
        page.find("grid", "Activity").await?;
        ensure!(!is_told_in_utc(page).await?);
        page.click("link", "Settings").await?;
        page.click("radio", "UTC").await?;
        page.click("link", "Activity").await?;
        eventually("times of UTC", seconds(5.0), async || {
            ensure!(is_told_in_utc(page).await?, "another zone");
            Ok(())
        })
        .await?;

        page.run(TRAP).await?;
        page.find("alertdialog", "This page has stopped").await?;
        page.focus_is("button", "Reload the page").await?;
        page.shows("unreachable", seconds(1.0)).await?;
        page.keep_picture("stopped").await?;
        page.click("button", "Copy report").await?;
        page.click("button", "Reload the page").await?;
        page.ready().await?;
        page.gone("alertdialog", "This page has stopped").await
    })
}

/// Whether the tooltip of the first age has the hour that its time has in UTC.
async fn is_told_in_utc(page: &Page) -> Result<bool> {
    let script = "const time = document.querySelector('time.age');
        return time && time.title.slice(0, 16) === time.dateTime.slice(0, 16).replace('T', ' ')";
    page.run(script).await?.as_bool().context("no time is shown")
}
