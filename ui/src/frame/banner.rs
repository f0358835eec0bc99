//! The banner of every page while the controller is out of reach.

use crate::{
    clock::use_clock,
    components::{
        button::{Button, ButtonKind},
        icon::{Icon, lucide},
    },
    copy::frame as copy,
    format,
    live::use_live,
    session::Session,
    store::{Contact, use_store},
};
use leptos::prelude::*;

#[component]
pub fn Banner() -> impl IntoView {
    let store = use_store();
    let live = use_live();
    let clock = use_clock();
    let lost = Memo::new(move |_| {
        store.session.get() != Session::Missing && matches!(store.contact.get(), Contact::Lost { .. })
    });
    let words = move || match store.contact.get() {
        Contact::Lost { last, retry } => {
            let seconds = retry.as_second() - clock.second.get().as_second();
            copy::lost(&format::clock_time(last, clock.second.get()), seconds)
        }
        Contact::Connecting | Contact::Held => String::new(),
    };
    view! {
        <div role="status">
            {move || lost.get().then(|| view! {
                <div class="banner">
                    <Icon glyph=lucide::WIFI_OFF/>
                    // Not live: a screen reader would read out every second of the countdown.
                    <span class="grow" aria-live="off">{words}</span>
                    <Button label=copy::RECONNECT kind=ButtonKind::Quiet on_press=move || live.start()/>
                </div>
            })}
        </div>
    }
}
