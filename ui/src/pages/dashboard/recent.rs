//! The newest entries of the activity log.

use crate::{
    components::{
        age::AgeLabel,
        icon::{Glyph, Icon, lucide},
    },
    copy::{dashboard as copy, events},
};
use flotilla_protocol::activity::{Action, Activity};
use leptos::prelude::*;
use std::sync::Arc;

/// A short list of entries of the activity log, newest first.
#[component]
pub(crate) fn Recent(
    #[prop(into)] entries: Signal<Vec<Arc<Activity>>>,
    nothing: &'static str,
) -> impl IntoView {
    let list = move || {
        if entries.with(Vec::is_empty) {
            view! { <p class="muted">{nothing}</p> }.into_any()
        } else {
            view! {
                <ol class="events">
                    <For each=move || entries.get() key=|entry| entry.id let:entry><Event entry/></For>
                </ol>
            }
            .into_any()
        }
    };
    view! { {list} }
}

#[component]
fn Event(entry: Arc<Activity>) -> impl IntoView {
    let (class, glyph) = icon_of(&entry);
    view! {
        <li title=entry.details.clone()>
            <span class=class><Icon glyph/></span>
            <span class="what">{events::sentence(&entry)}</span>
            <AgeLabel moment=entry.at/>
        </li>
    }
}

fn icon_of(entry: &Activity) -> (&'static str, Glyph) {
    match entry.action {
        _ if !entry.succeeded => ("bad", lucide::CIRCLE_ALERT),
        Action::DeviceOnline | Action::DeviceEnrolled => ("ok", lucide::CIRCLE_CHECK),
        Action::DeviceOffline => ("bad", lucide::UNPLUG),
        Action::DeviceRevoked | Action::DeviceQuarantined | Action::EnrollmentRefused => ("bad", lucide::BAN),
        Action::ContainerStarted => ("off", lucide::PLAY),
        Action::ContainerUnpaused => ("off", lucide::PLAY),
        Action::ContainerPaused => ("off", lucide::PAUSE),
        Action::ContainerRemoved => ("off", lucide::TRASH_2),
        Action::ContainerStopped => ("off", lucide::SQUARE),
        Action::ContainerKilled => ("off", lucide::SKULL),
        Action::ContainerRestarted | Action::ContainerRecreated => ("off", lucide::ROTATE_CW),
        _ => ("off", lucide::PENCIL),
    }
}

/// The number of entries in such a list.
const SHOWN: usize = 10;

/// The newest entries for which `wanted` is true.
pub(crate) fn newest(
    wanted: impl Fn(&Activity) -> bool + Send + Sync + 'static,
) -> Signal<Vec<Arc<Activity>>> {
    let store = crate::store::use_store();
    store.ensure_activity();
    Signal::derive(move || {
        store.activity.with(|collection| {
            collection
                .rows()
                .values()
                .rev()
                .filter(|entry| wanted(entry))
                .take(SHOWN)
                .cloned()
                .collect()
        })
    })
}

/// The list on the dashboard.
#[component]
pub(super) fn RecentActivity() -> impl IntoView {
    let entries = newest(|_| true);
    view! {
        <section class="recent" aria-labelledby="recent-activity">
            <h2 id="recent-activity">{copy::RECENT}</h2>
            <Recent entries nothing=copy::NO_ACTIVITY/>
        </section>
    }
}
