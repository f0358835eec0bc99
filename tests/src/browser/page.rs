//! One page: its elements by role and name, its text, and the keyboard.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use fantoccini::actions::{InputSource, KeyAction, KeyActions};
use fantoccini::elements::{Element, ElementRef};
use fantoccini::key::Key;
use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, Locator};
use serde_json::{Value, json};

use crate::eventually::{eventually, seconds};

/// Names of keys.
pub mod keys {
    pub use fantoccini::key::Key;
}

/// How soon an element has to be there.
const PATIENCE: Duration = Duration::from_secs(5);

/// How many probes in a row have to find the page unchanged.
const STILL_POLLS: u32 = 3;

/// The length of the page's HTML; null while an animation runs or the main part is empty.
const LENGTH_WHEN_STILL: &str = "
    const ends = animation => animation.effect.getComputedTiming().endTime !== Infinity;
    const moves = document.getAnimations().some(one => one.playState === 'running' && ends(one));
    const middle = document.querySelector('main');
    return moves || !middle?.firstElementChild ? null : document.body.innerHTML.length";

/// A page in a browser or in the desktop window.
#[derive(Debug, Clone)]
pub struct Page {
    client: Client,
}

impl Page {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    /// Opens an address and waits until the page says that its first rows are painted.
    pub async fn open(&self, url: &str) -> Result<()> {
        self.client.goto(url).await?;
        self.ready().await
    }

    /// Opens an address, and waits for nothing that the page does.
    pub async fn visit(&self, url: &str) -> Result<()> {
        Ok(self.client.goto(url).await?)
    }

    /// Runs a script in each page that is opened from then on, before the page's own scripts.
    pub async fn run_before_pages(&self, script: &str) -> Result<()> {
        self.devtools(
            "Page.addScriptToEvaluateOnNewDocument",
            json!({ "source": script }),
        )
        .await
        .map(drop)
    }

    /// Waits until the page says that its first rows are painted.
    pub async fn ready(&self) -> Result<()> {
        eventually("the page is ready", seconds(15.0), async || {
            let ready = self.run("return document.documentElement.dataset.ready").await?;
            ensure!(
                ready == "true",
                "data-ready is {ready}; the page says: {}",
                self.text().await?
            );
            Ok(())
        })
        .await
    }

    /// Answers the welcome dialog of a first visit.
    pub async fn answer_welcome(&self) -> Result<()> {
        self.find("textbox", "Fleet name")
            .await?
            .send_keys("home-lab")
            .await?;
        self.click("radio", "Locked").await?;
        self.click("button", "Start").await
    }

    /// Waits until nothing on the page appears or moves: code that is loaded late has run, dialogs have opened.
    pub async fn wait_until_still(&self) -> Result<()> {
        let mut seen = (Value::Null, 0);
        eventually("the page stands still", PATIENCE, async || {
            let now = self.run(LENGTH_WHEN_STILL).await?;
            seen = if now == seen.0 {
                (now, seen.1 + 1)
            } else {
                (now, 0)
            };
            ensure!(!seen.0.is_null() && seen.1 >= STILL_POLLS, "it still changes");
            Ok(())
        })
        .await
    }

    /// Waits for the one visible element with this role and this name.
    pub async fn find(&self, role: &str, name: &str) -> Result<Element> {
        let what = format!("{role} \"{name}\"");
        eventually(&what, PATIENCE, async || {
            self.lookup(role, name)
                .await?
                .with_context(|| format!("no {what}"))
        })
        .await
    }

    /// The same without waiting. More than one such element is an error: names have to be unique.
    pub async fn lookup(&self, role: &str, name: &str) -> Result<Option<Element>> {
        let mut found = Vec::new();
        for element in self.client.find_all(Locator::Css(selector(role))).await? {
            // An element that is removed during the search counts as absent.
            let Ok(label) = self.computed(&element, "computedlabel").await else {
                continue;
            };
            if label == name
                && self
                    .computed(&element, "computedrole")
                    .await
                    .is_ok_and(|found| is_role(&found, role))
            {
                found.push(element);
            }
        }
        ensure!(found.len() <= 1, "{} things are {role} \"{name}\"", found.len());
        Ok(found.pop())
    }

