//! Checks of accessibility by axe-core, which runs inside the page.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::json;

use super::Page;

/// A rule of axe-core that the page breaks, and the elements that break it.
#[derive(Debug, Deserialize)]
pub struct Violation {
    pub id: String,
    pub impact: Option<String>,
    pub help: String,
    pub nodes: Vec<Node>,
}

#[derive(Debug, Deserialize)]
pub struct Node {
    pub html: String,
    #[serde(rename = "failureSummary")]
    pub summary: Option<String>,
}

impl Page {
    /// Violations on the page that axe-core calls serious or critical.
    pub async fn serious_violations(&self) -> Result<Vec<Violation>> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ui/node_modules/axe-core/axe.min.js");
        let axe = fs::read_to_string(&script)
            .with_context(|| format!("{} is not there: run `npm ci` in ui", script.display()))?;
        // The driver runs the script, so the page's content security policy need not allow it.
        let run = format!(
            "{axe}\n; const done = arguments[arguments.length - 1]; axe.run(document, arguments[0]).then(r => done(r.violations), e => done(String(e)));"
        );
        let options = json!({ "resultTypes": ["violations"] });
        let found = self.run_async(&run, vec![options]).await?;
        let all: Vec<Violation> = serde_json::from_value(found.clone()).with_context(|| found.to_string())?;
        let is_serious = |found: &Violation| matches!(found.impact.as_deref(), Some("serious" | "critical"));
        Ok(all.into_iter().filter(is_serious).collect())
    }
}
