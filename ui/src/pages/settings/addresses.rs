//! The addresses of the controller: their tests and trials, and changing them.

use crate::{
    components::{button::Button, error_state::ErrorState, icon::lucide},
    copy::settings as copy,
    pages::addresses::{AddAddress, AddressList, SelfTest},
    store::use_store,
};
use flotilla_protocol::api::Fleet;
use leptos::prelude::*;

#[component]
pub fn Addresses() -> impl IntoView {
    let store = use_store();
    let test = SelfTest::following(store);
    let hint = move || {
        let outside = |fleet: &Fleet| fleet.reachable_from_outside;
        if store.fleet.with(|fleet| fleet.as_ref().is_some_and(outside)) {
            copy::OUTSIDE
        } else {
            copy::NOT_OUTSIDE
        }
    };
    view! {
        <section class="panel section" aria-labelledby="addresses">
            <h2 id="addresses">{copy::ADDRESSES}</h2>
            <p class="muted">{copy::ADDRESSES_TEXT}</p>
            <AddressList test full=true/>
            <p class="hint">{hint}</p>
            <div class="actions">
                <AddAddress/>
                <Button label=copy::TEST glyph=lucide::RADAR busy=test.busy on_press=move || test.run()/>
            </div>
            {move || test.failure().map(|failure| view! { <ErrorState message=failure.to_string()/> })}
        </section>
    }
}
