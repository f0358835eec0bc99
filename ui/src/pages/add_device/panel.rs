//! The panel of a method: its text, buttons to copy or save it, and options.

use super::{
    docker::Docker,
    flow::use_flow,
    method::{Method, secret, to_inspect, with_options},
    ssh::OverSsh,
};
use crate::{
    browser,
    clock::use_clock,
    components::{
        badge::Tone,
        button::{Button, ButtonKind},
        clipboard_block::ClipboardBlock,
        error_state::Notice,
        focus::focus_when_shown,
        icon::lucide,
    },
    copy::add_device as copy,
    format,
};
use flotilla_protocol::{api::DeviceAdded, device::NetworkMode};
use leptos::{html, prelude::*};
use std::sync::Arc;

/// The panel of a method. The tab of a method that is not possible has the reason.
#[component]
pub(super) fn MethodPanel(method: Method) -> impl IntoView {
    let flow = use_flow();
    let is_shown = Memo::new(move |_| flow.shown_once.with(Option::is_some));
    move || match method {
        Method::Ssh => view! { <OverSsh/> }.into_any(),
        _ if is_shown.get() => texts(method),
        _ => view! { <SecretGone/> }.into_any(),
    }
}

/// The notice in place of texts that were sent once before: only new ones can be shown.
#[component]
fn SecretGone() -> impl IntoView {
    let flow = use_flow();
    let text = move || {
        let why = if flow.token_used_by_ssh.get() {
            copy::USED_OVER_SSH
        } else {
            copy::SHOWN_ONCE
        };
        why.to_owned()
    };
    view! {
        <Notice tone=Tone::Info text=Signal::derive(text)>
            <Button label=copy::NEW_COMMAND busy=flow.busy reason=flow.reason_against_renewal()
                on_press=move || flow.renew()/>
        </Notice>
    }
}

fn texts(method: Method) -> AnyView {
    let flow = use_flow();
    let text = Signal::derive(move || {
        let added = flow.shown_once.get();
        added
            .and_then(|added| method.text(&added).map(str::to_owned))
            .unwrap_or_default()
    });
    let masked = Signal::derive(move || {
        flow.shown_once
            .with(|added| added.as_ref().and_then(|added| secret(added)))
    });
    match method {
        Method::Install => view! { <Install text masked/> }.into_any(),
        Method::Docker => view! { <Docker text masked/> }.into_any(),
        Method::Compose => view! { <Compose text masked/> }.into_any(),
        Method::Config => view! { <Config text masked/> }.into_any(),
        Method::Ssh => ().into_any(),
    }
}

/// The text of a method. Its copy button has the focus at first.
#[component]
pub(super) fn MethodText(
    method: Method,
    text: Signal<String>,
    masked: Signal<Option<String>>,
    #[prop(default = ().into_any())] more: AnyView,
) -> impl IntoView {
    let flow = use_flow();
    let button = NodeRef::<html::Button>::new();
    if !flow.keep_command.get_untracked() {
        focus_when_shown(button);
    }
    view! {
        <ClipboardBlock what=method.what() text secret=masked kind=ButtonKind::Primary button_ref=button more
            on_copy=move || flow.keep_command.set(true)/>
    }
}

/// The installer's two options, for the install command and for SSH.
#[component]
pub(super) fn InstallerOptions() -> impl IntoView {
    let flow = use_flow();
    let option = |label: &'static str, signal: RwSignal<bool>| {
        view! {
            <label class="choice">
                <input type="checkbox" prop:checked=move || signal.get() on:change:target=move |event| signal.set(event.target().checked())/>
                <span>{label}</span>
            </label>
        }
    };
    view! {
        {option(copy::AS_ROOT, flow.as_root)}
        {option(copy::SKIP_DOCKER, flow.skip_docker)}
    }
}

#[component]
fn Install(text: Signal<String>, masked: Signal<Option<String>>) -> impl IntoView {
    let flow = use_flow();
    let inspecting = RwSignal::new(false);
    let line = Signal::derive(move || with_options(&text.get(), flow.as_root.get(), flow.skip_docker.get()));
    let inspect_line = Signal::derive(move || to_inspect(&text.get()));
    let toggle = move |event: leptos::ev::MouseEvent| {
        event.prevent_default();
        inspecting.update(|inspecting| *inspecting = !*inspecting);
    };
    view! {
        <MethodText method=Method::Install text=line masked/>
        <div class="install-options">
            <InstallerOptions/>
            <a href="#inspect" aria-expanded=move || inspecting.get().to_string() on:click=toggle>{copy::INSPECT}</a>
        </div>
        <Show when=move || inspecting.get() fallback=|| ()>
            <div id="inspect" class="inspect">
                <p class="hint">{copy::INSPECT_TEXT}</p>
                <ClipboardBlock what="inspect command" text=inspect_line secret=masked/>
            </div>
        </Show>
    }
}

#[component]
fn Compose(text: Signal<String>, masked: Signal<Option<String>>) -> impl IntoView {
    let flow = use_flow();
    let file = Signal::derive(|| "compose.yaml".to_owned());
    let more = view! { <Download label=copy::DOWNLOAD_COMPOSE file text/> }.into_any();
    let is_pod = flow.mode_of_device() == NetworkMode::Pause;
    let hint = if is_pod {
        copy::COMPOSE_POD
    } else {
        copy::COMPOSE_HINT
    };
    view! {
        <p class="hint">{hint}</p>
        <MethodText method=Method::Compose text masked more/>
    }
}

#[component]
fn Config(text: Signal<String>, masked: Signal<Option<String>>) -> impl IntoView {
    let flow = use_flow();
    let clock = use_clock();
    let added = move || flow.shown_once.get();
    // The third step refers to the run command, so it is left out if there is none.
    let shown = |added: &DeviceAdded| if added.config_run.is_some() { 3 } else { 2 };
    let steps = move || {
        let texts = added().map(|added| {
            copy::config_steps(added.device.name.as_str())
                .into_iter()
                .take(shown(&added))
        });
        texts
            .into_iter()
            .flatten()
            .map(|step| view! { <li>{step}</li> })
            .collect_view()
    };
    let until =
        move |added: Arc<DeviceAdded>| format::clock_time(added.token_expires, clock.half_minute.get());
    let run = Signal::derive(move || {
        added()
            .and_then(|added| added.config_run.clone())
            .unwrap_or_default()
    });
    let file = Signal::derive(move || flow.name.with(|name| format!("{name}.device.toml")));
    let more = view! { <Download label=copy::DOWNLOAD_CONFIG file text primary=true/> }.into_any();
    view! {
        <ol class="numbered">{steps}</ol>
        <p class="warn caption">{move || added().map(|added| copy::config_warning(&until(added)))}</p>
        <Show when=move || run.with(|run| !run.is_empty()) fallback=|| ()>
            <ClipboardBlock what="run command" text=run on_copy=move || flow.keep_command.set(true)/>
        </Show>
        <ClipboardBlock what=Method::Config.what() text secret=masked more on_copy=move || flow.keep_command.set(true)/>
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
    if primary && !flow.keep_command.get_untracked() {
        focus_when_shown(button);
    }
    let kind = if primary {
        ButtonKind::Primary
    } else {
        ButtonKind::Secondary
    };
    let save = move || {
        flow.keep_command.set(true);
        browser::download(&file.get_untracked(), &text.get_untracked());
    };
    view! { <Button label kind glyph=lucide::DOWNLOAD node_ref=button on_press=save/> }
}
