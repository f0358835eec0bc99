//! A browser's session: opened by a link, of no use to a program that has only its cookie, and ended in Settings.

use std::fs;

use anyhow::{Context, Result, bail, ensure};
use flotilla_protocol::api::StartingPolicy;
use flotilla_tests::browser::Browser;
use flotilla_tests::eventually::seconds;
use flotilla_tests::flotilla::ControlSetup;
use flotilla_tests::lab::{Lab, on};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

/// Sends a request without a browser; returns the whole answer.
async fn ask(api: &str, line: &str, headers: &str, body: &str) -> Result<String> {
    let address = api.strip_prefix("http://").context("no address")?;
    let mut stream = TcpStream::connect(address).await?;
    let length = body.len();
    let request = format!(
        "{line} HTTP/1.1\r\nHost: {address}\r\nContent-Length: {length}\r\nConnection: close\r\n{headers}\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    timeout(seconds(5.0), stream.read_to_string(&mut answer)).await??;
    Ok(answer)
}

/// The cookie header that a browser sends to another port of this computer, when it opens a page there.
async fn cookie_sent_to_another_port(browser: &Browser) -> Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let away = format!("location.href = 'http://{}/'", listener.local_addr()?);
    // The script returns only after the other page was loaded, so both run at the same time.
    let served = async {
        let (mut stream, _) = timeout(seconds(10.0), listener.accept()).await??;
        let mut request = vec![0; 8192];
        let length = timeout(seconds(5.0), stream.read(&mut request)).await??;
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nhere")
            .await?;
        anyhow::Ok(String::from_utf8_lossy(&request[..length]).into_owned())
    };
    let (_, request) = tokio::join!(browser.page.run(&away), served);
    let request = request?;
    let cookie = request
        .lines()
        .find(|line| line.to_lowercase().starts_with("cookie:"));
    match cookie {
        Some(cookie) => Ok(format!("{cookie}\r\n")),
        None => bail!("the browser sent no cookie: {request}"),
    }
}

#[test]
fn a_cookie_that_another_port_collects_opens_nothing() -> Result<()> {
    on(Lab::without_engines(0)?, async |lab| {
        let (control, browser) = Browser::on_fleet(lab, ControlSetup::new(lab)?).await?;
        let api = &control.ready()?.api;
        browser.page.shows("No devices yet", seconds(5.0)).await?;
        let cookie = cookie_sent_to_another_port(&browser).await?;
        for (line, headers) in [
            ("GET /api/v1/fleet", cookie.clone()),
            (
                "GET /api/v1/live",
                format!(
                    "{cookie}Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                ),
            ),
            ("POST /api/v1/session/link", cookie.clone()),
        ] {
            let answer = ask(api, line, &headers, "").await?;
            ensure!(answer.starts_with("HTTP/1.1 401"), "{line}: {answer}");
        }
        browser.page.open(&format!("{api}/devices")).await?;
        browser.page.shows("No devices yet", seconds(5.0)).await.map(drop)
    })
}

#[test]
fn the_link_of_a_start_opens_after_twenty_minutes_and_the_page_says_how_to_get_another() -> Result<()> {
    on(Lab::without_engines(0)?, async |lab| {
        let clock = lab.directory("clock")?.join("offset");
        fs::write(&clock, "+0")?;
        let mut setup = ControlSetup::new(lab)?.with_clock("+0")?.with_ui()?;
        // The file is read again at each look at the clock; the variable would be read once.
        setup.environment.retain(|(name, _)| name != "FAKETIME");
        for (name, value) in [
            ("FAKETIME_TIMESTAMP_FILE", clock.display().to_string()),
            ("FAKETIME_NO_CACHE", "1".to_owned()),
        ] {
            setup.environment.push((name.to_owned(), value));
        }
        let control = setup.start()?;
        control.welcome(StartingPolicy::OpenLab).await?;
        let ready = control.ready()?.clone();
        let later = control.cli(&["open", "--print"])?;
        fs::write(&clock, "+20m")?;

        let browser = Browser::start(lab).await?;
        let page = &browser.page;
        page.open(&later).await?;
        let shown = page.shows("This browser is not signed in", seconds(5.0)).await?;
        for words in ["flotilla open", "Running flotilla serve again does not help"] {
            ensure!(shown.contains(words), "it does not say \"{words}\": {shown}");
        }
        page.find("button", "Copy command").await?;
        page.is_faultless("sign-in").await?;
        page.open(&ready.ui).await?;
        page.shows("No devices yet", seconds(5.0)).await.map(drop)
    })
}

#[test]
fn settings_list_who_is_signed_in_and_sign_another_browser_out() -> Result<()> {
    on(Lab::without_engines(0)?, async |lab| {
        let (control, browser) = Browser::on_fleet(lab, ControlSetup::new(lab)?).await?;
        let (page, api) = (&browser.page, &control.ready()?.api);
        let link = control.cli(&["open", "--print"])?;
        let (_, code) = link.split_once("#code=").context("no code")?;
        let body = format!(r#"{{"code":"{code}"}}"#);
        let agent = "User-Agent: Mozilla/5.0 (Windows NT 10.0) Gecko/20100101 Firefox/140.0\r\n";
        let answer = ask(api, "POST /api/v1/session", agent, &body).await?;
        let (head, body) = answer.split_once("\r\n\r\n").context("no body")?;
        let opened: Value = serde_json::from_str(body)?;
        let secret = opened["page_secret"].as_str().context("no secret")?;
        let cookie = head.lines().find_map(|line| line.strip_prefix("set-cookie: "));
        let cookie = cookie
            .and_then(|cookie| cookie.split(';').next())
            .context("no cookie")?;
        let other = format!("Cookie: {cookie}\r\nFlotilla-Session: {secret}\r\n");
        let answer = ask(api, "GET /api/v1/fleet", &other, "").await?;
        ensure!(answer.starts_with("HTTP/1.1 200"), "{answer}");

        page.click("link", "Settings").await?;
        let shown = page.shows("Firefox on Windows", seconds(5.0)).await?;
        ensure!(
            shown.contains("This session") && shown.contains("Chrome on Linux"),
            "{shown}"
        );
        page.keep_picture("settings-sessions").await?;
        page.click("button", "End session").await?;
        page.shows("Firefox on Windows is signed out.", seconds(5.0))
            .await?;
        page.gone("button", "End session").await?;
        let answer = ask(api, "GET /api/v1/fleet", &other, "").await?;
        ensure!(answer.starts_with("HTTP/1.1 401"), "{answer}");
        Ok(())
    })
}
