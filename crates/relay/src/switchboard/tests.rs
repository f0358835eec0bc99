//! What the switchboard promises, said with real keys and tickets and without a socket.

mod admission;
mod bounds;
mod pace;
mod passing;
mod rig;
mod strangers;
