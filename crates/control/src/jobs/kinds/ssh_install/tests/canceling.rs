//! Pushes that are ended, at each of their steps.

use super::*;

#[tokio::test]
async fn a_push_that_is_ended_stops_ssh_and_another_can_follow() {
    let pushed = Pushed::new("echo $$ >\"$dir/looking\"; exec sleep 1000", "").await;
    pushed.push(r#"{"host":"garage"}"#).await;
    let twice = pushed
        .bed
        .refused(Method::POST, "/devices/nas/push", r#"{"host":"garage"}"#)
        .await;
    assert_eq!(twice.code, Code::Conflict);
    let (status, _) = pushed.bed.call(Method::DELETE, "/devices/nas/push", "").await;
    assert!(status.is_success());
    let push = pushed.done().await;
    assert_eq!(push.state, PushState::Failed);
    assert!(!pushed.recorded().await.succeeded);
    pushed.write("look", REACHED);
    pushed.push(r#"{"host":"garage"}"#).await;
    assert_eq!(pushed.done().await.state, PushState::Installed);
}

#[tokio::test]
async fn whenever_a_push_is_ended_store_and_memory_tell_the_same() {
    let pushed = Pushed::new(UNREACHED, "exec sleep 1000").await;
    let core = pushed.bed.core.clone();
    let device = core.cache.lock().find("nas").unwrap().row.id;
    for yields in 0..60 {
        pushed.push(r#"{"host":"garage"}"#).await;
        // From here on until the installer runs, a tunnel and a token are written.
        pushed.until(|push| push.lines.len() >= 2).await;
        for _ in 0..yields * yields {
            tokio::task::yield_now().await;
        }
        let (status, _) = pushed.bed.call(Method::DELETE, "/devices/nas/push", "").await;
        assert!(status.is_success());
        let (token, tunnel) = {
            let state = core.cache.lock();
            let entry = state.device(device).unwrap();
            (entry.token.clone().unwrap().id, entry.tunnel.clone())
        };
        let stored = core.store.list_tunnels().await.unwrap();
        assert_eq!((tunnel, stored.get(&device)), (None, None), "after {yields}²");
        let newest = core.store.list_newest_tokens().await.unwrap();
        assert!(newest.iter().any(|stored| stored.id == token), "after {yields}²");
    }
}

#[tokio::test]
async fn a_push_that_waits_for_its_turn_can_be_ended_by_who_has_it() {
    let pushed = Pushed::new(REACHED, "exec sleep 1000").await;
    let core = pushed.bed.core.clone();
    let turn = core.write_lock.lock().await;
    pushed.push(r#"{"host":"garage"}"#).await;
    pushed.until(|push| push.state == PushState::Installing).await;
    let device = core.cache.lock().find("nas").unwrap().row.id;
    crate::change::tunnels::abandon(&core, device).await;
    drop(turn);
    assert_eq!(pushed.read("script"), "", "nothing was installed");
}
