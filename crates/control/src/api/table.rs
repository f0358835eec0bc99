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
    GetEnrollment, GetFleet, GetPolicy, GetPush, List, ListActivity, ListContainers, ListDevices, ListImages,
    ListNetworks, ListPaths, ListRelays, ListSessions, ListSshHosts, ListStacks, ListVolumes, Method,
    OpenSession, PREFIX, PlaceInPod, PromoteRelay, ProveControl, PushDevice, RemoveDevice, Request,
    ReviewPolicy, RevokeDevice, RotateDevice, Row, SetPolicy, TestAddresses, TestPath, UpdateDevice,
    UpdateFleet, VerifyActivity,
};
use std::sync::Arc;
use utoipa::ToSchema;

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
    pub(super) schemas: Schemas,
    /// Query parameters; each can be given several times.
    pub(super) filters: &'static [&'static str],
    serve: MethodRouter<Arc<Core>>,
}

/// What the OpenAPI document says of a route's bodies.
#[derive(Default)]
pub(super) struct Schemas {
    pub(super) body: Option<Schema>,
    pub(super) answer: Option<Schema>,
}

pub(super) struct Schema {
    /// The name that the document gives to the rows of this answer, which are generic in Rust.
    pub(super) row: Option<String>,
    pub(super) own: utoipa::openapi::RefOr<utoipa::openapi::Schema>,
    pub(super) named: Vec<(String, utoipa::openapi::RefOr<utoipa::openapi::Schema>)>,
}

impl Schema {
    pub(super) fn of<T: ToSchema>() -> Self {
        let mut named = Vec::new();
        T::schemas(&mut named);
        Self {
            row: None,
            own: T::schema(),
            named,
        }
    }
}

impl Route {
    /// A route whose request has no body.
    fn without_body<R, T>(
        needs: Needs,
        path: &'static str,
        summary: &'static str,
        handler: impl Handler<T, Arc<Core>>,
    ) -> Self
    where
        R: Request,
        R::Response: ToSchema,
        T: 'static,
    {
        let serve = on(filter(R::METHOD), handler);
        let schemas = Schemas {
            body: None,
            answer: Some(Schema::of::<R::Response>()),
        };
        Self {
            method: R::METHOD,
            path,
            needs,
            summary,
            schemas,
            filters: &[],
            serve,
        }
    }

    /// A route that answers a list.
    fn list<R, I, T>(
        needs: Needs,
        path: &'static str,
        summary: &'static str,
        handler: impl Handler<T, Arc<Core>>,
    ) -> Self
    where
        R: Request<Response = List<I>>,
        I: ToSchema + 'static,
        T: 'static,
    {
        Self::without_body::<R, T>(needs, path, summary, handler).naming::<I>(I::name().into_owned())
    }

    /// A route that answers rows of one kind, of all devices or of those that the query names.
    fn rows<R, I, T>(
        needs: Needs,
        path: &'static str,
        summary: &'static str,
        handler: impl Handler<T, Arc<Core>>,
    ) -> Self
    where
        R: Request<Response = List<Row<I>>>,
        I: ToSchema + 'static,
        T: 'static,
    {
        let name = format!("{}Row", I::name());
        let mut route = Self::without_body::<R, T>(needs, path, summary, handler);
        route.filters = &["device"];
        if let Some(answer) = &mut route.schemas.answer {
            answer.row = Some(name.clone());
        }
        route.naming::<I>(I::name().into_owned()).naming::<Row<I>>(name)
    }

    fn filtered_by(mut self, filters: &'static [&'static str]) -> Self {
        self.filters = filters;
        self
    }

    /// Gives a type that the answer refers to its name in the document.
    fn naming<I: ToSchema>(mut self, name: String) -> Self {
        if let Some(answer) = &mut self.schemas.answer {
            answer.named.push((name, I::schema()));
            I::schemas(&mut answer.named);
        }
        self
    }

    /// A route whose request travels as a JSON body.
    fn with_body<R, T>(
        needs: Needs,
        path: &'static str,
        summary: &'static str,
        handler: impl Handler<T, Arc<Core>>,
    ) -> Self
    where
        R: Request + ToSchema,
        R::Response: ToSchema,
        T: 'static,
    {
        let mut route = Self::without_body::<R, T>(needs, path, summary, handler);
        route.schemas.body = Some(Schema::of::<R>());
        route
    }

    /// A route without a typed request and answer.
    fn raw<T: 'static>(
        needs: Needs,
        method: Method,
        path: &'static str,
        summary: &'static str,
        handler: impl Handler<T, Arc<Core>>,
    ) -> Self {
        Self {
            method,
            path,
            needs,
            summary,
            schemas: Schemas::default(),
            filters: &[],
            serve: on(filter(method), handler),
        }
    }
}

