//! `GET /api/v1/openapi.json`: the control API described from its own table of routes.

use super::table::{Needs, Route, Schema, table};
use axum::{Json, response::IntoResponse};
use flotilla_protocol::{Problem, api::PREFIX};
use serde_json::{Map, Value, json};

pub(super) async fn show() -> impl IntoResponse {
    Json(document())
}

/// The whole document (OpenAPI 3.1).
pub(super) fn document() -> Value {
    let mut schemas = Map::new();
    let mut paths = Map::new();
    let problem = Schema::of::<Problem>();
    schemas.insert("Problem".to_owned(), json!(problem.own));
    collect(&mut schemas, &problem);
    for route in table() {
        for schema in route.schemas.body.iter().chain(&route.schemas.answer) {
            collect(&mut schemas, schema);
        }
        let path = paths
            .entry(format!("{PREFIX}{}", route.path))
            .or_insert_with(|| json!({}));
        path[route.method.as_str().to_ascii_lowercase()] = operation(&route);
    }
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

fn collect(schemas: &mut Map<String, Value>, schema: &Schema) {
    schemas.extend(
        schema
            .named
            .iter()
            .map(|(name, schema)| (name.clone(), json!(schema))),
    );
}

/// A schema as its route shows it: utoipa calls every generic row the same.
fn own(schema: &Schema) -> Value {
    let mut own = json!(schema.own);
    if let (Some(name), Some(items)) = (&schema.row, own.pointer_mut("/properties/items/items/$ref")) {
        *items = json!(format!("#/components/schemas/{name}"));
    }
    own
}

fn operation(route: &Route) -> Value {
    let problem = json!({
        "description": "Why not",
        "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Problem" } } },
    });
    let mut answer = json!({ "description": "Done" });
    if let Some(schema) = &route.schemas.answer {
        answer["content"] = json!({ "application/json": { "schema": own(schema) } });
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
        "x-needs": route.needs.as_str(),
        "parameters": parameters,
        "responses": { "200": answer, "default": problem },
        "security": if route.needs == Needs::Nothing { json!([]) } else { json!([{ "token": [] }]) },
    });
    if let Some(schema) = &route.schemas.body {
        operation["requestBody"] = json!({ "content": { "application/json": { "schema": schema.own } } });
    }
    operation
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_changes_only_on_purpose() {
        insta::assert_json_snapshot!(document());
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let document = document();
        let text = document.to_string();
        for reference in text.split("\"#/components/schemas/").skip(1) {
            let name = reference.split('"').next().unwrap();
            assert!(document["components"]["schemas"].get(name).is_some(), "{name}");
        }
    }
}
