//! The browsers that are signed in, and ending their sessions.

use crate::{
    api::{Failure, send},
    components::{age::AgeLabel, button::Button, error_state::ErrorState, toast::use_toaster},
    copy::settings as copy,
};
use flotilla_protocol::api::{EndSession, ListSessions, SessionFacts};
use leptos::{prelude::*, task::spawn_local};

/// The list of sessions. A handle: copies share the same signals.
#[derive(Debug, Clone, Copy)]
struct SessionList {
    list: RwSignal<Option<Vec<SessionFacts>>>,
    failure: RwSignal<Option<Failure>>,
    /// A session is being ended.
    busy: RwSignal<bool>,
}

impl SessionList {
    fn load(self) {
        spawn_local(async move { self.take(send(&ListSessions).await.map(|list| list.items)) });
    }

    fn take(self, answer: Result<Vec<SessionFacts>, Failure>) {
        // `try_set`, since the page may have been left meanwhile.
        match answer {
            Ok(list) => {
                self.list.try_set(Some(list));
                self.failure.try_set(None);
            }
            Err(failure) => _ = self.failure.try_set(Some(failure)),
        }
    }
}

#[component]
pub(super) fn Sessions() -> impl IntoView {
    let toaster = use_toaster();
    let sessions_state = SessionList {
        list: RwSignal::new(None),
        failure: RwSignal::new(None),
        busy: RwSignal::new(false),
    };
    sessions_state.load();
    let end = Callback::new(move |(session, place): (String, String)| {
        if sessions_state.busy.get_untracked() {
            return;
        }
        sessions_state.busy.set(true);
        spawn_local(async move {
            match send(&EndSession { session }).await {
                Ok(_) => toaster.confirm(copy::session_ended(&place)),
                Err(failure) => toaster.fail(failure.to_string()),
            }
            sessions_state.busy.try_set(false);
            sessions_state.load();
        });
    });
    let list = move || {
        sessions_state.list.get().map(|sessions| {
            if sessions.is_empty() {
                return view! { <p class="hint">{copy::NO_OTHER_SESSION}</p> }.into_any();
            }
            let rows = sessions
                .into_iter()
                .map(|session| session_line(session, sessions_state.busy, end))
                .collect_view();
            view! { <ul class="sessions" aria-label=copy::SESSIONS>{rows}</ul> }.into_any()
        })
    };
    view! {
        <section class="panel section" aria-labelledby="sessions">
            <h2 id="sessions">{copy::SESSIONS}</h2>
            <p class="muted">{copy::SESSIONS_TEXT}</p>
            {list}
            {move || sessions_state.failure.get().map(|failure| view! {
                <ErrorState message=failure.to_string() on_retry=move || sessions_state.load()/>
            })}
        </section>
    }
}

fn session_line(
    session: SessionFacts,
    busy: RwSignal<bool>,
    end: Callback<(String, String)>,
) -> impl IntoView {
    let way_out = if session.current {
        view! { <span class="tag">{copy::THIS_SESSION}</span> }.into_any()
    } else {
        let (id, place) = (session.id.to_string(), session.place.clone());
        let press = move || end.run((id.clone(), place.clone()));
        view! { <Button label=copy::END_SESSION busy on_press=press/> }.into_any()
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
