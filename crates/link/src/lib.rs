//! The link: one connection that an agent dials and on which control then calls the agent.
//!
//! The agent opens TLS to control's fleet port, shows its certificate, and asks for a WebSocket. Once upgraded,
//! the bytes in the WebSocket are HTTP/2 with the roles turned round: the *agent* is the HTTP server, an ordinary
//! axum `Router`, and control is the client. Streams, flow control per stream, cancellation, graceful hand-over
//! and liveness are HTTP/2's own; nothing of that is invented here.
//!
//! **At control**: [`listen`] and [`serve_tls`] run the fleet port, and [`serve_local`] the one for this computer. Each
//! connection is a task of its own with a limit on its handshake, its request head and its request body, and a least
//! pace at which it takes its answers, so that a slow stranger delays nobody and holds nothing. How many there may be
//! follows from the files that the process may have, see `room` and `places`; [`raise_file_limit`] makes them many. Routes
//! find out who calls from the [`Caller`] extension. The link's route calls [`upgrade`] and is handed an
//! [`AgentLink`]: short calls with a time limit, long streams that are counted, and [`Duplex`] calls that end when
//! their handle is dropped.
//!
//! **At the agent**: [`dial`] tries all endpoints of a [`Target`], the last good one first and the next one a
//! quarter second later, and gives a [`Dialed`] link to [`serve`]. [`Backoff`] says how long to wait between
//! links. [`call`] sends a single request over the same race and the same trust, for enrollment. A [`DialError`]
//! tells apart a network that fails, a server that is not trusted, and a control that answers no.
//! Where the network wants a proxy to be asked, [`Proxies`] says which, for what. [`open`] dials by the same rules for
//! something that is no link: [`Messages`], the way to a relay where UDP is blocked.
//!
//! The numbers that make one connection carry many streams are in `settings`, each with its reason.

mod agent_link;
mod backoff;
mod caller;
mod crowd;
mod dial;
mod duplex;
mod endings;
mod lookup;
mod messages;
mod pace;
mod places;
mod port;
mod proxy;
mod race;
mod room;
mod serve;
mod settings;
mod severable;
mod timed_body;
mod upgrade;
mod visit;
mod ways;
mod ws_io;

pub use agent_link::{AgentLink, CallError, LongStream, as_a_devices};
pub use backoff::Backoff;
pub use caller::Caller;
pub use dial::{Answer, DialError, Dialed, Introduction, Target, call, dial};
pub use duplex::{Duplex, DuplexInput, DuplexOutput};
pub use endings::LinkEnd;
pub use lookup::lookup;
pub use messages::{Incoming, Messages, Outgoing, open};
pub use places::Standing;
pub use port::{listen, serve_local, serve_tls};
pub use proxy::{PROXY_VARIABLES, Proxies};
pub use room::raise_file_limit;
pub use serve::serve;
pub use settings::LONG_STREAMS;
pub use upgrade::upgrade;

#[cfg(test)]
mod tests;
