//! What control learns of a device over its link, and how soon.

use super::*;

async fn linked(control: &Control) -> (String, Agent) {
    let offer = control.local_enrollment().await.unwrap().unwrap();
    let name = offer.device_name.to_string();
    (name, enroll(offer, "nas").await.dial("nas").await.unwrap())
}

#[tokio::test]
async fn the_first_inventory_of_a_link_is_stored_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let control = Control::start(config(dir.path())).await.unwrap();
    let (_, agent) = linked(&control).await;
    agent.reports.send(hello()).await.unwrap();
    let inventory = Inventory {
        containers: vec![container("4f1c", "postgres")],
        ..Default::default()
    };
    agent.reports.send(Report::Inventory(inventory)).await.unwrap();
    // Far less than the delay with which later changes are saved.
    let deadline = Instant::now() + Duration::from_secs(2);
    loop {
        let stored = control.core.store.list_last_reports().await.unwrap();
        if stored
            .values()
            .any(|stored| stored.inventory.containers().len() == 1)
        {
            break;
        }
        assert!(Instant::now() < deadline, "not stored: {stored:?}");
        tokio::task::yield_now().await;
    }
    control.shutdown().await;
}

#[tokio::test]
async fn a_link_says_how_long_its_device_takes_to_answer() {
    let dir = tempfile::tempdir().unwrap();
    let control = Control::start(config(dir.path())).await.unwrap();
    let (name, agent) = linked(&control).await;
    let device = control
        .eventually("its round trip", &name, |device| device.link.rtt_ms.is_some())
        .await;
    let rtt = device.link.rtt_ms.unwrap();
    assert!(rtt > 0.0 && rtt < 1000.0, "{rtt} ms");
    drop(agent);
    control
        .eventually("its link is gone", &name, |device| device.link.since.is_none())
        .await;
    assert_eq!(control.device(&name).await.link.rtt_ms, None);
    control.shutdown().await;
}
