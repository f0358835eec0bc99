//! What an action is about to be done to, and what is left out of it.

use super::{
    Action, Object,
    action::{Asking, Reason, WhyNot},
};
use crate::copy::actions as copy;

/// The objects that were chosen for an action.
#[derive(Debug, Clone)]
pub(super) struct Batch<O: Object> {
    pub action: &'static Action<O>,
    pub objects: Vec<O>,
    /// Chosen objects that it cannot be done to, each with the reason.
    pub left_out: Vec<(O, Reason)>,
}

impl<O: Object> Batch<O> {
    /// Separates the objects that the action can be done to from the others. Objects for which it makes no sense at all
    /// are not mentioned.
    pub(super) fn sort(action: &'static Action<O>, chosen: Vec<O>, why_not: WhyNot<'_>) -> Self {
        let mut batch = Self {
            action,
            objects: Vec::new(),
            left_out: Vec::new(),
        };
        for object in chosen.into_iter().filter(action.offered) {
            match action.reason(&object, why_not) {
                None => batch.objects.push(object),
                Some(reason) => batch.left_out.push((object, reason)),
            }
        }
        batch
    }

    pub(super) fn chosen(&self) -> usize {
        self.objects.len() + self.left_out.len()
    }

    /// Why nothing can be done to any of the objects: a choice is never silently ignored.
    pub(super) fn refusal(&self) -> String {
        let first = self.left_out.first();
        first.map_or_else(
            || copy::NOTHING_TO_DO.to_owned(),
            |(object, reason)| copy::refused(self.action.verb, &object.name(), &reason.clone().words()),
        )
    }

    /// How a person is asked. Several chosen objects are asked about even if one remains, since the question says which
    /// are left out.
    pub(super) fn asking(&self) -> Asking {
        self.action.tier.asking(self.chosen())
    }

    /// One sentence about all objects on devices that do not answer, and one for each other reason.
    pub(super) fn skipped(&self) -> Vec<String> {
        let offline = |(_, reason): &&(O, Reason)| matches!(reason, Reason::Offline(_));
        let silent = self.left_out.iter().filter(offline).count();
        let mut reasons: Vec<(&str, Vec<String>)> = Vec::new();
        for (object, reason) in &self.left_out {
            let Reason::Because(reason) = reason else { continue };
            match reasons.iter_mut().find(|(known, _)| *known == reason.as_str()) {
                Some((_, names)) => names.push(object.name()),
                None => reasons.push((reason, vec![object.name()])),
            }
        }
        let silent = (silent > 0).then(|| copy::skipped(silent, self.chosen()));
        let reasons = reasons
            .into_iter()
            .map(|(reason, names)| copy::left_out(&names, reason));
        silent.into_iter().chain(reasons).collect()
    }
}
