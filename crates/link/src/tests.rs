//! Both ends of a link, with real TLS on loopback.

mod calls;
mod cancel;
mod dialing;
mod liveness;
mod rig;
mod stalled;
mod strangers;
