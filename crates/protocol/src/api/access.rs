//! What callers of the control API may do, and where; and the API tokens of programs, each with such a grant.
//!
//! A verb names a kind of call, a role a set of verbs, a scope the devices on which they may be used. What a caller
//! may do is the union of its grants.

use super::{Empty, List};
use crate::{
    Timestamp,
    activity::Actor,
    id::DeviceId,
    name::{Tag, TokenName},
    open::choice,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What every API token begins with, so that people and scanners of leaked secrets recognize one.
pub const TOKEN_PREFIX: &str = "flotilla_";

choice!(
    /// A kind of call.
    Verb:
    /// See devices, what they hold, and how they reach each other.
    View = "view",
    /// Start, stop and restart containers, and test paths.
    Operate = "operate",
    /// Decide how a container runs: it is recreated for that.
    Deploy = "deploy",
    /// Let devices into the fleet.
    Enroll = "enroll",
    /// Change and end what is in the fleet.
    Manage = "manage",
    /// Change the tags of devices. Rules, scopes and filters follow tags, so this may widen what others can do.
    Tags = "tags",
    /// Decide which devices may reach which.
    Policy = "policy",
    /// Use the owner's SSH keys. Only the owner may.
    Ssh = "ssh",
    /// Sign browsers in and out as the owner. Only the owner may.
    SignIn = "sign_in",
    /// Make, list and revoke API tokens. Only the owner may.
    Tokens = "tokens"
);

impl Verb {
    /// Whether only the owner may do this, whatever grants there are.
    pub fn is_owners(self) -> bool {
        matches!(self, Self::Ssh | Self::SignIn | Self::Tokens)
    }
}

choice!(
    /// A built-in set of verbs. Each role may do all that the one before it may.
    Role:
    Viewer = "viewer", Operator = "operator", Deployer = "deployer", Admin = "admin"
);

impl Role {
    /// What the role may do. A role that this build does not know may do nothing.
    pub fn verbs(self) -> &'static [Verb] {
        use Verb::{Deploy, Enroll, Manage, Operate, Policy, Tags, View};
        match self {
            Self::Viewer => &[View],
            Self::Operator => &[View, Operate],
            Self::Deployer => &[View, Operate, Deploy],
            Self::Admin => &[View, Operate, Deploy, Enroll, Manage, Tags, Policy],
            Self::Unknown => &[],
        }
    }
}

/// Where something may be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Scope {
    /// On all devices, and on what belongs to the fleet as a whole.
    All,
    /// On devices that have any of the tags, and on these devices.
    Part {
        tags: BTreeSet<Tag>,
        devices: BTreeSet<DeviceId>,
    },
    /// A scope that a newer control knows: nowhere.
    #[serde(other)]
    Unknown,
}

impl Scope {
    /// Nowhere.
    pub fn none() -> Self {
        Self::Part {
            tags: BTreeSet::new(),
            devices: BTreeSet::new(),
        }
    }

    /// Whether a device with these tags is in the scope.
    #[must_use]
    pub fn covers(&self, id: DeviceId, tags: &[Tag]) -> bool {
        match self {
            Self::All => true,
            Self::Part { tags: own, devices } => {
                devices.contains(&id) || tags.iter().any(|tag| own.contains(tag))
            }
            Self::Unknown => false,
        }
    }

    pub fn is_all(&self) -> bool {
        *self == Self::All
    }

    /// Whether no device can be in the scope.
    pub fn is_none(&self) -> bool {
        match self {
            Self::All => false,
            Self::Part { tags, devices } => tags.is_empty() && devices.is_empty(),
            Self::Unknown => true,
        }
    }

    /// What is in either scope.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::All, _) | (_, Self::All) => Self::All,
            (Self::Unknown, other) => other,
            (own, Self::Unknown) => own,
            (
                Self::Part {
                    mut tags,
                    mut devices,
                },
                Self::Part {
                    tags: more_tags,
                    devices: more_devices,
                },
            ) => {
                tags.extend(more_tags);
                devices.extend(more_devices);
                Self::Part { tags, devices }
            }
        }
    }
}

/// Verbs that may be used in a scope: those of the roles, and single ones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    #[serde(default)]
    pub roles: BTreeSet<Role>,
    #[serde(default)]
    pub verbs: BTreeSet<Verb>,
    pub scope: Scope,
}

impl Grant {
    #[must_use]
    pub fn allows(&self, verb: Verb) -> bool {
        self.verbs.contains(&verb) || self.roles.iter().any(|role| role.verbs().contains(&verb))
    }
}

/// Who asks, and what it may do.
#[derive(Debug, Clone, Copy)]
pub struct GetCaller;

