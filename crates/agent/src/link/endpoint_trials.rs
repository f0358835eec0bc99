//! Which of control's addresses this device can reach. Control shows it, so that an address that leads nowhere is
//! noticed before it is the only one left.
//!
//! Life cycle: with each link all addresses are tried at once → reported → tried again when settings name others → … →
//! the link ends.

use crate::{machine::AgentClock, state::StateDir};
use bytes::Bytes;
use flotilla_link::{DialError, Proxies, Target, call};
use flotilla_protocol::{device::EndpointTrial, endpoint::Endpoint};
use futures_util::future::join_all;
use rustls::ClientConfig;
use std::{sync::Arc, time::Duration};
use tokio::{sync::watch, time::timeout};
use tokio_util::sync::CancellationToken;

/// How long an attempt may take: about as long as a person waits who watches an address in Add Device.
const ATTEMPT_LIMIT: Duration = Duration::from_secs(5);

/// What it takes to try an address.
pub(crate) struct EndpointTrials {
    pub(crate) state: Arc<StateDir>,
    pub(crate) clock: AgentClock,
    pub(crate) tls: Arc<ClientConfig>,
    pub(crate) proxies: Proxies,
    /// The address that the link uses, which counts as reached.
    pub(crate) linked: Endpoint,
}

impl EndpointTrials {
    /// Tries all addresses until `closing`; the receiver holds the results.
    pub(crate) fn start(self, closing: CancellationToken) -> watch::Receiver<Vec<EndpointTrial>> {
        let (found, results) = watch::channel(Vec::new());
        tokio::spawn(closing.run_until_cancelled_owned(async move { self.run(&found).await }));
        results
    }

    async fn run(&self, found: &watch::Sender<Vec<EndpointTrial>>) {
        let mut changes = self.state.watch();
        loop {
            let endpoints = self.endpoints();
            let trials = tokio::select! {
                () = self.until_endpoints_change(&mut changes, &endpoints) => continue,
                trials = join_all(endpoints.iter().map(|endpoint| self.attempt(endpoint))) => trials,
            };
            if !trials.is_empty() {
                found.send_replace(trials);
            }
            self.until_endpoints_change(&mut changes, &endpoints).await;
        }
    }

    fn endpoints(&self) -> Vec<Endpoint> {
        self.state
            .get()
            .identity
            .map(|it| it.endpoints)
            .unwrap_or_default()
    }

    /// Waits until control has other addresses than these.
    async fn until_endpoints_change(&self, changes: &mut watch::Receiver<()>, known: &[Endpoint]) {
        while self.endpoints() == known {
            if changes.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    async fn attempt(&self, endpoint: &Endpoint) -> EndpointTrial {
        let reason = if *endpoint == self.linked {
            None
        } else {
            match timeout(ATTEMPT_LIMIT, self.ask(endpoint)).await {
                Ok(answer) => answer.err(),
                Err(_) => Some(format!("No answer within {} s.", ATTEMPT_LIMIT.as_secs())),
            }
        };
        EndpointTrial {
            endpoint: endpoint.clone(),
            reached: reason.is_none(),
            reason,
            at: self.clock.now(),
        }
    }

    /// Sends a request for which control has no answer: that control itself refuses it shows that this is control.
    async fn ask(&self, endpoint: &Endpoint) -> Result<(), String> {
        let target = Target {
            endpoints: vec![endpoint.clone()],
            last_good: None,
            tls: self.tls.clone(),
            proxies: self.proxies.clone(),
        };
        let request = http::Request::get("/").body(Bytes::new());
        let request = request.map_err(|error| error.to_string())?;
        match call(&target, request).await {
            Ok(_) | Err(DialError::Refused { .. } | DialError::NotUnderstood { .. }) => Ok(()),
            Err(error) => Err(in_words(&error)),
        }
    }
}

/// Why an address does not lead to control, as a sentence without the address.
fn in_words(error: &DialError) -> String {
    let reason = match error {
        DialError::Untrusted { source, .. } => source.to_string(),
        DialError::Unreachable { failures } => {
            let reasons: Vec<_> = failures
                .iter()
                .map(|(_, reason)| without_number(reason))
                .collect();
            reasons.join(", ")
        }
        other => other.to_string(),
    };
    let mut letters = reason.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string());
    format!("{}{}.", first.unwrap_or_default(), letters.as_str())
}

/// Cuts the number off `Connection refused (os error 111)`, which says nothing more than the words.
fn without_number(reason: &str) -> &str {
    reason.split(" (os error").next().unwrap_or(reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_a_sentence_without_the_address_and_without_numbers() {
        let failures = vec![(
            "nas.lan".parse().unwrap(),
            "Connection refused (os error 111)".to_owned(),
        )];
        assert_eq!(
            in_words(&DialError::Unreachable { failures }),
            "Connection refused."
        );
        let failures = vec![("nas.lan".parse().unwrap(), "no answer in time".to_owned())];
        assert_eq!(
            in_words(&DialError::Unreachable { failures }),
            "No answer in time."
        );
    }
}
