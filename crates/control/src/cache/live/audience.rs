//! Whom a frame of the live stream is for, and what it says to readers of a part of the fleet.

use flotilla_protocol::{
    api::{Resource, ResourceRef, Scope},
    id::DeviceId,
    name::Tag,
};
use std::sync::Arc;

/// A device by what decides who may see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) id: DeviceId,
    pub(crate) tags: Vec<Tag>,
}

impl Place {
    pub(crate) fn is_in(&self, scope: &Scope) -> bool {
        scope.covers(self.id, &self.tags)
    }
}

/// Whom a frame is for, by what they may view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Audience {
    /// Every reader.
    Everybody,
    /// Readers of the whole fleet.
    Whole,
    /// Readers of a device.
    Device(Place),
    /// Readers of a device whose tags just changed, and those who could read it with the tags that it had before.
    Retagged { place: Place, before: Vec<Tag> },
    /// Readers of both devices.
    Pair(Place, Place),
    /// Readers of all these devices.
    Each(Vec<Place>),
}

/// What a reader does with a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// It is not for this reader.
    Skip,
    Take,
    /// A device came into what the reader may view, or left it: it loads its page again.
    Reload,
}

impl Audience {
    pub(super) fn reading(&self, scope: &Scope) -> Reading {
        let is_for = match self {
            Self::Everybody => true,
            Self::Whole => scope.is_all(),
            Self::Device(place) => place.is_in(scope),
            Self::Retagged { place, before } => {
                let is_in = place.is_in(scope);
                if is_in != scope.covers(place.id, before) {
                    return Reading::Reload;
                }
                is_in
            }
            Self::Pair(one, other) => one.is_in(scope) && other.is_in(scope),
            Self::Each(places) => places.iter().all(|place| place.is_in(scope)),
        };
        if is_for { Reading::Take } else { Reading::Skip }
    }
}

/// Says something to readers of one scope.
type Tell = Arc<dyn Fn(&Scope) -> Resource + Send + Sync>;

/// A new or changed thing on its way to readers.
pub(crate) struct Upsert {
    pub(super) audience: Audience,
    pub(super) resource: Resource,
    /// What readers of a part of the fleet are told instead.
    pub(super) in_part: Option<InPart>,
}

impl Upsert {
    /// A thing that all its readers see alike.
    pub(crate) fn new(audience: Audience, resource: Resource) -> Self {
        Self {
            audience,
            resource,
            in_part: None,
        }
    }

    /// A thing that names or counts other devices than those of its audience.
    pub(crate) fn told_by_scope(
        audience: Audience,
        tell: impl Fn(&Scope) -> Resource + Send + Sync + 'static,
    ) -> Self {
        Self {
            audience,
            resource: tell(&Scope::All),
            in_part: Some(InPart(Arc::new(tell))),
        }
    }

    /// A thing that names, beside its own devices, perhaps one more.
    pub(crate) fn naming<T>(audience: Audience, named: Naming<T>, wrap: fn(T) -> Resource) -> Self
    where
        T: Clone + Send + Sync + 'static,
    {
        match named.other {
            None => Self::new(audience, wrap(named.thing)),
            Some(_) => Self::told_by_scope(audience, move |scope| wrap(named.clone().within(scope))),
        }
    }
}

#[derive(Clone, derive_more::Debug)]
#[debug("InPart")]
pub(super) struct InPart(Tell);

impl InPart {
    pub(super) fn tell(&self, scope: &Scope) -> Resource {
        (self.0)(scope)
    }
}

/// A thing that may name a device beside its own: a path names its relay's device, for example.
#[derive(Debug, Clone)]
pub(crate) struct Naming<T> {
    pub(crate) thing: T,
    /// The device that it names; `None` when it names none.
    pub(crate) other: Option<Place>,
    /// Takes the name out of the thing.
    pub(crate) hide: fn(&mut T),
}

impl<T> Naming<T> {
    /// The thing for readers of a scope.
    pub(crate) fn within(self, scope: &Scope) -> T {
        let mut thing = self.thing;
        if self.other.is_some_and(|other| !other.is_in(scope)) {
            (self.hide)(&mut thing);
        }
        thing
    }
}

/// A thing that is gone, on its way to readers.
pub(crate) struct Removal {
    pub(super) audience: Audience,
    pub(super) gone: ResourceRef,
}

impl Removal {
    pub(crate) fn new(audience: Audience, gone: ResourceRef) -> Self {
        Self { audience, gone }
    }
}
