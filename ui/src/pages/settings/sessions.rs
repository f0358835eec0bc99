//! The browsers that are signed in, and ending their sessions.

use crate::{
    api::send,
    components::{age::AgeLabel, button::Button, loaded::Loaded, toast::use_toaster},
    copy::settings as copy,
    store::{Known, ask, load_of, use_store},
};
use flotilla_protocol::api::{EndSession, List, ListSessions, SessionFacts, Verb};
use leptos::{prelude::*, task::spawn_local};

#[component]
pub(super) fn Sessions() -> impl IntoView {
    let toaster = use_toaster();
    let known = RwSignal::new(Known::<List<SessionFacts>>::default());
    let busy = RwSignal::new(false);
    let reason = use_store().reason(Verb::SignIn);
    ask(known, ListSessions);
    let end = Callback::new(move |(session, place): (String, String)| {
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        spawn_local(async move {
            match send(&EndSession { session }).await {
                Ok(_) => toaster.confirm(copy::session_ended(&place)),
                Err(failure) => toaster.fail(failure.to_string()),
            }
            busy.try_set(false);
            ask(known, ListSessions);
        });
    });
    let sessions = Memo::new(move |_| {
        known.with(|known| known.value().map(|list| list.items.clone()).unwrap_or_default())
    });
    let list = move || {
        let sessions = sessions.get();
        if sessions.is_empty() {
            return view! { <p class="hint">{copy::NO_OTHER_SESSION}</p> }.into_any();
        }
        let line = |session| session_line(session, (busy, reason), end);
        let lines = sessions.into_iter().map(line).collect_view();
        view! { <ul class="sessions" aria-label=copy::SESSIONS>{lines}</ul> }.into_any()
    };
    view! {
        <section class="panel section" aria-labelledby="sessions">
            <h2 id="sessions">{copy::SESSIONS}</h2>
            <p class="muted">{copy::SESSIONS_TEXT}</p>
            <Loaded load=load_of(known) bones=2 sentence=copy::SESSIONS_LOADING on_retry=move || ask(known, ListSessions)>{list}</Loaded>
        </section>
    }
}

fn session_line(
    session: SessionFacts,
    (busy, reason): (RwSignal<bool>, Signal<Option<String>>),
    end: Callback<(String, String)>,
) -> impl IntoView {
    let way_out = if session.current {
        view! { <span class="tag">{copy::THIS_SESSION}</span> }.into_any()
    } else {
        let (id, place) = (session.id.to_string(), session.place.clone());
        let press = move || end.run((id.clone(), place.clone()));
        view! { <Button label=copy::END_SESSION busy reason on_press=press/> }.into_any()
    };
    view! {
        <li>
            <strong>{session.place}</strong>
            <span class="muted">
                <AgeLabel moment=session.opened prefix=copy::SINCE/>" · "
                <AgeLabel moment=session.last_used prefix=copy::LAST_USED/>
            </span>
            {way_out}
        </li>
    }
}
