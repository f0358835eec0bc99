//! Needs attention: the worst troubles of the fleet, each with a link to it.

use super::trouble::{TroubleLine, troubles};
use crate::{
    actions::{DeviceObject, use_acting},
    components::{
        age::AgeLabel,
        icon::{Glyph, Icon, lucide},
    },
    copy::{dashboard as copy, mode},
    store::{Store, use_store},
};
use flotilla_protocol::device::{Device, DeviceStatus};
use leptos::prelude::*;
use leptos_router::components::A;

#[component]
pub(super) fn NeedsAttention() -> impl IntoView {
    let store = use_store();
    store.ensure_containers();
    let found = Memo::new(move |_| current_troubles(store));
    let count = move || found.with(|(_, all)| *all);
    let quiet = move || {
        store.devices.with(|devices| {
            let any_reported = devices.rows().values().any(|device| device.engine.is_some());
            let containers = store.containers.with(|containers| containers.rows().len());
            copy::all_quiet(devices.rows().len(), any_reported.then_some(containers))
        })
    };
    // All is quiet only if every online device has reported, and the containers are loaded.
    let known = Memo::new(move |_| {
        let silent = |device: &Device| device.status == DeviceStatus::Online && device.engine.is_none();
        store.containers.with(|containers| containers.is_filled())
            && store
                .devices
                .with(|devices| !devices.rows().values().any(|device| silent(device)))
    });
    let content = move || match (count(), known.get()) {
        (0, true) => {
            let text = Signal::derive(quiet);
            view! { <NoTrouble class="ok" glyph=lucide::CIRCLE_CHECK title=copy::ALL_QUIET text/> }.into_any()
        }
        (0, false) => {
            let text = Signal::derive(|| copy::LOOKING_TEXT.to_owned());
            view! { <NoTrouble class="off" glyph=lucide::HOURGLASS title=copy::LOOKING text/> }.into_any()
        }
        _ => {
            let each = move || found.with(|(found, _)| found.clone());
            view! {
                <ul class="troubles panel">
                    <For each=each key=|trouble| (trouble.text.clone(), trouble.since) let:trouble><TroubleRow trouble/></For>
                </ul>
            }
            .into_any()
        }
    };
    let is_quiet = Memo::new(move |_| count() == 0);
    view! {
        <section aria-labelledby="needs-attention">
            <h2 id="needs-attention">
                {copy::NEEDS_ATTENTION}" "
                <span class="count">{move || Some(count()).filter(|count| *count > 0)}</span>
            </h2>
            {move || { is_quiet.track(); known.track(); untrack(content) }}
        </section>
    }
}

/// The worst troubles, and the number of all.
fn current_troubles(store: Store) -> (Vec<TroubleLine>, usize) {
    store.devices.with(|devices| {
        store.containers.with(|containers| {
            // Containers of a device that is not online are left out: its last report is out of date.
            let online = |id| {
                devices
                    .rows()
                    .get(id)
                    .is_some_and(|device| device.status == DeviceStatus::Online)
            };
            let current = containers.rows().values().filter(|row| online(&row.device_id));
            troubles(
                devices.rows().values().map(AsRef::as_ref),
                current.map(AsRef::as_ref),
            )
        })
    })
}

/// The content while there is no trouble.
#[component]
fn NoTrouble(class: &'static str, glyph: Glyph, title: &'static str, text: Signal<String>) -> impl IntoView {
    view! {
        <div class="all-quiet panel">
            <span class=class><Icon glyph/></span>
            <h3>{title}</h3>
            <p class="muted">{text}</p>
        </div>
    }
}

#[component]
fn TroubleRow(trouble: TroubleLine) -> impl IntoView {
    let (class, glyph) = if trouble.is_bad {
        ("bad", lucide::CIRCLE_ALERT)
    } else {
        ("warn", lucide::TRIANGLE_ALERT)
    };
    let about = trouble.text.clone();
    let keep = trouble.keeps_host.map(|device| {
        let acting = use_acting();
        let press = move |_| acting.begin_slug::<DeviceObject>("keep-host", &device.to_string());
        view! {
            <button type="button" class="button quiet" aria-label=format!("{}: {about}", mode::KEEP_HOST) on:click=press>{mode::KEEP_HOST}</button>
        }
    });
    view! {
        <li>
            <span class=class><Icon glyph/></span>
            <span class="what">{trouble.text}</span>
            {trouble.since.map(|(moment, prefix)| view! { <AgeLabel moment prefix/> })}
            <A href=trouble.path attr:class="button quiet" attr:aria-label=format!("{}: {about}", trouble.action)>{trouble.action}</A>
            {keep}
        </li>
    }
}
