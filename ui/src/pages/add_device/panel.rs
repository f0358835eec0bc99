//! What one method shows: its text, the buttons that take it along, and its options.

use super::{
    flow::use_flow,
    method::{Method, secret, to_inspect, with_options},
};
use crate::{
    browser,
    clock::use_clock,
    components::{
        button::{Button, Kind},
        copy_block::CopyBlock,
        focus::focus_when_shown,
        icon::lucide,
    },
    copy::add_device as copy,
    format,
};
use flotilla_protocol::api::DeviceAdded;
use leptos::{html, prelude::*};
use std::sync::Arc;

/// Shows a method that has a text; why one has none is said on its tab.
#[component]
pub(super) fn MethodPanel(method: Method) -> impl IntoView {
    let flow = use_flow();
    let text = Signal::derive(move || {
        let made = flow.made.get();
        made.and_then(|made| method.text(&made).map(str::to_owned))
            .unwrap_or_default()
    });
    let masked = Signal::derive(move || flow.made.with(|made| made.as_ref().and_then(|made| secret(made))));
    match method {
        Method::Install => view! { <Install text masked/> }.into_any(),
        Method::Docker => view! { <Plain method text masked/> }.into_any(),
        Method::Compose => {
            let file = Signal::derive(|| "compose.yaml".to_owned());
            let more = view! { <Download label=copy::DOWNLOAD_COMPOSE file text/> }.into_any();
            view! { <Plain method text masked more/> }.into_any()
        }
        Method::Config => view! { <Config text masked/> }.into_any(),
    }
}

#[component]
fn Plain(
    method: Method,
    text: Signal<String>,
    masked: Signal<Option<String>>,
    #[prop(default = ().into_any())] more: AnyView,
) -> impl IntoView {
    let flow = use_flow();
    let button = NodeRef::<html::Button>::new();
    if !flow.settled.get_untracked() {
        focus_when_shown(button);
    }
    view! {
        <CopyBlock what=method.what() text secret=masked kind=Kind::Primary button_ref=button more
            on_copy=move || flow.settled.set(true)/>
    }
}

#[component]
fn Install(text: Signal<String>, masked: Signal<Option<String>>) -> impl IntoView {
    let (as_root, skip_docker) = (RwSignal::new(false), RwSignal::new(false));
    let inspecting = RwSignal::new(false);
    let line = Signal::derive(move || with_options(&text.get(), as_root.get(), skip_docker.get()));
    let inspect_line = Signal::derive(move || to_inspect(&text.get()));
    let option = |label: &'static str, signal: RwSignal<bool>| {
        view! {
            <label class="choice">
                <input type="checkbox" prop:checked=move || signal.get() on:change:target=move |event| signal.set(event.target().checked())/>
                <span>{label}</span>
            </label>
        }
    };
    let toggle = move |event: leptos::ev::MouseEvent| {
        event.prevent_default();
        inspecting.update(|inspecting| *inspecting = !*inspecting);
    };
    view! {
        <Plain method=Method::Install text=line masked/>
        <div class="install-options">
            {option(copy::AS_ROOT, as_root)}
            {option(copy::SKIP_DOCKER, skip_docker)}
            <a href="#inspect" aria-expanded=move || inspecting.get().to_string() on:click=toggle>{copy::INSPECT}</a>
        </div>
        <Show when=move || inspecting.get() fallback=|| ()>
            <div id="inspect" class="inspect">
                <p class="hint">{copy::INSPECT_TEXT}</p>
                <CopyBlock what="inspect command" text=inspect_line secret=masked/>
            </div>
        </Show>
    }
}

#[component]
fn Config(text: Signal<String>, masked: Signal<Option<String>>) -> impl IntoView {
    let flow = use_flow();
    let clock = use_clock();
    let made = move || flow.made.get();
    // Without a command to run, the last step has nothing to point at.
    let shown = |made: &DeviceAdded| if made.config_run.is_some() { 3 } else { 2 };
    let steps = move || {
        let texts = made().map(|made| {
            copy::config_steps(made.device.name.as_str())
                .into_iter()
                .take(shown(&made))
        });
        texts
            .into_iter()
            .flatten()
            .map(|step| view! { <li>{step}</li> })
            .collect_view()
    };
    let until = move |made: Arc<DeviceAdded>| format::clock_time(made.token_expires, clock.half_minute.get());
    let run = Signal::derive(move || {
        made()
            .and_then(|made| made.config_run.clone())
            .unwrap_or_default()
    });
    let file = Signal::derive(move || flow.name.with(|name| format!("{name}.device.toml")));
    let more = view! { <Download label=copy::DOWNLOAD_CONFIG file text primary=true/> }.into_any();
    view! {
        <ol class="numbered">{steps}</ol>
        <p class="warn caption">{move || made().map(|made| copy::config_warning(&until(made)))}</p>
        <Show when=move || run.with(|run| !run.is_empty()) fallback=|| ()>
            <CopyBlock what="run command" text=run on_copy=move || flow.settled.set(true)/>
        </Show>
        <CopyBlock what=Method::Config.what() text secret=masked more on_copy=move || flow.settled.set(true)/>
    }
}

#[component]
fn Download(
    label: &'static str,
    file: Signal<String>,
    text: Signal<String>,
    #[prop(optional)] primary: bool,
) -> impl IntoView {
    let flow = use_flow();
    let button = NodeRef::<html::Button>::new();
    if primary && !flow.settled.get_untracked() {
        focus_when_shown(button);
    }
    let kind = if primary { Kind::Primary } else { Kind::Secondary };
    let save = move || {
        flow.settled.set(true);
        browser::download(&file.get_untracked(), &text.get_untracked());
    };
    view! { <Button label kind glyph=lucide::DOWNLOAD node_ref=button on_press=save/> }
}
