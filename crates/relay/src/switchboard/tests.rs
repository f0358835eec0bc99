//! What the switchboard promises, tested with real keys and tickets and without a socket.

mod admission;
mod allowance;
mod bounds;
mod passing;
mod rig;
mod strangers;
