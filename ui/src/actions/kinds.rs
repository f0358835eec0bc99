//! All kinds of objects without their types, for the palette, which lists them together.

use super::{
    Acting, Action, ContainerObject, DeviceObject, Kind, Object, Place, StackObject,
    places::{Offer, listed},
};
use crate::{components::icon::Glyph, store::Store};

/// A kind of objects and what can be done to them.
#[derive(Debug)]
pub struct AnyObject {
    pub kind: Kind,
    /// All objects that the page knows.
    pub all: fn(Store) -> Vec<Found>,
    /// The actions that are listed with their objects behind them.
    pub verbs: fn() -> Vec<AnyVerb>,
    /// The actions of the object of a key.
    pub actions: fn(Acting, &str) -> Vec<Offer>,
    /// The objects for which the action of a slug makes sense, each with why it cannot be done now.
    pub targets: fn(Acting, &str) -> Vec<(Found, Offer)>,
}

/// What is known of an object in a list of all kinds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub kind: Kind,
    pub key: String,
    pub name: String,
    pub detail: String,
    pub address: String,
}

impl Found {
    pub(super) fn of<O: Object>(object: &O) -> Self {
        Self {
            kind: O::KIND,
            key: object.key(),
            name: object.name(),
            detail: object.detail(),
            address: object.address(),
        }
    }
}

/// An action without its objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnyVerb {
    pub slug: &'static str,
    pub verb: &'static str,
    pub glyph: Glyph,
}

/// The kinds that the palette finds.
pub static KINDS: [AnyObject; 3] = [
    AnyObject::of::<DeviceObject>(),
    AnyObject::of::<ContainerObject>(),
    AnyObject::of::<StackObject>(),
];

impl PartialEq for AnyObject {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
    }
}

impl AnyObject {
    const fn of<O: Object>() -> Self {
        Self {
            kind: O::KIND,
            all: |store| O::all(store).iter().map(Found::of).collect(),
            verbs: || in_palette::<O>().map(AnyVerb::of).collect(),
            actions: |acting, key| {
                let object = O::of_key(acting.store, key);
                object.map_or_else(Vec::new, |object| listed(acting, &object, Place::Palette))
            },
            targets: targets::<O>,
        }
    }
}

fn in_palette<O: Object>() -> impl Iterator<Item = &'static Action<O>> {
    O::actions().iter().filter(|action| action.is_in(Place::Palette))
}

impl AnyVerb {
    fn of<O: Object>(action: &'static Action<O>) -> Self {
        Self {
            slug: action.slug,
            verb: action.verb,
            glyph: action.glyph,
        }
    }
}

fn targets<O: Object>(acting: Acting, slug: &str) -> Vec<(Found, Offer)> {
    let Some(action) = Action::<O>::of_slug(slug) else {
        return Vec::new();
    };
    let objects = O::all(acting.store);
    let sensible = objects.iter().filter(|object| (action.offered)(object));
    let target = |object: &O| (Found::of(object), Offer::of(acting, action, object));
    sensible.map(target).collect()
}
