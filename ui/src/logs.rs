//! Logs of containers as the page holds them.
//!
//! - [`lines`]: pieces of a log put together to lines, of which the newest are kept. [`ansi`]: the colors that a line asks
//!   for, apart from its text. [`search`]: the lines and the parts of them in which a text is found. [`heights`]: how high
//!   lines are. [`sheet`]: all of that for a view of some width. [`parts`]: a line as the pieces that look alike. These are
//!   pure, and tested natively.
//! - [`choice`]: what of a log is asked for. [`feed`]: asks for it, and again when a connection was lost.

pub mod ansi;
pub mod choice;
pub mod feed;
pub mod heights;
pub mod lines;
pub mod parts;
pub mod search;
pub mod sheet;
