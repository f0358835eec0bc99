//! The access policy as sentences, with its tests, a review before it is saved, and explanations.

mod draft;
mod review;
mod rule_form;
mod test_form;

pub(super) use draft::PolicyDraft;

use super::explain::{AccessQuestion, Explain};
use crate::{
    components::{
        badge::{Status, Tone, status_badge},
        button::{Button, ButtonKind, IconButton},
        empty::EmptyState,
        error_state::{ErrorState, Notice},
        icon::lucide,
        skeleton::Skeleton,
    },
    copy::policy as copy,
    frame::PageActions,
};
use draft::{name_of, unreachable_devices_of};
use flotilla_protocol::policy::{PolicyTest, Rule};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use review::Review;
use rule_form::RuleForm;
use test_form::TestForm;

/// The form that is open beside the sentences.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OpenForm {
    NewRule,
    Rule(usize),
    NewTest,
}

#[component]
pub(super) fn PolicyView(draft: PolicyDraft) -> impl IntoView {
    draft.load();
    let open = RwSignal::new(None::<OpenForm>);
    let reviewing = RwSignal::new(false);
    let any = Memo::new(move |_| draft.policy.with(|policy| !policy.rules.is_empty()));
    let query = use_query_map().get_untracked();
    let end = |name: &str| query.get(name).and_then(|id| name_of(&id)).unwrap_or_default();
    let edited = Signal::derive(move || draft.is_changed().then(|| draft.policy.get()));
    let question = AccessQuestion::new(edited, end("from"), end("to"));
    let close = Callback::new(move |()| open.set(None));
    let drawer = move || {
        open.get().map(|open| match open {
            OpenForm::NewRule => view! { <RuleForm draft index=None on_close=close/> }.into_any(),
            OpenForm::Rule(index) => view! { <RuleForm draft index=Some(index) on_close=close/> }.into_any(),
            OpenForm::NewTest => view! { <TestForm draft on_close=close/> }.into_any(),
        })
    };
    let body = move || {
        view! {
            <Show when=move || any.get() fallback=|| ()>
                <PageActions><Button label=copy::ADD_RULE glyph=lucide::PLUS on_press=move || open.set(Some(OpenForm::NewRule))/></PageActions>
            </Show>
            <div class="with-drawer">
                <div class="policy">
                    <SaveBar draft reviewing/>
                    <Rules draft open any/>
                    <Tests draft open/>
                    <section class="panel" aria-labelledby="explain">
                        <h2 id="explain">{copy::EXPLAIN}</h2>
                        <Explain question submit=copy::EXPLAIN/>
                    </section>
                </div>
                {drawer}
            </div>
            {move || reviewing.get().then(|| view! { <Review draft on_close=move || reviewing.set(false)/> })}
        }
    };
    move || match (draft.is_loaded(), draft.failure.get()) {
        (true, _) => body().into_any(),
        (false, Some(message)) => view! { <ErrorState message on_retry=move || draft.load()/> }.into_any(),
        (false, None) => view! { <Skeleton bones=5 height="2rem" sentence=copy::LOADING/> }.into_any(),
    }
}

/// The bar with the state of the draft, and the buttons to review, save and discard it.
#[component]
fn SaveBar(draft: PolicyDraft, reviewing: RwSignal<bool>) -> impl IntoView {
    let changed = Memo::new(move |_| draft.is_changed());
    let reason = Signal::derive(move || (!changed.get()).then(|| copy::UNCHANGED.to_owned()));
    let conflict = move || {
        let (by, revision) = draft.conflict()?;
        let text = copy::edited_elsewhere(&by, revision);
        Some(view! {
            <Notice tone=Tone::Warn text>
                <Button label=copy::DISCARD kind=ButtonKind::Quiet on_press=move || draft.discard()/>
            </Notice>
        })
    };
    let discard = move || {
        (changed.get() && draft.conflict().is_none()).then(
            || view! { <Button label=copy::DISCARD kind=ButtonKind::Quiet on_press=move || draft.discard()/> },
        )
    };
    view! {
        <div class="save-bar">
            <span class="caption muted">{move || if changed.get() { copy::CHANGED.to_owned() } else { draft.caption() }}</span>
            {discard}
            <Button label=copy::REVIEW reason on_press=move || reviewing.set(true)/>
            <Button label=copy::SAVE kind=ButtonKind::Primary reason busy=draft.busy on_press=move || draft.save(Callback::new(|()| ()))/>
        </div>
        {conflict}
        {move || draft.refused.get().map(|message| view! { <ErrorState message/> })}
    }
}

