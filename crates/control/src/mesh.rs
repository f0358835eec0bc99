//! Control's part of the mesh: the access policy, network maps and relays, and the paths that result.
//!
//! A change of a device, a relay or the policy changes network maps in the cache at once; each link carries its own
//! device's map to the agent ([`push_map()`]). Agents run on the last map they took, whether or not control is there.

mod map_push;
pub(crate) mod path_sentence;
mod policy;
mod range;
mod relays;
mod test_path;

pub(crate) use map_push::push_map;
pub(crate) use policy::{
    apply_starting_policy, explain, follow_rename, record_policy, review, save, starting_policy,
};
pub(crate) use range::move_range;
pub(crate) use relays::{promote, relay_duty, send_ended_keys};
pub(crate) use test_path::test_path;
