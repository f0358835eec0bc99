//! What a person sees in the first minutes with a fleet: figures before any device has reported, containers in trouble,
//! the map, the palette, and tables in windows of every width.

use anyhow::{Context, Result, ensure};
use flotilla_tests::browser::{Browser, Page, keys::Key};
use flotilla_tests::engine::{WEB, WORKER};
use flotilla_tests::eventually::{eventually, seconds};
use flotilla_tests::flotilla::{Agent, AgentSetup, Control, ControlSetup};
use flotilla_tests::lab::{Machine, with_lab};

/// The pages that have a table.
const TABLES: [&str; 10] = [
    "/devices",
    "/mesh/paths",
    "/containers",
    "/stacks",
    "/images",
    "/volumes",
    "/networks",
    "/activity",
    "/devices/nas/containers",
    "/devices/nas/paths",
];

/// Widths of a laptop's window with and without the whole sidebar, and the narrowest in which rows have one line.
const WIDTHS: [u32; 3] = [1280, 1024, 640];

/// Lists cells of the table that are cut off, outside of it, or over another cell. Texts may end in an ellipsis;
/// figures and statuses may not.
const FIT: &str = "
    const grid = document.querySelector('[role=grid]');
    if (!grid) return ['there is no table'];
    const box = grid.getBoundingClientRect();
    const wrong = grid.scrollWidth > grid.clientWidth ? ['it scrolls sideways'] : [];
    const main = document.querySelector('main');
    if (main.scrollWidth > main.clientWidth) wrong.push('the page scrolls sideways');
    if (box.height < 120) wrong.push(`there is no room for rows: ${box.height} px`);
    const whole = '.figures,.menu,[data-column=status],[data-column=state],[data-column=path]';
    for (const row of grid.querySelectorAll('[role=row]')) {
        let edge = box.left;
        for (const cell of row.children) {
            const at = cell.getBoundingClientRect();
            const what = cell.dataset.column ?? cell.innerText;
            if (at.left < edge - 1 || at.right > box.right + 1) wrong.push(`${what} is over or outside`);
            if (cell.matches(whole) && cell.scrollWidth > cell.clientWidth) wrong.push(`${what} is cut off: ${cell.innerText}`);
            edge = at.right;
        }
    }
    return wrong";

/// The name of each row from the top, and whether its status is a bad one.
const STATUSES: &str = "
    const rows = [...document.querySelectorAll('.grid .body [role=row]')];
    return rows.map(row => [row.querySelector('.name').innerText, row.querySelector('.badge').classList.contains('bad')])";

async fn start(control: &Control, machine: &Machine, name: &str) -> Result<Agent> {
    let added = control.add(name).await?;
    let agent = AgentSetup::new(machine, &added)?.start(machine)?;
    control.eventually_online(name, seconds(20.0)).await?;
    Ok(agent)
}

/// Starts a container in a stack with a volume, one that fails, one that ends without an error, and one that a person
/// stops.
fn containers(machine: &Machine) -> Result<()> {
    machine.load_images()?;
    let labels = [
        "--label=com.docker.compose.project=shop",
        "--label=com.docker.compose.service=web",
    ];
    machine.docker_run(&[&["--name", "web", "--volume", "pages:/srv"], &labels[..], &[WEB]].concat())?;
    machine.docker_run(&["--name", "import", WORKER, "sh", "-c", "exit 3"])?;
    machine.docker_run(&["--name", "backup", WORKER, "true"])?;
    machine.docker_run(&["--name", "paused-by-me", WORKER, "sleep", "600"])?;
    flotilla_tests::program::run(machine.docker().args(["kill", "paused-by-me"])).map(drop)
}

async fn shows_no_figure_before_a_report(page: &Page) -> Result<()> {
    let shown = page.shows("0 of 1 device reporting", seconds(5.0)).await?;
    ensure!(shown.contains('–'), "no dash: {shown}");
    for made_up in ["0 %", "0 B", "of 0", "0 running", "0 containers"] {
        ensure!(!shown.contains(made_up), "\"{made_up}\" in: {shown}");
    }
    page.keep_picture("first-dashes").await
}

