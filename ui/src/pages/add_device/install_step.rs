//! The last step: the command, its lifetime, and the progress of the device.

use super::{
    countdown::Countdown,
    flow::{Flow, LIFETIMES, Step, use_flow},
    method::Method,
    panel::MethodPanel,
    progress::{CommandState, command_state},
    result::ResultCard,
    ssh_progress,
    stages::Stages,
};
use crate::{
    clock::use_clock,
    components::{
        badge::Tone,
        button::{Button, ButtonKind},
        error_state::{ErrorState, Notice},
        select::Select,
        skeleton::Skeleton,
        tabs::{Tab, Tabs},
    },
    copy::add_device as copy,
    format,
    store::use_store,
};
use flotilla_protocol::{Timestamp, api::Enrollment, device::DeviceStatus};
use leptos::prelude::*;

#[component]
pub(super) fn InstallStep(#[prop(into)] on_close: Callback<()>) -> impl IntoView {
    let flow = use_flow();
    let clock = use_clock();
    let (enrollment, expires) = (enrollment(flow), expires(flow));
    ssh_progress::follow(flow, use_store());
    let state = Memo::new(move |_| {
        let state = enrollment
            .with(|enrollment| command_state(enrollment.as_ref(), expires.get(), clock.second.get()));
        // An installation over SSH took a new token, which withdrew the command of this dialog. Its device is still
        // awaited.
        if state == CommandState::Withdrawn && flow.token_used_by_ssh.get() {
            CommandState::Waiting
        } else {
            state
        }
    });
    let content = move || match state.get() {
        // The state is that of an earlier command until the new one is created.
        _ if flow.last_step_only && flow.shown_once.with(Option::is_none) => {
            view! { <Skeleton bones=3 height="3rem" sentence=copy::CREATING/> }.into_any()
        }
        CommandState::Online => view! { <ResultCard on_close/> }.into_any(),
        CommandState::Waiting => view! { <Waiting enrollment expires/> }.into_any(),
        CommandState::Expired => ended_command(
            flow,
            expired_text(expires.get_untracked(), clock.second.get_untracked()),
        ),
        CommandState::Withdrawn => ended_command(flow, copy::WITHDRAWN.to_owned()),
    };
    let foot = move || match state.get() {
        CommandState::Online => None,
        state => Some(view! { <InstallFooter works=state == CommandState::Waiting on_close/> }),
    };
    view! {
        <div class="dialog-body">
            {move || flow.failure.get().map(|failure| view! { <ErrorState message=failure.to_string()/> })}
            {content}
        </div>
        {foot}
    }
}

#[component]
fn InstallFooter(works: bool, on_close: Callback<()>) -> impl IntoView {
    let flow = use_flow();
    let store = use_store();
    let back = move || {
        (!flow.resumed.get())
            .then(|| view! { <Button label=copy::BACK on_press=move || flow.step.set(Step::Network)/> })
    };
    let is_pending = move || {
        let device = flow
            .device
            .get()
            .and_then(|id| store.lookup_device(&id.to_string()));
        device.is_none_or(|device| device.status == DeviceStatus::Pending)
    };
    let note = move || {
        if is_pending() {
            flow.name.with(|name| copy::stays_pending(name))
        } else {
            copy::KEEPS_WORKING.to_owned()
        }
    };
    view! {
        <footer class="dialog-foot">
            <span class="start">{back}</span>
            {works.then(|| view! { <p class="note">{note}</p> })}
            <Button label=copy::CLOSE on_press=move || on_close.run(())/>
        </footer>
    }
}

#[component]
fn Waiting(enrollment: Signal<Option<Enrollment>>, expires: Signal<Option<Timestamp>>) -> impl IntoView {
    let flow = use_flow();
    let lifetimes = LIFETIMES
        .iter()
        .map(|(seconds, words)| (seconds.to_string(), (*words).to_owned()))
        .collect();
    let choose = move |seconds: String| {
        if let Ok(seconds) = seconds.parse() {
            flow.choose_lifetime(seconds);
        }
    };
    let chosen = Signal::derive(move || flow.lifetime.get().to_string());
    // A text has a lifetime, which is shown and can be changed. An installation over SSH starts at once and has none.
    let is_shown = move || flow.shown_once.with(Option::is_some) && flow.method.get() != Method::Ssh;
    let whole = move || is_shown().then(|| flow.lifetime.get_untracked());
    let heading = move || {
        flow.name.with(|name| match flow.method.get() {
            Method::Ssh => copy::install_on(name),
            _ if is_shown() => copy::run_this_on(name),
            _ => name.clone(),
        })
    };
    let once = move || {
        let countdown = expires
            .get()
            .map(|expires| view! { <Countdown expires whole=whole()/> });
        (flow.method.get() != Method::Ssh)
            .then(|| view! { <p class="once">{copy::WORKS_ONCE}" "{countdown}</p> })
    };
    view! {
        <div class="install-head">
            <h3>{heading}</h3>
            {once}
            {move || is_shown().then(|| view! {
                <Select label=copy::VALID_FOR options=Vec::clone(&lifetimes) value=chosen on_change=choose/>
            })}
        </div>
        <Methods/>
        <Stages enrollment/>
    }
}

#[component]
fn Methods() -> impl IntoView {
    let flow = use_flow();
    let tabs = Signal::derive(move || {
        let mode = flow.mode_of_device();
        let tab = |method: Method| Tab {
            reason: if flow.last_step_only && method == Method::Ssh {
                Some(copy::SSH_ONLY_NEW.to_owned())
            } else {
                flow.shown_once
                    .with(|added| method.reason(added.as_deref(), mode))
            },
            ..Tab::new(method.label(), method.label())
        };
        Method::ALL.into_iter().map(tab).collect::<Vec<_>>()
    });
    let select = move |label: String| {
        if let Some(chosen) = Method::from_label(&label) {
            flow.choose_method(chosen);
        }
    };
    let selected = Signal::derive(move || flow.method.get().label().to_owned());
    view! {
        <div class="methods">
            <Tabs label=copy::METHODS tabs selected on_select=select>
                {move || view! { <MethodPanel method=flow.method.get()/> }}
            </Tabs>
        </div>
    }
}

/// The notice for a command that cannot be used any more, with a button for a new one.
fn ended_command(flow: Flow, text: String) -> AnyView {
    view! {
        <Notice tone=Tone::Warn text>
            <Button label=copy::NEW_COMMAND kind=ButtonKind::Primary busy=flow.busy reason=flow.reason_against_renewal()
                on_press=move || flow.renew()/>
        </Notice>
    }
    .into_any()
}

fn expired_text(expires: Option<Timestamp>, now: Timestamp) -> String {
    copy::expired(
        &expires
            .map(|expires| format::clock_time(expires, now))
            .unwrap_or_default(),
    )
}

fn enrollment(flow: Flow) -> Signal<Option<Enrollment>> {
    let store = use_store();
    Signal::derive(move || {
        let device = flow.device.get()?;
        store.enrollments.with(|known| known.get(&device).cloned())
    })
}

/// The moment at which the command of this dialog or else the newest one of the device expires.
fn expires(flow: Flow) -> Signal<Option<Timestamp>> {
    let store = use_store();
    Signal::derive(move || {
        let of_shown = flow
            .shown_once
            .with(|added| added.as_ref().map(|added| added.token_expires))
            .filter(|_| !flow.token_used_by_ssh.get());
        of_shown.or_else(|| {
            let device = flow.device.get()?;
            store
                .enrollments
                .with(|known| known.get(&device).map(|enrollment| enrollment.expires))
        })
    })
}
