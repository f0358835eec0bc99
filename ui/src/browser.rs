//! What the page asks of the browser itself. A function whose browser API is absent or fails does nothing, or answers
//! with a default.

use leptos::prelude::document;
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{Element, HtmlElement};

/// The fragment of the page's address, without its `#`.
#[must_use]
pub fn fragment() -> String {
    let hash = web_sys::window().and_then(|window| window.location().hash().ok());
    hash.unwrap_or_default().trim_start_matches('#').to_owned()
}

/// Removes the single-use code of a sign-in link from the address and from the history, so that it cannot be seen
/// there.
pub fn forget_fragment_of_code() {
    if !fragment().starts_with("code=") {
        return;
    }
    let Some(window) = web_sys::window() else { return };
    let location = window.location();
    let (Ok(path), Ok(search), Ok(history)) = (location.pathname(), location.search(), window.history())
    else {
        return;
    };
    history
        .replace_state_with_url(&wasm_bindgen::JsValue::NULL, "", Some(&format!("{path}{search}")))
        .ok();
}

/// The `ws:` or `wss:` address of a path on the origin that served the page.
#[must_use]
pub fn socket_address(path: &str) -> Option<String> {
    let location = web_sys::window()?.location();
    let scheme = if location.protocol().ok()? == "https:" {
        "wss"
    } else {
        "ws"
    };
    Some(format!("{scheme}://{}{path}", location.host().ok()?))
}

/// Navigates to another address of the origin that served the page, which loads a new page.
pub fn go(path: &str) {
    if let Some(window) = web_sys::window() {
        window.location().assign(path).ok();
    }
}

/// Dispatches an event of this name on the window.
pub fn tell(event: &str) {
    if let (Some(window), Ok(event)) = (web_sys::window(), web_sys::Event::new(event)) {
        window.dispatch_event(&event).ok();
    }
}

/// Stores a text in this browser's local storage; [`remembered`] reads it at a later visit.
pub fn remember(key: &str, value: &str) {
    if let Some(storage) = storage() {
        storage.set_item(key, value).ok();
    }
}

#[must_use]
pub fn remembered(key: &str) -> Option<String> {
    storage()?.get_item(key).ok()?
}

pub fn forget(key: &str) {
    if let Some(storage) = storage() {
        storage.remove_item(key).ok();
    }
}

fn storage() -> Option<web_sys::Storage> {
    web_sys::window()?.local_storage().ok()?
}

/// Whether a media query matches.
#[must_use]
pub fn matches_media(query: &str) -> bool {
    let list = web_sys::window().and_then(|window| window.match_media(query).ok().flatten());
    list.is_some_and(|list| list.matches())
}

/// Size of one rem in px.
#[must_use]
pub fn rem() -> f64 {
    let root = document().document_element();
    let style = web_sys::window()
        .zip(root)
        .and_then(|(window, root)| window.get_computed_style(&root).ok().flatten());
    let size = style.and_then(|style| style.get_property_value("font-size").ok());
    size.and_then(|size| size.trim_end_matches("px").parse().ok())
        .unwrap_or(16.0)
}

/// Sets an attribute of the root element.
pub fn set_root_attribute(name: &str, value: &str) {
    if let Some(root) = document().document_element() {
        root.set_attribute(name, value).ok();
    }
}

/// Moves the keyboard focus to the first element that a selector finds.
pub fn focus(selector: &str) {
    let found = document().query_selector(selector).ok().flatten();
    if let Some(element) = found.and_then(|element| element.dyn_into::<HtmlElement>().ok()) {
        element.focus().ok();
    }
}

/// The elements inside `root` that a selector finds, in the order of the page.
#[must_use]
pub fn all(root: &Element, selector: &str) -> Vec<HtmlElement> {
    let Ok(found) = root.query_selector_all(selector) else {
        return Vec::new();
    };
    (0..found.length())
        .filter_map(|at| found.item(at)?.dyn_into().ok())
        .collect()
}

/// Scrolls no further than it takes to see the whole element.
pub fn scroll_into_view(element: &Element) {
    let options = web_sys::ScrollIntoViewOptions::new();
    options.set_block(web_sys::ScrollLogicalPosition::Nearest);
    element.scroll_into_view_with_scroll_into_view_options(&options);
}

/// Marks a moment on the browser's performance timeline.
pub fn mark(name: &str) {
    if let Some(performance) = web_sys::window().and_then(|window| window.performance()) {
        performance.mark(name).ok();
    }
}

/// Whether the tab of this page is hidden.
#[must_use]
pub fn is_hidden() -> bool {
    document().hidden()
}

/// Runs a function before the browser paints the next frame, even if the view that asks for it is gone by then.
pub fn next_frame(run: impl FnOnce() + 'static) {
    let run = Closure::once_into_js(run);
    if let Some(window) = web_sys::window() {
        window.request_animation_frame(run.unchecked_ref()).ok();
    }
}

/// Marks the start of a measure on the performance timeline.
pub fn begin_measure(name: &str) {
    mark(&format!("{name}-start"));
}

/// Ends a measure after the next frame is painted, which includes all changes made before.
pub fn end_measure_after_paint(name: &'static str) {
    next_frame(move || {
        // A task that is queued in a frame callback runs after that frame is painted.
        let task = Closure::once_into_js(move || measure(name));
        if let Some(window) = web_sys::window() {
            window.set_timeout_with_callback(task.unchecked_ref()).ok();
        }
    });
}

fn measure(name: &str) {
    if let Some(performance) = web_sys::window().and_then(|window| window.performance()) {
        performance
            .measure_with_start_mark(name, &format!("{name}-start"))
            .ok();
    }
}

/// Puts a text on the clipboard and answers whether that worked. It works over plain HTTP too, where the `Clipboard`
/// API is absent.
pub fn copy_to_clipboard(text: &str) -> bool {
    let document = document();
    let Ok(area) = document.create_element("textarea") else {
        return false;
    };
    let (Ok(area), Some(body)) = (area.dyn_into::<web_sys::HtmlTextAreaElement>(), document.body()) else {
        return false;
    };
    let before = document
        .active_element()
        .and_then(|element| element.dyn_into::<HtmlElement>().ok());
    area.set_value(text);
    area.set_class_name("visually-hidden");
    // The text area has to lie inside an open dialog: elements outside of it are inert and cannot be selected.
    let parent = document.query_selector("dialog[open]").ok().flatten();
    let parent: &web_sys::Node = parent.as_ref().map_or(body.as_ref(), AsRef::as_ref);
    parent.append_child(&area).ok();
    area.select();
    let done = document
        .dyn_into::<web_sys::HtmlDocument>()
        .is_ok_and(|document| document.exec_command("copy").unwrap_or(false));
    area.remove();
    if let Some(before) = before {
        before.focus().ok();
    }
    done
}

/// Lets the browser save a text as a file of this name.
pub fn download(name: &str, text: &str) {
    let parts = js_sys::Array::of1(&text.into());
    let options = web_sys::BlobPropertyBag::new();
    options.set_type("application/octet-stream");
    let blob = web_sys::Blob::new_with_str_sequence_and_options(&parts, &options);
    let Some(address) = blob
        .ok()
        .and_then(|blob| web_sys::Url::create_object_url_with_blob(&blob).ok())
    else {
        return;
    };
    let link = document()
        .create_element("a")
        .ok()
        .and_then(|link| link.dyn_into::<web_sys::HtmlAnchorElement>().ok());
    if let Some(link) = link {
        link.set_href(&address);
        link.set_download(name);
        link.click();
    }
    web_sys::Url::revoke_object_url(&address).ok();
}
