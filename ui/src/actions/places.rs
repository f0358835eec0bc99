//! The places that list the actions of an object: each lists what is declared, and nothing of its own.

use super::{Acting, Action, Object, Place, Tier, Told, acting::use_acting, question::waiting};
use crate::{
    components::{
        anchor::Anchor,
        button::{Button, ButtonKind},
        icon::{Glyph, lucide},
        menu::Menu,
        table::{RowAction, RowActions, TableState},
    },
    copy::actions as copy,
};
use leptos::{html, prelude::*};
use std::{fmt, sync::Arc};

/// An action on an object, as a place lists it.
#[derive(Clone)]
pub struct Offer {
    pub verb: &'static str,
    pub glyph: Glyph,
    /// Why it cannot be done now.
    pub reason: Option<String>,
    /// It holds no signals of the place, which may be gone when it runs.
    pub run: Arc<dyn Fn() + Send + Sync>,
}

impl fmt::Debug for Offer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Offer")
            .field("verb", &self.verb)
            .field("reason", &self.reason)
            .finish_non_exhaustive()
    }
}

impl Offer {
    pub(super) fn of<O: Object>(acting: Acting, action: &'static Action<O>, object: &O) -> Self {
        let key = object.key();
        Self {
            verb: action.verb,
            glyph: action.glyph,
            reason: acting.reason(action, object),
            run: Arc::new(move || acting.begin(action, std::slice::from_ref(&key), None)),
        }
    }

    fn into_menu_item(self) -> RowAction {
        RowAction {
            label: self.verb.to_owned(),
            glyph: self.glyph,
            reason: self.reason,
            run: Callback::new(move |()| (self.run)()),
        }
    }
}

/// The actions that a place lists, as far as they make sense for an object.
pub(super) fn listed<O: Object>(acting: Acting, object: &O, place: Place) -> Vec<Offer> {
    let here = O::actions()
        .iter()
        .filter(|action| action.is_in(place) && (action.offered)(object));
    here.map(|action| Offer::of(acting, action, object)).collect()
}

fn menu<O: Object>(acting: Acting, object: Option<&O>, place: Place) -> Vec<RowAction> {
    let listed = object.map_or_else(Vec::new, |object| listed(acting, object, place));
    listed.into_iter().map(Offer::into_menu_item).collect()
}

/// The menu of a row, for a table whose rows have the keys of these objects.
#[must_use]
pub fn row_menu<O: Object>() -> RowActions {
    row_menu_in::<O>(use_acting())
}

pub(super) fn row_menu_in<O: Object>(acting: Acting) -> RowActions {
    Arc::new(move |key: &str| menu(acting, O::of_key(acting.store, key).as_ref(), Place::RowMenu))
}

/// The buttons for the selected rows of a table. What is chosen is sorted when one is pressed: the question says what
/// is left out.
#[must_use]
pub fn bulk_bar<O: Object>(table: TableState) -> AnyView {
    let acting = use_acting();
    let button = |action: &'static Action<O>| {
        let failed: Told = Arc::new(move |keys| table.select_only(keys));
        let press = move || acting.begin(action, &untrack(|| table.selected()), Some(failed.clone()));
        view! { <Button label=action.verb glyph=action.glyph on_press=press/> }
    };
    in_bulk::<O>().map(button).collect_view().into_any()
}

pub(super) fn in_bulk<O: Object>() -> impl Iterator<Item = &'static Action<O>> {
    O::actions().iter().filter(|action| action.is_in(Place::Bulk))
}

/// The buttons of a drawer that shows the object of a row's key. They are made once: reasons, and what makes sense,
/// follow the object.
#[must_use]
pub fn buttons<O: Object>(key: Signal<Option<String>>) -> AnyView {
    let acting = use_acting();
    let object = object_of::<O>(acting, key);
    let each = in_drawer::<O>().map(|action| one(acting, action, object, ButtonKind::Secondary));
    let each = each.collect_view();
    let goes_on = Memo::new(move |_| acting.doing(&object.with(|object| object.as_ref().map(Object::key))?));
    view! {
        {each}
        {move || goes_on.get().map(|doing| waiting(acting, doing))}
    }
    .into_any()
}

fn object_of<O: Object>(acting: Acting, key: Signal<Option<String>>) -> Signal<Option<O>> {
    Memo::new(move |_| key.with(|key| O::of_key(acting.store, key.as_deref()?))).into()
}

pub(super) fn in_drawer<O: Object>() -> impl Iterator<Item = &'static Action<O>> {
    O::actions().iter().filter(|action| action.is_in(Place::Drawer))
}

/// The button of one action on a page, where the text beside it explains it.
#[must_use]
pub fn button<O: Object>(slug: &str, key: Signal<Option<String>>) -> Option<AnyView> {
    let acting = use_acting();
    let action = Action::<O>::of_slug(slug)?;
    let kind = match action.tier {
        Tier::Reversible | Tier::Interrupts => ButtonKind::Secondary,
        Tier::Recreatable | Tier::Lasting => ButtonKind::Danger,
    };
    Some(one(acting, action, object_of(acting, key), kind))
}

fn one<O: Object>(
    acting: Acting,
    action: &'static Action<O>,
    object: Signal<Option<O>>,
    kind: ButtonKind,
) -> AnyView {
    let makes_sense = Memo::new(move |_| object.with(|object| object.as_ref().is_some_and(action.offered)));
    let reason = Signal::derive(move || {
        object.with(|object| object.as_ref().and_then(|object| acting.reason(action, object)))
    });
    let key = move || object.with(|object| object.as_ref().map(Object::key));
    let busy = Memo::new(move |_| {
        let doing = key().and_then(|key| acting.doing(&key));
        doing.is_some_and(|doing| doing.slug == action.slug)
    });
    let press = move || {
        if let Some(key) = untrack(key) {
            acting.begin(action, &[key], None);
        }
    };
    let shown = move || {
        match action.sent_words() {
        Some(words) => {
            view! { <Button label=action.verb kind glyph=action.glyph busy doing=words.doing reason on_press=press/> }.into_any()
        }
        None => view! { <Button label=action.verb kind glyph=action.glyph reason on_press=press/> }.into_any(),
    }
    };
    (move || makes_sense.get().then(shown)).into_any()
}

/// The button of a page that opens a menu of the object's actions.
#[must_use]
pub fn more<O: Object>(key: Signal<Option<String>>) -> AnyView {
    let acting = use_acting();
    let object = object_of::<O>(acting, key);
    let open = RwSignal::new(None::<Anchor>);
    let button = NodeRef::<html::Button>::new();
    let show = move || open.set(button.get_untracked().map(|button| Anchor::of(&button)));
    let close = move |back: bool| {
        open.set(None);
        if let (true, Some(button)) = (back, button.get_untracked()) {
            button.focus().ok();
        }
    };
    let actions = Signal::derive(move || object.with(|object| menu(acting, object.as_ref(), Place::Page)));
    view! {
        <Button label=copy::MORE glyph=lucide::ELLIPSIS node_ref=button on_press=show/>
        {move || open.get().map(|anchor| view! { <Menu name=copy::MORE anchor actions on_close=Callback::new(close)/> })}
    }
    .into_any()
}
