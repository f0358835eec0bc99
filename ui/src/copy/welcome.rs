//! Texts of the welcome page.

pub const INTRO: &str = "This computer is now a controller: the place from which you look after your devices. Two answers, and you can add the first one.";
pub const FLEET_NAME: &str = "Fleet name";
pub const FLEET_NAME_HINT: &str = "Shown in the sidebar, for example home-lab.";
pub const FLEET_NAME_MISSING: &str = "Enter a name for your fleet.";
pub const POLICY: &str = "Starting policy";
pub const LOCKED: &str = "Locked";
pub const LOCKED_TEXT: &str = "Only this computer can reach devices. You open what you need, rule by rule.";
pub const OPEN_LAB: &str = "Open lab";
pub const OPEN_LAB_TEXT: &str =
    "Every device can reach every other. Good for a home where you trust all devices.";
pub const START: &str = "Start";
