//! What a person may not do.

use flotilla_protocol::api::Verb;

/// "You may not do this on nas: it needs the permission operate. Ask the owner of the fleet for it."
#[must_use]
pub fn why_not(verb: Verb, device: Option<&str>) -> String {
    if verb.is_owners() {
        return "Only the owner may do this, on the controller's computer.".to_owned();
    }
    denied(
        verb,
        &device.map_or_else(|| "in the whole fleet".to_owned(), |name| format!("on {name}")),
    )
}

/// "You may not do this on any device: it needs the permission enroll. Ask the owner of the fleet for it."
#[must_use]
pub fn why_nowhere(verb: Verb) -> String {
    denied(verb, "on any device")
}

fn denied(verb: Verb, place: &str) -> String {
    format!("You may not do this {place}: it needs the permission {verb}. Ask the owner of the fleet for it.")
}
