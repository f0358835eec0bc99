//! The person's columns, which the browser keeps.

use super::TableState;
use crate::{
    browser,
    components::table::{declared::Spec, layout::Layout},
};
use leptos::prelude::*;

impl TableState {
    pub(super) fn keep_layout(self) {
        Effect::new(move |first: Option<()>| {
            let layout = self.layout.get();
            if first.is_some() {
                let text = serde_json::to_string(&layout).unwrap_or_default();
                browser::remember(&key(self.spec), &text);
            }
        });
    }
}

/// The columns that were kept at an earlier visit.
pub(super) fn layout(spec: Spec) -> Layout {
    let kept = browser::remembered(&key(spec));
    kept.and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or_default()
}

fn key(spec: Spec) -> String {
    format!("columns.{}", spec.about.word)
}
