//! `flotilla policy …`: prints, replaces, tests and explains the access policy.

use crate::{
    args::{Flow, PolicyCommand},
    failure::Failure,
    out::{self, Lines},
    table::Table,
};
use flotilla_client::Client;
use flotilla_protocol::{
    api::{ExplainAccess, Explanation, GetPolicy, PolicyReview, Reach, ReviewPolicy, SetPolicy},
    policy::{Policy, Proto},
};

mod document;

pub(crate) async fn run(client: &Client, command: PolicyCommand) -> Result<(), Failure> {
    match command {
        PolicyCommand::Get => Ok(out::json(&client.send(&GetPolicy).await?.policy)?),
        PolicyCommand::Set { file } => set(client, document::read(&file)?).await,
        PolicyCommand::Test { file: Some(file) } => test(client, document::read(&file)?).await,
        PolicyCommand::Test { file: None } => test(client, client.send(&GetPolicy).await?.policy).await,
        PolicyCommand::Explain { from, to, flow } => explain(client, from, to, flow).await,
    }
}

/// Prints what will change before saving, also when control then refuses.
async fn set(client: &Client, policy: Policy) -> Result<(), Failure> {
    let review = client
        .send(&ReviewPolicy {
            policy: policy.clone(),
        })
        .await?;
    out::print(&changes(&review))?;
    for warning in &review.warnings {
        out::note(warning);
    }
    let saved = client
        .send(&SetPolicy {
            policy,
            revision: None,
        })
        .await?;
    Ok(out::line(&format!(
        "Saved revision {}: {}.",
        saved.revision,
        summary(&review)
    ))?)
}

async fn test(client: &Client, policy: Policy) -> Result<(), Failure> {
    let count = policy.tests.len();
    let review = client.send(&ReviewPolicy { policy }).await?;
    if !review.failing.is_empty() {
        let messages = review.failing.into_iter().map(|failed| failed.message).collect();
        return Err(Failure::PolicyTests { messages });
    }
    let message = match count {
        0 => "The policy has no tests.".to_owned(),
        1 => "The test passes.".to_owned(),
        count => format!("All {count} tests pass."),
    };
    Ok(out::line(&message)?)
}

async fn explain(client: &Client, from: String, to: String, flow: Flow) -> Result<(), Failure> {
    let Flow { proto, port } = flow;
    let question = ExplainAccess {
        from,
        to,
        proto,
        port,
        policy: None,
    };
    Ok(out::print(&answer(&client.send(&question).await?))?)
}

fn answer(explanation: &Explanation) -> Lines {
    let mut lines = Lines::default();
    lines.push(&format!("{}.", explanation.message));
    if let Some(path) = &explanation.path {
        lines.push(&format!("{}.", path.why));
    }
    if !explanation.nearest.is_empty() {
        let mut table = Table::new(["NEAREST RULE", "WHY IT DOES NOT MATCH"]);
        for near in &explanation.nearest {
            table.push([near.rule.clone(), near.differs.join("; ")]);
        }
        lines.push("");
        lines.append(table.render());
    }
    lines
}

/// One line for each pair and protocol; empty when nothing changes between devices.
fn changes(review: &PolicyReview) -> Lines {
    let mut table = Table::new(["CHANGE", "FROM", "TO", "ON"]);
    let kinds = [
        ("opens", &review.opens),
        ("closes", &review.closes),
        ("cuts", &review.cuts),
    ];
    for (change, list) in kinds {
        for reach in list {
            table.push([
                change.to_owned(),
                reach.from.clone(),
                reach.to.to_string(),
                on(reach),
            ]);
        }
    }
    let listed = (review.opens.len() + review.closes.len()) as u64;
    let more = (review.opens_total + review.closes_total).saturating_sub(listed);
    if table.is_empty() {
        return Lines::default();
    }
    let mut lines = table.render();
    if more > 0 {
        lines.push(&format!("… and {more} more"));
    }
    lines
}

/// What a change is about: `tcp 22, 80`, `icmp`, `any`.
fn on(reach: &Reach) -> String {
    match (reach.proto, reach.ports.as_str()) {
        (Proto::Any, ports) => ports.to_owned(),
        (proto, "any") => proto.to_string(),
        (proto, ports) => format!("{proto} {ports}"),
    }
}

fn summary(review: &PolicyReview) -> String {
    let cuts = match review.cuts.len() {
        1 => "1 live connection".to_owned(),
        cuts => format!("{cuts} live connections"),
    };
    format!(
        "opens {}, closes {}, cuts {cuts}",
        review.opens_total, review.closes_total
    )
}

#[cfg(test)]
mod tests;
