//! Containers that share namespaces: a borrower uses those of a lender and can't run without it.

use crate::{
    action::ActionError, connection::is_not_found, engine_errors::explain, id, pod::SHARED_PREFIX, read,
    verbatim,
};
use bollard::{Docker, query_parameters::ListContainersOptionsBuilder};
use futures_util::{StreamExt as _, stream};
use serde_json::Value;

/// What one container uses of another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loan {
    Network,
    Processes,
    Memory,
    /// The borrower knows the lender by a name that the engine wrote down for it.
    Link,
}

/// The settings that name a lender.
const MODES: [(&str, Loan); 3] = [
    ("NetworkMode", Loan::Network),
    ("PidMode", Loan::Processes),
    ("IpcMode", Loan::Memory),
];

/// How many containers are read at once: enough to hide the engine's latency.
const PARALLEL_READS: usize = 8;

impl Loan {
    /// The word that follows "shares its".
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::Processes => "processes (pid)",
            Self::Memory => "shared memory (ipc)",
            Self::Link => "name (link)",
        }
    }
}

/// What a container borrows, and the name or id of each lender.
fn borrowed(host: &Value) -> impl Iterator<Item = (Loan, &str)> {
    MODES
        .iter()
        .filter_map(|(field, lent)| Some((*lent, host[field].as_str()?.strip_prefix(SHARED_PREFIX)?)))
}

/// Checks that every lender of a container is there; with `runs`, that it also runs, because the container is to be
/// started.
///
/// # Errors
/// [`ActionError::LenderGone`], [`ActionError::LenderStopped`].
pub(crate) async fn check_lenders(
    docker: &Docker,
    name: &str,
    host: &Value,
    runs: bool,
) -> Result<(), ActionError> {
    for (lent, lender) in borrowed(host) {
        let name = name.to_owned();
        match verbatim::inspect(docker, lender).await {
            Ok(found) if runs && found["State"]["Running"] == false => {
                let lender = called(&found);
                return Err(ActionError::LenderStopped { name, lent, lender });
            }
            Ok(_) => {}
            Err(error) if is_not_found(&error) => return Err(ActionError::LenderGone { name, lent }),
            Err(error) => return Err(explain(error, lender)),
        }
    }
    Ok(())
}

/// Refuses when another container could not go on, or start again, without this one.
///
/// # Errors
/// [`ActionError::Lends`].
pub(crate) async fn check_borrowers(docker: &Docker, id: &str, name: &str) -> Result<(), ActionError> {
    let all = ListContainersOptionsBuilder::new().all(true).build();
    let all = docker.list_containers(Some(all)).await;
    let all = all.map_err(|error| explain(error, id))?;
    let others = all
        .into_iter()
        .filter_map(|other| other.id)
        .filter(|other| other != id);
    let mut reads = stream::iter(others)
        .map(async |other| verbatim::inspect(docker, &other).await)
        .buffer_unordered(PARALLEL_READS);
    let mut found: Option<(String, Loan)> = None;
    while let Some(answer) = reads.next().await {
        let Ok(other) = answer else { continue };
        let borrower = (called(&other), taken_from(&other["HostConfig"], id, name));
        if let (borrower, Some(what)) = borrower {
            // The first by name, so that the answer does not depend on the order of the reads.
            found = Some((borrower, what))
                .filter(|new| found.as_ref().is_none_or(|old| new.0 < old.0))
                .or(found);
        }
    }
    found.map_or(Ok(()), |(borrower, what)| {
        let lender = name.to_owned();
        Err(ActionError::Lends {
            lender,
            borrower,
            what,
        })
    })
}

/// What another container borrows of the one with this id and name.
fn taken_from(host: &Value, id: &str, name: &str) -> Option<Loan> {
    let is_it = |text: &str| text == name || id::is_meant(id, text);
    let links = host["Links"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str);
    let mut linked = links.filter_map(|link| link.split(':').next());
    let shared = borrowed(host)
        .find(|(_, lender)| is_it(lender))
        .map(|(lent, _)| lent);
    shared.or_else(|| {
        linked
            .any(|target| is_it(target.trim_start_matches('/')))
            .then_some(Loan::Link)
    })
}

fn called(answer: &Value) -> String {
    read::name(answer["Name"].as_str(), answer["Id"].as_str().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_borrower_may_name_its_lender_by_name_by_id_and_by_its_beginning() {
        let id = "4f1c0d1e2f3a".repeat(5);
        let takes = |host: Value| taken_from(&host, &id, "app");
        let short = format!("container:{}", &id[..12]);
        assert_eq!(
            takes(json!({"NetworkMode": format!("container:{id}")})),
            Some(Loan::Network)
        );
        assert_eq!(takes(json!({"PidMode": short})), Some(Loan::Processes));
        assert_eq!(takes(json!({"IpcMode": "container:app"})), Some(Loan::Memory));
        assert_eq!(takes(json!({"Links": ["/app:/web/alias"]})), Some(Loan::Link));
        for other in [
            json!({"PidMode": "host"}),
            json!({"IpcMode": "container:app2"}),
            json!({"Links": ["/app2:/web/app"]}),
            json!({"NetworkMode": "app"}),
        ] {
            assert_eq!(takes(other.clone()), None, "{other}");
        }
    }
}
