//! The control API under `/api/v1`: typed requests, list envelopes, and the live frames that patch a page.
//!
//! A request names its response, its method, its path and its body; the same types are what the command line sends, what
//! the user interface sends and what control decodes.

/// Implements [`Request`]: the method, the path with the fields that it names, the body, and the answer. The body is the
/// request itself, none of whose fields is in the path, or one of its fields, or says nothing. After `?` come the keys of
/// a query, each with the field that has its values.
macro_rules! request {
    (@path $this:ident, $path:literal) => { $path.to_owned() };
    (@path $this:ident, $path:literal $($part:ident),+) => {{
        $(let $part = $crate::api::encode(&$this.$part.to_string());)+
        format!($path)
    }};
    (@body) => { type Body = (); };
    (@body Self) => {
        type Body = Self;
        fn body(&self) -> Option<&Self> { Some(self) }
    };
    (@body NoFields) => {
        type Body = $crate::api::NoFields;
        fn body(&self) -> Option<&Self::Body> { Some(&$crate::api::NoFields {}) }
    };
    (@body $field:ident: $type:ty) => {
        type Body = $type;
        fn body(&self) -> Option<&$type> { Some(&self.$field) }
    };
    ($name:ident, Get $path:literal ? $($key:literal $field:ident),+ => $response:ty) => {
        impl $crate::api::Request for $name {
            type Response = $response;
            type Body = ();
            const METHOD: $crate::api::Method = $crate::api::Method::Get;
            fn path(&self) -> String {
                let query = [$($crate::api::query($key, &self.$field)),+].concat();
                if query.is_empty() { $path.to_owned() } else { format!("{}?{}", $path, query.join("&")) }
            }
        }
    };
    ($name:ident, $method:ident $path:literal $([$($part:ident),+])? $(($($body:tt)+))? => $response:ty) => {
        impl $crate::api::Request for $name {
            type Response = $response;
            const METHOD: $crate::api::Method = $crate::api::Method::$method;
            fn path(&self) -> String { request!(@path self, $path $($($part),+)?) }
            request!(@body $($($body)+)?);
        }
    };
}

mod access;
mod devices;
mod enrollment;
mod fleet;
mod jobs;
mod list;
mod live;
mod log_search;
mod logs;
mod mesh;
mod push;
mod session;

pub use access::{
    Allowed, ApiToken, CallerFacts, CreateToken, GetCaller, Grant, ListTokens, RevokeToken, Role, Scope,
    TOKEN_PREFIX, TokenCreated, Verb,
};
pub use devices::{
    AddDevice, AddedDevice, ByHand, ChangeMode, DeviceAdded, DeviceChange, GetDevice, ListDevices,
    ModeChange, ModeChanged, RemoveDevice, RevokeDevice, RotateDevice, TagChange, TokenLifetime, Unavailable,
    UpdateDevice,
};
pub use enrollment::{Enrollment, EnrollmentFailure, EnrollmentState, GetEnrollment, Stage, StageReached};
pub use fleet::{Fleet, GetFleet, ReachableAt, StartingPolicy, TestAddresses, UpdateFleet};
pub use jobs::{
    ActOnContainers, BeginPlacement, CancelJob, ContainerOutcome, ContainerRef, GetJob, Job, JobKind,
    ListJobs, RecreateContainer, RemoveContainers, WatchJob,
};
pub use list::{
    ActOnContainer, Empty, List, ListActivity, ListContainers, ListImages, ListNetworks, ListStacks,
    ListVolumes, NoFields, PlaceInPod, Placed, Row, UnreachableDevice, VerifyActivity,
};
pub use live::{BEAT, LiveFrame, Resource, ResourceRef};
pub use log_search::{
    LogSearch, SearchEnd, SearchEndReason, SearchItem, SearchLogs, SearchState, SearchedContainer,
    SearchedDevice, SearchedLines,
};
pub use logs::{LogOf, WatchLog};
pub use mesh::{
    ExplainAccess, Explanation, FailedTest, GetPolicy, ListPaths, ListRelays, NearRule, PolicyInForce,
    PolicyReview, PromoteRelay, Reach, RelayChange, RelayFacts, ReviewPolicy, SetPolicy, TestPath,
};
pub use push::{EndPush, GetPush, ListSshHosts, Push, PushDevice, PushState, SshHost, SshInstall};
pub use session::{
    ControlProof, CreateSignInLink, EndSession, LIVE_PROTOCOL, ListSessions, OpenSession, ProveControl,
    REQUEST_HEADER, SESSION_HEADER, SESSION_PROTOCOL, SessionFacts, SessionOpened, SignInLink,
};

use serde::{Serialize, de::DeserializeOwned};

/// Path prefix of everything here.
pub const PREFIX: &str = "/api/v1";

/// HTTP methods of the control API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

impl Method {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }

    /// Whether requests of this method have a JSON body.
    pub fn has_body(self) -> bool {
        matches!(self, Self::Post | Self::Put | Self::Patch)
    }
}

/// A call of the control API: what its path names and what its body says are kept apart.
pub trait Request {
    type Response: DeserializeOwned;
    /// What travels as JSON in `Post`, `Put` and `Patch` requests; `()` in the others, which have no body.
    type Body: Serialize;
    const METHOD: Method;

    /// Path and query below [`PREFIX`], percent-encoded where a value is free text.
    fn path(&self) -> String;

    /// `None` when the method has no body.
    fn body(&self) -> Option<&Self::Body> {
        None
    }
}

/// The words of a query that has this key once for each value.
fn query(key: &str, values: impl IntoIterator<Item: ToString>) -> Vec<String> {
    let values = values.into_iter();
    values
        .map(|value| format!("{key}={}", encode(&value.to_string())))
        .collect()
}

/// Percent-encodes one path segment or query value (RFC 3986 §2.3: all but unreserved characters).
pub(crate) fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests;
