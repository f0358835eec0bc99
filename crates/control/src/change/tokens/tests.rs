//! The life of API tokens, as their owner sees it.

use super::*;
use crate::testbed::{Testbed, peer};
use flotilla_protocol::activity::{Activity, Actor};

fn ci() -> CreateToken {
    CreateToken {
        name: "ci".to_owned(),
        ..CreateToken::default()
    }
}

async fn bed() -> Testbed {
    Testbed::with(crate::Ui::None, vec![peer("nas", 1)]).await
}

async fn log(bed: &Testbed) -> Vec<Activity> {
    bed.core.store.list_activity(None, 10, None).await.unwrap()
}

#[tokio::test]
async fn a_token_is_shown_once_and_named_by_what_it_does() {
    let bed = bed().await;
    let request = CreateToken {
        verbs: vec![Verb::Operate],
        roles: vec![Role::Viewer],
        tags: vec!["prod".to_owned()],
        devices: vec!["nas".to_owned()],
        ..ci()
    };
    let created = create(&bed.core, &Caller::owner(), request).await.unwrap();
    let now = bed.core.clock.now();
    assert_eq!(created.expires, now + SignedDuration::from_secs(LIFETIME.into()));
    let found = bed.core.access.find_token(&created.token, now).unwrap();
    let nas = bed.core.cache.lock().find("nas").unwrap().row.id;
    assert!(found.caller.scope(Verb::Operate).covers(nas, &[]));
    assert!(!found.caller.may_everywhere(Verb::View) && !found.caller.may_somewhere(Verb::Manage));

    let (_, secret) = created.token.split_once('.').unwrap();
    let listed = serde_json::to_string(&list(&bed.core)).unwrap();
    assert!(
        listed.contains(r#""tags":["prod"],"devices":["nas"]"#),
        "{listed}"
    );
    let entries = log(&bed).await;
    assert_eq!(entries[0].actor, Actor::Owner);
    assert_eq!(
        entries[0].details,
        "It grants viewer, operate on devices tagged prod, nas. It expires on 2026-12-21 at 14:02."
    );
    let told = format!("{listed}{entries:?}{:?}{created:?}", bed.core.access);
    assert!(!told.contains(secret), "{told}");
}

#[tokio::test]
async fn a_token_that_is_revoked_opens_nothing_and_its_name_is_free() {
    let bed = bed().await;
    let owner = Caller::owner();
    let created = create(&bed.core, &owner, ci()).await.unwrap();
    let now = bed.core.clock.now();
    let found = bed.core.access.find_token(&created.token, now).unwrap();
    revoke(&bed.core, &owner, "ci").await.unwrap();
    assert!(found.over.is_cancelled());
    assert!(bed.core.access.find_token(&created.token, now).is_none());
    assert!(bed.core.store.list_api_tokens().await.unwrap().is_empty());
    for unknown in ["ci", "", "../ci", "CI"] {
        let refused = revoke(&bed.core, &owner, unknown).await.unwrap_err();
        assert_eq!(refused.0.code, Code::NotFound, "{unknown}");
    }
    let again = create(&bed.core, &owner, ci()).await.unwrap();
    assert_ne!(again.token, created.token);
}

#[tokio::test]
async fn tokens_and_their_last_use_are_there_after_a_restart() {
    let bed = bed().await;
    let created = create(&bed.core, &Caller::owner(), ci()).await.unwrap();
    bed.clock.advance(61);
    let now = bed.core.clock.now();
    bed.core.access.find_token(&created.token, now).unwrap();
    save_uses(&bed.core).await;
    let rows = bed.core.store.list_api_tokens().await.unwrap();
    assert_eq!(rows[0].last_used, Some(now));
    let (restarted, _) = crate::access::Access::new([9; 32]);
    for row in rows {
        restarted.add_token(row);
    }
    assert!(restarted.find_token(&created.token, now).is_some());
}

#[tokio::test]
async fn what_cannot_be_granted_is_refused_with_its_field() {
    let bed = bed().await;
    create(&bed.core, &Caller::owner(), ci()).await.unwrap();
    let other = |name: &str| CreateToken {
        name: name.to_owned(),
        ..CreateToken::default()
    };
    let owners = |verb| CreateToken {
        verbs: vec![verb],
        ..other("x")
    };
    let lived = |seconds| CreateToken {
        expires_seconds: Some(seconds),
        ..other("x")
    };
    let many = vec!["a".to_owned(); MOST_PLACES + 1];
    for (request, code, field) in [
        (ci(), Code::NameTaken, "name"),
        (other(""), Code::InvalidInput, "name"),
        (other("a b"), Code::InvalidInput, "name"),
        (other(&"x".repeat(64)), Code::InvalidInput, "name"),
        (owners(Verb::Ssh), Code::InvalidInput, "verbs"),
        (owners(Verb::SignIn), Code::InvalidInput, "verbs"),
        (owners(Verb::Tokens), Code::InvalidInput, "verbs"),
        (lived(299), Code::InvalidInput, "expires_seconds"),
        (lived(366 * 86_400 + 1), Code::InvalidInput, "expires_seconds"),
        (
            CreateToken {
                tags: vec!["a b".to_owned()],
                ..other("x")
            },
            Code::InvalidInput,
            "tags",
        ),
        (
            CreateToken {
                devices: vec!["gone".to_owned()],
                ..other("x")
            },
            Code::NotFound,
            "devices",
        ),
        (
            CreateToken {
                tags: many,
                ..other("x")
            },
            Code::InvalidInput,
            "devices",
        ),
    ] {
        let shown = format!("{request:?}");
        let refused = create(&bed.core, &Caller::owner(), request).await.unwrap_err().0;
        assert_eq!(
            (refused.code, refused.field.as_deref()),
            (code, Some(field)),
            "{shown}"
        );
    }
    assert_eq!(list(&bed.core).items.len(), 1);
}

#[tokio::test]
async fn there_is_an_end_to_tokens() {
    let bed = bed().await;
    for n in 0..MOST_TOKENS {
        let request = CreateToken {
            name: format!("t{n}"),
            ..CreateToken::default()
        };
        create(&bed.core, &Caller::owner(), request).await.unwrap();
    }
    let refused = create(&bed.core, &Caller::owner(), ci()).await.unwrap_err();
    assert_eq!(refused.0.code, Code::Conflict);
    assert!(refused.0.message.contains("flotilla token revoke"));
}
