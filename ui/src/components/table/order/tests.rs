//! Rows are sorted by the values that people see, and can keep an earlier order.

use super::*;
use crate::components::table::{
    declared::Spec,
    rows::prepared,
    testing::{LOAD, NAME, Named},
};
use proptest::prelude::*;

fn rows(given: &[(&str, f64)]) -> Rows {
    let row = |(name, load): &(&str, f64)| Named::new(name, *load);
    prepared(given.iter().map(row).collect())
}

fn by(column: ColumnAt, descending: bool) -> [SortBy; 1] {
    [SortBy { column, descending }]
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
    let start: Vec<_> = numbers(&rows).collect();
    assert_eq!(
        names(&rows, &sorted(&rows, start.clone(), &by(LOAD, false))),
        ["b", "c", "a"]
    );
    assert_eq!(
        names(&rows, &sorted(&rows, start, &by(LOAD, true))),
        ["c", "b", "a"]
    );
}

#[test]
fn a_unit_stands_where_its_first_row_does_with_its_head_before_the_others() {
    let rows = rows(&[
        ("alone", 4.0),
        ("nas/web", 3.0),
        ("nas/pause", 9.0),
        ("pi/pause", 5.0),
        ("last", 8.0),
        ("nas/api", 1.0),
    ]);
    let by = by(LOAD, false);
    let ordered = sorted(&rows, numbers(&rows).collect(), &by);
    let expected = ["nas/pause", "nas/api", "nas/web", "alone", "pi/pause", "last"];
    assert_eq!(names(&rows, &ordered), expected);
    assert_eq!(
        names(&rows, &sorted(&rows, ordered, &by)),
        expected,
        "twice is the same"
    );
}

#[test]
fn a_kept_order_survives_changes_and_appends_what_is_new() {
    let before = rows(&[("a", 1.0), ("b", 3.0), ("c", 2.0)]);
    let indices = sorted(&before, numbers(&before).collect(), &by(LOAD, true));
    let previous = Order {
        rows: before,
        indices: Arc::new(indices),
        ..Order::default()
    };
    let changed = rows(&[("a", 2.0), ("b", 0.0), ("c", 7.0)]);
    let kept = previous_order(&previous, &changed);
    assert!(Arc::ptr_eq(&kept, &previous.indices), "nothing came or went");
    let after = rows(&[("a", 9.0), ("aa", 9.0), ("b", 0.0)]);
    assert_eq!(
        names(&after, &previous_order(&previous, &after)),
        ["b", "a", "aa"]
    );
}

#[test]
fn headers_turn_the_order_and_shift_adds_a_second_step() {
    let heads = Spec::of::<Named>().heads();
    let text = |sort: &[SortBy]| sort_to_text(sort, &heads);
    let first = toggled(&[], NAME, false, false);
    assert_eq!(text(&first), "name");
    let turned = toggled(&first, NAME, false, false);
    assert_eq!(text(&turned), "-name");
    let both = toggled(&turned, LOAD, false, true);
    assert_eq!(text(&both), "-name,load");
    assert_eq!(text(&toggled(&both, LOAD, false, true)), "-name,-load");
    assert_eq!(text(&toggled(&both, LOAD, false, false)), "-load");
    assert_eq!(text(&toggled(&first, LOAD, true, false)), "-load");
    assert_eq!(sort_from_text("-name,load,-name,bogus,", &heads), both);
}

proptest! {
    #[test]
    fn no_row_is_lost_or_doubled_and_units_have_no_gaps(given in proptest::collection::vec("[a-c]{0,1}/?[a-d]", 0..12)) {
        let given: std::collections::BTreeSet<String> = given.into_iter().collect();
        let rows = rows(&given.iter().map(|name| (name.as_str(), 0.0)).collect::<Vec<_>>());
        let ordered = sorted(&rows, numbers(&rows).collect(), &by(NAME, true));
        let mut numbers_left = ordered.clone();
        numbers_left.sort_unstable();
        prop_assert_eq!(numbers_left, numbers(&rows).collect::<Vec<_>>());
        let mut keys: Vec<_> = ordered.iter().map(|index| row(&rows, *index).unit().map(|unit| unit.key)).collect();
        keys.dedup();
        let mut each: Vec<_> = keys.into_iter().flatten().collect();
        let runs = each.len();
        each.sort_unstable();
        each.dedup();
        prop_assert_eq!(runs, each.len());
    }

    #[test]
    fn natural_order_is_an_order(a in "[a-c0-2]{0,6}", b in "[a-c0-2]{0,6}", c in "[a-cA0-2]{0,6}") {
        prop_assert_eq!(natural(&a, &b), natural(&b, &a).reverse());
        prop_assert_eq!(natural(&a, &b) == Ordering::Equal, a == b);
        if natural(&a, &b).is_le() && natural(&b, &c).is_le() {
            prop_assert!(natural(&a, &c).is_le());
        }
    }
}

#[test]
fn ages_begin_with_the_youngest_and_dates_with_the_earliest() {
    let at = |second| Timestamp::from_second(second).unwrap();
    let compare = |a: SortKey<'_>, b| a.compare(b, false);
    assert_eq!(compare(SortKey::Age(at(9)), SortKey::Age(at(3))), Ordering::Less);
    assert_eq!(
        compare(SortKey::Moment(at(9)), SortKey::Moment(at(3))),
        Ordering::Greater
    );
    assert_eq!(
        compare(SortKey::Count(u64::MAX), SortKey::Count(u64::MAX - 1)),
        Ordering::Greater
    );
    assert_eq!(SortKey::from(""), SortKey::Nothing);
}
