//! Texts of the page of a container.

pub const INSPECT: &str = "Inspect";
pub const SECTIONS: &str = "Sections of this container";
pub const LOADING: &str = "Loading this container…";
pub const NOT_FOUND: &str = "No container with this address.";
pub const NOT_FOUND_TEXT: &str = "It may have been removed, or its device was, or the address is misspelled.";
pub const SEE_ALL: &str = "See all containers";
pub const IMAGE_ID: &str = "Image ID";
pub const EXIT_CODE: &str = "Exit code";
pub const NETWORK_MODE: &str = "Network mode";
pub const OUT_OF_MEMORY: &str = "Out of memory";
pub const KILLED: &str = "The kernel ended it: there was no memory left for it.";
