//! The access policy as sentences, with its tests, a review before it is saved, and explanations.

mod compare;
mod conflict;
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
        icon::{Glyph, lucide},
        skeleton::Skeleton,
    },
    copy::policy as copy,
    frame::PageActions,
    store::use_store,
};
use conflict::Comparison;
use draft::{name_of, unreachable_devices_of};
use flotilla_protocol::{
    api::Verb,
    policy::{PolicyTest, Rule},
};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use review::Review;
use rule_form::RuleForm;
use test_form::TestForm;

/// The form that is open beside the sentences.
#[derive(Debug, Clone, PartialEq, Eq)]
enum OpenForm {
    NewRule,
    /// The rule of this name.
    Rule(String),
    NewTest,
}

/// The form that is open, if any. A handle: copies share the same signals.
#[derive(Debug, Clone, Copy)]
struct Forms {
    open: RwSignal<Option<OpenForm>>,
    /// The form has something that is not kept yet, so no other one can be opened in its place.
    edited: RwSignal<bool>,
    /// Why this caller may not change the policy.
    denied: Signal<Option<String>>,
}

impl Forms {
    fn new() -> Self {
        Self {
            open: RwSignal::new(None),
            edited: RwSignal::new(false),
            denied: use_store().reason(Verb::Policy),
        }
    }

    fn show(self, form: OpenForm) {
        self.open.set(Some(form));
    }

    fn close(self) {
        self.edited.set(false);
        self.open.set(None);
    }

    /// Learns from a form whether something in it is edited.
    fn follow(self, edited: Memo<bool>) -> Memo<bool> {
        Effect::new(move || self.edited.set(edited.get()));
        edited
    }

    /// Why no other form can be opened, and nothing removed.
    fn reason(self) -> Signal<Option<String>> {
        Signal::derive(move || {
            let open = || self.edited.get().then(|| copy::FORM_OPEN.to_owned());
            self.denied.get().or_else(open)
        })
    }
}

/// What the page shows.
#[derive(Debug, Clone, PartialEq, Eq)]
enum PolicyContent {
    Loading,
    Failed(String),
    Loaded,
}

#[component]
pub(super) fn PolicyView(draft: PolicyDraft) -> impl IntoView {
    draft.load();
    let content = Memo::new(move |_| match (draft.is_loaded(), draft.failure.get()) {
        (true, _) => PolicyContent::Loaded,
        (false, Some(message)) => PolicyContent::Failed(message),
        (false, None) => PolicyContent::Loading,
    });
    move || match content.get() {
        PolicyContent::Loaded => view! { <Editor draft/> }.into_any(),
        PolicyContent::Failed(message) => {
            view! { <ErrorState message on_retry=move || draft.load()/> }.into_any()
        }
        PolicyContent::Loading => {
            view! { <Skeleton bones=5 height="2rem" sentence=copy::LOADING/> }.into_any()
        }
    }
}

/// The sentences, and the form that is open beside them.
#[component]
fn Editor(draft: PolicyDraft) -> impl IntoView {
    let forms = Forms::new();
    let any = Memo::new(move |_| draft.policy.with(|policy| !policy.rules.is_empty()));
    let query = use_query_map().get_untracked();
    let end = |name: &str| query.get(name).and_then(|id| name_of(&id)).unwrap_or_default();
    let edited = Signal::derive(move || draft.is_changed().then(|| draft.policy.get()));
    let question = AccessQuestion::new(edited, end("from"), end("to"));
    let drawer = move || {
        forms.open.get().map(|open| match open {
            OpenForm::NewRule => view! { <RuleForm draft forms opened=None/> }.into_any(),
            OpenForm::Rule(name) => view! { <RuleForm draft forms opened=Some(name)/> }.into_any(),
            OpenForm::NewTest => view! { <TestForm draft forms/> }.into_any(),
        })
    };
    view! {
        <Show when=move || any.get() fallback=|| ()>
            <PageActions><AddRule forms glyph=lucide::PLUS/></PageActions>
        </Show>
        <div class="with-drawer">
            <div class="policy">
                <SaveBar draft/>
                <Rules draft forms any/>
                <Tests draft forms/>
                <section class="panel" aria-labelledby="explain">
                    <h2 id="explain">{copy::EXPLAIN}</h2>
                    <Explain question submit=copy::EXPLAIN/>
                </section>
            </div>
            {drawer}
        </div>
    }
}

