//! Both ends of a link, with real TLS on loopback.

mod calls;
mod cancel;
mod crowded;
mod dialing;
mod liveness;
mod messages;
mod numbers;
mod proxied;
mod readers;
mod rig;
mod room;
mod stalled;
mod strangers;
mod streams;
mod wire;
