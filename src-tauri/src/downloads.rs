//! Files that a page of control lets a person download. A device's config file holds its token, so only its owner may
//! read it.

use crate::shell::notify;
use std::path::Path;
use tauri::{AppHandle, webview::DownloadEvent};

/// Allows every download, and notifies the person where the file is.
pub(crate) fn handle(app: &AppHandle, event: DownloadEvent<'_>) -> bool {
    if let DownloadEvent::Finished {
        path: Some(path),
        success: true,
        ..
    } = event
    {
        if let Err(error) = keep_private(&path) {
            tracing::warn!(%error, "a downloaded file can't be made private");
        }
        notify(app, &format!("Saved as {}", path.display()));
    }
    true
}

#[cfg(unix)]
fn keep_private(path: &Path) -> std::io::Result<()> {
    use std::{fs, os::unix::fs::PermissionsExt};
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))
}

#[cfg(not(unix))]
fn keep_private(_: &Path) -> std::io::Result<()> {
    Ok(())
}
