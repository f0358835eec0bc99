//! Changing the network mode of a device: what it changes, and the progress of the move.
//!
//! Life cycle: `Choose` → `Moving` until the device is online in its new network, or `ByHand` if its agent cannot move
//! by itself.

mod effects;
mod progress;

use crate::{
    actions::{
        DeviceObject,
        devices::{has_mode_mismatch, needs_choice},
        use_acting,
    },
    api::send,
    clock::use_clock,
    components::{
        badge::Tone,
        button::{Button, ButtonKind},
        dialog::{Dialog, Size},
        error_state::{ErrorState, Notice},
        focus::focus_when_shown,
        mode_card::ModeCard,
    },
    copy::{add_device, mode as copy},
    format,
    pages::add_device::{PasteTexts, diagram},
    store::use_store,
};
use effects::{Effects, effects};
use flotilla_protocol::{
    Timestamp,
    api::{ByHand, ChangeMode as Change, ModeChange},
    device::{Device, NetworkMode},
};
use leptos::{ev::SubmitEvent, html, prelude::*, task::spawn_local};
use progress::{MoveState, move_state};
use std::sync::Arc;

/// The stage of the dialog.
#[derive(Debug, Clone)]
enum DialogStage {
    Choose,
    Moving(ModeMove),
    ByHand(Arc<ByHand>),
}

/// A move that an agent makes by itself.
#[derive(Debug, Clone, Copy)]
struct ModeMove {
    to: NetworkMode,
    /// Since when the link was up before the move.
    before: Option<Timestamp>,
    begun: Timestamp,
}

#[component]
pub fn ChangeMode(device: Signal<Arc<Device>>, #[prop(into)] on_close: Callback<()>) -> impl IntoView {
    let name = device.with_untracked(|device| device.name.to_string());
    let stage = RwSignal::new(DialogStage::Choose);
    let first = device.with_untracked(|device| device.mode);
    let chosen = RwSignal::new(first);
    let edited = Signal::derive(move || {
        chosen.get() != first && stage.with(|stage| matches!(stage, DialogStage::Choose))
    });
    let content = move || match stage.get() {
        DialogStage::Choose => view! { <Choose device chosen stage on_close/> }.into_any(),
        DialogStage::Moving(mode_move) => view! { <Moving device mode_move on_close/> }.into_any(),
        DialogStage::ByHand(by_hand) => view! { <ByHandTexts device by_hand on_close/> }.into_any(),
    };
    view! { <Dialog title=copy::title(&name) size=Size::Wide edited on_close>{content}</Dialog> }
}

#[component]
fn Choose(
    device: Signal<Arc<Device>>,
    chosen: RwSignal<NetworkMode>,
    stage: RwSignal<DialogStage>,
    on_close: Callback<()>,
) -> impl IntoView {
    let acting = use_acting();
    let clock = use_clock();
    let present = Memo::new(move |_| device.with(|device| device.mode));
    let busy = RwSignal::new(false);
    let refused = RwSignal::new(None::<String>);
    let relays = Memo::new(move |_| device.with(|device| device.is_relay));
    let mismatched = Memo::new(move |_| device.with(|device| has_mode_mismatch(device)));
    let reason = Signal::derive(move || match chosen.get() {
        same if same == present.get() && !mismatched.get() => Some(copy::SAME.to_owned()),
        NetworkMode::Bridge if relays.get() => Some(copy::IS_RELAY.to_owned()),
        _ => None,
    });
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        if busy.get_untracked() || reason.with_untracked(Option::is_some) {
            return;
        }
        busy.set(true);
        refused.set(None);
        let (to, begun) = (chosen.get_untracked(), clock.second.get_untracked());
        let (id, before) = device.with_untracked(|device| (device.id.to_string(), device.link.since));
        let request = Change {
            device: id,
            change: ModeChange {
                mode: to,
                expires_seconds: None,
            },
        };
        spawn_local(async move {
            let outcome = send(&request).await;
            // `try_set` answers the value if the dialog was closed meanwhile.
            if busy.try_set(false).is_some() {
                return;
            }
            match outcome.map(|changed| changed.by_hand) {
                Ok(Some(by_hand)) => stage.set(DialogStage::ByHand(Arc::new(by_hand))),
                Ok(None) => stage.set(DialogStage::Moving(ModeMove { to, before, begun })),
                Err(failure) => refused.set(Some(failure.to_string())),
            }
        });
    };
    let keeps = Memo::new(move |_| device.with(|device| needs_choice(device)));
    let keep = move || {
        on_close.run(());
        acting.begin_slug::<DeviceObject>(
            "keep-host",
            &device.with_untracked(|device| device.id.to_string()),
        );
    };
    let cards = NetworkMode::ALL
        .iter()
        .map(|mode| view! { <Card mode=*mode present chosen/> });
    view! {
        <form on:submit=submit novalidate>
            <div class="dialog-body">
                {move || refused.get().map(|message| view! { <ErrorState message/> })}
                <div class="field" role="radiogroup" aria-labelledby="change-mode">
                    <span class="label" id="change-mode">{copy::MODE}</span>
                    <div class="mode-cards">{cards.collect_view()}</div>
                </div>
                <ModeEffects device chosen/>
            </div>
            <footer class="dialog-foot">
                <Button label=copy::CANCEL on_press=move || on_close.run(())/>
                {move || keeps.get().then(|| view! { <Button label=copy::KEEP_HOST on_press=keep/> })}
                <Button label=Signal::derive(move || copy::change_to(chosen.get())) kind=ButtonKind::Primary submit=true busy doing=copy::CHANGING reason/>
            </footer>
        </form>
    }
}

