//! The policy is saved whole or not at all, follows its devices, and says what it would change.

use crate::{
    change::devices::local_enrollment,
    config::Ui,
    effects::complete,
    testbed::{Testbed, path_to, peer},
};
use flotilla_protocol::{
    Code,
    activity::{Action, Activity},
    agent::Report,
    api::{Explanation, List, PolicyInForce, PolicyReview, Scope},
    mesh::NetworkMap,
    path::{PathReason, PeerPath},
};
use http::Method;

async fn bed() -> Testbed {
    let mut laptop = peer("laptop", 1);
    laptop.row.this_computer = true;
    Testbed::with(Ui::None, vec![laptop, peer("nas", 2), peer("vps", 3)]).await
}

fn policy(rules: &str, tests: &str) -> String {
    format!(r#"{{"policy":{{"rules":[{rules}],"tests":[{tests}]}}}}"#)
}

const WEB: &str = r#"{"name":"web","from":["device:laptop"],"to":["device:nas"],"proto":"tcp","ports":[80]}"#;

fn map(bed: &Testbed, device: &str) -> NetworkMap {
    let state = bed.core.cache.lock();
    let id = state.find(device).unwrap().row.id;
    state.maps.map(id).unwrap()
}

fn peers(bed: &Testbed, device: &str) -> Vec<String> {
    map(bed, device)
        .peers
        .iter()
        .map(|peer| peer.name.to_string())
        .collect()
}

#[tokio::test]
async fn nothing_is_allowed_until_the_owner_chose_how_to_begin() {
    let bed = bed().await;
    let first: PolicyInForce = bed.get("/policy").await;
    assert_eq!((first.revision, first.policy.rules.len()), (0, 0));
    assert!(peers(&bed, "laptop").is_empty());
    let chosen = bed
        .call(Method::PATCH, "/fleet", r#"{"starting_policy":"locked"}"#)
        .await;
    assert!(chosen.0.is_success(), "{}", chosen.1);
    assert_eq!(peers(&bed, "laptop"), ["nas", "vps"]);
    assert_eq!(peers(&bed, "nas"), ["laptop"]);
    assert!(map(&bed, "laptop").filter.allows.is_empty());
    let locked: PolicyInForce = bed.get("/policy").await;
    assert_eq!(locked.revision, 1);
    assert_eq!(bed.core.store.lookup_policy().await.unwrap(), Some(locked));
    let log: List<Activity> = bed.get("/activity?limit=1").await;
    assert_eq!(log.items[0].action, Action::PolicySaved);
    let again = bed
        .refused(Method::PATCH, "/fleet", r#"{"starting_policy":"open_lab"}"#)
        .await;
    assert_eq!(
        (again.code, again.field.as_deref()),
        (Code::Conflict, Some("starting_policy"))
    );
    let same = bed
        .call(
            Method::PATCH,
            "/fleet",
            r#"{"starting_policy":"locked","name":"lab"}"#,
        )
        .await;
    assert!(same.0.is_success(), "the welcome may be sent twice");
}

#[tokio::test]
async fn rules_that_are_older_than_the_first_visit_stand() {
    let bed = bed().await;
    let rule = r#"{"policy":{"rules":[{"name":"web","from":["any"],"to":["device:nas"]}]}}"#;
    bed.call(Method::PUT, "/policy", rule).await;
    let welcome = r#"{"starting_policy":"open_lab","name":"lab"}"#;
    let (status, answer) = bed.call(Method::PATCH, "/fleet", welcome).await;
    assert!(status.is_success(), "{answer}");
    let policy: PolicyInForce = bed.get("/policy").await;
    assert_eq!(
        (policy.revision, policy.policy.rules[0].name.as_str()),
        (1, "web")
    );
}

#[tokio::test]
async fn a_locked_fleet_without_an_agent_here_is_completed_when_there_is_one() {
    let bed = Testbed::with(Ui::None, vec![peer("nas", 2)]).await;
    bed.call(Method::PATCH, "/fleet", r#"{"starting_policy":"locked"}"#)
        .await;
    let locked: PolicyInForce = bed.get("/policy").await;
    assert_eq!((locked.revision, locked.policy.rules.len()), (1, 0));
    let join = || complete(&bed.core, local_enrollment(&bed.core, "desk.lan"));
    let config = join().await.unwrap().unwrap();
    let completed: PolicyInForce = bed.get("/policy").await;
    let rule = &completed.policy.rules[0];
    assert_eq!(
        (completed.revision, rule.from[0].to_string()),
        (2, format!("device:{}", config.device_name))
    );
    join().await.unwrap();
    assert_eq!(bed.get::<PolicyInForce>("/policy").await.revision, 2, "once");
}

#[tokio::test]
async fn a_policy_that_breaks_its_own_test_is_refused_whole() {
    let bed = bed().await;
    bed.put::<PolicyInForce>("/policy", &policy(WEB, "")).await;
    let test = r#"{"from":"device:laptop","to":"device:nas","proto":"tcp","port":22,"expect":"allow"}"#;
    let refused = bed.refused(Method::PUT, "/policy", &policy(WEB, test)).await;
    assert_eq!(refused.code, Code::PolicyTest);
    assert_eq!(
        refused.message,
        r#"Not saved: the test "laptop can reach nas on tcp 22" would fail."#
    );
    let kept: PolicyInForce = bed.get("/policy").await;
    assert_eq!((kept.revision, kept.policy.tests.len()), (1, 0));
    let log: List<Activity> = bed.get("/activity?limit=1").await;
    assert!(!log.items[0].succeeded && log.items[0].details == refused.message);
}

#[tokio::test]
async fn what_is_wrong_with_a_policy_is_said_where_it_is() {
    let bed = bed().await;
    for (body, field) in [
        (
            policy(r#"{"name":"","from":["any"],"to":["any"]}"#, ""),
            "policy.rules[0].name",
        ),
        (
            policy(r#"{"name":"a","from":["moon"],"to":["any"]}"#, ""),
            "policy.rules[0].from[0]",
        ),
        (
            policy(r#"{"name":"a","from":["any"],"to":["any"],"ports":[0]}"#, ""),
            "policy.rules[0].ports",
        ),
    ] {
        let refused = bed.refused(Method::PUT, "/policy", &body).await;
        assert_eq!(
            (refused.code, refused.field.as_deref()),
            (Code::InvalidInput, Some(field)),
            "{body}"
        );
    }
}

#[tokio::test]
async fn two_people_who_edit_the_same_revision_do_not_overwrite_each_other() {
    let bed = bed().await;
    let body = |revision: u64| format!(r#"{{"policy":{{"rules":[{WEB}]}},"revision":{revision}}}"#);
    let saved: PolicyInForce = bed.put("/policy", &body(0)).await;
    assert_eq!((saved.revision, saved.by.as_str()), (1, "owner"));
    let stale = bed.refused(Method::PUT, "/policy", &body(0)).await;
    assert_eq!(
        (stale.code, stale.field.as_deref()),
        (Code::Conflict, Some("revision"))
    );
    let mut live = bed.core.cache.subscribe(Scope::All);
    live.next().await;
    bed.put::<PolicyInForce>("/policy", &body(1)).await;
    assert!(live.next().await.unwrap().contains(r#""kind":"policy""#));
}

#[tokio::test]
async fn a_renamed_device_keeps_its_rules() {
    let bed = bed().await;
    bed.put::<PolicyInForce>("/policy", &policy(WEB, "")).await;
    let renamed = bed
        .call(Method::PATCH, "/devices/nas", r#"{"name":"vault"}"#)
        .await;
    assert!(renamed.0.is_success());
    let followed: PolicyInForce = bed.get("/policy").await;
    assert_eq!(
        (followed.revision, followed.policy.rules[0].to[0].to_string()),
        (2, "device:vault".into())
    );
    assert_eq!(peers(&bed, "laptop"), ["vault"]);
    let log: List<Activity> = bed.get("/activity?limit=1").await;
    assert_eq!(log.items[0].details, "Rules follow the renaming of nas to vault.");
    bed.call(Method::PATCH, "/devices/vps", r#"{"name":"far"}"#).await;
    assert_eq!(
        bed.get::<PolicyInForce>("/policy").await.revision,
        2,
        "no rule names it"
    );
}

#[tokio::test]
async fn a_review_says_what_opens_what_closes_and_whose_packets_it_cuts() {
    let bed = bed().await;
    bed.put::<PolicyInForce>("/policy", &policy(WEB, "")).await;
    let (laptop, nas) = {
        let state = bed.core.cache.lock();
        (
            state.find("laptop").unwrap().row.id,
            state.find("nas").unwrap().row.id,
        )
    };
    let now = bed.core.clock.now();
    let path = PeerPath {
        received_bytes: 7,
        sent_bytes: 7,
        ..path_to(nas, PathReason::DirectLan, now)
    };
    bed.core
        .cache
        .lock()
        .apply_report(laptop, Report::Paths { paths: vec![path] }, now);
    let other = r#"{"name":"up","from":["device:nas"],"to":["device:vps"],"proto":"tcp","ports":[22]}"#;
    let review: PolicyReview = bed.post("/policy/review", &policy(other, "")).await;
    assert_eq!(
        (review.opens.len(), review.closes.len(), review.cuts.len()),
        (1, 1, 1)
    );
    assert_eq!(
        (review.cuts[0].from.as_str(), review.cuts[0].to.as_str()),
        ("laptop", "nas")
    );
    let same: PolicyReview = bed.post("/policy/review", &policy(WEB, "")).await;
    assert_eq!((same.opens.len(), same.closes.len(), same.cuts.len()), (0, 0, 0));
    bed.clock.advance(121);
    let later: PolicyReview = bed.post("/policy/review", &policy(other, "")).await;
    assert!(later.cuts.is_empty(), "it is not in use any more");
}

#[tokio::test]
async fn an_explanation_keeps_policy_and_path_apart() {
    let bed = bed().await;
    bed.put::<PolicyInForce>("/policy", &policy(WEB, "")).await;
    let ask = |port: &str| format!(r#"{{"from":"laptop","to":"nas","proto":"tcp"{port}}}"#);
    let allowed: Explanation = bed.post("/policy/explain", &ask(r#","port":80"#)).await;
    assert_eq!((allowed.allowed, allowed.rule.as_deref()), (true, Some("web")));
    let blocked: Explanation = bed.post("/policy/explain", &ask(r#","port":22"#)).await;
    assert!(!blocked.allowed && !blocked.nearest.is_empty());
    assert_eq!(blocked.path.unwrap().to.as_str(), "nas");
    let problem = bed
        .refused(
            Method::POST,
            "/policy/explain",
            r#"{"from":"x","to":"nas","proto":"tcp"}"#,
        )
        .await;
    assert_eq!(problem.code, Code::NotFound);
    let port = bed
        .refused(
            Method::POST,
            "/policy/explain",
            r#"{"from":"vps","to":"nas","proto":"icmp","port":1}"#,
        )
        .await;
    assert_eq!(port.field.as_deref(), Some("port"));
}
