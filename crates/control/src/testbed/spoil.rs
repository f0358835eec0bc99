//! What a hostile device may say in place of something good: values spoiled at each place in each way.

use serde_json::{Value, json};

/// A value, spoiled at each of its places in each way.
pub(crate) fn all(good: &Value) -> Vec<Value> {
    let mut places = vec![];
    walk(good, String::new(), &mut places);
    let mut all = vec![];
    for place in places {
        let mut bad = good.clone();
        for value in spoils(good.pointer(&place).unwrap()) {
            *bad.pointer_mut(&place).unwrap() = value;
            all.push(bad.clone());
        }
    }
    all
}

/// Asserts that every text in a value is short and has no control characters.
pub(crate) fn assert_plain(value: &Value, line: &str) {
    match value {
        Value::String(text) => {
            let is_plain = text.chars().count() <= 4097
                && !text.chars().any(|char| char.is_control() || char == '\u{202e}');
            assert!(is_plain, "{} bytes of {line:.200}: {text:.200}", text.len());
        }
        Value::Array(items) => items.iter().for_each(|item| assert_plain(item, line)),
        Value::Object(fields) => fields.values().for_each(|field| assert_plain(field, line)),
        _ => {}
    }
}

/// Collects the JSON pointers of all values.
fn walk(value: &Value, at: String, places: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                walk(field, format!("{at}/{name}"), places);
            }
        }
        Value::Array(items) => {
            for (place, item) in items.iter().enumerate() {
                walk(item, format!("{at}/{place}"), places);
            }
        }
        _ => {}
    }
    places.push(at);
}

fn spoils(value: &Value) -> Vec<Value> {
    let mut spoils = vec![Value::Null, json!({}), json!([[[[]]]])];
    spoils.extend(match value {
        Value::Number(_) => vec![
            json!(0),
            json!(-1),
            json!(1e300),
            json!(-1e39),
            json!(u64::MAX),
            json!(i64::MIN),
            json!(u32::MAX),
        ],
        Value::String(_) => vec![
            json!(""),
            json!("unheard_of"),
            json!("9999-12-30T22:00:00Z"),
            json!("-009999-01-02T01:59:59Z"),
            json!("\u{1b}]0;owned\u{7}\u{1b}[2J\r\n\0\u{202e}txt.exe"),
            json!("<script>alert(1)</script>\" onload=\"x"),
            json!("日".repeat(20_000)),
        ],
        Value::Bool(set) => vec![json!(!set), json!("true")],
        Value::Array(items) => vec![json!([]), json!(vec![items.first(); 300])],
        Value::Object(fields) => {
            let mut more = fields.clone();
            more.insert("later".to_owned(), json!({"deep": [1, 2]}));
            let less = fields.keys().map(|name| {
                let mut less = fields.clone();
                less.remove(name);
                Value::Object(less)
            });
            less.chain([Value::Object(more)]).collect()
        }
        Value::Null => vec![],
    });
    spoils
}
