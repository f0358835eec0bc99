//! Typed client of the control API: what the command line and the end-to-end tests speak with.
//!
//! [`Client::send`] takes any [`Request`](flotilla_protocol::api::Request) and answers its response;
//! [`Client::live`] is the stream of frames that keeps a page true. Where control listens and the token it
//! wants come from [`Access`]: the file that a running control leaves in its data directory, or the environment. The
//! token is shown to nobody who has not proved that it is that control.

mod access;
mod call;
mod data_dir;
mod error;
mod live;
mod proof;

pub use access::Access;
pub use call::Client;
pub use data_dir::data_dir;
pub use error::Error;
pub use live::Live;
