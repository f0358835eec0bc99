//! A page that stays open while every device reports every five seconds: the focus moves only when a key moves it, and
//! the page grows no larger. The page's clock is moved by the test, so an hour takes minutes; CI runs the first
//! minutes of it, and `cargo xtask soak page` the whole, with 10,000 rows.

use anyhow::{Context, Result, ensure};
use flotilla_protocol::api::StartingPolicy;
use flotilla_tests::browser::{Browser, Page, keys::Key};
use flotilla_tests::eventually::{eventually, seconds};
use flotilla_tests::flotilla::ControlSetup;
use flotilla_tests::lab::{Lab, on};
use flotilla_tests::swarm::{Links, Swarm};
use serde_json::{Value, json};

/// Gives the page a clock, and records the focus.
const HOUR: &str = include_str!("hour.js");

/// Containers of each device.
const CONTAINERS: usize = 100;

/// Live frames of containers that a device causes in a round, which are those that tell the round's number.
const FRAMES: usize = 2;

/// How long a session is.
struct Session {
    devices: usize,
    /// Laps through all places of the focus. What the page holds is looked at after each.
    laps: usize,
    /// Rounds of reports at each place.
    rounds: usize,
}

/// 54 rounds with 1,000 rows.
const SHORT: Session = Session {
    devices: 10,
    laps: 9,
    rounds: 1,
};

/// The 720 rounds of an hour with 10,000 rows.
const HOUR_LONG: Session = Session {
    devices: 100,
    laps: 30,
    rounds: 4,
};

/// Set by `cargo xtask soak page`.
const LONG: &str = "FLOTILLA_PAGE_HOUR";

/// A page, and the devices that it hears.
struct Open<'a> {
    page: &'a Page,
    links: &'a Links,
    devices: usize,
}

impl Open<'_> {
    /// Lets five seconds pass in which every device reports; returns when the page has heard and painted all of it.
    async fn round(&self) -> Result<()> {
        let number = self.links.round() + 1;
        let await_it = format!("hour.heard = 0; hour.awaited = '\"restarts\":{number},'; hour.pass(5)");
        self.page.run(&await_it).await?;
        self.links.next_round();
        let heard = "
            const [wanted, done] = arguments;
            const begun = performance.now();
            const look = () => {
                if (hour.heard >= wanted) requestAnimationFrame(() => requestAnimationFrame(() => done('all')));
                else if (performance.now() - begun > 20000) done(`${hour.heard} of ${wanted}`);
                else requestAnimationFrame(look);
            };
            look()";
        let frames = self.devices * FRAMES;
        let heard = self.page.run_async(heard, vec![frames.into()]).await?;
        ensure!(heard == "all", "round {number}: {heard} frames");
        Ok(())
    }

    /// Holds the focus where it is for some rounds, in each of which a person may type a letter. Fails when the focus
    /// moves.
    async fn stays(&self, place: &str, rounds: usize, letters: &str) -> Result<()> {
        let held = self.page.run("return hour.hold()").await?;
        let mut letters = letters.chars();
        for _ in 0..rounds {
            self.round().await?;
            if let Some(letter) = letters.next() {
                self.page.type_text(&letter.to_string()).await?;
            }
        }
        let moves = self.page.run("return hour.release()").await?;
        ensure!(
            moves == json!([]),
            "{place}: the focus was on {held} and moved by itself: {moves}"
        );
        Ok(())
    }

    /// Waits until a script's value is true.
    async fn until(&self, what: &str, script: &str) -> Result<()> {
        eventually(what, seconds(5.0), async || {
            ensure!(
                self.page.run(&format!("return {script}")).await? == true,
                "it is not"
            );
            Ok(())
        })
        .await
    }

    /// Puts the focus into each place in turn, and back.
    async fn lap(&self, rounds: usize) -> Result<()> {
        let page = self.page;
        let typed = &"web-07"[..rounds.min(6)];
        page.run("document.querySelector('.filter input').focus()")
            .await?;
        self.stays("the filter field", rounds, typed).await?;
        let value = page.run("return document.activeElement.value").await?;
        ensure!(value == typed, "{typed} was typed, and {value} is there");
        for _ in 0..typed.len() {
            page.press(Key::Backspace).await?;
        }

        page.run("document.querySelector('.body [role=row]').focus()")
            .await?;
        self.stays("a row", rounds, "").await?;
        // The checkbox, and then the name.
        page.press(Key::Right).await?;
        page.press(Key::Right).await?;
        self.until("the link of the row", "document.activeElement.matches('.body a')")
            .await?;
        self.stays("a link in a row", rounds, "").await?;
        page.press(Key::Escape).await?;

        page.type_text(".").await?;
        self.until("the menu", "document.activeElement.matches('[role=menuitem]')")
            .await?;
        page.press(Key::Down).await?;
        self.stays("an open row menu", rounds, "").await?;
        page.press(Key::Escape).await?;
        self.until("the row", "document.activeElement.matches('[role=row]')")
            .await?;

        page.press(Key::Enter).await?;
        self.until("the drawer", "document.activeElement.matches('aside.drawer')")
            .await?;
        page.press(Key::Tab).await?;
        self.stays("an open drawer", rounds, "").await?;
        page.press(Key::Escape).await?;
        self.until("no drawer", "!document.querySelector('aside.drawer')")
            .await?;
        self.devices(rounds).await
    }

    /// The other table whose rows change all the time, and the way there and back.
    async fn devices(&self, rounds: usize) -> Result<()> {
        let page = self.page;
        self.until(
            "a row has the focus again",
            "document.activeElement.tagName !== 'BODY'",
        )
        .await?;
        page.type_text("gd").await?;
        self.until("the devices", "!!document.querySelector('.body .copy-cell')")
            .await?;
        page.run("document.querySelector('.body .copy-cell').focus()")
            .await?;
        self.stays("a button of a device's row", rounds, "").await?;
        page.type_text("gc").await?;
        self.until(
            "the containers",
            "!!document.querySelector(\".body a[href*='/containers/']\")",
        )
        .await
    }

    /// What the page holds after everything that is garbage was collected, in the order of [`LIMITS`].
    async fn held(&self) -> Result<[f64; 4]> {
        self.page
            .devtools("HeapProfiler.collectGarbage", json!({}))
            .await?;
        let dom = self.page.devtools("Memory.getDOMCounters", json!({})).await?;
        let heap = self.page.devtools("Runtime.getHeapUsage", json!({})).await?;
        let wasm = self.page.run("return hour.memory.buffer.byteLength").await?;
        let number = |value: &Value| value.as_f64().with_context(|| format!("no number: {value}"));
        Ok([
            number(&dom["nodes"])?,
            number(&dom["jsEventListeners"])?,
            number(&heap["usedSize"])?,
            number(&wasm)?,
        ])
    }
}

