//! Every route of the control API with the permission that it needs. The router, the OpenAPI document and the tests are
//! all made from this table, so no route is served without an entry.

use super::{
    activity, containers, devices, enrollment, fleet, guard, inventory, live, paths, policy, relays, session,
    ssh_install,
};
use crate::core::Core;
use axum::{
    Router,
    handler::Handler,
    middleware,
    routing::{MethodFilter, MethodRouter, on},
};
use flotilla_protocol::api::{
    ActOnContainer, AddDevice, ChangeMode, CreateSignInLink, EndPush, EndSession, ExplainAccess, GetDevice,
    GetEnrollment, GetFleet, GetPolicy, GetPush, ListActivity, ListContainers, ListDevices, ListImages,
    ListNetworks, ListPaths, ListRelays, ListSessions, ListSshHosts, ListStacks, ListVolumes,
    Method::{self, Delete, Get, Patch, Post, Put},
    OpenSession, PREFIX, PlaceInPod, PromoteRelay, ProveControl, PushDevice, RemoveDevice, Request,
    ReviewPolicy, RevokeDevice, RotateDevice, SetPolicy, TestAddresses, TestPath, UpdateDevice, UpdateFleet,
    VerifyActivity,
};
use std::sync::Arc;
use utoipa::{
    ToSchema,
    openapi::{RefOr, Schema},
};

/// What a request must be allowed to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Needs {
    /// Served without a credential to every program on this computer.
    Nothing,
    May(Verb),
}

/// What people can be allowed to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    View,
    /// Start, stop and restart containers.
    Operate,
    /// Let devices into the fleet.
    Enroll,
    /// Change and end what is in the fleet.
    Manage,
    /// Decide which devices may reach which.
    Policy,
    /// Use the owner's SSH keys. Only the owner may, whatever roles there are.
    Ssh,
    /// Sign browsers in and out as the owner. Only the owner may, whatever roles there are.
    SignIn,
}

impl Needs {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::May(Verb::View) => "view",
            Self::May(Verb::Operate) => "operate",
            Self::May(Verb::Enroll) => "enroll",
            Self::May(Verb::Manage) => "manage",
            Self::May(Verb::Policy) => "policy",
            Self::May(Verb::Ssh) => "ssh",
            Self::May(Verb::SignIn) => "sign_in",
        }
    }
}

/// One line of the table.
pub(super) struct Route {
    pub(super) method: Method,
    /// The path below [`PREFIX`].
    pub(super) path: &'static str,
    pub(super) needs: Needs,
    pub(super) summary: &'static str,
    /// Query parameters; each can be given several times.
    pub(super) filters: &'static [&'static str],
    /// `None` for what is no call with one answer, or has no typed one.
    pub(super) call: Option<TypedCall>,
    serve: MethodRouter<Arc<Core>>,
}

/// The types that travel over a route.
pub(super) struct TypedCall {
    /// Rust's name of the request.
    #[cfg(test)]
    pub(super) request: &'static str,
    /// `None` when the method has no body.
    pub(super) body: Option<Described>,
    pub(super) answer: Described,
}

/// How the OpenAPI document describes a type.
pub(super) struct Described {
    pub(super) schema: fn() -> RefOr<Schema>,
    /// Adds the named types that the schema refers to.
    pub(super) named: fn(&mut Vec<(String, RefOr<Schema>)>),
}

impl Described {
    pub(super) fn of<T: ToSchema>() -> Self {
        Self {
            schema: T::schema,
            named: T::schemas,
        }
    }
}

impl Route {
    fn new<T: 'static>(
        method: Method,
        path: &'static str,
        needs: Needs,
        summary: &'static str,
        handler: impl Handler<T, Arc<Core>>,
    ) -> Self {
        Self {
            method,
            path,
            needs,
            summary,
            filters: &[],
            call: None,
            serve: on(filter(method), handler),
        }
    }

    /// Says which request the route answers.
    fn of<R: Request<Body: ToSchema, Response: ToSchema>>(mut self) -> Self {
        self.call = Some(TypedCall {
            #[cfg(test)]
            request: std::any::type_name::<R>(),
            body: R::METHOD.has_body().then(Described::of::<R::Body>),
            answer: Described::of::<R::Response>(),
        });
        self
    }

    fn filtered_by(mut self, filters: &'static [&'static str]) -> Self {
        self.filters = filters;
        self
    }
}

fn filter(method: Method) -> MethodFilter {
    match method {
        Get => MethodFilter::GET,
        Post => MethodFilter::POST,
        Put => MethodFilter::PUT,
        Patch => MethodFilter::PATCH,
        Delete => MethodFilter::DELETE,
    }
}

const NOTHING: Needs = Needs::Nothing;
const VIEW: Needs = Needs::May(Verb::View);
const OPERATE: Needs = Needs::May(Verb::Operate);
const ENROLL: Needs = Needs::May(Verb::Enroll);
const MANAGE: Needs = Needs::May(Verb::Manage);
const POLICY: Needs = Needs::May(Verb::Policy);
const SSH: Needs = Needs::May(Verb::Ssh);
const SIGN_IN: Needs = Needs::May(Verb::SignIn);

