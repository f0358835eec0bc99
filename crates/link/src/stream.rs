//! Streams of a link ([`flotilla_protocol::stream`]): control opens them, agents answer them.
//!
//! **At the agent**, a route takes an [`Opened`] stream and gives [`answer`] a future that sends items into an
//! [`Outflow`]. The future is run by the answer's own body, so it stands still while control takes nothing, and is
//! dropped the moment control drops the stream.
//!
//! **At control**, [`crate::AgentLink::open`] gives an [`AgentStream`]: events as they come, or all of them passed on to a
//! reader of control ([`AgentStream::pass_on`]). Each stream takes one of the device's, of which its [`Opener`] has a
//! share ([`Budget`]).
//!
//! Nothing on the way keeps more than it was asked for: at the agent a chunk of a few KiB, then what HTTP/2 lets one
//! stream have under way, then one frame.

mod agent_stream;
mod answer;
mod budget;
mod outflow;
mod upward;

pub use agent_stream::AgentStream;
pub use answer::{Opened, answer};
pub use budget::{Budget, NoRoom, Opener, Slot};
pub use outflow::{Outflow, Production};
pub use upward::{NotOpened, Upward};
