//! Typed client of the control API, for the command line and the end-to-end tests.
//!
//! [`Client::send`] takes any [`Request`](flotilla_protocol::api::Request) and returns its response; [`Client::live`]
//! is the stream of frames that keeps a page true, and [`Client::open`] opens any
//! [`Streaming`](flotilla_protocol::stream::Streaming). Where control listens and its token come from [`Access`]: the file
//! that a running control leaves in its data directory, or the environment. The token is sent only to a program that
//! has proved that it is that control.

mod access;
mod call;
mod data_dir;
mod error;
mod live;
mod proof;
mod stream;

pub use access::Access;
pub use call::Client;
pub use data_dir::data_dir;
pub use error::Error;
pub use live::Live;
pub use stream::ApiStream;