request!(GetCaller, Get "/caller" => CallerFacts);

/// A caller as it sees itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CallerFacts {
    pub who: Actor,
    /// Each verb that it may use somewhere.
    #[serde(default)]
    pub may: Vec<Allowed>,
}

impl CallerFacts {
    /// Where the caller may do this; `None` for nowhere.
    #[must_use]
    pub fn scope(&self, verb: Verb) -> Option<&Scope> {
        let allowed = self.may.iter().find(|allowed| allowed.verb == verb);
        allowed.map(|allowed| &allowed.scope)
    }
}

/// A verb, and where it may be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Allowed {
    pub verb: Verb,
    pub scope: Scope,
}

/// Makes a token with which a program may call the API.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CreateToken {
    /// For people, and for the activity log: 1 to 63 lowercase letters, digits, dots, underscores or hyphens.
    pub name: String,
    /// With `verbs`, what it may do. When both are empty it is a viewer.
    #[serde(
        default,
        deserialize_with = "crate::open::all_known",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub roles: Vec<Role>,
    #[serde(
        default,
        deserialize_with = "crate::open::all_known",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub verbs: Vec<Verb>,
    /// With `devices`, where it may do that. When both are empty, in the whole fleet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Ids or names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub devices: Vec<String>,
    /// Its lifetime in seconds, 300 (5 min) to 31,622,400 (366 d); 2,592,000 (30 d) when absent.
    pub expires_seconds: Option<u32>,
}

request!(CreateToken, Post "/tokens" (Self) => TokenCreated);

/// A new token. Its secret is shown this once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, derive_more::Debug)]
#[debug("TokenCreated({name}, …)")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TokenCreated {
    pub name: TokenName,
    /// The whole token: [`TOKEN_PREFIX`], a public id, a dot, and the secret.
    pub token: String,
    pub expires: Timestamp,
}

/// All API tokens by name, expired ones included.
#[derive(Debug, Clone, Copy)]
pub struct ListTokens;

request!(ListTokens, Get "/tokens" => List<ApiToken>);

/// An API token as its owner sees it, without its secret.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ApiToken {
    pub name: TokenName,
    #[serde(default)]
    pub roles: Vec<Role>,
    /// Verbs beside those of its roles.
    #[serde(default)]
    pub verbs: Vec<Verb>,
    /// It may act in the whole fleet, not only on devices of `tags` and on `devices`.
    #[serde(default)]
    pub everywhere: bool,
    #[serde(default)]
    pub tags: Vec<Tag>,
    /// Names; the id of a device that was removed.
    #[serde(default)]
    pub devices: Vec<String>,
    pub created: Timestamp,
    pub expires: Timestamp,
    /// To the minute; absent until it is used.
    pub last_used: Option<Timestamp>,
}

/// Ends a token. Calls with it are refused at once, and its open streams end within 2 s.
#[derive(Debug, Clone)]
pub struct RevokeToken {
    /// Its name.
    pub token: String,
}

request!(RevokeToken, Delete "/tokens/{token}" [token] => Empty);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_may_do_more_than_the_one_before_and_none_what_only_the_owner_may() {
        for pair in Role::ALL.windows(2) {
            let (less, more) = (pair[0].verbs(), pair[1].verbs());
            assert!(less.iter().all(|verb| more.contains(verb)) && less.len() < more.len());
        }
        let of_the_owner: Vec<_> = Verb::ALL.iter().filter(|verb| verb.is_owners()).collect();
        assert_eq!(of_the_owner, [&Verb::Ssh, &Verb::SignIn, &Verb::Tokens]);
        let admin = Role::Admin.verbs();
        assert!(
            Verb::ALL
                .iter()
                .all(|verb| verb.is_owners() != admin.contains(verb))
        );
    }

    #[test]
    fn a_new_token_is_not_in_debug_output() {
        let created = TokenCreated {
            name: "ci".parse().unwrap(),
            token: "flotilla_x.s3cret".into(),
            expires: Timestamp::UNIX_EPOCH,
        };
        assert!(!format!("{created:?}").contains("s3cret"));
    }

    #[test]
    fn what_a_newer_control_grants_is_nothing_to_this_one() {
        let grant = r#"{"roles":["captain"],"verbs":["fly"],"scope":{"kind":"moon","phase":1}}"#;
        let grant: Grant = serde_json::from_str(grant).unwrap();
        assert!(Verb::ALL.iter().all(|verb| !grant.allows(*verb)) && grant.scope.is_none());
        assert!(serde_json::from_str::<CreateToken>(r#"{"name":"ci","verbs":["fly"]}"#).is_err());
    }
}
