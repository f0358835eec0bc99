//! The desktop app in its real window: it starts control and this computer's agent, and shows both.

use anyhow::{Result, ensure};
use flotilla_tests::browser::keep_picture;
use flotilla_tests::desktop::Desktop;
use flotilla_tests::engine::WEB;
use flotilla_tests::eventually::seconds;
use flotilla_tests::lab::with_lab;

/// A window in one color is about a kilobyte.
const PAINTED: usize = 8 * 1024;

#[test]
fn the_window_shows_this_computer_online_with_its_containers() -> Result<()> {
    with_lab(1, async |lab| {
        lab.machine(1).load_images()?;
        lab.machine(1).docker_run(&["--name", "web", WEB])?;
        let desktop = Desktop::start(lab).await?;
        let page = &desktop.page;
        page.ready().await?;
        if page.text().await?.contains("Fleet name") {
            keep_picture("desktop-welcome", &page.picture().await?)?;
            page.find("textbox", "Fleet name")
                .await?
                .send_keys("home-lab")
                .await?;
            page.click("radio", "Locked").await?;
            page.click("button", "Start").await?;
        }
        page.click("link", "Devices").await?;
        page.shows("Online", seconds(10.0)).await?;
        page.click("link", "Containers").await?;
        page.shows("web", seconds(5.0)).await?;
        let picture = page.picture().await?;
        keep_picture("desktop", &picture)?;
        ensure!(
            picture.len() > PAINTED,
            "the picture has {} bytes: nothing is painted",
            picture.len()
        );
        desktop.close().await
    })
}
