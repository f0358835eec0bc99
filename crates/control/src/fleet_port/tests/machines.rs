//! Machine ids that change or are shared, and the owner's decision about them.

use super::*;

#[tokio::test]
async fn a_machine_that_is_called_otherwise_at_each_boot_needs_the_owners_word_once() {
    let bed = Testbed::new().await;
    let (_, response) = enrolled(&bed).await;
    let nas = device(&response);
    assert_eq!(ask_link(&bed, &nas, "boot-2").await, Code::Quarantined);
    let vouched: Device = bed.patch("/devices/nas", r#"{"vouched":true}"#).await;
    assert!(
        vouched.vouched && vouched.attention.is_empty(),
        "{:?}",
        vouched.attention
    );
    for boot in ["boot-2", "boot-3", "boot-4"] {
        assert_eq!(ask_link(&bed, &nas, boot).await, LET_IN);
    }
    let token = bed.offer("/devices/nas/rotate", "{}").await;
    let again = bed.enroll(&Machine::new("boot-5"), &token).await.unwrap();
    assert_eq!(ask_link(&bed, &device(&again), "boot-6").await, LET_IN);
    let taken_back: Device = bed.patch("/devices/nas", r#"{"vouched":false}"#).await;
    assert!(!taken_back.vouched);
    assert_eq!(ask_link(&bed, &device(&again), "boot-7").await, Code::Quarantined);
}

#[tokio::test]
async fn two_machines_of_one_image_are_two_devices_with_one_hint() {
    let bed = Testbed::new().await;
    let mut callers = Vec::new();
    for name in ["nas", "desk"] {
        let token = bed.offer("/devices", &format!(r#"{{"name":"{name}"}}"#)).await;
        callers.push(device(
            &bed.enroll(&Machine::new("template"), &token).await.unwrap(),
        ));
    }
    for caller in &callers {
        assert_eq!(ask_link(&bed, caller, "template").await, LET_IN);
    }
    let log: List<Activity> = bed.get("/activity").await;
    let hints: Vec<_> = log
        .items
        .iter()
        .filter(|entry| entry.details.contains("same machine id"))
        .collect();
    assert_eq!(hints.len(), 1);
    assert!(
        hints[0].details.contains("nas has the same machine id"),
        "{}",
        hints[0].details
    );
}

/// The host name by which people are told of a copy that calls itself like this.
async fn shown_name(hostname: &str) -> String {
    let bed = Testbed::new().await;
    let (_, response) = enrolled(&bed).await;
    let request = Request::get(LINK_PATH)
        .header(MACHINE_HEADER, "copy")
        .header(HOSTNAME_HEADER, hostname)
        .body(Body::empty())
        .unwrap();
    bed.fleet(&device(&response), request).await;
    let shown: Device = bed.get("/devices/nas").await;
    match &shown.attention[..] {
        [Attention::Cloned { hostname, .. }] => hostname.clone(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_copy_is_named_as_its_host_is_called_whatever_letters_that_takes() {
    assert_eq!(shown_name("K\u{fc}che").await, "K\u{fc}che");
}

#[tokio::test]
async fn a_copy_that_calls_itself_by_what_turns_text_around_is_named_by_what_it_sent() {
    assert_eq!(shown_name("nas\u{202e}gpj.exe").await, "nas\\u{202e}gpj.exe");
    let long = shown_name(&"x".repeat(4_000)).await;
    assert_eq!(
        long.chars().count(),
        254,
        "the longest name, and a sign that it was cut"
    );
}