    pub async fn click(&self, role: &str, name: &str) -> Result<()> {
        Ok(self.find(role, name).await?.click().await?)
    }

    /// Waits until there is no element with this role and name.
    pub async fn gone(&self, role: &str, name: &str) -> Result<()> {
        eventually(&format!("{role} \"{name}\" is gone"), PATIENCE, async || {
            ensure!(self.lookup(role, name).await?.is_none(), "it is there");
            Ok(())
        })
        .await
    }

    /// Waits until the page shows this text; returns all of the page's text.
    pub async fn shows(&self, text: &str, within: Duration) -> Result<String> {
        eventually(&format!("the page shows \"{text}\""), within, async || {
            let shown = self.text().await?;
            ensure!(shown.contains(text), "it shows: {shown}");
            Ok(shown)
        })
        .await
    }

    /// All visible text.
    pub async fn text(&self) -> Result<String> {
        let text = self
            .run("return document.body ? document.body.innerText : ''")
            .await?;
        Ok(text.as_str().unwrap_or_default().to_owned())
    }

    /// Waits until the focus is on the element with this role and name.
    pub async fn focus_is(&self, role: &str, name: &str) -> Result<()> {
        eventually(
            &format!("the focus is on {role} \"{name}\""),
            PATIENCE,
            async || {
                let (found_role, found_name) = self.focus().await?;
                ensure!(
                    found_role == role && found_name == name,
                    "it is on {found_role} \"{found_name}\""
                );
                Ok(())
            },
        )
        .await
    }

    /// Role and name of the element that has the focus.
    pub async fn focus(&self) -> Result<(String, String)> {
        let element = self.client.active_element().await?;
        Ok((
            self.computed(&element, "computedrole").await?,
            self.computed(&element, "computedlabel").await?,
        ))
    }

    /// Presses and releases one key, wherever the focus is.
    pub async fn press(&self, key: Key) -> Result<()> {
        self.type_text(&char::from(key).to_string()).await
    }

    /// Types a text key by key, wherever the focus is.
    pub async fn type_text(&self, text: &str) -> Result<()> {
        let strokes = text
            .chars()
            .fold(KeyActions::new("keyboard".to_owned()), |keys, value| {
                keys.then(KeyAction::Down { value }).then(KeyAction::Up { value })
            });
        Ok(self.client.perform_actions(strokes).await?)
    }

    /// Presses Tab until the focus is on the element with this role and name.
    pub async fn tab_to(&self, role: &str, name: &str) -> Result<()> {
        for _ in 0..60 {
            if self.focus().await? == (role.to_owned(), name.to_owned()) {
                return Ok(());
            }
            self.press(Key::Tab).await?;
        }
        bail!("Tab never reaches {role} \"{name}\"")
    }

    /// Sets the system's preference of `light` or `dark`, through the browser's developer tools.
    pub async fn prefer_theme(&self, theme: &str) -> Result<()> {
        let features = json!([{ "name": "prefers-color-scheme", "value": theme }]);
        self.devtools("Emulation.setEmulatedMedia", json!({ "features": features }))
            .await
            .map(drop)
    }

    /// Sets the time zone of the page's computer, through the browser's developer tools.
    pub async fn set_time_zone(&self, zone: &str) -> Result<()> {
        self.devtools("Emulation.setTimezoneOverride", json!({ "timezoneId": zone }))
            .await
            .map(drop)
    }

    /// Runs a command of Chromium's developer tools; returns its result.
    pub async fn devtools(&self, command: &str, parameters: Value) -> Result<Value> {
        let command = DevTools(json!({ "cmd": command, "params": parameters }));
        Ok(self.client.issue_cmd(command).await?)
    }

    pub async fn resize(&self, width: u32, height: u32) -> Result<()> {
        Ok(self.client.set_window_size(width, height).await?)
    }

