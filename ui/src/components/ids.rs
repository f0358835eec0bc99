//! Element ids, by which labels, hints and reasons refer to their controls.

use leptos::prelude::*;

/// How many ids were made.
#[derive(Debug, Clone, Copy)]
pub struct Ids(StoredValue<u32>);

impl Ids {
    /// Provides a count of 0 to the components below.
    pub fn provide() {
        provide_context(Self(StoredValue::new(0)));
    }
}

/// An id that no other element of the page has, beginning with `stem`.
#[must_use]
pub fn fresh_id(stem: &str) -> String {
    let Ids(count) = expect_context();
    count.update_value(|count| *count += 1);
    format!("{stem}-{}", count.get_value())
}
