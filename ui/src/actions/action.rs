//! The declaration of an action.

use super::{Acting, acting::Told};
use crate::{
    api::Call,
    components::{
        confirm::Stakes,
        icon::{Glyph, lucide},
    },
    copy::actions as copy,
    store::Store,
};
use flotilla_protocol::{
    api::Verb,
    device::{Device, DeviceStatus},
};
use leptos::prelude::*;
use std::fmt::{self, Debug};

/// The kinds of objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Device,
    Container,
    Stack,
    Image,
    Path,
}

impl Kind {
    /// The words for one and for several.
    #[must_use]
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Device => ("device", "devices"),
            Self::Container => ("container", "containers"),
            Self::Stack => ("stack", "stacks"),
            Self::Image => ("image", "images"),
            Self::Path => ("path", "paths"),
        }
    }

    #[must_use]
    pub fn glyph(self) -> Glyph {
        match self {
            Self::Device => lucide::SERVER,
            Self::Container => lucide::BOX,
            Self::Stack => lucide::LAYERS,
            Self::Image => lucide::IMAGE,
            Self::Path => lucide::WAYPOINTS,
        }
    }
}

/// What actions are done to, with all that decides whether they can be.
pub trait Object: Clone + PartialEq + Debug + Send + Sync + 'static {
    const KIND: Kind;
    /// Where no object of this kind is shown, each with why.
    const NOWHERE: &'static [(Place, &'static str)] = &[];

    fn actions() -> &'static [Action<Self>];
    /// Whether rows of such objects can be selected, for the bar of selected rows.
    fn is_selectable() -> bool {
        Self::NOWHERE.iter().all(|(place, _)| *place != Place::Bulk)
    }
    /// The object of a row's key; follows the store.
    fn of_key(store: Store, key: &str) -> Option<Self>;
    /// All that the page knows; follows the store.
    fn all(store: Store) -> Vec<Self>;

    /// The key of its row, made of ids.
    fn key(&self) -> String;
    fn name(&self) -> String;
    /// What tells it from others of its name: "on nas".
    fn detail(&self) -> String;
    /// Where it is shown.
    fn address(&self) -> String;
    /// The device on which the action takes place, if the page knows it.
    fn device(&self) -> Option<&Device>;
    fn device_name(&self) -> String;
    /// The keys of the containers that it consists of, of which a job says one by one what came of them.
    fn parts(&self) -> Vec<String> {
        Vec::new()
    }
}

/// What an action risks, which decides what is asked first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tier {
    /// It can be taken back: it is done at once.
    Reversible,
    /// It interrupts what the object does.
    Interrupts,
    /// It loses what can be made again.
    Recreatable,
    /// It loses data or trust: the name is typed first.
    Lasting,
}

/// How a person is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asking {
    Not,
    Plainly,
    AsDanger,
    AsDangerTyped,
}

impl Tier {
    /// How a person is asked before an action on so many objects.
    #[must_use]
    pub fn asking(self, objects: usize) -> Asking {
        match self {
            Self::Reversible if objects < 2 => Asking::Not,
            Self::Reversible | Self::Interrupts => Asking::Plainly,
            Self::Recreatable => Asking::AsDanger,
            Self::Lasting => Asking::AsDangerTyped,
        }
    }
}

/// The places that list actions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    RowMenu,
    Drawer,
    /// The object's own page.
    Page,
    /// The bar of selected rows.
    Bulk,
    Palette,
}

impl Place {
    pub const ALL: [Self; 5] = [Self::RowMenu, Self::Drawer, Self::Page, Self::Bulk, Self::Palette];
}

/// An action on one kind of objects.
#[derive(Debug)]
pub struct Action<O: 'static> {
    /// Its word in addresses, unique among the actions of its kind: `?ask=rename`.
    pub slug: &'static str,
    /// What it is called: "Restart".
    pub verb: &'static str,
    pub glyph: Glyph,
    pub tier: Tier,
    /// What a caller has to be allowed on the object's device.
    pub needs: Verb,
    /// The device itself has to answer, so that nothing can be done while it is offline.
    pub online: bool,
    /// Whether it makes sense for the object at all. One that does not is not listed.
    pub offered: fn(&O) -> bool,
    /// Why it cannot be done now. It is listed nevertheless, with the reason.
    pub against: fn(&O) -> Option<String>,
    pub does: Does<O>,
    /// The places that do not list it, each with why.
    pub absent: &'static [(Place, &'static str)],
}

/// What an action does.
#[derive(Debug)]
pub enum Does<O: 'static> {
    /// Opens an address of the application.
    Goes(fn(&O) -> String),
    /// Copies a text.
    Copies(fn(&O) -> String),
    /// Opens a dialog, which asks for what else is needed.
    Opens(fn(Vec<O>, DialogEnd) -> AnyView),
    Sends {
        one: Work<O>,
        /// How several are done.
        several: Work<O>,
        words: Words<O>,
        /// What the page does after all objects succeeded.
        then: fn(Acting, &[O]),
    },
}

/// How a dialog of an action ends.
#[derive(Clone)]
pub struct DialogEnd {
    pub close: Callback<()>,
    pub(super) failed: Option<Told>,
}

impl fmt::Debug for DialogEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DialogEnd").finish_non_exhaustive()
    }
}