/// The dashboard, the sidebar and the table agree on which container is in trouble.
async fn agrees_on_trouble(page: &Page, api: &str) -> Result<()> {
    let shown = page
        .shows("import on nas failed with exit code 3", seconds(5.0))
        .await?;
    ensure!(
        shown.contains("1 in trouble") && !shown.contains("All quiet"),
        "{shown}"
    );
    page.keep_picture("first-dashboard").await?;
    page.open(&format!("{api}/containers")).await?;
    page.shows("import", seconds(2.0)).await?;
    let badge = page
        .run("return document.querySelector('.sidebar .count.bad').innerText")
        .await?;
    ensure!(badge == "1", "the sidebar says {badge}");
    let rows = page.run(STATUSES).await?;
    let bad: Vec<_> = rows
        .as_array()
        .context("no rows")?
        .iter()
        .filter(|row| row[1] == true)
        .collect();
    ensure!(rows[0][0] == "import" && bad.len() == 1, "the table says {rows}");
    Ok(())
}

async fn draws_the_path(page: &Page, api: &str) -> Result<()> {
    page.open(&format!("{api}/mesh")).await?;
    let lines = "return document.querySelectorAll('.plane path.direct').length";
    eventually("the map has a line", seconds(30.0), async || {
        let count = page.run(lines).await?;
        ensure!(count == 1, "{count} lines");
        Ok(())
    })
    .await?;
    page.click("button", "nas").await?;
    eventually("the line has a name", seconds(2.0), async || {
        let name = page
            .run("return document.querySelector('.plane text')?.textContent")
            .await?;
        ensure!(name == "Direct", "it is {name}");
        Ok(())
    })
    .await?;
    page.keep_picture("first-map").await
}

async fn restarts_by_the_palette(page: &Page) -> Result<()> {
    page.click("button", "Search or run a command").await?;
    page.focus_is("combobox", "Search or run a command").await?;
    page.type_text("rest").await?;
    page.shows("Restart …", seconds(2.0)).await?;
    page.keep_picture("first-palette").await?;
    page.press(Key::Enter).await?;
    page.shows("paused-by-me", seconds(2.0)).await?;
    page.type_text("web").await?;
    page.press(Key::Enter).await?;
    page.shows("web on nas was restarted.", seconds(15.0))
        .await
        .map(drop)
}

async fn fits_every_width(page: &Page, api: &str) -> Result<()> {
    let mut wrong = Vec::new();
    for width in WIDTHS {
        page.resize(width, 800).await?;
        for route in TABLES {
            page.open(&format!("{api}{route}")).await?;
            page.wait_until_still().await?;
            let faults = page.run(FIT).await?;
            let faults = faults.as_array().context("no list")?.iter();
            wrong.extend(faults.map(|fault| format!("{route} at {width}: {fault}")));
            let name = format!("first-{width}{}", route.replace('/', "-"));
            page.keep_picture(&name).await?;
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

#[test]
fn the_first_minutes_show_what_is_known_and_one_kind_of_trouble_on_every_window() -> Result<()> {
    with_lab(2, async |lab| {
        containers(lab.machine(1))?;
        let (control, browser) = Browser::on_fleet(lab, ControlSetup::new(lab)?).await?;
        let (page, api) = (&browser.page, &control.ready()?.api);
        let added = control.add("nas").await?;
        shows_no_figure_before_a_report(page).await?;
        let _nas = AgentSetup::new(lab.machine(1), &added)?.start(lab.machine(1))?;
        control.eventually_online("nas", seconds(20.0)).await?;
        page.shows("1 of 1 device reporting", seconds(3.0)).await?;
        agrees_on_trouble(page, api).await?;
        let _desk = start(&control, lab.machine(2), "desk").await?;
        draws_the_path(page, api).await?;
        restarts_by_the_palette(page).await?;
        fits_every_width(page, api).await
    })
}
