//! Texts of the settings.

pub const APPEARANCE: &str = "Appearance";
pub const THEME: &str = "Theme";
pub const THEMES: &[(&str, &str, &str)] = &[
    ("system", "System", "Follows this computer."),
    ("light", "Light", "Always light."),
    ("dark", "Dark", "Always dark."),
];
pub const DENSITY: &str = "Density";
pub const DENSITIES: &[(&str, &str, &str)] = &[
    ("compact", "Compact", "More rows on the screen."),
    ("comfortable", "Comfortable", "More room between rows."),
];
pub const TIME_ZONE: &str = "Time zone";
pub const TIME_ZONES: &[(&str, &str, &str)] = &[
    (
        "local",
        "This computer's",
        "Dates and times as the clock of this computer shows them.",
    ),
    ("utc", "UTC", "As logs and other people far away have them."),
];
pub const REDUCE_MOTION: &str = "Reduce motion";
pub const REDUCE_MOTION_HINT: &str = "Nothing slides or fades, even where this computer does not ask for it.";

pub const ADDRESSES: &str = "Addresses";
pub const ADDRESSES_TEXT: &str = "Devices reach the controller at these addresses, tried in this order.";
pub const OUTSIDE: &str = "Devices outside your local network can reach one of them.";
pub const NOT_OUTSIDE: &str = "None of them can be reached from outside your local network. Forward TCP and UDP port 7443 of your router to this computer, or join it to a VPN, and add that address.";
pub const TEST: &str = "Test addresses";

pub const SESSIONS: &str = "Sessions";
pub const SESSIONS_TEXT: &str = "Browsers that are signed in. A session ends when Flotilla stops, when it is not used for 12 hours, and after 30 days.";
pub const THIS_SESSION: &str = "This session";
pub const END_SESSION: &str = "End session";
pub const SINCE: &str = "signed in";
pub const LAST_USED: &str = "last used";
pub const SESSIONS_LOADING: &str = "Asking the controller who is signed in.";
pub const NO_OTHER_SESSION: &str = "Nobody is signed in with a browser.";

#[must_use]
pub fn session_ended(place: &str) -> String {
    format!("{place} is signed out.")
}

pub const KEYBOARD: &str = "Keyboard";
pub const SINGLE_KEYS: &str = "Single-key shortcuts";
pub const SINGLE_KEYS_HINT: &str = "Keys such as / and g act outside of fields. Press ? to see all of them.";

pub const ABOUT: &str = "About";
pub const FLEET: &str = "Fleet";
pub const VERSION: &str = "Version";
pub const CA_PIN: &str = "CA pin";
pub const TLS_PIN: &str = "TLS pin";