#[component]
fn AddRule(forms: Forms, #[prop(optional, into)] glyph: Option<Glyph>) -> impl IntoView {
    let press = move || forms.show(OpenForm::NewRule);
    match glyph {
        Some(glyph) => {
            view! { <Button label=copy::ADD_RULE glyph reason=forms.reason() on_press=press/> }.into_any()
        }
        None => view! { <Button label=copy::ADD_RULE reason=forms.reason() on_press=press/> }.into_any(),
    }
}

/// A dialog over the policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OpenDialog {
    Review,
    Comparison,
}

/// The bar with the state of the draft, and the buttons to review, save and discard it.
#[component]
fn SaveBar(draft: PolicyDraft) -> impl IntoView {
    let open = RwSignal::new(None::<OpenDialog>);
    let close = Callback::new(move |()| open.set(None));
    let dialog = move || {
        open.get().map(|open| match open {
            OpenDialog::Review => view! { <Review draft on_close=close/> }.into_any(),
            OpenDialog::Comparison => view! { <Comparison draft on_close=close/> }.into_any(),
        })
    };
    let changed = Memo::new(move |_| draft.is_changed());
    let conflict = Memo::new(move |_| draft.conflict());
    let reason = Signal::derive(move || {
        let unchanged = (!changed.get()).then(|| copy::UNCHANGED.to_owned());
        unchanged.or_else(|| conflict.get())
    });
    let compare = move || {
        conflict.get().map(|text| {
            view! {
                <Notice tone=Tone::Warn text>
                    <Button label=copy::COMPARE on_press=move || open.set(Some(OpenDialog::Comparison))/>
                </Notice>
            }
        })
    };
    let discard = move || {
        (changed.get() && conflict.with(Option::is_none)).then(
            || view! { <Button label=copy::DISCARD kind=ButtonKind::Quiet on_press=move || draft.discard()/> },
        )
    };
    view! {
        <div class="save-bar">
            <span class="caption muted">{move || if changed.get() { copy::CHANGED.to_owned() } else { draft.caption() }}</span>
            {discard}
            <Button label=copy::REVIEW reason on_press=move || open.set(Some(OpenDialog::Review))/>
            <Button label=copy::SAVE kind=ButtonKind::Primary reason busy=draft.busy on_press=move || draft.save(Callback::new(|()| ()))/>
        </div>
        {compare}
        {move || draft.refused.get().map(|message| view! { <ErrorState message/> })}
        {dialog}
    }
}

#[component]
fn Rules(draft: PolicyDraft, forms: Forms, any: Memo<bool>) -> impl IntoView {
    let names = Memo::new(move |_| {
        let name = |rule: &Rule| rule.name.clone();
        draft
            .policy
            .with(|policy| policy.rules.iter().map(name).collect::<Vec<_>>())
    });
    let rules = move || {
        view! {
            <ul class="sentences">
                <For each=move || names.get() key=String::clone let:name><RuleLine draft forms name/></For>
            </ul>
            <p class="hint">{copy::ORDER}</p>
        }
    };
    let empty = move || {
        view! { <EmptyState glyph=lucide::SHIELD_CHECK title=copy::NO_RULES text=copy::NO_RULES_TEXT><AddRule forms/></EmptyState> }
    };
    view! {
        <section class="panel" aria-labelledby="rules">
            <h2 id="rules">{copy::RULES}</h2>
            {move || if any.get() { rules().into_any() } else { empty().into_any() }}
        </section>
    }
}

