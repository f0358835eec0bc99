//! The choice where the device is, and the addresses by which it can reach the controller from there.

use super::flow::{self, use_flow};
use crate::{
    components::{
        badge::Tone,
        button::Button,
        error_state::Notice,
        icon::lucide,
        radio::{RadioGroup, RadioOption},
    },
    copy::add_device as copy,
    pages::addresses::{AddAddress, AddressList},
};
use leptos::prelude::*;

const LOCAL: &str = "local";
const ELSEWHERE: &str = "elsewhere";

#[component]
pub(super) fn LocationChoice() -> impl IntoView {
    let flow = use_flow();
    let option = |value: &str, title: &str, text: &str| RadioOption {
        value: value.to_owned(),
        title: title.to_owned(),
        text: text.to_owned(),
    };
    let options = vec![
        option(LOCAL, copy::LOCAL, copy::LOCAL_TEXT),
        option(ELSEWHERE, copy::ELSEWHERE, copy::ELSEWHERE_TEXT),
    ];
    let value = Signal::derive(move || {
        let word = match flow.location.get() {
            flow::DeviceLocation::Local => LOCAL,
            flow::DeviceLocation::Elsewhere => ELSEWHERE,
        };
        word.to_owned()
    });
    let change = move |value: String| {
        flow.over_ssh.set(false);
        flow.location.set(if value == LOCAL {
            flow::DeviceLocation::Local
        } else {
            flow::DeviceLocation::Elsewhere
        });
    };
    view! { <RadioGroup label=copy::WHERE options value on_change=change/> }
}

/// The addresses that the device would dial and, if it can reach none of them, what helps.
#[component]
pub(super) fn WayToController(
    #[prop(into)] on_added: Callback<()>,
    /// Continues with an installation over SSH.
    #[prop(into)]
    on_ssh: Callback<()>,
) -> impl IntoView {
    let flow = use_flow();
    let test = flow.self_test;
    let is_elsewhere = move || flow.location.get() == flow::DeviceLocation::Elsewhere;
    let stuck = Memo::new(move |_| flow.is_stuck());
    let silent = move || {
        (!stuck.get() && test.is_any_reachable() == Some(false))
            .then(|| view! { <Notice tone=Tone::Warn text=copy::NONE_ANSWERS.to_owned()/> })
    };
    let heading = move || {
        if is_elsewhere() {
            copy::REACHED_AT_OUTSIDE
        } else {
            copy::REACHED_AT
        }
    };
    view! {
        {move || stuck.get().then(|| view! { <NoWayToController on_added on_ssh/> })}
        {silent}
        <section class="way-here" aria-labelledby="way-here">
            <h3 id="way-here" class="label">{heading}</h3>
            <AddressList test/>
        </section>
    }
}

/// The notice for a device elsewhere that can reach no address: why, and what helps.
#[component]
fn NoWayToController(on_added: Callback<()>, on_ssh: Callback<()>) -> impl IntoView {
    let way =
        |(title, text): (&'static str, &'static str)| view! { <li><strong>{title}</strong>" "{text}</li> };
    view! {
        <section class="no-way" aria-label=copy::WHAT_HELPS>
            <Notice tone=Tone::Warn text=copy::NOT_REACHABLE.to_owned()/>
            <div class="actions">
                <AddAddress on_added=on_added/>
                <Button label=copy::OVER_SSH_FROM_HERE glyph=lucide::TERMINAL on_press=move || on_ssh.run(())/>
            </div>
            <h3 class="label">{copy::WHAT_HELPS}</h3>
            <ul class="ways">{copy::WAYS.into_iter().map(way).collect_view()}</ul>
        </section>
    }
}
