//! What surrounds every page.

pub const PRODUCT: &str = "Flotilla";
pub const SKIP: &str = "Skip to content";
pub const OPEN_NAVIGATION: &str = "Open navigation";
pub const CLOSE_NAVIGATION: &str = "Close navigation";
pub const MAIN: &str = "Main";
pub const SEARCH: &str = "Search or run a command";
pub const ACCOUNT: &str = "Account menu";

pub const DASHBOARD: &str = "Dashboard";
pub const DEVICES: &str = "Devices";
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
