//! The closed list of error codes, and the one shape in which an error crosses the wire.

use serde::{Deserialize, Serialize};

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident $text:literal $status:literal,)*) => {
        /// What went wrong, as a closed list that programs may match on.
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, derive_more::Display,
        )]
        #[display("{}", self.as_str())]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(rename_all = "snake_case")]
        pub enum Code {
            $($(#[$doc])* $name,)*
            /// A code that a newer peer knows and this build does not.
            #[serde(other)]
            Unknown,
        }

        impl Code {
            /// Every code that this build can send.
            pub const ALL: &'static [Code] = &[$(Code::$name),*];

            pub fn as_str(self) -> &'static str {
                match self { $(Code::$name => $text,)* Code::Unknown => "unknown" }
            }

            /// A problem of this code. The message says what happened, why, and what to do next.
            pub fn because(self, message: impl Into<String>) -> Problem {
                Problem { code: self, message: message.into(), field: None }
            }

            /// The HTTP status that carries this code.
            pub fn status(self) -> u16 {
                match self { $(Code::$name => $status,)* Code::Unknown => 500 }
            }
        }
    };
}

codes! {
    /// The request is malformed or a value is out of range; `field` names the value.
    InvalidInput "invalid_input" 400,
    /// No credential, or one that belongs to no caller.
    Unauthenticated "unauthenticated" 401,
    /// The credential is good; the action is not allowed to it.
    Forbidden "forbidden" 403,
    /// The request came from a page or under a host name that is not Flotilla's own.
    ForeignOrigin "foreign_origin" 403,
    NotFound "not_found" 404,
    /// The thing is not in a state in which this can be done.
    Conflict "conflict" 409,
    NameTaken "name_taken" 409,
    /// A test of the policy would fail; the message names it.
    PolicyTest "policy_test" 409,
    TooLarge "too_large" 413,
    RateLimited "rate_limited" 429,

    /// No enrollment token with this id and secret.
    TokenUnknown "token_unknown" 401,
    TokenExpired "token_expired" 410,
    /// The token already enrolled a device (with another key).
    TokenUsed "token_used" 409,
    /// The token was withdrawn or replaced by a newer one.
    TokenRevoked "token_revoked" 410,
    /// The certificate request does not prove possession of its key.
    CsrInvalid "csr_invalid" 400,
    UnsupportedProtocol "unsupported_protocol" 426,

    /// The device was revoked: its certificate will never be accepted again.
    Revoked "revoked" 403,
    /// The device's certificate ran out; it may only renew.
    Expired "expired" 403,
    /// Another machine presents this device's identity.
    Quarantined "quarantined" 403,
    /// A newer certificate of the same device is in use.
    Superseded "superseded" 403,

    DeviceOffline "device_offline" 503,
    /// The device did not answer in time.
    NoAnswer "no_answer" 504,
    /// Too many long calls are open on this device's link.
    LinkBusy "link_busy" 429,
    /// The device has no usable container engine at the moment.
    EngineUnavailable "engine_unavailable" 503,
    /// The container engine refused the operation; the message is its own.
    EngineRefused "engine_refused" 409,
    ContainerNotFound "container_not_found" 404,
    /// The device is not on the mesh; the message says why.
    MeshUnavailable "mesh_unavailable" 503,

    /// This computer does not know the host key that a device shows, and only its owner may accept it.
    HostKeyUnknown "host_key_unknown" 409,
    /// The device shows another host key than the one this computer knows.
    HostKeyChanged "host_key_changed" 409,
    /// The device takes none of the owner's keys.
    SshDenied "ssh_denied" 409,
    /// `ssh` does not get through to the device.
    SshUnreachable "ssh_unreachable" 503,
    /// On the device, the owner's user may not become root without a password.
    SudoDenied "sudo_denied" 409,
    /// The installer ended without an agent; the message has its last words.
    InstallFailed "install_failed" 409,

    /// No agent is available for this processor architecture.
    NoBinaryForArch "no_binary_for_arch" 404,
    /// Control cannot serve this right now (it is starting, stopping, or its disk is full).
    Unavailable "unavailable" 503,
    Internal "internal" 500,
}

/// An error as every Flotilla API answers it: a code for programs, a message for people that says what
/// happened and what to do next, and the field at fault when there is one.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[error("{message}")]
pub struct Problem {
    pub code: Code,
    pub message: String,
    pub field: Option<String>,
}

impl Problem {
    #[must_use]
    pub fn with_field(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_codes_changes_only_on_purpose() {
        let list: Vec<_> = Code::ALL
            .iter()
            .map(|code| format!("{} {code}", code.status()))
            .collect();
        insta::assert_snapshot!(list.join("\n"));
    }

    #[test]
    fn every_code_is_written_as_it_prints_and_reads_back() {
        for code in Code::ALL {
            let json = serde_json::to_string(code).unwrap();
            assert_eq!(json, format!("\"{code}\""));
            assert_eq!(serde_json::from_str::<Code>(&json).unwrap(), *code);
        }
    }

    #[test]
    fn a_code_of_the_future_is_unknown_and_not_an_error() {
        let problem: Problem = serde_json::from_str(r#"{"code":"moon_phase","message":"wait"}"#).unwrap();
        assert_eq!(problem.code, Code::Unknown);
    }
}
