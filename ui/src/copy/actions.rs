//! What is said about actions, whatever they are done to.

use super::pods::and;
use crate::{
    actions::{Asked, Object},
    components::confirm::Stakes,
    format::{count, counted},
};

pub const CANCEL: &str = "Cancel";
/// What a busy button says that has no words of its own.
pub const DOING: &str = "Working…";
pub const MORE: &str = "More actions";
pub const LOST: &str = "What is lost";
pub const KEPT: &str = "What stays";
pub const NOTHING_TO_DO: &str = "There is nothing here now that this can be done to.";
pub const CANCELED: &str = "It was canceled and is as it was before.";
pub const NOT_DONE: &str = "It was not done.";

/// At most this many names are listed.
pub const LISTED: usize = 12;

/// The object of an action: one by its name, several by their number: "3 containers".
#[must_use]
pub fn object<O: Object>(objects: &[O]) -> String {
    let (one, many) = O::KIND.words();
    match objects {
        [only] => only.name(),
        _ => counted(objects.len(), one, many),
    }
}

/// As [`object`], one with what tells it from others: "jellyfin on nas".
#[must_use]
pub fn object_in_full<O: Object>(objects: &[O]) -> String {
    match objects {
        [only] => format!("{} {}", only.name(), only.detail()).trim_end().to_owned(),
        _ => object(objects),
    }
}

/// "jellyfin on nas was restarted.", "3 containers were restarted."
#[must_use]
pub fn done<O: Object>(past: &str, objects: &[O]) -> String {
    let was = if objects.len() == 1 { "was" } else { "were" };
    format!("{} {was} {past}.", object_in_full(objects))
}

/// A question before something that loses nothing.
#[must_use]
pub fn plainly<O: Object>(verb: &str, text: &str, objects: &[O]) -> Asked {
    let confirm = format!("{verb} {}", object(objects));
    Asked {
        title: format!("{confirm}?"),
        stakes: Stakes::of(text),
        confirm,
        keep: CANCEL.to_owned(),
        typed: String::new(),
    }
}

#[must_use]
pub fn copied(text: &str) -> String {
    format!("{text} is copied.")
}

#[must_use]
pub fn not_copied(text: &str) -> String {
    format!("This browser did not let the page copy. The text is: {text}")
}

/// The label of the field in which a name is typed.
#[must_use]
pub fn type_to_confirm(name: &str) -> String {
    format!("Type {name} to confirm")
}

#[must_use]
pub fn type_first(name: &str) -> String {
    format!("Type {name} first.")
}

#[must_use]
pub fn device_offline(device: &str) -> String {
    format!("{device} is offline.")
}

/// "Start jellyfin: nas is offline."
#[must_use]
pub fn refused(verb: &str, object: &str, reason: &str) -> String {
    format!("{verb} {object}: {reason}")
}

/// "3 of 12 are on offline devices and will be skipped."
#[must_use]
pub fn skipped(skipped: usize, chosen: usize) -> String {
    let are = if skipped == 1 {
        "is on an offline device"
    } else {
        "are on offline devices"
    };
    format!(
        "{} of {} {are} and will be skipped.",
        count(skipped),
        count(chosen)
    )
}

/// "web and db are left out: It is running."
#[must_use]
pub fn left_out(names: &[String], reason: &str) -> String {
    let are = if names.len() == 1 { "is" } else { "are" };
    format!("{} {are} left out: {reason}", first_names(names))
}

/// The first names, and how many there are more.
fn first_names(names: &[String]) -> String {
    if names.len() <= LISTED {
        return and(names);
    }
    format!(
        "{} and {} more",
        names[..LISTED].join(", "),
        count(names.len() - LISTED)
    )
}

#[must_use]
pub fn and_more(number: usize) -> String {
    format!("and {} more", count(number))
}

/// "nas is offline, so jellyfin can't be restarted. It was last seen 4 h ago."
#[must_use]
pub fn offline(device: &str, object: &str, past: &str, seen: Option<&str>) -> String {
    let seen = seen.map_or_else(String::new, |seen| format!(" It was last seen {seen}."));
    format!("{device} is offline, so {object} can't be {past}.{seen}")
}

#[must_use]
pub fn no_answer(device: &str) -> String {
    format!("{device} didn't answer in time. What became of it shows here as soon as the device answers.")
}

/// "jellyfin: The port is taken."
#[must_use]
pub fn failed_for(object: &str, why: &str) -> String {
    format!("{object}: {why}")
}

/// "12 of them could not be restarted. The first: jellyfin: The port is taken."
#[must_use]
pub fn failed_many(number: usize, past: &str, first: &str) -> String {
    format!(
        "{} of them could not be {past}. The first: {first}",
        count(number)
    )
}

/// "Restarting jellyfin on nas…" from "Restarting…".
#[must_use]
pub fn doing(doing: &str, object: &str) -> String {
    format!("{} {object}…", doing.trim_end_matches('…'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_agree_in_number() {
        assert_eq!(
            skipped(3, 12),
            "3 of 12 are on offline devices and will be skipped."
        );
        assert_eq!(
            offline("nas", "jellyfin", "restarted", Some("4 h ago")),
            "nas is offline, so jellyfin can't be restarted. It was last seen 4 h ago."
        );
        let names = ["web".to_owned(), "db".to_owned()];
        assert_eq!(
            left_out(&names, "It is running."),
            "web and db are left out: It is running."
        );
        assert_eq!(
            left_out(&names[..1], "It is running."),
            "web is left out: It is running."
        );
        assert_eq!(doing("Restarting…", "web on nas"), "Restarting web on nas…");
    }
}