impl DialogEnd {
    /// The action was carried out, except for the objects of these keys.
    pub(super) fn done(&self, failed: Vec<String>) {
        self.close.run(());
        if let Some(told) = &self.failed {
            told(failed);
        }
    }
}

/// What is sent to the controller.
#[derive(Debug)]
pub enum Work<O: 'static> {
    /// A call for each object, which answers when it is done.
    Call(fn(&O) -> Call),
    /// A call for all objects, which answers a job when it has begun.
    Job(fn(&[O]) -> Call),
}

/// What is said before, during and after.
#[derive(Debug)]
pub struct Words<O: 'static> {
    /// "Restarting…"
    pub doing: &'static str,
    /// "restarted", as in "jellyfin can't be restarted"
    pub past: &'static str,
    pub done: fn(&[O]) -> String,
    pub asked: fn(&[O]) -> Asked,
}

/// A question before an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    pub title: String,
    pub stakes: Stakes,
    /// Verb and object: "Stop jellyfin".
    pub confirm: String,
    /// The way out: "Keep jellyfin".
    pub keep: String,
    /// What has to be typed where the tier wants that: the object's name.
    pub typed: String,
}

impl<O: Object> Does<O> {
    /// A call for each object, after which the page does nothing more.
    pub(super) const fn calls(call: fn(&O) -> Call, words: Words<O>) -> Self {
        Self::calls_then(call, words, stay)
    }

    /// A call for each object, and what the page does after all of them succeeded.
    pub(super) const fn calls_then(call: fn(&O) -> Call, words: Words<O>, then: fn(Acting, &[O])) -> Self {
        Self::Sends {
            one: Work::Call(call),
            several: Work::Call(call),
            words,
            then,
        }
    }

    /// One job for all objects, after which the page does nothing more.
    pub(super) const fn begins(job: fn(&[O]) -> Call, words: Words<O>) -> Self {
        Self::Sends {
            one: Work::Job(job),
            several: Work::Job(job),
            words,
            then: stay,
        }
    }

    /// A call for one object, and one job for several.
    pub(super) const fn calls_or_begins(
        call: fn(&O) -> Call,
        job: fn(&[O]) -> Call,
        words: Words<O>,
    ) -> Self {
        Self::Sends {
            one: Work::Call(call),
            several: Work::Job(job),
            words,
            then: stay,
        }
    }
}

/// Why a caller may not use a verb on a device, or anywhere.
pub type WhyNot<'a> = &'a dyn Fn(Verb, Option<&Device>) -> Option<String>;

impl<O: Object> Action<O> {
    /// An action that only shows something: it risks nothing, and everybody may who sees the object.
    pub(super) const fn showing(slug: &'static str, verb: &'static str, glyph: Glyph, does: Does<O>) -> Self {
        Self {
            slug,
            verb,
            glyph,
            tier: Tier::Reversible,
            needs: Verb::View,
            online: false,
            offered: always,
            against: nothing,
            does,
            absent: &[],
        }
    }

    /// An action whose dialog asks for the rest.
    pub(super) const fn opening(
        slug: &'static str,
        verb: &'static str,
        glyph: Glyph,
        needs: Verb,
        dialog: fn(Vec<O>, DialogEnd) -> AnyView,
    ) -> Self {
        Self {
            needs,
            ..Self::showing(slug, verb, glyph, Does::Opens(dialog))
        }
    }

    /// Whether a place lists the action, for objects for which it makes sense.
    #[must_use]
    pub fn is_in(&self, place: Place) -> bool {
        let absent = self.absent.iter().chain(O::NOWHERE);
        absent.into_iter().all(|(other, _)| *other != place)
    }

    /// Why the action cannot be done to an object now: the caller may not, its device does not answer, or it makes no
    /// sense.
    #[must_use]
    pub fn reason(&self, object: &O, why_not: WhyNot<'_>) -> Option<Reason> {
        let device = object.device();
        let online = device.is_some_and(|device| device.status == DeviceStatus::Online);
        if let Some(reason) = why_not(self.needs, device) {
            Some(Reason::Because(reason))
        } else if self.online && !online {
            Some(Reason::Offline(object.device_name()))
        } else {
            (self.against)(object).map(Reason::Because)
        }
    }

    /// What is said about it, if it sends something.
    #[must_use]
    pub fn sent_words(&self) -> Option<&Words<O>> {
        match &self.does {
            Does::Sends { words, .. } => Some(words),
            _ => None,
        }
    }

    /// The declared action of a word in an address.
    #[must_use]
    pub fn of_slug(slug: &str) -> Option<&'static Self> {
        O::actions().iter().find(|action| action.slug == slug)
    }
}

/// Why an action cannot be done to an object now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// The device of this name does not answer.
    Offline(String),
    Because(String),
}

impl Reason {
    #[must_use]
    pub fn words(self) -> String {
        match self {
            Self::Offline(device) => copy::device_offline(&device),
            Self::Because(reason) => reason,
        }
    }
}

/// For actions that make sense for every object.
pub(super) fn always<O>(_: &O) -> bool {
    true
}

/// For actions that nothing speaks against.
pub(super) fn nothing<O>(_: &O) -> Option<String> {
    None
}

/// For actions after which the page does nothing more.
fn stay<O>(_: Acting, _: &[O]) {}