#[rustfmt::skip]
pub(super) fn table() -> Vec<Route> {
    vec![
        Route::new(Post, "/proof", NOTHING, "Shows that control knows the token", session::prove).of::<ProveControl>(),
        Route::new(Post, "/session", NOTHING, "Exchanges a code for a session: a cookie, and a secret for the page", session::open).of::<OpenSession>(),
        Route::new(Delete, "/session", VIEW, "Ends the session that asks", session::close),
        Route::new(Post, "/session/link", SIGN_IN, "Makes a link that signs one browser in", session::link).of::<CreateSignInLink>(),
        Route::new(Get, "/sessions", SIGN_IN, "Browsers that are signed in", session::list).of::<ListSessions>(),
        Route::new(Delete, "/sessions/{session}", SIGN_IN, "Signs a browser out", session::end).of::<EndSession>(),
        Route::new(Get, "/fleet", VIEW, "The fleet as a whole", fleet::show).of::<GetFleet>(),
        Route::new(Patch, "/fleet", MANAGE, "Names the fleet, sets its starting policy and its added addresses, moves its mesh", fleet::update).of::<UpdateFleet>(),
        Route::new(Get, "/fleet/addresses", VIEW, "Tests control's own addresses", fleet::test_addresses).of::<TestAddresses>(),
        Route::new(Get, "/devices", VIEW, "All devices", devices::list).of::<ListDevices>(),
        Route::new(Post, "/devices", ENROLL, "Adds a device and makes its enrollment token", devices::add).of::<AddDevice>(),
        Route::new(Get, "/devices/{device}", VIEW, "One device, by id or name", devices::show).of::<GetDevice>(),
        Route::new(Patch, "/devices/{device}", MANAGE, "Renames or tags a device, sets when it is relayed, or keeps its host networking", devices::update).of::<UpdateDevice>(),
        Route::new(Delete, "/devices/{device}", MANAGE, "Forgets a pending or revoked device", devices::remove).of::<RemoveDevice>(),
        Route::new(Post, "/devices/{device}/revoke", MANAGE, "Ends a device's trust", devices::revoke).of::<RevokeDevice>(),
        Route::new(Post, "/devices/{device}/mode", MANAGE, "Changes a device's network mode", devices::change_mode).of::<ChangeMode>(),
        Route::new(Post, "/devices/{device}/rotate", ENROLL, "Makes a new token for the same device", devices::rotate).of::<RotateDevice>(),
        Route::new(Get, "/devices/{device}/enrollment", VIEW, "How far a device's enrollment has come", enrollment::show).of::<GetEnrollment>(),
        Route::new(Get, "/ssh/hosts", SSH, "The hosts that the owner's ssh configuration names", ssh_install::hosts).of::<ListSshHosts>(),
        Route::new(Post, "/devices/{device}/push", SSH, "Installs a device's agent over the owner's ssh", ssh_install::begin).of::<PushDevice>(),
        Route::new(Get, "/devices/{device}/push", VIEW, "How far the newest push to a device has come", ssh_install::show).of::<GetPush>(),
        Route::new(Delete, "/devices/{device}/push", SSH, "Ends a push, and the tunnel that it left", ssh_install::end).of::<EndPush>(),
        Route::new(Get, "/containers", VIEW, "Containers of the fleet", inventory::containers).of::<ListContainers>().filtered_by(&["device"]),
        Route::new(Get, "/stacks", VIEW, "Compose projects of the fleet", inventory::stacks).of::<ListStacks>().filtered_by(&["device"]),
        Route::new(Get, "/images", VIEW, "Images of the fleet", inventory::images).of::<ListImages>().filtered_by(&["device"]),
        Route::new(Get, "/volumes", VIEW, "Volumes of the fleet", inventory::volumes).of::<ListVolumes>().filtered_by(&["device"]),
        Route::new(Get, "/networks", VIEW, "Networks of the fleet", inventory::networks).of::<ListNetworks>().filtered_by(&["device"]),
        Route::new(Post, "/devices/{device}/containers/{container}/{action}", OPERATE, "Starts, stops or restarts a container", containers::act).of::<ActOnContainer>(),
        Route::new(Post, "/devices/{device}/containers/{container}/pod", MANAGE, "Puts a container into its device's pod, or takes it out", containers::place).of::<PlaceInPod>(),
        Route::new(Get, "/policy", VIEW, "The access policy in force", policy::show).of::<GetPolicy>(),
        Route::new(Put, "/policy", POLICY, "Replaces the access policy", policy::replace).of::<SetPolicy>(),
        Route::new(Post, "/policy/review", VIEW, "What a policy would change", policy::review).of::<ReviewPolicy>(),
        Route::new(Post, "/policy/explain", VIEW, "Why one device may or may not reach another", policy::explain).of::<ExplainAccess>(),
        Route::new(Get, "/paths", VIEW, "How devices reach each other, and why so", paths::list).of::<ListPaths>().filtered_by(&["device"]),
        Route::new(Post, "/paths/test", OPERATE, "Probes every way between two devices", paths::test).of::<TestPath>(),
        Route::new(Get, "/relays", VIEW, "All relays", relays::list).of::<ListRelays>(),
        Route::new(Post, "/devices/{device}/relay", MANAGE, "Makes a device a relay, or ends that", relays::promote).of::<PromoteRelay>(),
        Route::new(Get, "/activity", VIEW, "The activity log, newest first", activity::list).of::<ListActivity>(),
        Route::new(Get, "/activity/verify", VIEW, "Whether the activity log is what was written", activity::verify).of::<VerifyActivity>(),
        Route::new(Get, "/live", VIEW, "The live stream (WebSocket)", live::follow),
        Route::new(Get, "/openapi.json", VIEW, "This document", super::openapi::show),
    ]
}

/// The router of all routes, each behind the check of its own permission.
pub(super) fn router(core: &Arc<Core>) -> Router<Arc<Core>> {
    table().into_iter().fold(Router::new(), |router, route| {
        let authorize = middleware::from_fn_with_state((core.clone(), route.needs), guard::authorize);
        router.route(&format!("{PREFIX}{}", route.path), route.serve.layer(authorize))
    })
}

#[cfg(test)]
mod tests;
