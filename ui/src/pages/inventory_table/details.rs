//! The panel beside a table with the facts of a row. It is open while the address of the page names the row.

use crate::{
    address,
    components::{
        badge::Tone,
        drawer::Drawer,
        error_state::Notice,
        facts::{Fact, Facts, Value},
    },
    copy::inventory_table as copy,
    store::{InventoryItem, Keyed},
    tables::on_device::device_in_address,
};
use flotilla_protocol::{Timestamp, api::Row};
use leptos::prelude::*;
use leptos_router::{
    NavigateOptions,
    hooks::{use_location, use_navigate},
};
use std::sync::Arc;

/// The row that the address of a page names, as in `/images/nas/sha256:…`, and how to open and close rows.
#[derive(Debug, Clone, Copy)]
pub struct OpenedRow {
    /// The device and the key in the address.
    pub at: Memo<Option<(String, String)>>,
    /// Opens a row, and the panel takes the focus.
    pub open: Callback<(String, String)>,
    /// Shows a row in the panel; the focus stays where it is.
    pub show: Callback<(String, String)>,
    pub close: Callback<()>,
    /// The panel asks for the focus.
    focus: RwSignal<bool>,
}

/// The opened row of a page. `base` is the address of the page.
#[must_use]
pub fn opened_row(base: &'static str) -> OpenedRow {
    let location = use_location();
    let (path, search) = (location.pathname, location.search);
    let at = Memo::new(move |_| {
        let path = path.get();
        let (device, key) = path.strip_prefix(base)?.strip_prefix('/')?.split_once('/')?;
        Some((address::decoded(device), address::decoded(key)))
    });
    let focus = RwSignal::new(false);
    let navigate = use_navigate();
    let go = move |path: String, replace: bool| {
        let search = search.get_untracked();
        let search = if search.is_empty() {
            search
        } else {
            format!("?{}", search.trim_start_matches('?'))
        };
        let options = NavigateOptions {
            scroll: false,
            replace,
            ..Default::default()
        };
        navigate(&format!("{path}{search}"), options);
    };
    let back = go.clone();
    // A panel that only turns to another row is one step back for the browser.
    let show = Callback::new(move |(device, key): (String, String)| {
        go(
            address::item(base, &device, &key),
            at.with_untracked(Option::is_some),
        );
    });
    let open = Callback::new(move |row: (String, String)| {
        focus.set(true);
        show.run(row);
    });
    let close = Callback::new(move |()| {
        focus.set(false);
        back(base.to_owned(), false);
    });
    OpenedRow {
        at,
        open,
        show,
        close,
        focus,
    }
}

/// What the panel says of an item.
#[derive(Debug, Clone, PartialEq)]
pub struct Details {
    pub name: String,
    pub facts: Vec<Fact>,
}

/// The moment as a fact; the engine does not report it for every item.
#[must_use]
pub fn date(moment: Option<Timestamp>) -> Value {
    moment.map_or_else(|| crate::copy::table::UNKNOWN.into(), Value::Age)
}

/// A link to a device as a fact.
#[must_use]
pub fn device_link<T>(row: &Row<T>) -> Value {
    Value::link(&row.device, format!("/devices/{}", device_in_address(row)))
}

/// Makes the buttons for the row of a key.
pub type Buttons = fn(Signal<Option<String>>) -> AnyView;

/// Makes more for the panel, for the row that it shows.
pub type Below<T> = fn(Signal<Option<Arc<Row<T>>>>) -> AnyView;

/// The panel of the opened row, while it is open. It stays when the row changes or another row is opened. If the row
/// goes, it keeps the last facts and says so.
pub fn row_panel<T: InventoryItem>(
    opened: OpenedRow,
    found: Memo<Option<Arc<Row<T>>>>,
    details: fn(&Row<T>) -> Details,
    actions: Option<Buttons>,
    below: Option<Below<T>>,
) -> AnyView {
    // The last row that was found at an address, with that address.
    let kept = Memo::new(move |previous: Option<&Option<Kept<T>>>| {
        let at = opened.at.get()?;
        match found.get() {
            Some(row) => Some(Kept { at, row }),
            None => previous.cloned().flatten().filter(|kept| kept.at == at),
        }
    });
    let open = Memo::new(move |_| kept.with(Option::is_some));
    let shown = Memo::new(move |_| kept.with(|kept| kept.as_ref().map(|kept| details(&kept.row))));
    let name = Signal::derive(move || {
        shown.with(|shown| shown.as_ref().map(|shown| shown.name.clone()).unwrap_or_default())
    });
    let facts = Signal::derive(move || {
        shown.with(|shown| {
            shown
                .as_ref()
                .map(|shown| shown.facts.clone())
                .unwrap_or_default()
        })
    });
    let key = Signal::derive(move || found.with(|row| row.as_ref().map(|row| row.key().to_string())));
    let gone = move || {
        let is_gone = open.get() && found.with(Option::is_none);
        is_gone.then(|| view! { <Notice tone=Tone::Warn text=copy::gone(&name.get())/> })
    };
    let last = Memo::new(move |_| kept.with(|kept| kept.as_ref().map(|kept| kept.row.clone())));
    let panel = move || {
        open.get().then(|| {
            let actions = actions.map(|buttons| buttons(key));
            view! {
                <Drawer name on_close=opened.close focus=opened.focus actions>
                    {gone}
                    <Facts facts/>
                    {below.map(|below| below(last.into()))}
                </Drawer>
            }
        })
    };
    panel.into_any()
}

#[derive(Clone, PartialEq)]
struct Kept<T: InventoryItem> {
    at: (String, String),
    row: Arc<Row<T>>,
}
