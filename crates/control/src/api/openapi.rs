//! `GET /api/v1/openapi.json`: the control API described from its own table of routes.

use super::route::{Described, Needs, Route};
use flotilla_protocol::{
    Problem,
    api::{PREFIX, Verb},
    stream::STREAM_PROTOCOL,
};
use serde_json::{Map, Value, json};

/// The document of these routes (OpenAPI 3.1).
pub(super) fn document(routes: &[Route]) -> Value {
    let mut named = Vec::new();
    let problem = Described::of::<Problem>();
    named.push(("Problem".to_owned(), (problem.schema)()));
    (problem.named)(&mut named);
    let mut paths = Map::new();
    for route in routes {
        let call = route.call.iter();
        let stream = route.stream.iter();
        call.flat_map(|call| call.body.iter().chain([&call.answer]))
            .chain(stream.flat_map(|stream| [&stream.open, &stream.item, &stream.end]))
            .for_each(|described| (described.named)(&mut named));
        let path = paths
            .entry(format!("{PREFIX}{}", route.path))
            .or_insert_with(|| json!({}));
        path[route.method.as_str().to_ascii_lowercase()] = operation(route);
    }
    let schemas: Map<_, _> = named
        .into_iter()
        .map(|(name, schema)| (name, json!(schema)))
        .collect();
    json!({
        "openapi": "3.1.0",
        "info": { "title": "Flotilla control API", "version": env!("CARGO_PKG_VERSION") },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "token": { "type": "http", "scheme": "bearer" },
            },
        },
    })
}

fn json_of(described: &Described) -> Value {
    json!({ "application/json": { "schema": (described.schema)() } })
}

fn operation(route: &Route) -> Value {
    let problem = json!({
        "description": "Why not",
        "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Problem" } } },
    });
    let mut answer = json!({ "description": "Done" });
    if let Some(call) = &route.call {
        answer["content"] = json_of(&call.answer);
    }
    let parameters: Vec<_> = route
        .path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
        .chain(route.filters.iter().map(|name| {
            let schema = json!({ "type": "array", "items": { "type": "string" } });
            json!({ "name": name, "in": "query", "schema": schema })
        }))
        .collect();
    let mut operation = json!({
        "summary": route.summary,
        "x-needs": route.needs.verb().map_or("nothing", Verb::as_str),
        "parameters": parameters,
        "responses": { "200": answer, "default": problem.clone() },
        "security": if route.needs == Needs::Nothing { json!([]) } else { json!([{ "token": [] }]) },
    });
    if let Some(stream) = &route.stream {
        operation["x-stream"] = json!({
            "subprotocol": STREAM_PROTOCOL,
            "open": (stream.open.schema)(),
            "item": (stream.item.schema)(),
            "end": (stream.end.schema)(),
        });
        let upgrade = json!({ "description": "A WebSocket with the frames of the stream" });
        operation["responses"] = json!({ "101": upgrade, "default": problem });
    }
    if let Some(body) = route.call.as_ref().and_then(|call| call.body.as_ref()) {
        operation["requestBody"] = json!({ "content": json_of(body) });
    }
    operation
}

#[cfg(test)]
mod tests {
    use super::{super::table::table, *};
    use flotilla_protocol::{
        Timestamp,
        api::{Empty, List, Row},
    };
    use utoipa::PartialSchema;

    #[test]
    fn the_document_changes_only_on_purpose() {
        insta::assert_json_snapshot!(document(&table()));
    }

    #[test]
    fn lists_and_rows_are_described_with_all_of_their_fields() {
        let row = Row {
            device: "nas".parse().unwrap(),
            device_id: "01937c5e-7b1a-7c3e-8b9e-0123456789ab".parse().unwrap(),
            item: Empty {},
            as_of: Timestamp::UNIX_EPOCH,
        };
        let list = List {
            items: vec![row],
            unreachable_devices: Vec::new(),
            seq: 0,
        };
        let fields = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        let described = json!(List::<Row<Empty>>::schema());
        assert_eq!(fields(&described["properties"]), fields(&json!(list)));
        let described = json!(Row::<Empty>::schema());
        assert_eq!(fields(&described["properties"]), fields(&json!(list.items[0])));
    }

    #[test]
    fn a_stream_is_described_by_what_opens_it_what_it_brings_and_how_it_ends() {
        let operation = operation(&crate::api::tests::numbers::route());
        let stream = &operation["x-stream"];
        assert_eq!(stream["subprotocol"], STREAM_PROTOCOL);
        assert!(stream["open"]["properties"]["from"].is_object(), "{stream}");
        assert_eq!(stream["item"]["type"], "integer");
        let ends = stream["end"].to_string();
        assert!(ends.contains("link_lost") && ends.contains("too_slow"), "{ends}");
        assert!(operation["responses"]["101"].is_object() && operation["responses"]["200"].is_null());
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let document = document(&table());
        let text = document.to_string();
        for reference in text.split("\"#/components/schemas/").skip(1) {
            let name = reference.split('"').next().unwrap();
            assert!(document["components"]["schemas"].get(name).is_some(), "{name}");
        }
    }
}