#[component]
fn Rules(draft: PolicyDraft, open: RwSignal<Option<OpenForm>>, any: Memo<bool>) -> impl IntoView {
    let rules = move || {
        let rule = |(index, rule): (usize, &Rule)| rule_line(draft, open, index, rule);
        draft
            .policy
            .with(|policy| policy.rules.iter().enumerate().map(rule).collect_view())
    };
    let empty = move || {
        view! {
            <EmptyState glyph=lucide::SHIELD_CHECK title=copy::NO_RULES text=copy::NO_RULES_TEXT>
                <Button label=copy::ADD_RULE on_press=move || open.set(Some(OpenForm::NewRule))/>
            </EmptyState>
        }
    };
    view! {
        <section class="panel" aria-labelledby="rules">
            <h2 id="rules">{copy::RULES}</h2>
            {move || if any.get() {
                view! { <ul class="sentences">{rules}</ul><p class="hint">{copy::ORDER}</p> }.into_any()
            } else {
                empty().into_any()
            }}
        </section>
    }
}

fn rule_line(
    draft: PolicyDraft,
    open: RwSignal<Option<OpenForm>>,
    index: usize,
    rule: &Rule,
) -> impl IntoView + use<> {
    let part = |(text, is_name): copy::Part| {
        if is_name {
            view! { <strong>{text}</strong> }.into_any()
        } else {
            text.into_any()
        }
    };
    let sentence = copy::sentence(rule).into_iter().map(part).collect_view();
    let unreachable = unreachable_devices_of(rule);
    let remove = move || {
        open.set(None);
        draft.policy.update(|policy| drop(policy.rules.remove(index)));
    };
    view! {
        <li class:stale=!rule.enabled>
            <div>
                <p>{sentence}</p>
                <p class="caption muted">
                    {rule.name.clone()}
                    {(!rule.enabled).then(|| view! { " · "{copy::OFF} })}
                    {unreachable.map(|unreachable| view! { " · "<span class="warn">{unreachable}</span> })}
                </p>
            </div>
            <span class="actions">
                <IconButton name=copy::edit(&rule.name) glyph=lucide::PENCIL on_press=move || open.set(Some(OpenForm::Rule(index)))/>
                <IconButton name=copy::remove(&rule.name) glyph=lucide::TRASH_2 on_press=remove/>
            </span>
        </li>
    }
}

#[component]
fn Tests(draft: PolicyDraft, open: RwSignal<Option<OpenForm>>) -> impl IntoView {
    let tests = move || {
        let failing = draft.failing();
        let test = |(index, test): (usize, &PolicyTest)| {
            let text = copy::test(test);
            let (tone, glyph, word) = if failing.contains(test) {
                (Tone::Bad, lucide::CIRCLE_X, copy::FAILS)
            } else {
                (Tone::Ok, lucide::CIRCLE_CHECK, copy::PASSES)
            };
            let status = Status {
                tone,
                glyph,
                word: word.to_owned(),
            };
            let remove = move || draft.policy.update(|policy| drop(policy.tests.remove(index)));
            view! {
                <li>
                    <p>{text.clone()}</p>
                    <span class="actions">
                        {status_badge(&status, false, false)}
                        <IconButton name=copy::remove_test(&text) glyph=lucide::TRASH_2 on_press=remove/>
                    </span>
                </li>
            }
        };
        draft
            .policy
            .with(|policy| policy.tests.iter().enumerate().map(test).collect_view())
    };
    view! {
        <section class="panel" aria-labelledby="tests">
            <h2 id="tests">{copy::TESTS}</h2>
            <ul class="sentences">{tests}</ul>
            <p class="hint">{copy::TESTS_TEXT}</p>
            <div class="actions"><Button label=copy::ADD_TEST on_press=move || open.set(Some(OpenForm::NewTest))/></div>
        </section>
    }
}
