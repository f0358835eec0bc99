//! Every route of the control API with the permission that it needs. The router, the OpenAPI document and the tests are
//! all made from this table, so no route is served without an entry.

use super::{
    activity, containers, devices, fleet, guard, inventory, jobs, live, log_search, openapi, paths, policy,
    relays,
    route::{
        Needs::{Everywhere, Nothing, OnDevice, Somewhere},
        Route,
    },
    session, ssh_install, tokens,
};
use crate::core::Core;
use axum::{Json, Router, middleware};
use flotilla_protocol::api::{
    ActOnContainer, ActOnContainers, AddDevice, BeginPlacement, CancelJob, ChangeMode, CreateSignInLink,
    CreateToken, EndPush, EndSession, ExplainAccess, GetCaller, GetDevice, GetEnrollment, GetFleet, GetJob,
    GetPolicy, GetPush, ListActivity, ListContainers, ListDevices, ListImages, ListJobs, ListNetworks,
    ListPaths, ListRelays, ListSessions, ListSshHosts, ListStacks, ListTokens, ListVolumes,
    Method::{Delete, Get, Patch, Post, Put},
    OpenSession, PREFIX, PlaceInPod, PromoteRelay, ProveControl, PushDevice, RecreateContainer,
    RemoveContainers, RemoveDevice, ReviewPolicy, RevokeDevice, RevokeToken, RotateDevice, SearchLogs,
    SetPolicy, TestAddresses, TestPath, UpdateDevice, UpdateFleet,
    Verb::{Deploy, Enroll, Manage, Operate, Policy, SignIn, Ssh, Tokens, View},
    VerifyActivity, WatchJob, WatchLog,
};
use serde_json::Value;
use std::sync::Arc;

