//! Every page in windows from the narrowest phone to 4K: nothing is wider than the window, and no title and no control is
//! cut off.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use flotilla_tests::browser::{Browser, Page};
use flotilla_tests::engine::WEB;
use flotilla_tests::eventually::seconds;
use flotilla_tests::fleet::Fleet;
use flotilla_tests::lab::{Lab, with_lab};

/// The addresses of all pages, of their tabs, and of what opens over or beside their lists.
pub(crate) const ROUTES: [&str; 25] = [
    "/",
    "/devices",
    "/devices/add",
    "/devices/nas",
    "/devices/nas/containers",
    "/devices/nas/paths",
    "/devices/nas/tags",
    "/devices/nas/trust",
    "/mesh",
    "/mesh/paths",
    "/mesh/policy",
    "/mesh/policy/explain",
    "/containers",
    "/containers/nas/web",
    "/containers/nas/web/logs",
    "/containers/nas/web/inspect",
    "/stacks",
    "/stacks/nas/media",
    "/images",
    "/volumes",
    "/volumes/nas/library",
    "/networks",
    "/networks/nas/bridge",
    "/activity",
    "/settings",
];

/// Widths and heights of windows.
const WINDOWS: [(u32, u32); 5] = [(320, 640), (640, 800), (1024, 640), (1280, 800), (3840, 2160)];

/// What is wrong with the page as it is shown: the title is cut off, or something that can be operated lies outside of
/// the window and nothing around it scrolls there.
const CUT_OFF: &str = "
    const found = [];
    const title = document.querySelector('h1');
    if (title.checkVisibility() && title.scrollWidth > title.clientWidth) found.push(`the title ${title.innerText}`);
    const scrolls = element => {
        for (let around = element.parentElement; around && around !== document.body; around = around.parentElement) {
            if (['auto', 'scroll'].includes(getComputedStyle(around).overflowX) && around.scrollWidth > around.clientWidth) return true;
        }
        return false;
    };
    for (const control of document.querySelectorAll('a[href], button, input, select, textarea, summary, [role=tab]')) {
        if (!control.checkVisibility({ visibilityProperty: true, opacityProperty: true }) || control.closest('.visually-hidden, .skip, [inert]')) continue;
        const { left, right, width } = control.getBoundingClientRect();
        if (width > 1 && (left < -1 || right > innerWidth + 1) && !scrolls(control)) found.push(control.outerHTML.slice(0, 120));
    }
    return found";

/// Starts a fleet of one device with a running container, a stack of one that has ended, and a volume.
pub(crate) async fn varied_fleet(lab: &Lab) -> Result<(Fleet, Browser)> {
    let machine = lab.machine(1);
    machine.load_images()?;
    let label = |name: &str, value: &str| format!("com.docker.compose.{name}={value}");
    let (stack, service) = (label("project", "media"), label("service", "ended"));
    let labels = ["--label", &stack, "--label", &service];
    let ended = ["--name", "ended", "--volume", "library:/srv", WEB, "true"];
    machine.docker_run(&[&labels[..], &ended[..]].concat())?;
    Browser::on_device(lab).await
}

async fn faults(page: &Page, name: &str) -> Result<Vec<String>> {
    page.wait_until_still().await?;
    page.keep_picture(name).await?;
    let mut wrong = Vec::new();
    let overflow = page.overflow().await?;
    if overflow > 0 {
        wrong.push(format!("{name}: {overflow} px wider than the window"));
    }
    let cut_off: Vec<String> = serde_json::from_value(page.run(CUT_OFF).await?)?;
    wrong.extend(cut_off.into_iter().map(|what| format!("{name}: cut off: {what}")));
    Ok(wrong)
}

#[test]
fn every_page_fits_from_320_pixels_to_4k_and_no_title_or_control_is_cut_off() -> Result<()> {
    with_lab(1, async |lab| {
        let (fleet, browser) = varied_fleet(lab).await?;
        let (page, api) = (&browser.page, &fleet.control.ready()?.api);
        page.shows("nas", seconds(5.0)).await?;
        let mut wrong = Vec::new();
        for route in ROUTES {
            page.open(&format!("{api}{route}")).await?;
            for (width, height) in WINDOWS {
                page.resize(width, height).await?;
                let name = format!("width{}-{width}", route.replace('/', "-"));
                wrong.extend(faults(page, &name).await?);
            }
        }
        ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
        Ok(())
    })
}

/// The page of a first visit, which tests of a fleet with devices do not show.
const FIRST: &str = "/welcome";

#[test]
fn the_addresses_in_this_file_are_those_of_all_pages() {
    let registry = include_str!("../../../ui/src/registry.rs");
    let pages = registry
        .split("Page::new(\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next());
    let pages: BTreeSet<String> = pages
        .map(|page| page.replace(":device", "nas").replace(":container", "web"))
        .collect();
    assert!(pages.contains("/devices/nas"), "{pages:?}");
    let visited: BTreeSet<String> = ROUTES.map(str::to_owned).into();
    let missing: Vec<_> = pages.difference(&visited).filter(|page| *page != FIRST).collect();
    assert!(missing.is_empty(), "no window is tried with {missing:?}");
}