/// A rule as a sentence. It stays in place for as long as there is a rule of this name.
#[component]
fn RuleLine(draft: PolicyDraft, forms: Forms, name: String) -> impl IntoView {
    let own = name.clone();
    let rule = Memo::new(move |_| {
        let is_own = |rule: &&Rule| rule.name == own;
        draft
            .policy
            .with(|policy| policy.rules.iter().find(is_own).cloned())
    });
    let off = move || rule.with(|rule| rule.as_ref().is_some_and(|rule| !rule.enabled));
    let sentence = move || {
        let part = |(text, is_name): copy::Part| {
            if is_name {
                view! { <strong>{text}</strong> }.into_any()
            } else {
                text.into_any()
            }
        };
        let parts = rule.with(|rule| rule.as_ref().map(copy::sentence));
        parts.map(|parts| parts.into_iter().map(part).collect_view())
    };
    let unreachable = Memo::new(move |_| rule.with(|rule| rule.as_ref().and_then(unreachable_devices_of)));
    let edit = {
        let own = name.clone();
        move || forms.show(OpenForm::Rule(own.clone()))
    };
    let remove = {
        let own = name.clone();
        move || {
            forms.close();
            draft
                .policy
                .update(|policy| policy.rules.retain(|rule| rule.name != own));
        }
    };
    view! {
        <li class:stale=off>
            <div>
                <p>{sentence}</p>
                <p class="caption muted">
                    {name.clone()}
                    {move || off().then(|| view! { " · "{copy::OFF} })}
                    {move || unreachable.get().map(|unreachable| view! { " · "<span class="warn">{unreachable}</span> })}
                </p>
            </div>
            <span class="actions">
                <IconButton name=copy::edit(&name) glyph=lucide::PENCIL reason=forms.reason() on_press=edit/>
                <IconButton name=copy::remove(&name) glyph=lucide::TRASH_2 reason=forms.reason() on_press=remove/>
            </span>
        </li>
    }
}

#[component]
fn Tests(draft: PolicyDraft, forms: Forms) -> impl IntoView {
    let failing = Memo::new(move |_| draft.failing());
    let tests = move || {
        let tests = draft.policy.with(|policy| policy.tests.clone());
        tests.into_iter().enumerate()
    };
    view! {
        <section class="panel" aria-labelledby="tests">
            <h2 id="tests">{copy::TESTS}</h2>
            <ul class="sentences">
                <For each=tests key=|(index, test)| (*index, copy::test(test))
                    children=move |(index, test)| view! { <TestLine draft forms failing index test/> }/>
            </ul>
            <p class="hint">{copy::TESTS_TEXT}</p>
            <div class="actions">
                <Button label=copy::ADD_TEST reason=forms.reason() on_press=move || forms.show(OpenForm::NewTest)/>
            </div>
        </section>
    }
}

#[component]
fn TestLine(
    draft: PolicyDraft,
    forms: Forms,
    failing: Memo<Vec<PolicyTest>>,
    index: usize,
    test: PolicyTest,
) -> impl IntoView {
    let text = copy::test(&test);
    let fails = Memo::new(move |_| failing.with(|failing| failing.contains(&test)));
    let status = move || {
        let (tone, glyph, word) = if fails.get() {
            (Tone::Bad, lucide::CIRCLE_X, copy::FAILS)
        } else {
            (Tone::Ok, lucide::CIRCLE_CHECK, copy::PASSES)
        };
        let word = word.to_owned();
        status_badge(&Status { tone, glyph, word }, false, false)
    };
    let remove = move || draft.policy.update(|policy| drop(policy.tests.remove(index)));
    view! {
        <li>
            <p>{text.clone()}</p>
            <span class="actions">
                {status}
                <IconButton name=copy::remove_test(&text) glyph=lucide::TRASH_2 reason=forms.reason() on_press=remove/>
            </span>
        </li>
    }
}
