//! Ids that tie a label, a hint or a reason to its control.

use leptos::prelude::*;

/// The application's count of ids handed out.
#[derive(Debug, Clone, Copy)]
pub struct Ids(StoredValue<u32>);

impl Ids {
    /// Starts the count for the components below.
    pub fn provide() {
        provide_context(Self(StoredValue::new(0)));
    }
}

/// An id that no other element of the page has.
#[must_use]
pub fn fresh_id(stem: &str) -> String {
    let Ids(count) = expect_context();
    count.update_value(|count| *count += 1);
    format!("{stem}-{}", count.get_value())
}
