//! One row of a collection, as a signal of its own: its readers run when that row changes, and not when another does.

use super::{Collection, Keyed};
use leptos::prelude::*;
use std::sync::Arc;

/// The row with this key, while there is one.
#[must_use]
pub fn row<T: Keyed>(collection: RwSignal<Collection<T>>, key: T::Key) -> Memo<Option<Arc<T>>> {
    // A row that did not change keeps its `Arc`, so rows need not be compared by what is in them.
    Memo::new_with_compare(
        move |_| collection.with(|collection| collection.rows().get(&key).cloned()),
        |old, new| {
            let [old, new] = [old, new].map(|row| row.and_then(|row| row.as_ref().map(Arc::as_ptr)));
            old != new
        },
    )
}

/// The row with this key, of which `first` is the present value. When the row goes, its last value stays, for what
/// shows it until a person leaves.
#[must_use]
pub fn last_row<T: Keyed>(collection: RwSignal<Collection<T>>, key: T::Key, first: Arc<T>) -> Signal<Arc<T>> {
    kept(row(collection, key), first)
}

fn kept<T: Keyed>(row: Memo<Option<Arc<T>>>, first: Arc<T>) -> Signal<Arc<T>> {
    let last = Memo::new_with_compare(
        move |last: Option<&Arc<T>>| {
            row.get()
                .or_else(|| last.cloned())
                .unwrap_or_else(|| first.clone())
        },
        |old, new| old.map(Arc::as_ptr) != new.map(Arc::as_ptr),
    );
    last.into()
}

/// A view of the row with this key. It is made once for as long as the row is there, so that nothing in it loses its
/// focus or its place when the row changes; what it shows of the row has to follow the signal.
pub fn with_row<T: Keyed, V: IntoView + 'static>(
    collection: RwSignal<Collection<T>>,
    key: T::Key,
    view: impl Fn(Signal<Arc<T>>) -> V + Send + 'static,
) -> impl Fn() -> Option<V> + Send {
    let row = row(collection, key);
    let is_there = Memo::new(move |_| row.with(Option::is_some));
    move || {
        let first = is_there.get().then(|| row.get_untracked())??;
        // When the row goes, this view goes, too, but perhaps after its readers have run.
        Some(view(kept(row, first)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Change;
    use flotilla_protocol::{Timestamp, activity::Activity, api::List};

    fn entry(id: i64, details: &str) -> Activity {
        let text = format!(
            r#"{{"id":{id},"at":"2026-01-02T03:04:06Z","actor":{{"kind":"owner"}},"action":"device_added","succeeded":true,
                "details":"{details}"}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn a_row_changes_only_with_itself_and_its_view_is_made_once() {
        let owner = Owner::new();
        owner.set();
        let log = RwSignal::new(Collection::<Activity>::default());
        let ticket = log.write().begin(Timestamp::UNIX_EPOCH);
        let items = vec![entry(1, "a"), entry(2, "b")];
        let list = List {
            items,
            unreachable_devices: vec![],
            seq: 1,
        };
        log.write().take(ticket, Ok(list), Timestamp::UNIX_EPOCH);

        let one = row(log, 1);
        let before = one.get_untracked().unwrap();
        let made = StoredValue::new(0);
        let view = with_row(log, 1, move |row| {
            made.update_value(|made| *made += 1);
            move || row.with(|row| row.details.clone())
        });
        let shown = view().unwrap();
        log.write().apply(2, Change::Upsert(entry(2, "c")));
        assert!(Arc::ptr_eq(&before, &one.get_untracked().unwrap()));
        log.write().apply(3, Change::Upsert(entry(1, "d")));
        assert_eq!((shown(), made.get_value()), ("d".to_owned(), 1));
        log.write().apply(4, Change::Remove(1));
        assert_eq!(shown(), "d");
        assert!(view().is_none());
    }
}
