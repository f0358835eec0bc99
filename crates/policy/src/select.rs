//! Which devices a selector selects.

use crate::Subject;
use flotilla_protocol::{
    cidr::IpRange,
    name::DeviceName,
    policy::{Policy, Selector},
};

/// Whether the selector selects this device.
#[must_use]
pub fn selects(selector: &Selector, subject: &Subject) -> bool {
    match selector {
        Selector::Any => true,
        Selector::Tags(tags) => !tags.is_empty() && tags.iter().all(|tag| subject.tags.contains(tag)),
        Selector::Device(name) => *name == subject.name,
        Selector::User(name) => subject.user.as_ref() == Some(name),
        Selector::Range(range) => range.contains(subject.address.into()),
    }
}

pub(crate) fn any_selects(selectors: &[Selector], subject: &Subject) -> bool {
    selectors.iter().any(|selector| selects(selector, subject))
}

/// A source of flows: a device, or addresses that no device of the fleet has.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Source<'a> {
    Device(&'a Subject),
    Range(IpRange),
}

impl<'a> Source<'a> {
    /// All sources that the selectors select.
    pub(crate) fn of(selectors: &[Selector], subjects: &'a [Subject]) -> Vec<Self> {
        let devices = subjects
            .iter()
            .filter(|subject| any_selects(selectors, subject))
            .map(Self::Device);
        let strangers = strangers(selectors, subjects).map(Self::Range);
        devices.chain(strangers).collect()
    }

    pub(crate) fn is(&self, subject: &Subject) -> bool {
        matches!(self, Self::Device(device) if device.id == subject.id)
    }

    /// Whether the selectors cover all of this source.
    pub(crate) fn is_within(&self, selectors: &[Selector]) -> bool {
        match self {
            Self::Device(subject) => any_selects(selectors, subject),
            Self::Range(inner) => selectors.iter().any(|selector| {
                matches!(selector, Selector::Range(outer)
                    if outer.contains(inner.first()) && outer.prefix() <= inner.prefix())
            }),
        }
    }

    /// Whether the selectors cover some of this source.
    pub(crate) fn meets(&self, selectors: &[Selector]) -> bool {
        match self {
            Self::Device(_) => self.is_within(selectors),
            Self::Range(range) => selectors
                .iter()
                .any(|selector| matches!(selector, Selector::Range(other) if other.overlaps(range))),
        }
    }
}

/// The addresses in the selectors that no device of the fleet has.
pub(crate) fn strangers(selectors: &[Selector], subjects: &[Subject]) -> impl Iterator<Item = IpRange> {
    selectors.iter().filter_map(|selector| match selector {
        Selector::Range(range) if !subjects.iter().any(|s| selects(selector, s)) => Some(*range),
        _ => None,
    })
}

/// The policy after a device was renamed: it selects the same devices as before.
#[must_use]
pub fn renamed(policy: &Policy, old: &DeviceName, new: &DeviceName) -> Policy {
    let mut policy = policy.clone();
    let in_rules = policy
        .rules
        .iter_mut()
        .flat_map(|rule| rule.from.iter_mut().chain(&mut rule.to));
    let in_tests = policy
        .tests
        .iter_mut()
        .flat_map(|test| [&mut test.from, &mut test.to]);
    for selector in in_rules.chain(in_tests) {
        if matches!(selector, Selector::Device(name) if name == old) {
            *selector = Selector::Device(new.clone());
        }
    }
    policy
}