    /// By how much the page is wider than the window, in CSS pixels; 0 or less when it fits.
    pub async fn overflow(&self) -> Result<i64> {
        let script = "const e = document.documentElement; return e.scrollWidth - e.clientWidth";
        self.run(script).await?.as_i64().context("no number")
    }

    pub async fn picture(&self) -> Result<Vec<u8>> {
        Ok(self.client.screenshot().await?)
    }

    /// Writes a picture into the directory that `FLOTILLA_SHOTS_DIR` names; takes none where that is not set.
    pub async fn keep_picture(&self, name: &str) -> Result<()> {
        if let Some(directory) = std::env::var_os("FLOTILLA_SHOTS_DIR").map(PathBuf::from) {
            std::fs::create_dir_all(&directory)?;
            std::fs::write(directory.join(format!("{name}.png")), self.picture().await?)?;
        }
        Ok(())
    }

    /// Ends the session, and with it the program that shows the page.
    pub async fn close(&self) -> Result<()> {
        Ok(self.client.clone().close().await?)
    }

    /// Runs a script in the page; returns what the script returns.
    pub async fn run(&self, script: &str) -> Result<Value> {
        Ok(self.client.execute(script, Vec::new()).await?)
    }

    /// The same with arguments, for a script that calls its last argument with the result.
    pub async fn run_async(&self, script: &str, arguments: Vec<Value>) -> Result<Value> {
        Ok(self.client.execute_async(script, arguments).await?)
    }

    async fn computed(&self, element: &Element, what: &'static str) -> Result<String> {
        let answer = self
            .client
            .issue_cmd(AccessibilityProperty {
                element: element.element_id(),
                what,
            })
            .await?;
        Ok(answer.as_str().unwrap_or_default().to_owned())
    }
}

/// Reads the role or the name of an element as assistive technology gets them: `computedrole` or `computedlabel`.
#[derive(Debug)]
struct AccessibilityProperty {
    element: ElementRef,
    what: &'static str,
}

impl WebDriverCompatibleCommand for AccessibilityProperty {
    fn endpoint(&self, base: &url::Url, session: Option<&str>) -> Result<url::Url, url::ParseError> {
        let session = session.unwrap_or_default();
        base.join(&format!(
            "session/{session}/element/{}/{}",
            self.element.as_ref(),
            self.what
        ))
    }

    fn method_and_body(&self, _: &url::Url) -> (http::Method, Option<String>) {
        (http::Method::GET, None)
    }
}

/// A command of Chromium's developer tools.
#[derive(Debug)]
struct DevTools(Value);

impl WebDriverCompatibleCommand for DevTools {
    fn endpoint(&self, base: &url::Url, session: Option<&str>) -> Result<url::Url, url::ParseError> {
        base.join(&format!(
            "session/{}/goog/cdp/execute",
            session.unwrap_or_default()
        ))
    }

    fn method_and_body(&self, _: &url::Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(self.0.to_string()))
    }
}

/// Whether Chromium's word for a role means this role: the summary of details, which assistive technology presents as a
/// button, has a word of its own.
fn is_role(found: &str, role: &str) -> bool {
    found == role || (role, found) == ("button", "DisclosureTriangle")
}

/// A selector for the elements that may have a role. The browser's computed role decides which of them do.
fn selector(role: &str) -> &'static str {
    match role {
        "button" => "button,[role=button],summary",
        "link" => "a[href],[role=link]",
        "textbox" => "input,textarea,[role=textbox]",
        "combobox" => "input,select,[role=combobox],button",
        "checkbox" => "input[type=checkbox],[role=checkbox]",
        "radio" => "input[type=radio],[role=radio]",
        "heading" => "h1,h2,h3,h4,[role=heading]",
        "dialog" => "dialog,[role=dialog]",
        "alertdialog" => "dialog,[role=alertdialog]",
        "grid" => "table,[role=grid]",
        "row" => "tr,[role=row]",
        "tab" => "[role=tab]",
        "menuitem" => "[role=menuitem]",
        "status" => "output,[role=status]",
        _ => "[role]",
    }
}
