//! Who asks, what they may do, and where.
//!
//! The owner may do everything. Any other caller may do what its grants allow, each in its own scope; what only the
//! owner may do, no grant allows. A device on which a caller may neither do what it asks nor look is hidden from it:
//! whether there is such a device is nothing that it learns.

use flotilla_protocol::{
    activity::Actor,
    api::{Grant, Scope, Verb},
    id::DeviceId,
    name::{Tag, TokenName},
};

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq, derive_more::Display)]
pub enum Who {
    /// The owner, on the computer that control runs on.
    #[display("owner")]
    Owner,
    /// A program, with the API token of this name.
    #[display("token {_0}")]
    Token(TokenName),
}

impl From<&Who> for Actor {
    fn from(who: &Who) -> Self {
        match who {
            Who::Owner => Self::Owner,
            Who::Token(name) => Self::Token {
                name: name.to_string(),
            },
        }
    }
}

/// Whether a caller may do something on a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    Allowed,
    /// The caller sees the device, and may not do this there.
    Forbidden,
    /// The caller is not to learn whether there is such a device.
    Hidden,
}

/// Who asks, with all that they may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    who: Who,
    grants: Vec<Grant>,
}

impl Caller {
    pub fn owner() -> Self {
        Self {
            who: Who::Owner,
            grants: Vec::new(),
        }
    }

    /// A program with an API token.
    pub fn token(name: TokenName, grants: Vec<Grant>) -> Self {
        Self {
            who: Who::Token(name),
            grants,
        }
    }

    pub fn who(&self) -> &Who {
        &self.who
    }

    /// The caller in the activity log.
    pub fn actor(&self) -> Actor {
        Actor::from(&self.who)
    }

    /// Where the caller may do this: the union of the scopes that its grants give the verb.
    pub fn scope(&self, verb: Verb) -> Scope {
        match self.who {
            Who::Owner => Scope::All,
            Who::Token(_) if verb.is_owners() => Scope::none(),
            Who::Token(_) => {
                let granted = self.grants.iter().filter(|grant| grant.allows(verb));
                granted.fold(Scope::none(), |scope, grant| scope.or(grant.scope.clone()))
            }
        }
    }

    /// Whether the caller may do this on a device with these tags.
    #[must_use]
    pub fn may(&self, verb: Verb, device: DeviceId, tags: &[Tag]) -> Decision {
        if self.scope(verb).covers(device, tags) {
            Decision::Allowed
        } else if self.scope(Verb::View).covers(device, tags) {
            Decision::Forbidden
        } else {
            Decision::Hidden
        }
    }

    /// Whether the caller may do this to what belongs to the fleet as a whole, such as its policy.
    #[must_use]
    pub fn may_everywhere(&self, verb: Verb) -> bool {
        self.scope(verb).is_all()
    }

    /// Whether there can be a device on which the caller may do this.
    #[must_use]
    pub fn may_somewhere(&self, verb: Verb) -> bool {
        !self.scope(verb).is_none()
    }

    /// Whether the caller may add a device with these tags. In a part of the fleet, it has at least one of the part's
    /// tags and no others, so that it is in that part and in no other one.
    #[must_use]
    pub fn may_add(&self, tags: &[Tag]) -> bool {
        match self.scope(Verb::Enroll) {
            Scope::All => true,
            Scope::Part { tags: own, .. } => !tags.is_empty() && tags.iter().all(|tag| own.contains(tag)),
            Scope::Unknown => false,
        }
    }

    /// Whether the caller may put the tags `changed` on a device that has `tags`, or take them off. A caller whose scope
    /// is a part of the fleet may change that part's tags only: another tag would put the device into the scope of other
    /// callers, or take it out of theirs.
    #[must_use]
    pub fn may_retag(&self, device: DeviceId, tags: &[Tag], changed: &[Tag]) -> bool {
        match self.scope(Verb::Tags) {
            Scope::All => true,
            Scope::Part { tags: own, devices } => {
                let covered = devices.contains(&device) || tags.iter().any(|tag| own.contains(tag));
                covered && changed.iter().all(|tag| own.contains(tag))
            }
            Scope::Unknown => false,
        }
    }
}

#[cfg(test)]
mod tests;
