//! The panel beside a table with the facts of a row. It is open while the address of the page names the row.

use crate::{
    components::{
        button::Button,
        table::{Dash, RowAction},
    },
    copy::{inventory_table as copy, table},
};
use leptos::{ev::KeyboardEvent, html, prelude::*};
use leptos_router::{
    NavigateOptions,
    hooks::{use_location, use_navigate},
};

/// A fact: its name and its value.
pub type Fact = (&'static str, AnyView);

/// The row that the address of a page names, as in `/images/nas/sha256:…`, and how to open and close rows.
#[derive(Debug, Clone, Copy)]
pub struct OpenedRow {
    /// The device and the key in the address.
    pub at: Memo<Option<(String, String)>>,
    pub open: Callback<(String, String)>,
    pub close: Callback<()>,
}

/// The opened row of a page. `base` is the address of the page.
#[must_use]
pub fn opened_row(base: &'static str) -> OpenedRow {
    let location = use_location();
    let (path, search) = (location.pathname, location.search);
    let at = Memo::new(move |_| {
        let path = path.get();
        let (device, key) = path.strip_prefix(base)?.strip_prefix('/')?.split_once('/')?;
        Some((decoded(device), decoded(key)))
    });
    let navigate = use_navigate();
    let go = move |path: String| {
        let search = search.get_untracked();
        let search = if search.is_empty() {
            search
        } else {
            format!("?{}", search.trim_start_matches('?'))
        };
        let options = NavigateOptions {
            scroll: false,
            ..Default::default()
        };
        navigate(&format!("{path}{search}"), options);
    };
    let back = go.clone();
    let open = Callback::new(move |(device, key): (String, String)| {
        go(format!("{base}/{}/{}", encoded(&device), encoded(&key)));
    });
    let close = Callback::new(move |()| back(base.to_owned()));
    OpenedRow { at, open, close }
}

fn encoded(text: &str) -> String {
    js_sys::encode_uri_component(text).into()
}

fn decoded(text: &str) -> String {
    js_sys::decode_uri_component(text).map_or_else(|_| text.to_owned(), Into::into)
}

/// The panel: name, actions, then facts.
#[component]
pub fn Drawer(
    #[prop(into)] name: String,
    facts: Vec<Fact>,
    actions: Vec<RowAction>,
    #[prop(into)] on_close: Callback<()>,
) -> impl IntoView {
    let root = NodeRef::<html::Aside>::new();
    let opener = StoredValue::new_local(document().active_element());
    Effect::new(move |_| {
        if let Some(root) = root.get() {
            root.focus().ok();
        }
    });
    on_cleanup(move || {
        use wasm_bindgen::JsCast;
        let opener = opener
            .try_get_value()
            .flatten()
            .and_then(|element| element.dyn_into::<web_sys::HtmlElement>().ok());
        if let Some(opener) = opener.filter(|opener| opener.is_connected()) {
            opener.focus().ok();
        }
    });
    let keys = move |event: KeyboardEvent| {
        if event.key() == "Escape" {
            event.stop_propagation();
            on_close.run(());
        }
    };
    let action = |action: RowAction| {
        let run = action.run;
        view! { <Button label=action.label glyph=action.glyph reason=action.reason on_press=move || run.run(())/> }
    };
    let heading = name.clone();
    let fact = |(name, value)| view! { <div><dt>{name}</dt><dd>{value}</dd></div> };
    view! {
        <aside class="drawer" tabindex="-1" aria-label=table::details_of(&name) node_ref=root on:keydown=keys>
            <header>
                <h2>{heading}</h2>
                <Button label=copy::CLOSE on_press=move || on_close.run(())/>
            </header>
            <div class="actions">{actions.into_iter().map(action).collect_view()}</div>
            <dl class="facts">{facts.into_iter().map(fact).collect_view()}</dl>
        </aside>
    }
}

/// A list of values, or a dash if there are none.
#[must_use]
pub fn listed(values: &[String]) -> AnyView {
    if values.is_empty() {
        return view! { <Dash/> }.into_any();
    }
    let value = |value: &String| view! { <li>{value.clone()}</li> };
    view! { <ul>{values.iter().map(value).collect_view()}</ul> }.into_any()
}
