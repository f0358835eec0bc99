//! The Docker command for the chosen shell, and what it does if it runs two containers.

use super::{flow::use_flow, method::Method, panel::MethodText};
use crate::{components::select::Select, copy::add_device as copy};
use flotilla_protocol::device::NetworkMode;
use leptos::prelude::*;

const POSIX: &str = "posix";
const POWERSHELL: &str = "powershell";

#[component]
pub(super) fn Docker(text: Signal<String>, masked: Signal<Option<String>>) -> impl IntoView {
    let flow = use_flow();
    let shell = RwSignal::new(POSIX.to_owned());
    let powershell = move || {
        flow.shown_once
            .with(|added| added.as_ref()?.docker_run_powershell.clone())
    };
    let has_choice = Memo::new(move |_| powershell().is_some());
    let shown = Signal::derive(move || {
        let other = shell.with(|shell| shell == POWERSHELL).then(powershell).flatten();
        other.unwrap_or_else(|| text.get())
    });
    let choice = move || {
        let options = [(POSIX, copy::SHELL_POSIX), (POWERSHELL, copy::SHELL_POWERSHELL)]
            .map(|(value, words)| (value.to_owned(), words.to_owned()))
            .to_vec();
        has_choice.get().then(|| {
            view! { <Select label=copy::SHELL options value=shell on_change=move |chosen| shell.set(chosen)/> }
        })
    };
    let is_pod = flow.mode_of_device() == NetworkMode::Pause;
    let steps = |steps: [&'static str; 2]| {
        let steps = steps.map(|step| view! { <li>{step}</li> });
        view! {
            <p class="hint">{copy::TWO_CONTAINERS}</p>
            <ol class="numbered">{steps.collect_view()}</ol>
        }
    };
    view! {
        {is_pod.then(|| steps(copy::TWO_CONTAINERS_STEPS))}
        {choice}
        <MethodText method=Method::Docker text=shown masked/>
    }
}
