//! Texts of the frame around every page.

pub const PRODUCT: &str = "Flotilla";
pub const SKIP: &str = "Skip to content";
pub const OPEN_NAVIGATION: &str = "Open navigation";
pub const CLOSE_NAVIGATION: &str = "Close navigation";
pub const MAIN: &str = "Main";
pub const SEARCH: &str = "Search or run a command";
pub const ACCOUNT: &str = "Account menu";

pub const DASHBOARD: &str = "Dashboard";
pub const DEVICES: &str = "Devices";
pub const MESH: &str = "Mesh";
pub const CONTAINERS: &str = "Containers";
pub const STACKS: &str = "Stacks";
pub const IMAGES: &str = "Images";
pub const VOLUMES: &str = "Volumes";
pub const NETWORKS: &str = "Networks";
pub const ACTIVITY: &str = "Activity";
pub const SETTINGS: &str = "Settings";
pub const WELCOME: &str = "Welcome";
pub const NOT_FOUND: &str = "Nothing here";

pub const GROUP_DOCKER: &str = "Docker";
pub const GROUP_SYSTEM: &str = "System";
pub const NOT_FOUND_TITLE: &str = "No page has this address";
pub const NOT_FOUND_TEXT: &str = "The address may be mistyped, or what it led to is gone.";
pub const TO_DASHBOARD: &str = "Open the dashboard";

pub const KEYS_SEARCH: &str = "Ctrl K";
pub const THIS_COMPUTER: &str = "Owner, on this computer";
pub const THEME: &str = "Theme";
pub const SHORTCUTS: &str = "Keyboard shortcuts";
pub const CLOSE: &str = "Close";
pub const NOTIFICATIONS: &str = "Notifications";

pub const RECONNECT: &str = "Reconnect now";

/// "Lost contact with the controller. Showing what was known at 14:02. Trying again in 3 s."
#[must_use]
pub fn lost(at: &str, seconds: i64) -> String {
    let again = if seconds > 0 {
        format!("Trying again in {seconds} s.")
    } else {
        "Trying again now.".to_owned()
    };
    format!("Lost contact with the controller. Showing what was known at {at}. {again}")
}

/// "Opening Containers…", while the code of the page is fetched.
#[must_use]
pub fn opening(page: &str) -> String {
    format!("Opening {page}…")
}

/// The two keys that open a page, one after the other.
#[must_use]
pub fn go_key(key: &str) -> String {
    format!("g {key}")
}

/// Shortcuts on every page, before those that open pages: keys and their action.
pub const KEYS_TO_SEARCH: &[(&str, &str)] =
    &[("Ctrl K", "Search or run a command"), ("/", "Go to the filter")];

/// Shortcuts on every page, after those of pages and of the fleet: keys and their action.
pub const KEYS: &[(&str, &str)] = &[
    ("?", "Keyboard shortcuts"),
    ("F6", "Next part of the page"),
    ("F8", "Notifications"),
];

/// Shortcuts in a table: keys and their action.
pub const KEYS_IN_LOGS: &str = "In logs";
pub const LOG_KEYS: &[(&str, &str)] = &[
    ("f", "Follow"),
    ("End", "Jump to latest"),
    ("w", "Wrap lines"),
    ("t", "Timestamps"),
    ("Ctrl F", "Search"),
    ("n  N", "Next, previous match"),
];
pub const TABLE_KEYS: &[(&str, &str)] = &[
    ("↑ ↓ PgUp PgDn Home End", "Move between rows"),
    ("→ ←", "Into a row's controls and back"),
    ("Enter", "Open"),
    (".", "Actions of the row"),
    ("Space", "Select"),
    ("Shift ↑ ↓", "Extend the selection"),
    ("Ctrl A", "Select all that is shown"),
    ("Ctrl ← →", "On a column's header: make it narrower or wider"),
    ("Esc", "Clear the selection"),
];
pub const KEYS_EVERYWHERE: &str = "Everywhere";
pub const KEYS_IN_TABLES: &str = "In tables";
