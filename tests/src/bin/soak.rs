//! `cargo xtask soak [link|rekey|strangers]`: long forms of tests. `cargo xtask` runs the other soaks itself.

use anyhow::{Result, bail};
use flotilla_tests::lab::{Lab, on, with_lab};
use flotilla_tests::soak;

fn main() -> Result<()> {
    match std::env::args().nth(1).as_deref() {
        None | Some("link") => with_lab(1, async |lab| soak::link(lab, &mut say).await),
        Some("strangers") => on(Lab::without_engines(0)?, async |lab| {
            soak::strangers(lab, &mut say).await
        }),
        Some("rekey") => soak::rekey(&Lab::without_engines(2)?, &say),
        Some(other) => {
            bail!(
                "there is no soak {other}; there are away, jobs, link, logs, mesh, page, recreate, rekey, rogue and strangers"
            )
        }
    }
}

#[expect(clippy::print_stdout, reason = "what happened is this program's output")]
fn say(text: String) {
    println!("{text}");
}
