//! Rows are sorted by what a person sees, and stand still while somebody is among them.

use super::*;
use crate::{components::table::Column, query::Subject};
use leptos::prelude::*;
use proptest::prelude::*;

struct Named {
    name: String,
    load: f64,
    subject: Subject,
}

impl TableRow for Named {
    fn key(&self) -> &str {
        &self.name
    }
    fn label(&self) -> String {
        self.name.clone()
    }
    fn name(&self) -> &str {
        &self.name
    }
    fn subject(&self) -> &Subject {
        &self.subject
    }
    fn sort_key(&self, column: &str) -> SortKey<'_> {
        match column {
            "name" => SortKey::Text(&self.name),
            _ if self.load.is_nan() => SortKey::Nothing,
            _ => SortKey::Number(self.load),
        }
    }
    fn cell(&self, _: &str) -> AnyView {
        ().into_any()
    }
}

fn rows(given: &[(&str, f64)]) -> Rows {
    let row = |(name, load): &(&str, f64)| {
        let row = Named {
            name: (*name).to_owned(),
            load: *load,
            subject: Subject::default(),
        };
        Arc::new(row) as Arc<dyn TableRow>
    };
    Rows(Arc::new(given.iter().map(row).collect()))
}

fn names(rows: &Rows, indices: &[u32]) -> Vec<String> {
    indices
        .iter()
        .map(|index| row(rows, *index).key().to_owned())
        .collect()
}

#[test]
fn numbers_in_names_count() {
    let mut names = ["web-10", "web-2", "Web-1", "db", "web-02"];
    names.sort_by(|a, b| natural(a, b));
    assert_eq!(names, ["db", "Web-1", "web-02", "web-2", "web-10"]);
}

#[test]
fn rows_without_a_value_are_last_in_both_directions() {
    let rows = rows(&[("a", f64::NAN), ("b", 1.0), ("c", 2.0)]);
    let by = |descending| {
        [SortBy {
            column: "load",
            descending,
        }]
    };
    let start: Vec<_> = numbers(&rows).collect();
    assert_eq!(
        names(&rows, &sorted(&rows, start.clone(), &by(false))),
        ["b", "c", "a"]
    );
    assert_eq!(names(&rows, &sorted(&rows, start, &by(true))), ["c", "b", "a"]);
}

#[test]
fn a_kept_order_survives_changes_and_appends_what_is_new() {
    let before = rows(&[("a", 1.0), ("b", 3.0), ("c", 2.0)]);
    let indices = sorted(
        &before,
        numbers(&before).collect(),
        &[SortBy {
            column: "load",
            descending: true,
        }],
    );
    let previous = Order {
        rows: before,
        indices: Arc::new(indices),
        ..Order::default()
    };
    let after = rows(&[("a", 9.0), ("aa", 9.0), ("b", 0.0)]);
    assert_eq!(names(&after, &kept(&previous, &after)), ["b", "a", "aa"]);
}

#[test]
fn headers_turn_the_order_and_shift_adds_a_second_step() {
    let first = toggled(&[], "name", false);
    assert_eq!(written(&first), "name");
    let turned = toggled(&first, "name", false);
    assert_eq!(written(&turned), "-name");
    let both = toggled(&turned, "load", true);
    assert_eq!(written(&both), "-name,load");
    assert_eq!(written(&toggled(&both, "load", true)), "-name,-load");
    const COLUMNS: [Column; 2] = [
        Column::text("name", "Name", 1.0),
        Column::figures("load", "Load", 1.0),
    ];
    assert_eq!(read("-name,load,-name,bogus,", &COLUMNS), both);
}

proptest! {
    #[test]
    fn natural_order_is_an_order(a in "[a-c0-2]{0,6}", b in "[a-c0-2]{0,6}", c in "[a-cA0-2]{0,6}") {
        prop_assert_eq!(natural(&a, &b), natural(&b, &a).reverse());
        prop_assert_eq!(natural(&a, &b) == Ordering::Equal, a == b);
        if natural(&a, &b).is_le() && natural(&b, &c).is_le() {
            prop_assert!(natural(&a, &c).is_le());
        }
    }
}
