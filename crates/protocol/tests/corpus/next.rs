//! What the next protocol may make of a message, and what one without its newer fields looks like.

use serde_json::{Map, Value};

/// A field, or a word, of which no build knows anything.
const NEW: &str = "of_the_future";

/// A message that differs from another one at a single place.
pub(crate) struct Variant {
    /// Where: `facts.cpus`, `items[].kind`.
    pub(crate) place: String,
    pub(crate) message: Value,
}

/// The message with one more field in every object. The keys of `labels` are data, so nothing is added there.
pub(crate) fn extended(message: &Value) -> Value {
    match message {
        Value::Object(fields) => {
            let extend = |(name, value): (&String, &Value)| {
                let value = if name == "labels" {
                    value.clone()
                } else {
                    extended(value)
                };
                (name.clone(), value)
            };
            let mut fields: Map<_, _> = fields.iter().map(extend).collect();
            fields.insert(
                NEW.to_owned(),
                serde_json::json!({ "kind": NEW, "values": [1, null] }),
            );
            fields.into()
        }
        Value::Array(values) => values.iter().map(extended).collect(),
        value => value.clone(),
    }
}

/// Every form of the message that lacks one field.
pub(crate) fn shortened(message: &Value) -> Vec<Variant> {
    edited(message, &|value, found| {
        if let Value::Object(fields) = value {
            for name in fields.keys() {
                let mut fields = fields.clone();
                fields.remove(name);
                found.push((format!(".{name}"), fields.into()));
            }
        }
    })
}

/// Every form of the message in which one text is another word.
pub(crate) fn reworded(message: &Value) -> Vec<Variant> {
    edited(message, &|value, found| {
        if value.is_string() {
            found.push((String::new(), NEW.into()));
        }
    })
}

type Edit<'a> = &'a dyn Fn(&Value, &mut Vec<(String, Value)>);

/// Every message that one edit at one place makes.
fn edited(message: &Value, edit: Edit<'_>) -> Vec<Variant> {
    at_each_place(message, edit)
        .into_iter()
        .map(|(place, message)| Variant {
            place: place.trim_start_matches('.').to_owned(),
            message,
        })
        .collect()
}

fn at_each_place(value: &Value, edit: Edit<'_>) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    edit(value, &mut found);
    match value {
        Value::Object(fields) => {
            for (name, inner) in fields {
                for (place, inner) in at_each_place(inner, edit) {
                    let mut fields = fields.clone();
                    fields.insert(name.clone(), inner);
                    found.push((format!(".{name}{place}"), fields.into()));
                }
            }
        }
        Value::Array(values) => {
            for (index, inner) in values.iter().enumerate() {
                for (place, inner) in at_each_place(inner, edit) {
                    let mut values = values.clone();
                    values[index] = inner;
                    found.push((format!("[]{place}"), values.into()));
                }
            }
        }
        _ => {}
    }
    found
}
