//! Whole agents against a control that is played here, over real TLS.

mod control;
mod following;
mod joining;
mod leaving;
mod reaching;
mod renewing;
