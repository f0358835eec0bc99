//! A certificate that is stored while the agent runs.

use super::control::{Control, token};
use crate::{
    jobs::Jobs,
    link::{Membership, MembershipEnd},
    machine::AgentClock,
    mesh::{Mesh, Surroundings, TUN_NAME},
    state::{StateDir, status_file::StatusFile},
};
use flotilla_engine::{Engine, OwnContainer, Sockets};
use flotilla_identity::LeafKey;
use flotilla_link::{AgentLink, Proxies};
use flotilla_protocol::agent::PING_PATH;
use std::{path::Path, sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

const LIMIT: Duration = Duration::from_secs(10);

/// The membership of a device that has enrolled with this state directory.
fn membership(dir: &Path) -> Membership {
    let state = Arc::new(StateDir::open(dir).unwrap());
    let identity = state.get().identity.unwrap();
    let clock = AgentClock::new(None);
    let (status, proxies) = (StatusFile::new(dir), Proxies::default());
    let no_engine = format!("unix://{}/docker.sock", dir.display());
    let engine = Engine::new(Sockets::new(Some(&no_engine), None, None), OwnContainer::detect());
    let surroundings = Surroundings {
        state: state.clone(),
        clock: clock.clone(),
        status: status.clone(),
        tun_name: TUN_NAME.to_owned(),
        proxies: proxies.clone(),
    };
    Membership {
        mesh: Mesh::join(surroundings, &identity).unwrap(),
        jobs: Jobs::open(dir, engine.clone()),
        identity,
        state,
        clock,
        engine,
        status,
        proxies,
        more_endpoints: Vec::new(),
    }
}

async fn answers(link: &AgentLink) -> bool {
    link.get::<serde_json::Value>(PING_PATH, LIMIT).await.is_ok()
}

#[tokio::test]
async fn a_new_certificate_is_presented_by_the_next_link_and_ends_none() {
    let (dir, token) = (tempfile::tempdir().unwrap(), token());
    let mut control = Control::start();
    let enrolling = control.agent(dir.path(), &token);
    control.linked().await;
    enrolling.stopped().await;

    let membership = membership(dir.path());
    let (state, shutdown) = (membership.state.clone(), CancellationToken::new());
    let key = LeafKey::from_pem(membership.identity.keys.tls.expose()).unwrap();
    let stopping = shutdown.clone();
    let held = tokio::spawn(async move { membership.hold(&stopping).await });
    let link = control.linked().await;
    let store = |certificate: String| {
        let change = |identity: &mut crate::state::Identity| identity.certificate = certificate;
        state
            .update(|state| state.identity.as_mut().map(change).unwrap())
            .unwrap();
    };
    let (next, of_another_key) = (control.issue(&key), control.issue(&LeafKey::generate().unwrap()));
    store(next.pem);
    assert!(answers(&link).await, "the link lives on");
    link.abort();
    let link = control.linked().await;
    assert_eq!(control.presented().last(), Some(&next.fingerprint));

    store(of_another_key.pem);
    link.abort();
    let link = control.linked().await;
    assert!(answers(&link).await);
    assert_eq!(control.presented().last(), Some(&next.fingerprint));
    assert_eq!(control.presented().len(), 4);
    shutdown.cancel();
    assert!(matches!(held.await.unwrap(), MembershipEnd::Stopped));
}
