//! The link: one connection that an agent dials and on which control then calls the agent.
//!
//! The agent opens TLS to control's fleet port, shows its certificate, and asks for a WebSocket. Once upgraded, the
//! bytes in the WebSocket are HTTP/2 with the roles turned round: the *agent* is the HTTP server, an ordinary axum
//! `Router`, and control is the client. Streams, flow control per stream, cancellation, graceful hand-over and
//! liveness are HTTP/2's own.
//!
//! **At control**: [`listen`] and [`serve_tls`] run the fleet port, and [`serve_local`] the one for this computer.
//! Each connection is a task of its own with a limit on its handshake, its request head and its request body, and a
//! minimum rate at which it reads its answers, so that a slow client delays no other and holds no place. The number of
//! connections follows from the number of files that the process may open, see `capacity` and `places`;
//! [`raise_file_limit`] raises that to its maximum. The [`Caller`] extension tells routes which device calls. The
//! link's route calls [`upgrade`] and gets an [`AgentLink`]: short calls with a time limit, and typed streams
//! ([`stream`]) that are counted and end when their handle is dropped.
//!
//! **At the agent**: [`dial`] tries all endpoints of a [`Target`], the last good one first and the next one a quarter
//! second later, and gives a [`Dialed`] link to [`serve`]. [`Backoff`] gives the wait between links. [`call`] sends a
//! single request with the same race between endpoints and the same verification, for enrollment. A [`DialError`]
//! tells apart a network that fails, a server that is not trusted, and a control that refuses. Where the network
//! requires a proxy, [`Proxies`] says which, and for which destinations. [`open`] dials by the same rules for another
//! purpose: a [`MessageSocket`] WebSocket, the leg to a relay where UDP is blocked.
//!
//! The numbers that make one connection carry many streams are in `settings`, each with its reason.

mod agent_link;
mod backoff;
mod caller;
mod capacity;
mod connect;
mod connection;
mod dial;
mod duplex;
mod endings;
mod eviction;
mod lookup;
mod messages;
mod pace;
mod places;
mod port;
mod proxy;
mod race;
mod serve;
mod settings;
mod severable;
pub mod stream;
mod timed_body;
mod upgrade;
mod ws_io;

pub use agent_link::{AgentLink, CallError, LongStream, sanitize_device_problem};
pub use backoff::Backoff;
pub use caller::Caller;
pub use capacity::raise_file_limit;
pub use dial::{Answer, DialError, Dialed, Introduction, Target, call, dial};
pub use endings::LinkEnd;
pub use lookup::lookup;
pub use messages::{Incoming, MessageSocket, Outgoing, open};
pub use places::Admission;
pub use port::{listen, serve_local, serve_tls};
pub use proxy::{PROXY_VARIABLES, Proxies};
pub use serve::serve;
pub use settings::LONG_STREAMS;
pub use upgrade::upgrade;

#[cfg(test)]
mod tests;
