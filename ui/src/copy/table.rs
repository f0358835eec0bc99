//! Texts that all tables share.

use crate::format::count;

pub const AS_OF: &str = "as of";
pub const COLUMNS: &str = "Columns";
pub const COLUMNS_HINT: &str = "Shown columns, in their order.";
pub const TOO_NARROW: &str = "hidden: too narrow";
pub const RESET_COLUMNS: &str = "Reset columns";
pub const DONE: &str = "Done";
pub const CLEAR_FILTERS: &str = "Clear filters";
pub const NO_MATCHES: &str = "No matches";
pub const CLEAR: &str = "Clear";
pub const ORDER_PAUSED: &str = "Order paused while you are here";
pub const SELECT_ALL: &str = "Select all";
pub const DEVICE: &str = "Device";
pub const ALL_DEVICES: &str = "All devices";
pub const ALL: &str = "All";
pub const UNKNOWN: &str = "Unknown";
pub const SUGGESTIONS: &str = "Suggestions";

#[must_use]
pub fn select(name: &str) -> String {
    format!("Select {name}")
}

#[must_use]
pub fn actions_for(name: &str) -> String {
    format!("Actions for {name}")
}

#[must_use]
pub fn selected(number: usize) -> String {
    format!("{} selected", count(number))
}

/// "61 of 2,340", or "61" when nothing is filtered.
#[must_use]
pub fn result(shown: usize, total: usize) -> String {
    if shown == total {
        count(total)
    } else {
        format!("{} of {}", count(shown), count(total))
    }
}

/// "61 of 2,340 containers".
#[must_use]
pub fn result_of(shown: usize, total: usize, one: &str, many: &str) -> String {
    format!(
        "{} of {} {}",
        count(shown),
        count(total),
        if total == 1 { one } else { many }
    )
}

/// "No container matches "redis -tag:test". 61 are hidden by filters."
#[must_use]
pub fn no_match(one: &str, filter: &str, hidden: usize) -> String {
    let are = if hidden == 1 {
        "1 is hidden by filters.".to_owned()
    } else {
        format!("{} are hidden by filters.", count(hidden))
    };
    format!("No {one} matches \"{filter}\". {are}")
}

#[must_use]
pub fn sorted_by(titles: &[&str]) -> String {
    match titles {
        [] => String::new(),
        [first, rest @ ..] => {
            let rest = rest
                .iter()
                .map(|title| format!(", then {}", title.to_lowercase()));
            format!("By {}{}", first.to_lowercase(), rest.collect::<String>())
        }
    }
}

#[must_use]
pub fn move_up(column: &str) -> String {
    format!("Move up {column}")
}

#[must_use]
pub fn move_down(column: &str) -> String {
    format!("Move down {column}")
}

/// The label of a facet: "State: Running, not Exited".
#[must_use]
pub fn facet(title: &str, words: &[(String, bool)]) -> String {
    match words {
        [] => format!("{title}: {ALL}"),
        [(word, true)] => format!("{title}: {word}"),
        [(word, false)] => format!("{title}: not {word}"),
        more => format!("{title}: {} chosen", more.len()),
    }
}

#[must_use]
pub fn exclude(word: &str) -> String {
    format!("not {word}")
}

#[must_use]
pub fn details_of(name: &str) -> String {
    format!("Details of {name}")
}
