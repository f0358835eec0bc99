//! `flotilla open`: a fresh link that signs a browser in to the control that runs here.

use crate::{args::Open, failure::Failure, out};
use flotilla_client::Client;
use flotilla_protocol::api::CreateSignInLink;
use std::{
    env, io,
    path::{Path, PathBuf},
};

/// File name of the page that leads the browser to the link.
const PAGE: &str = "open.html";

pub(crate) async fn run(client: &Client, data_dir: &Path, arguments: Open) -> Result<(), Failure> {
    let link = client.send(&CreateSignInLink {}).await?.url;
    if arguments.print || !has_display() {
        return Ok(out::line(&link)?);
    }
    let opened = write_page(data_dir, &link).and_then(open::that_detached);
    if let Err(error) = opened {
        out::note(&format!(
            "No browser could be opened ({error}). Open this link in one, within a minute:"
        ));
        return Ok(out::line(&link)?);
    }
    out::note("Flotilla opens in your browser. If nothing opens, run `flotilla open --print`.");
    Ok(())
}

/// Writes a page that leads to the link. Every user of this computer can read a program's arguments, so the browser
/// gets the name of a file that only its owner can read. The code in it is worthless within a minute.
fn write_page(data_dir: &Path, link: &str) -> io::Result<PathBuf> {
    let path = data_dir.join(PAGE);
    let page = format!(
        "<!doctype html><meta charset=\"utf-8\"><meta http-equiv=\"refresh\" content=\"0; url={link}\">\
         <title>Flotilla</title><a href=\"{link}\">Open Flotilla</a>"
    );
    flotilla_disk::replace_for_readers(&path, page.as_bytes(), flotilla_disk::PRIVATE)?;
    Ok(path)
}

/// Whether there is a display; only on Linux and the like may there be none.
fn has_display() -> bool {
    let named = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
    cfg!(any(target_os = "macos", windows)) || named("DISPLAY") || named("WAYLAND_DISPLAY")
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::{fs, os::unix::fs::PermissionsExt};

    #[test]
    fn the_page_leads_to_the_link_and_only_its_owner_reads_it() {
        let dir = tempfile::tempdir().unwrap();
        let link = "http://127.0.0.1:7440/#code=abc";
        for _ in 0..2 {
            let page = write_page(dir.path(), link).unwrap();
            assert!(
                fs::read_to_string(&page)
                    .unwrap()
                    .contains(&format!("0; url={link}\""))
            );
            assert_eq!(fs::metadata(page).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }
}
