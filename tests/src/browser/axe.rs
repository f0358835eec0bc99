//! Accessibility as axe-core judges it, run inside the page.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::json;

use super::Page;

/// Something that axe found wrong.
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
    /// What is serious or critical on the page as it is now.
    pub async fn serious_violations(&self) -> Result<Vec<Violation>> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ui/node_modules/axe-core/axe.min.js");
        let axe = fs::read_to_string(&script)
            .with_context(|| format!("{} is not there: run `npm ci` in ui", script.display()))?;
        // Handed over as an argument and run by the driver, so the page's own policy is left as it is.
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