#[component]
fn Card(mode: NetworkMode, present: Memo<NetworkMode>, chosen: RwSignal<NetworkMode>) -> impl IntoView {
    let radio = NodeRef::<html::Input>::new();
    if chosen.get_untracked() == mode {
        focus_when_shown(radio);
    }
    let checked = Signal::derive(move || chosen.get() == mode);
    view! {
        <ModeCard text=add_device::card(mode) name="change-mode" checked diagram=diagram(mode) node_ref=radio
            on_choose=move || chosen.set(mode)>
            {move || (present.get() == mode).then(|| view! { <p><strong>{copy::IN_USE}</strong></p> })}
        </ModeCard>
    }
}

/// The effects of the chosen mode.
#[component]
fn ModeEffects(device: Signal<Arc<Device>>, chosen: RwSignal<NetworkMode>) -> impl IntoView {
    let store = use_store();
    store.ensure_containers();
    if store.policy.with_untracked(Option::is_none) {
        // A failure is ignored: without the policy, the effects are less exact, but not wrong.
        spawn_local(async move { _ = store.load_policy().await });
    }
    let changes = Memo::new(move |_| {
        let device = device.get();
        store.containers.with(|collection| {
            let containers: Vec<_> = collection.of_device(device.id).map(|row| &row.item).collect();
            store.policy.with(|policy| {
                let rules = policy.as_ref().map(|known| known.policy.rules.as_slice());
                effects(&device, chosen.get(), &containers, rules)
            })
        })
    });
    let is_other = move || device.with(|device| device.mode != chosen.get());
    let list = |title: &'static str, lines: Vec<String>| {
        let lines = lines
            .into_iter()
            .map(|line| view! { <li>{line}</li> })
            .collect_view();
        view! { <h3>{title}</h3><ul>{lines}</ul> }
    };
    move || {
        let Effects { stops, opens, notes } = changes.get();
        is_other().then(|| {
            let stops = if stops.is_empty() {
                vec![copy::NOTHING_STOPS.to_owned()]
            } else {
                stops
            };
            view! {
                <section class="effects" role="status">
                    {list(copy::STOPS, stops)}
                    {(!opens.is_empty()).then(|| list(copy::OPENS, opens))}
                    {notes.into_iter().map(|note| view! { <p class="hint">{note}</p> }).collect_view()}
                </section>
            }
        })
    }
}

#[component]
fn Moving(device: Signal<Arc<Device>>, mode_move: ModeMove, on_close: Callback<()>) -> impl IntoView {
    let store = use_store();
    let clock = use_clock();
    let id = device.with_untracked(|device| device.id);
    let ModeMove { to, before, begun } = mode_move;
    let waited = move || clock.second.get().as_second() - begun.as_second();
    let state = Memo::new(move |last: Option<&MoveState>| {
        // A finished move stays finished, whatever happens to the device afterwards.
        if last == Some(&MoveState::Back) {
            return MoveState::Back;
        }
        let device = device.get();
        store.containers.with(|collection| {
            let agent = collection.of_device(id).find(|row| row.item.is_agent);
            let network = agent.map(|row| row.item.network_mode.as_str());
            move_state(&device, to, before, network, waited())
        })
    });
    let sentence = move || {
        let name = device.with_untracked(|device| device.name.to_string());
        match state.get() {
            MoveState::Leaving => (Tone::Info, copy::leaving(&name, to)),
            MoveState::Away => (Tone::Info, copy::away(&name)),
            MoveState::Late => (Tone::Warn, copy::late(&name)),
            MoveState::Back => (Tone::Ok, copy::back(&name, to)),
            MoveState::Unmoved => (Tone::Bad, copy::unmoved(&name)),
        }
    };
    let notice = move || {
        let (tone, text) = sentence();
        view! { <Notice tone text/> }
    };
    let is_over = Memo::new(move |_| matches!(state.get(), MoveState::Back | MoveState::Unmoved));
    let elapsed = move || (!is_over.get()).then(|| format::span(waited()));
    let button = NodeRef::<html::Button>::new();
    focus_when_shown(button);
    let label = Signal::derive(move || if is_over.get() { copy::DONE } else { copy::CLOSE }.to_owned());
    view! {
        <div class="dialog-body">
            <div role="status">{notice}</div>
            <p class="caption muted num">{elapsed}</p>
        </div>
        <footer class="dialog-foot"><Button label kind=ButtonKind::Primary node_ref=button on_press=move || on_close.run(())/></footer>
    }
}

/// The texts that a person pastes on the device, and why.
#[component]
fn ByHandTexts(device: Signal<Arc<Device>>, by_hand: Arc<ByHand>, on_close: Callback<()>) -> impl IntoView {
    let title = device.with_untracked(|device| copy::by_hand(device.name.as_str()));
    view! {
        <div class="in-hand"><Notice tone=Tone::Info title text=by_hand.reason.clone()/></div>
        <PasteTexts texts=(*by_hand.texts).clone() on_close/>
    }
}