fn filter(method: Method) -> MethodFilter {
    match method {
        Method::Get => MethodFilter::GET,
        Method::Post => MethodFilter::POST,
        Method::Put => MethodFilter::PUT,
        Method::Patch => MethodFilter::PATCH,
        Method::Delete => MethodFilter::DELETE,
    }
}

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
        Route::with_body::<ProveControl, _>(Needs::Nothing, "/proof", "Shows that control knows the token", session::prove),
        Route::with_body::<OpenSession, _>(Needs::Nothing, "/session", "Exchanges a code for a session: a cookie, and a secret for the page", session::open),
        Route::raw(VIEW, Method::Delete, "/session", "Ends the session that asks", session::close),
        Route::with_body::<CreateSignInLink, _>(SIGN_IN, "/session/link", "Makes a link that signs one browser in", session::link),
        Route::list::<ListSessions, _, _>(SIGN_IN, "/sessions", "Browsers that are signed in", session::list),
        Route::without_body::<EndSession, _>(SIGN_IN, "/sessions/{session}", "Signs a browser out", session::end),
        Route::without_body::<GetFleet, _>(VIEW, "/fleet", "The fleet as a whole", fleet::show),
        Route::with_body::<UpdateFleet, _>(MANAGE, "/fleet", "Names the fleet, sets its starting policy and its added addresses, moves its mesh", fleet::update),
        Route::without_body::<TestAddresses, _>(VIEW, "/fleet/addresses", "Tests control's own addresses", fleet::test_addresses),
        Route::list::<ListDevices, _, _>(VIEW, "/devices", "All devices", devices::list),
        Route::with_body::<AddDevice, _>(ENROLL, "/devices", "Adds a device and makes its enrollment token", devices::add),
        Route::without_body::<GetDevice, _>(VIEW, "/devices/{device}", "One device, by id or name", devices::show),
        Route::with_body::<UpdateDevice, _>(MANAGE, "/devices/{device}", "Renames or tags a device, sets when it is relayed, or keeps its host networking", devices::update),
        Route::without_body::<RemoveDevice, _>(MANAGE, "/devices/{device}", "Forgets a pending or revoked device", devices::remove),
        Route::with_body::<RevokeDevice, _>(MANAGE, "/devices/{device}/revoke", "Ends a device's trust", devices::revoke),
        Route::with_body::<ChangeMode, _>(MANAGE, "/devices/{device}/mode", "Changes a device's network mode", devices::change_mode),
        Route::with_body::<RotateDevice, _>(ENROLL, "/devices/{device}/rotate", "Makes a new token for the same device", devices::rotate),
        Route::without_body::<GetEnrollment, _>(VIEW, "/devices/{device}/enrollment", "How far a device's enrollment has come", enrollment::show),
        Route::without_body::<ListSshHosts, _>(SSH, "/ssh/hosts", "The hosts that the owner's ssh configuration names", ssh_install::hosts),
        Route::with_body::<PushDevice, _>(SSH, "/devices/{device}/push", "Installs a device's agent over the owner's ssh", ssh_install::begin),
        Route::without_body::<GetPush, _>(VIEW, "/devices/{device}/push", "How far the newest push to a device has come", ssh_install::show),
        Route::without_body::<EndPush, _>(SSH, "/devices/{device}/push", "Ends a push, and the tunnel that it left", ssh_install::end),
        Route::rows::<ListContainers, _, _>(VIEW, "/containers", "Containers of the fleet", inventory::containers),
        Route::rows::<ListStacks, _, _>(VIEW, "/stacks", "Compose projects of the fleet", inventory::stacks),
        Route::rows::<ListImages, _, _>(VIEW, "/images", "Images of the fleet", inventory::images),
        Route::rows::<ListVolumes, _, _>(VIEW, "/volumes", "Volumes of the fleet", inventory::volumes),
        Route::rows::<ListNetworks, _, _>(VIEW, "/networks", "Networks of the fleet", inventory::networks),
        Route::without_body::<ActOnContainer, _>(OPERATE, "/devices/{device}/containers/{container}/{action}", "Starts, stops or restarts a container", containers::act),
        Route::with_body::<PlaceInPod, _>(MANAGE, "/devices/{device}/containers/{container}/pod", "Puts a container into its device's pod, or takes it out", containers::place),
        Route::without_body::<GetPolicy, _>(VIEW, "/policy", "The access policy in force", policy::show),
        Route::with_body::<SetPolicy, _>(POLICY, "/policy", "Replaces the access policy", policy::replace),
        Route::with_body::<ReviewPolicy, _>(VIEW, "/policy/review", "What a policy would change", policy::review),
        Route::with_body::<ExplainAccess, _>(VIEW, "/policy/explain", "Why one device may or may not reach another", policy::explain),
        Route::list::<ListPaths, _, _>(VIEW, "/paths", "How devices reach each other, and why so", paths::list).filtered_by(&["device"]),
        Route::with_body::<TestPath, _>(OPERATE, "/paths/test", "Probes every way between two devices", paths::test),
        Route::list::<ListRelays, _, _>(VIEW, "/relays", "All relays", relays::list),
        Route::with_body::<PromoteRelay, _>(MANAGE, "/devices/{device}/relay", "Makes a device a relay, or ends that", relays::promote),
        Route::list::<ListActivity, _, _>(VIEW, "/activity", "The activity log, newest first", activity::list),
        Route::without_body::<VerifyActivity, _>(VIEW, "/activity/verify", "Whether the activity log is what was written", activity::verify),
        Route::raw(VIEW, Method::Get, "/live", "The live stream (WebSocket)", live::follow),
        Route::raw(VIEW, Method::Get, "/openapi.json", "This document", super::openapi::show),
    ]
}

/// The router of all routes, each behind the check of its own permission.
pub(super) fn router(core: &Arc<Core>) -> Router<Arc<Core>> {
    table().into_iter().fold(Router::new(), |router, route| {
        let authorize = middleware::from_fn_with_state((core.clone(), route.needs), guard::authorize);
        router.route(&format!("{PREFIX}{}", route.path), route.serve.layer(authorize))
    })
}
