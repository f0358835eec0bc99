//! Rules for every page: Tab reaches every control and the focus is visible, and nothing that is shown moves.

use anyhow::{Context, Result, ensure};
use flotilla_protocol::API_PORT;
use flotilla_tests::browser::{Browser, Page, keys::Key};
use flotilla_tests::eventually::seconds;
use flotilla_tests::lab::with_lab;

const ROUTES: [&str; 12] = [
    "/",
    "/devices",
    "/devices/nas",
    "/devices/nas/tags",
    "/containers",
    "/stacks",
    "/images",
    "/volumes",
    "/networks",
    "/activity",
    "/settings",
    "/devices/add",
];

/// Stores in the page all elements that Tab has to reach (of a group of radio buttons the chosen one); returns how
/// many.
const STOPS: &str = "
    const over = document.querySelector('dialog[open]') ?? document;
    const all = [...over.querySelectorAll('a[href],button,input,select,textarea,summary,[tabindex]')];
    window.stops = all.filter(e => e.tabIndex >= 0 && !e.disabled && !e.closest('[inert]')
        && e.checkVisibility({ visibilityProperty: true }) && (e.type !== 'radio' || e.checked));
    document.activeElement.blur();
    return window.stops.length";

/// The index of the element that has the focus, whether it has a visible outline, and its HTML.
const STOP: &str = "
    const e = document.activeElement;
    const rings = (e, part) => {
        const s = getComputedStyle(e, part);
        return s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) > 0;
    };
    const seen = rings(e) || rings(e, '::after') || rings(e.parentElement ?? e);
    return [window.stops.indexOf(e), seen, e.outerHTML.slice(0, 120)]";

/// The sum of the page's layout shifts since it was opened.
const MOVED: &str = "
    const done = arguments[arguments.length - 1];
    let sum = 0;
    const add = list => list.getEntries().forEach(e => sum += e.value);
    new PerformanceObserver(add).observe({ type: 'layout-shift', buffered: true });
    requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => done(sum))))";

/// Elements that Tab does not reach on this page, and those without a visible outline while they have the focus.
async fn walk(page: &Page) -> Result<Vec<String>> {
    let count = page.run(STOPS).await?.as_u64().context("no number")?;
    let mut missing: Vec<_> = (0..count).map(Some).collect();
    let mut wrong = Vec::new();
    for _ in 0..count + 3 {
        page.press(Key::Tab).await?;
        let stop = page.run(STOP).await?;
        let Some(index) = stop[0].as_u64() else { continue };
        if missing[usize::try_from(index)?].take().is_some() && stop[1] != true {
            wrong.push(format!("no ring around {}", stop[2]));
        }
    }
    for index in missing.into_iter().flatten() {
        let html = page
            .run(&format!("return window.stops[{index}].outerHTML.slice(0, 120)"))
            .await?;
        wrong.push(format!("Tab never reaches {html}"));
    }
    Ok(wrong)
}

/// The faults of the first of three walks without any, else those of the third: an element that appears or disappears
/// during a walk may be missed.
async fn walk_up_to_three_times(page: &Page) -> Result<Vec<String>> {
    let mut wrong = walk(page).await?;
    for _ in 0..2 {
        if !wrong.is_empty() {
            wrong = walk(page).await?;
        }
    }
    Ok(wrong)
}

async fn moved(page: &Page) -> Result<f64> {
    page.run_async(MOVED, Vec::new())
        .await?
        .as_f64()
        .context("no number")
}

#[test]
fn tab_reaches_everything_on_every_page_and_shows_where_it_is() -> Result<()> {
    with_lab(1, async |lab| {
        let (fleet, browser) = Browser::on_device(lab).await?;
        let api = &fleet.control.ready()?.api;
        let page = &browser.page;
        let mut wrong = Vec::new();
        for route in ROUTES {
            page.open(&format!("{api}{route}")).await?;
            let found = walk_up_to_three_times(page).await?;
            wrong.extend(found.into_iter().map(|found| format!("{route}: {found}")));
        }
        ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
        Ok(())
    })
}

#[test]
fn nothing_moves_while_a_page_loads_nor_when_contact_is_lost() -> Result<()> {
    with_lab(1, async |lab| {
        let (fleet, browser) = Browser::on_device(lab).await?;
        let api = &fleet.control.ready()?.api;
        let page = &browser.page;
        let mut wrong = Vec::new();
        for route in ROUTES {
            page.open(&format!("{api}{route}")).await?;
            let moved = moved(page).await?;
            if moved > 0.01 {
                wrong.push(format!("{route}: {moved:.4} while it loads"));
            }
        }
        page.open(&format!("{api}/containers")).await?;
        let before = moved(page).await?;
        lab.refuse_on_control(API_PORT)?;
        // The page notices at its next ping, which is answered with a reset.
        page.shows("Lost contact with the controller", seconds(5.0))
            .await?;
        let after = moved(page).await?;
        if after - before > 0.001 {
            wrong.push(format!("{:.4} when contact is lost", after - before));
        }
        lab.accept_on_control()?;
        ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
        Ok(())
    })
}
