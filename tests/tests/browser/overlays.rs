//! What opens over a page: menus, panels, questions and dialogs. axe-core looks at each in both themes.

use anyhow::Result;
use flotilla_tests::browser::{Page, keys::Key};
use flotilla_tests::eventually::{eventually, seconds};

/// What a person does to open something.
enum Step {
    Click(&'static str, &'static str),
    Type(&'static str),
    Press(Key),
    /// Gives the focus to the first row with this name.
    Row(&'static str),
}
use Step::{Click, Press, Row, Type};

/// Something that opens over a page.
struct Overlay {
    name: &'static str,
    route: &'static str,
    steps: &'static [Step],
    /// A selector that finds it once it is open.
    shown: &'static str,
}

const fn overlay(
    name: &'static str,
    route: &'static str,
    steps: &'static [Step],
    shown: &'static str,
) -> Overlay {
    Overlay {
        name,
        route,
        steps,
        shown,
    }
}

const OVERLAYS: [Overlay; 23] = [
    overlay("jobs", "/", &[Click("button", "Jobs")], ".jobs .popover"),
    overlay(
        "account",
        "/",
        &[Click("button", "Account menu")],
        ".account .popover",
    ),
    overlay("shortcuts", "/", &[Type("?")], "dialog[open]"),
    overlay(
        "palette",
        "/",
        &[Click("button", "Search or run a command")],
        "dialog[open]",
    ),
    overlay(
        "container-menu",
        "/containers",
        &[Row("web"), Type(".")],
        "[role=menu]",
    ),
    overlay(
        "columns",
        "/containers",
        &[Click("button", "Columns")],
        "dialog[open]",
    ),
    overlay(
        "facet",
        "/containers",
        &[Click("button", "State: All")],
        ".facet-values",
    ),
    overlay(
        "suggestions",
        "/containers",
        &[Click("combobox", "Filter containers"), Type("status:")],
        "[role=listbox]",
    ),
    overlay(
        "no-match",
        "/containers",
        &[Click("combobox", "Filter containers"), Type("zzz")],
        ".no-match",
    ),
    overlay("selected", "/containers", &[Row("web"), Type(" ")], ".bulk"),
    overlay(
        "stop",
        "/containers",
        &[Row("web"), Type(" "), Click("button", "Stop")],
        "dialog[open]",
    ),
    overlay("stack-menu", "/stacks", &[Row("media"), Type(".")], "[role=menu]"),
    overlay(
        "image-drawer",
        "/images",
        &[Row("sample/web"), Press(Key::Enter)],
        "aside.drawer",
    ),
    overlay(
        "image-menu",
        "/images",
        &[Row("sample/web"), Type(".")],
        "[role=menu]",
    ),
    overlay("device-menu", "/devices", &[Row("nas"), Type(".")], "[role=menu]"),
    overlay("rename", "/devices/nas?ask=rename", &[], "dialog[open]"),
    overlay("tags", "/devices/nas?ask=tags", &[], "dialog[open]"),
    overlay("mode", "/devices/nas?ask=mode", &[], "dialog[open]"),
    overlay("revoke", "/devices/nas?ask=revoke", &[], "dialog[open]"),
    overlay(
        "chart-table",
        "/devices/nas",
        &[Click("button", "Show as table")],
        ".chart [role=region]",
    ),
    overlay(
        "rule",
        "/mesh/policy",
        &[Click("button", "Add rule")],
        "aside.drawer",
    ),
    overlay(
        "test",
        "/mesh/policy",
        &[Click("button", "Add test")],
        "aside.drawer",
    ),
    overlay(
        "address",
        "/settings",
        &[Click("button", "Add an address")],
        "main form",
    ),
];

async fn open(page: &Page, overlay: &Overlay) -> Result<()> {
    for step in overlay.steps {
        match step {
            Click(role, name) => page.click(role, name).await?,
            Type(text) => page.type_text(text).await?,
            Press(key) => page.press(*key).await?,
            Row(name) => {
                let focus = format!(
                    "[...document.querySelectorAll('.body [role=row]')].find(row => row.ariaLabel.startsWith('{name}')).focus()"
                );
                eventually("the row", seconds(5.0), async || page.run(&focus).await).await?;
            }
        }
    }
    let shown = format!("return !!document.querySelector(`{}`)", overlay.shown);
    eventually("it is open", seconds(5.0), async || {
        anyhow::ensure!(page.run(&shown).await? == true, "nothing is {}", overlay.shown);
        Ok(())
    })
    .await
}

/// Opens each; answers the faults of all.
pub(crate) async fn faults_of_all(page: &Page, api: &str) -> Result<Vec<String>> {
    let mut wrong = Vec::new();
    page.resize(1280, 800).await?;
    for overlay in &OVERLAYS {
        page.open(&format!("{api}{}", overlay.route)).await?;
        match open(page, overlay).await {
            Ok(()) => {
                let name = format!("over-{}", overlay.name);
                wrong.extend(page.faults_in_every_theme(&name).await?);
            }
            Err(error) => wrong.push(format!("{}: {error:#}", overlay.name)),
        }
    }
    Ok(wrong)
}
