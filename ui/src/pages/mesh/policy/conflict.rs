//! The comparison of a draft with the policy that was saved elsewhere since editing began.

use super::{compare::Edits, draft::PolicyDraft};
use crate::{
    components::{
        badge::Tone,
        button::{Button, ButtonKind},
        dialog::{Dialog, Size},
        error_state::Notice,
    },
    copy::policy as copy,
};
use leptos::prelude::*;

#[component]
pub(super) fn Comparison(draft: PolicyDraft, #[prop(into)] on_close: Callback<()>) -> impl IntoView {
    let compared = Memo::new(move |previous: Option<&Option<Compared>>| {
        let now = draft.compared();
        // Once the conflict is resolved, the dialog is about to close.
        now.or_else(|| previous.cloned().flatten())
    });
    let body = move || compared.get().map(|compared| sides(&compared));
    let put_on_top = move || {
        draft.put_on_top();
        on_close.run(());
    };
    let discard = move || {
        draft.discard();
        on_close.run(());
    };
    view! {
        <Dialog title=copy::COMPARE_TITLE size=Size::Wide on_close>
            <div class="dialog-body">{body}</div>
            <footer class="dialog-foot">
                <span class="start"><Button label=copy::CLOSE on_press=move || on_close.run(())/></span>
                <Button label=copy::DISCARD on_press=discard/>
                <Button label=copy::PUT_ON_TOP kind=ButtonKind::Primary on_press=put_on_top/>
            </footer>
        </Dialog>
    }
}

/// The edits of two people since the same revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Compared {
    pub by: String,
    pub revision: u64,
    pub theirs: Edits,
    pub own: Edits,
}

fn sides(compared: &Compared) -> AnyView {
    let clashes = compared.own.clashes_with(&compared.theirs);
    let clash =
        (!clashes.is_empty()).then(|| view! { <Notice tone=Tone::Warn text=copy::clashes(&clashes)/> });
    view! {
        {side(&copy::in_force(compared.revision, &compared.by), &compared.theirs)}
        {side(copy::YOURS, &compared.own)}
        {clash}
    }
    .into_any()
}

fn side(title: &str, edits: &Edits) -> AnyView {
    let rules = edits
        .rules
        .iter()
        .map(|edit| copy::edit_of(&edit.name, edit.before.as_ref(), edit.after.as_ref()));
    let added = edits.added_tests.iter().map(copy::test_added);
    let removed = edits.removed_tests.iter().map(copy::test_removed);
    let line = |line: String| view! { <li>{line}</li> };
    view! {
        <section class="reaches">
            <h3>{title.to_owned()}</h3>
            <ul>{rules.chain(added).chain(removed).map(line).collect_view()}</ul>
        </section>
    }
    .into_any()
}
