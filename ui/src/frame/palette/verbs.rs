//! Verbs of the palette. Choosing a verb lists the objects that it can be applied to; choosing an object applies it, or
//! opens the question before it.

use super::items::{EntryAction, Group, PaletteEntry};
use crate::{
    actions::{Acting, AnyObject, AnyVerb, KINDS},
    copy::palette as copy,
};
use leptos::prelude::*;
use std::sync::Arc;

/// Kinds of objects that have an action of the same name, each with its slug.
type Owners = Vec<(&'static AnyObject, &'static str)>;

/// The verbs of all kinds of objects. Those of several kinds are one.
pub(super) fn verbs(acting: Acting) -> Vec<PaletteEntry> {
    let mut verbs: Vec<(AnyVerb, Owners)> = Vec::new();
    for kind in &KINDS {
        for verb in (kind.verbs)() {
            match verbs.iter_mut().find(|(known, _)| known.verb == verb.verb) {
                Some((_, owners)) => owners.push((kind, verb.slug)),
                None => verbs.push((verb, vec![(kind, verb.slug)])),
            }
        }
    }
    let entry = |(verb, owners): (AnyVerb, Owners)| {
        let objects = Arc::new(move || objects_of(acting, &owners));
        let title = copy::verb(verb.verb);
        PaletteEntry::new(
            Group::Actions,
            verb.glyph,
            &title,
            "",
            EntryAction::Choose(objects),
        )
    };
    verbs.into_iter().map(entry).collect()
}

/// The objects of a verb, those that it cannot be applied to now last.
fn objects_of(acting: Acting, owners: &Owners) -> Vec<PaletteEntry> {
    let of = |(kind, slug): &(&'static AnyObject, &'static str)| untrack(|| (kind.targets)(acting, slug));
    let found = owners.iter().flat_map(of);
    let mut objects: Vec<_> = found
        .map(|(found, offer)| PaletteEntry::target(&found, offer))
        .collect();
    objects.sort_by_key(|object| object.reason.is_some());
    objects
}
