//! What the engine answers, route by route.

use super::{Hang, Shared, World};
use axum::{
    Json, Router,
    body::Body,
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use serde_json::{Value, json};
use std::collections::HashMap;

pub(super) fn router(shared: Shared) -> Router {
    let log = shared.clone();
    Router::new()
        .route("/version", get(version))
        .route("/info", get(info))
        .route("/_ping", get(async || "OK"))
        .route("/events", get(events))
        .route("/containers/json", get(list))
        .route("/containers/create", post(create))
        .route("/containers/{id}", axum::routing::delete(remove))
        .route("/containers/{id}/json", get(inspect))
        .route("/containers/{id}/logs", get(logs))
        .route("/containers/{id}/rename", post(rename))
        .route("/containers/{id}/{action}", post(act))
        .route(
            "/images/json",
            get(async |State(s): State<Shared>| Json(s.world.lock().unwrap().images.clone())),
        )
        .route("/images/{*name}", get(image))
        .route("/networks/{name}/{action}", post(async || Json(json!(null))))
        .route("/networks/{name}", get(network))
        .route(
            "/volumes",
            get(async || Json(json!({"Volumes": null, "Warnings": null}))),
        )
        .route(
            "/networks",
            get(async |State(s): State<Shared>| Json(s.world.lock().unwrap().networks.clone())),
        )
        .layer(axum::middleware::from_fn(
            move |request: axum::extract::Request, next: axum::middleware::Next| {
                let log = log.clone();
                async move {
                    let (hang, fault) = {
                        let mut world = log.world.lock().unwrap();
                        (
                            world.hear(&request),
                            world.faults.get(request.uri().path()).cloned(),
                        )
                    };
                    if let Some(fault) = fault {
                        return fault.answer().await;
                    }
                    match hang {
                        Hang::Never | Hang::Hung => next.run(request).await,
                        Hang::Before(_) => std::future::pending().await,
                        Hang::After(_) => {
                            next.run(request).await;
                            log.world.lock().unwrap().hang = Hang::Hung;
                            std::future::pending().await
                        }
                    }
                }
            },
        ))
        .with_state(shared)
}

impl World {
    /// Logs a request; returns whether to hang at it.
    fn hear(&mut self, request: &axum::extract::Request) -> Hang {
        self.log
            .push(format!("{} {}", request.method(), request.uri().path()));
        if request.method().is_safe() {
            return Hang::Never;
        }
        self.changes += 1;
        match self.hang {
            Hang::Before(at) | Hang::After(at) if at == self.changes => {
                let hang = self.hang;
                self.hang = if matches!(hang, Hang::Before(_)) {
                    Hang::Hung
                } else {
                    Hang::Never
                };
                hang
            }
            _ => Hang::Never,
        }
    }
}

async fn version(State(shared): State<Shared>) -> Json<Value> {
    let flavor = shared.world.lock().unwrap().flavor;
    Json(
        json!({"Version": flavor.version, "ApiVersion": flavor.api_version, "MinAPIVersion": "1.12",
        "Components": [{"Name": flavor.component, "Version": flavor.version}]}),
    )
}

async fn info(State(shared): State<Shared>) -> Json<Value> {
    let world = shared.world.lock().unwrap();
    let now = flotilla_protocol::Timestamp::from_nanosecond(world.now().into()).unwrap();
    Json(
        json!({"OperatingSystem": world.flavor.os, "Architecture": "x86_64", "Driver": "overlay2",
        "Name": world.flavor.name, "KernelVersion": world.flavor.kernel, "SystemTime": now.to_string(), "SecurityOptions": ["name=seccomp,profile=default"]}),
    )
}

async fn events(State(shared): State<Shared>, Query(query): Query<HashMap<String, String>>) -> Response {
    let _permit = shared.gate.acquire().await.unwrap();
    let live = shared.events.subscribe();
    let since: u64 = query["since"].replace('.', "").parse().unwrap();
    let missed: Vec<Value> = {
        let world = shared.world.lock().unwrap();
        world
            .history
            .iter()
            .filter(|event| event["timeNano"].as_u64().unwrap() > since)
            .cloned()
            .collect()
    };
    let live = stream::unfold(live, async |mut live| {
        live.recv().await.ok().map(|event| (event, live))
    });
    let live = live.chain(stream::pending());
    let quiet = shared.world.lock().unwrap().quiet;
    let mut events = Box::pin(
        stream::iter(missed)
            .chain(live)
            .take_until(shared.stopped.clone().cancelled_owned()),
    );
    let first = if quiet { events.next().await } else { None };
    let events = stream::iter(first).chain(events);
    let lines = events.map(|event| Ok::<_, std::convert::Infallible>(Bytes::from(format!("{event}\n"))));
    Response::new(Body::from_stream(lines))
}

async fn list(State(shared): State<Shared>, Query(query): Query<HashMap<String, String>>) -> Json<Value> {
    let world = shared.world.lock().unwrap();
    let wanted = |id: &&String| query.get("filters").is_none_or(|only| only.contains(id.as_str()));
    let ids = world.containers.keys().filter(wanted);
    Json(ids.map(|id| row(&world.containers[id])).collect())
}

/// A container as lists have it.
fn row(container: &Value) -> Value {
    let (state, config) = (&container["State"], &container["Config"]);
    let health = state["Health"]["Status"].as_str();
    let health = health.map(|health| format!(" ({health})")).unwrap_or_default();
    json!({
        "Id": container["Id"], "Names": [container["Name"]], "Image": config["Image"], "ImageID": container["Image"],
        "Created": super::EPOCH, "State": state["Status"], "Status": format!("Up 5 minutes{health}"),
        "Ports": container["Ports"].as_array().cloned().unwrap_or_default(), "Labels": config["Labels"], "HostConfig": {"NetworkMode": container["HostConfig"]["NetworkMode"]},
    })
}

async fn inspect(State(shared): State<Shared>, Path(id): Path<String>) -> Response {
    let world = shared.world.lock().unwrap();
    match world.lookup(&id) {
        Some(id) => Json(world.containers[&id].clone()).into_response(),
        None => missing(&id),
    }
}

/// Counts back from the end before it looks at times, as Docker does.
async fn logs(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    Query(query): Query<HashMap<String, String>>,
) -> Response {
    let kept = shared
        .world
        .lock()
        .unwrap()
        .logs
        .get(&id)
        .cloned()
        .unwrap_or_default();
    let tail = query.get("tail").map_or(kept.len(), |tail| tail.parse().unwrap());
    let since = query
        .get("since")
        .map_or(0, |since| since.replace('.', "").parse().unwrap());
    let last = kept.len().saturating_sub(tail);
    let wanted = kept
        .into_iter()
        .skip(last)
        .filter(move |(at, _)| at.as_nanosecond() >= since);
    let messages = wanted.map(|(_, message)| Ok::<_, std::convert::Infallible>(message));
    Response::new(Body::from_stream(stream::iter(messages)))
}

async fn act(State(shared): State<Shared>, Path((id, action)): Path<(String, String)>) -> Response {
    let id = {
        let mut world = shared.world.lock().unwrap();
        let Some(id) = world.lookup(&id) else {
            return missing(&id);
        };
        let mut refusal = world.refusal.clone();
        let mut code = 0;
        if action != "stop" {
            let name = world.containers[&id]["Name"].as_str().unwrap()[1..].to_owned();
            let start = world.next_start.take_if(|(wanted, _)| *wanted == name);
            refusal = refusal.or(start.map(|(_, message)| message));
            let end = world.next_end.take_if(|(wanted, _)| *wanted == name);
            code = end.map_or(0, |(_, code)| code);
            if world.next_check.take_if(|wanted| *wanted == name).is_some() {
                world.containers.get_mut(&id).unwrap()["State"]["Health"] = json!({"Status": "unhealthy"});
            }
        }
        if let Some(message) = refusal {
            return problem(StatusCode::INTERNAL_SERVER_ERROR, &message);
        }
        let status = if action == "stop" || code != 0 {
            "exited"
        } else {
            "running"
        };
        let now = world.now();
        let container = world.containers.get_mut(&id).unwrap();
        container["State"]["Status"] = json!(status);
        container["State"]["ExitCode"] = json!(code);
        if action != "stop" {
            container["State"]["StartedAt"] = json!(
                flotilla_protocol::Timestamp::from_nanosecond(now.into())
                    .unwrap()
                    .to_string()
            );
        }
        id
    };
    shared.emit("container", &action, &id);
    StatusCode::NO_CONTENT.into_response()
}

async fn create(
    State(shared): State<Shared>,
    Query(query): Query<HashMap<String, String>>,
    Json(mut body): Json<Value>,
) -> Response {
    let id = {
        let mut world = shared.world.lock().unwrap();
        let name = &query["name"];
        if world.lookup(name).is_some() {
            return problem(
                StatusCode::CONFLICT,
                &format!("The name {name} is already in use"),
            );
        }
        world.made += 1;
        let id = format!("made{}", world.made);
        let image = world.image(body["Image"].as_str().unwrap()).unwrap().clone();
        // The container's own labels win over its image's.
        let own = body["Labels"].as_object().cloned().unwrap_or_default();
        let labels = image["Labels"]
            .as_object()
            .cloned()
            .unwrap_or_default()
            .into_iter();
        body["Labels"] = labels.chain(own).collect::<serde_json::Map<_, _>>().into();
        let container = json!({
            "Id": id, "Name": format!("/{name}"), "Image": image["Id"], "Created": "2026-03-01T12:00:00Z",
            "State": {"Status": "created", "ExitCode": 0}, "Config": body, "HostConfig": body["HostConfig"],
        });
        world.containers.insert(id.clone(), container);
        id
    };
    shared.emit("container", "create", &id);
    (StatusCode::CREATED, Json(json!({"Id": id, "Warnings": []}))).into_response()
}

async fn rename(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    Query(query): Query<HashMap<String, String>>,
) -> Response {
    let id = {
        let mut world = shared.world.lock().unwrap();
        let Some(id) = world.lookup(&id) else {
            return missing(&id);
        };
        if world.lookup(&query["name"]).is_some() {
            return problem(StatusCode::CONFLICT, "the name is in use");
        }
        world.containers.get_mut(&id).unwrap()["Name"] = json!(format!("/{}", query["name"]));
        id
    };
    shared.emit("container", "rename", &id);
    StatusCode::NO_CONTENT.into_response()
}

async fn remove(State(shared): State<Shared>, Path(id): Path<String>) -> Response {
    let id = {
        let mut world = shared.world.lock().unwrap();
        let Some(id) = world.lookup(&id) else {
            return missing(&id);
        };
        world.containers.remove(&id);
        id
    };
    shared.emit("container", "destroy", &id);
    StatusCode::NO_CONTENT.into_response()
}

async fn network(State(shared): State<Shared>, Path(id): Path<String>) -> Response {
    let world = shared.world.lock().unwrap();
    match world.networks.iter().find(|network| network["Id"] == id) {
        Some(network) => Json(network.clone()).into_response(),
        None => problem(StatusCode::NOT_FOUND, &format!("network {id} not found")),
    }
}

async fn image(State(shared): State<Shared>, Path(name): Path<String>) -> Response {
    let name = name.trim_end_matches("/json");
    let world = shared.world.lock().unwrap();
    match world.image(name) {
        Some(image) => {
            Json(json!({"Id": image["Id"], "Config": {"Labels": image["Labels"]}})).into_response()
        }
        None => missing(name),
    }
}

fn problem(status: StatusCode, message: &str) -> Response {
    (status, Json(json!({"message": message}))).into_response()
}

fn missing(id: &str) -> Response {
    problem(StatusCode::NOT_FOUND, &format!("No such container: {id}"))
}