/// What the page holds, and by how much more of it there may be in the last third of a session than in the first: a
/// share, and an amount.
const LIMITS: [(&str, f64, f64); 4] = [
    // A row has some nodes more or less by what is in it.
    ("DOM nodes", 0.02, 50.0),
    ("listeners", 0.02, 10.0),
    ("bytes of the JavaScript heap", 0.05, 256.0 * 1024.0),
    // It grows by pages of 64 KiB, and never shrinks.
    ("bytes of the program's memory", 0.02, 1024.0 * 1024.0),
];

/// Compares the middle one of the first third of the looks with the middle one of the last third.
fn ensure_flat(looks: &[[f64; 4]]) -> Result<()> {
    let third = looks.len() / 3;
    for (at, (what, share, amount)) in LIMITS.into_iter().enumerate() {
        let middle = |looks: &[[f64; 4]]| {
            let mut values: Vec<_> = looks.iter().map(|look| look[at]).collect();
            values.sort_by(f64::total_cmp);
            values[values.len() / 2]
        };
        let (first, last) = (middle(&looks[..third]), middle(&looks[looks.len() - third..]));
        let all: Vec<_> = looks.iter().map(|look| look[at]).collect();
        say(&format!("{what}: {first} at first, {last} at last"));
        ensure!(
            last <= first * (1.0 + share) + amount,
            "{what}: {first} at first and {last} at last, of {all:?}"
        );
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "figures of a soak")]
fn say(text: &str) {
    println!("{text}");
}

#[test]
fn a_page_that_stays_open_keeps_the_focus_where_it_is_and_grows_no_larger() -> Result<()> {
    let is_long = std::env::var_os(LONG).is_some();
    let session = if is_long { HOUR_LONG } else { SHORT };
    on(Lab::without_engines(0)?, async |lab| {
        let control = ControlSetup::new(lab)?.with_ui()?.start()?;
        control.welcome(StartingPolicy::Locked).await?;
        let swarm = Swarm::enroll(&control.client()?, session.devices).await?;
        let links = swarm.link_with(CONTAINERS);
        links.all_up(seconds(60.0)).await?;
        let browser = Browser::start(lab).await?;
        let page = &browser.page;
        page.run_before_pages(HOUR).await?;
        page.open(&control.ready()?.ui).await?;
        page.click("link", "Containers").await?;
        let rows = session.devices * CONTAINERS;
        let rows = if rows < 10_000 { "1,000" } else { "10,000" };
        page.shows(rows, seconds(30.0)).await?;
        let open = Open {
            page,
            links: &links,
            devices: session.devices,
        };
        // Before the first look, everything has been open once.
        open.lap(1).await?;
        let mut looks = Vec::new();
        for _ in 0..session.laps {
            open.lap(session.rounds).await?;
            looks.push(open.held().await?);
        }
        ensure_flat(&looks)
    })
}