#[rustfmt::skip]
pub(super) fn table() -> Vec<Route> {
    vec![
        Route::new(Post, "/proof", Nothing, "Shows that control knows the token", session::prove).of::<ProveControl>(),
        Route::new(Post, "/session", Nothing, "Exchanges a code for a session: a cookie, and a secret for the page", session::open).of::<OpenSession>(),
        Route::new(Delete, "/session", Somewhere(View), "Ends the session that asks", session::close),
        Route::new(Post, "/session/link", Everywhere(SignIn), "Makes a link that signs one browser in", session::link).of::<CreateSignInLink>(),
        Route::new(Get, "/sessions", Everywhere(SignIn), "Browsers that are signed in", session::list).of::<ListSessions>(),
        Route::new(Delete, "/sessions/{session}", Everywhere(SignIn), "Signs a browser out", session::end).of::<EndSession>(),
        Route::new(Get, "/caller", Somewhere(View), "Who asks, and what it may do", session::caller).of::<GetCaller>(),
        Route::new(Get, "/tokens", Everywhere(Tokens), "API tokens", tokens::list).of::<ListTokens>(),
        Route::new(Post, "/tokens", Everywhere(Tokens), "Makes an API token", tokens::create).of::<CreateToken>(),
        Route::new(Delete, "/tokens/{token}", Everywhere(Tokens), "Ends an API token", tokens::revoke).of::<RevokeToken>(),
        Route::new(Get, "/fleet", Somewhere(View), "The fleet as a whole", fleet::show).of::<GetFleet>(),
        Route::new(Patch, "/fleet", Everywhere(Manage), "Names the fleet, sets its starting policy and its added addresses, moves its mesh", fleet::update).of::<UpdateFleet>(),
        Route::new(Get, "/fleet/addresses", Everywhere(View), "Tests control's own addresses", fleet::test_addresses).of::<TestAddresses>(),
        Route::new(Get, "/devices", Somewhere(View), "All devices", devices::list).of::<ListDevices>(),
        Route::new(Post, "/devices", Somewhere(Enroll), "Adds a device and makes its enrollment token", devices::add).of::<AddDevice>(),
        Route::new(Get, "/devices/{device}", OnDevice(View), "One device, by id or name", devices::show).of::<GetDevice>(),
        Route::new(Patch, "/devices/{device}", OnDevice(Manage), "Renames or tags a device, sets when it is relayed, or keeps its host networking", devices::update).of::<UpdateDevice>(),
        Route::new(Delete, "/devices/{device}", OnDevice(Manage), "Forgets a pending or revoked device", devices::remove).of::<RemoveDevice>(),
        Route::new(Post, "/devices/{device}/revoke", OnDevice(Manage), "Ends a device's trust", devices::revoke).of::<RevokeDevice>(),
        Route::new(Post, "/devices/{device}/mode", OnDevice(Manage), "Changes a device's network mode", devices::change_mode).of::<ChangeMode>(),
        Route::new(Post, "/devices/{device}/rotate", OnDevice(Enroll), "Makes a new token for the same device", devices::rotate).of::<RotateDevice>(),
        Route::new(Get, "/devices/{device}/enrollment", OnDevice(View), "How far a device's enrollment has come", devices::enrollment).of::<GetEnrollment>(),
        Route::new(Get, "/ssh/hosts", Everywhere(Ssh), "The hosts that the owner's ssh configuration names", ssh_install::hosts).of::<ListSshHosts>(),
        Route::new(Post, "/devices/{device}/push", OnDevice(Ssh), "Installs a device's agent over the owner's ssh", ssh_install::begin).of::<PushDevice>(),
        Route::new(Get, "/devices/{device}/push", OnDevice(View), "How far the newest push to a device has come", ssh_install::show).of::<GetPush>(),
        Route::new(Delete, "/devices/{device}/push", OnDevice(Ssh), "Ends a push, and the tunnel that it left", ssh_install::end).of::<EndPush>(),
        Route::new(Get, "/containers", Somewhere(View), "Containers of the fleet", inventory::containers).of::<ListContainers>().filtered_by(&["device"]),
        Route::new(Get, "/stacks", Somewhere(View), "Compose projects of the fleet", inventory::stacks).of::<ListStacks>().filtered_by(&["device"]),
        Route::new(Get, "/images", Somewhere(View), "Images of the fleet", inventory::images).of::<ListImages>().filtered_by(&["device"]),
        Route::new(Get, "/volumes", Somewhere(View), "Volumes of the fleet", inventory::volumes).of::<ListVolumes>().filtered_by(&["device"]),
        Route::new(Get, "/networks", Somewhere(View), "Networks of the fleet", inventory::networks).of::<ListNetworks>().filtered_by(&["device"]),
        Route::new(Post, "/devices/{device}/containers/{container}/{action}", OnDevice(Operate), "Starts, stops, restarts, pauses, unpauses or kills a container", containers::act).of::<ActOnContainer>(),
        Route::new(Post, "/devices/{device}/containers/{container}/pod", OnDevice(Deploy), "Puts a container into its device's pod, or takes it out", containers::place).of::<PlaceInPod>(),
        Route::stream::<WatchLog, _>(OnDevice(View), "What a container wrote, and writes", containers::log::watch),
        Route::stream::<SearchLogs, _>(Somewhere(View), "Lines in the logs of many containers", log_search::search),
        Route::new(Post, "/containers/actions", Somewhere(Operate), "Starts, stops, restarts, pauses, unpauses or kills several containers as a job", containers::act_on_several).of::<ActOnContainers>(),
        Route::new(Post, "/containers/recreations", Somewhere(Deploy), "Begins to recreate a container where it is", containers::recreate).of::<RecreateContainer>(),
        Route::new(Post, "/containers/removals", Somewhere(Deploy), "Removes containers as a job", containers::remove).of::<RemoveContainers>(),
        Route::new(Post, "/containers/placements", Somewhere(Deploy), "Begins to put a container into its device's pod, or to take it out", containers::begin_placement).of::<BeginPlacement>(),
        Route::new(Get, "/jobs", Somewhere(View), "Jobs that are not over, and the newest that are", jobs::list).of::<ListJobs>().filtered_by(&["limit"]),
        Route::new(Get, "/jobs/{job}", Somewhere(View), "One job, with what it did", jobs::show).of::<GetJob>(),
        Route::stream::<WatchJob, _>(Somewhere(View), "How a job goes, until it is over", jobs::watch),
        Route::new(Delete, "/jobs/{job}", Somewhere(View), "Ends a job at the next point at which that is safe, for who may begin one like it", jobs::cancel).of::<CancelJob>(),
        Route::new(Get, "/policy", Everywhere(View), "The access policy in force", policy::show).of::<GetPolicy>(),
        Route::new(Put, "/policy", Everywhere(Policy), "Replaces the access policy", policy::replace).of::<SetPolicy>(),
        Route::new(Post, "/policy/review", Everywhere(View), "What a policy would change", policy::review).of::<ReviewPolicy>(),
        Route::new(Post, "/policy/explain", Somewhere(View), "Why one device may or may not reach another", policy::explain).of::<ExplainAccess>(),
        Route::new(Get, "/paths", Somewhere(View), "How devices reach each other, and why so", paths::list).of::<ListPaths>().filtered_by(&["device"]),
        Route::new(Post, "/paths/test", Somewhere(Operate), "Probes every way between two devices", paths::test).of::<TestPath>(),
        Route::new(Get, "/relays", Somewhere(View), "All relays", relays::list).of::<ListRelays>(),
        Route::new(Post, "/devices/{device}/relay", OnDevice(Manage), "Makes a device a relay, or ends that", relays::promote).of::<PromoteRelay>(),
        Route::new(Get, "/activity", Somewhere(View), "The activity log, newest first", activity::list).of::<ListActivity>(),
        Route::new(Get, "/activity/verify", Everywhere(View), "Whether the activity log is what was written", activity::verify).of::<VerifyActivity>(),
        Route::new(Get, "/live", Somewhere(View), "The live stream (WebSocket)", live::follow),
        Route::new(Get, "/openapi.json", Somewhere(View), "This document", document),
    ]
}

/// Answers the OpenAPI document.
async fn document() -> Json<Value> {
    Json(openapi::document(&table()))
}

/// The router of all routes.
pub(super) fn router(core: &Arc<Core>) -> Router<Arc<Core>> {
    guarded(core, table())
}

/// The router of these routes, each behind the check of its own needs.
pub(super) fn guarded(core: &Arc<Core>, routes: Vec<Route>) -> Router<Arc<Core>> {
    routes.into_iter().fold(Router::new(), |router, route| {
        let authorize = middleware::from_fn_with_state((core.clone(), route.needs), guard::authorize);
        router.route(&format!("{PREFIX}{}", route.path), route.serve.layer(authorize))
    })
}

#[cfg(test)]
mod tests;
