//! Who is connected: what one link carries, from its admission to its end.
//!
//! Life of a link: its route let it in → [`run`] admits it, and makes it wait when its device connects too often → it
//! is attached, which ends the one before (the newest admitted link wins) → reports flow into the cache, settings and
//! maps flow out → it ends, and only the link that is still the newest marks its device as gone.

mod map_push;
mod reports;
mod round_trip;
mod run;
mod settings;
mod test_path;

pub(crate) use run::{Arrival, run};
pub(crate) use test_path::test_path;
