//! Callers without a credential and copies of devices that try again and again.

use super::*;

#[tokio::test]
async fn a_stranger_that_goes_on_and_on_writes_two_rows_a_minute() {
    let bed = Testbed::new().await;
    let refused = async || -> Vec<String> {
        let log: List<Activity> = bed.get("/activity").await;
        let refused = log.items.into_iter();
        let refused = refused.filter(|entry| entry.action == Action::EnrollmentRefused);
        refused.map(|entry| entry.details).collect()
    };
    let machine = Machine::new("nas");
    for n in 0..40 {
        let code = bed.enroll(&machine, "nonsense").await.unwrap_err().code;
        let expected = if n < 10 {
            Code::TokenUnknown
        } else {
            Code::RateLimited
        };
        assert_eq!(code, expected);
    }
    assert_eq!(refused().await.len(), 1);
    bed.clock.advance(60);
    bed.core.record_counts().await;
    let entries = refused().await;
    assert_eq!(entries.len(), 2);
    assert!(
        entries[0].starts_with("9 more times within a minute: 198.51.100.7"),
        "{entries:?}"
    );
}

#[tokio::test]
async fn strangers_from_everywhere_write_few_rows_however_many_they_are() {
    let bed = Testbed::new().await;
    for n in 0..300_u16 {
        let caller = flotilla_link::Caller {
            remote: format!("[2001:db8:{n:x}::1]:40000").parse().unwrap(),
            certificate: None,
        };
        let request = Request::post(flotilla_protocol::enroll::ENROLL_PATH).body(Body::empty());
        bed.fleet(&caller, request.unwrap()).await;
    }
    bed.clock.advance(60);
    bed.core.record_counts().await;
    let log: List<Activity> = bed.get("/activity").await;
    assert_eq!(
        log.items.len(),
        10,
        "eight apart, the others' first, and their count"
    );
    assert!(
        log.items[0]
            .details
            .starts_with("291 more times within a minute, from many addresses")
    );
}

#[tokio::test]
async fn a_copy_that_calls_itself_otherwise_each_time_is_recorded_twice_a_minute() {
    let bed = Testbed::new().await;
    let (_, response) = enrolled(&bed).await;
    let nas = device(&response);
    for n in 0..30 {
        assert_eq!(
            ask_link(&bed, &nas, &format!("copy-{n}")).await,
            Code::Quarantined
        );
    }
    bed.clock.advance(60);
    bed.core.record_counts().await;
    let log: List<Activity> = bed.get("/activity").await;
    let quarantined = log.items.iter();
    let quarantined = quarantined.filter(|entry| entry.action == Action::DeviceQuarantined);
    assert_eq!(quarantined.count(), 2);
    assert!(
        log.items[0]
            .details
            .starts_with("29 more times within a minute: copy-29.lan")
    );
}
