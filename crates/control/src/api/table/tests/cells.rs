//! Every route of the table beside every kind of caller. The handlers are replaced by one that answers nothing, so that
//! what is seen is the guard alone.

use super::{guarded, table};
use crate::{
    access::LinkPurpose,
    api::route::{Needs, Route, filter},
    refusal::no_such_device,
    testbed::{API_PORT, Testbed, peer},
};
use axum::{Router, body::Body, routing::on};
use flotilla_protocol::{
    Code, Problem,
    api::{PREFIX, Role, SESSION_HEADER, SessionOpened, TokenCreated, Verb},
};
use http::{Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use std::collections::BTreeSet;
use tower::ServiceExt;

/// What a caller meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Door {
    Open,
    SignInFirst,
    /// The caller sees the device, or that there is such a route, and may not.
    Forbidden,
    /// As if there was no such device.
    Hidden,
}

/// A caller with what it may do, said without the code under test.
struct Case {
    name: String,
    headers: Vec<(&'static str, String)>,
    /// `None` for callers whose credential is not good.
    may: Option<May>,
}

struct May {
    verbs: BTreeSet<Verb>,
    everywhere: bool,
}

impl Case {
    fn door(&self, needs: Needs, in_prod: bool) -> Door {
        let (Some(verb), may) = (needs.verb(), &self.may) else {
            return Door::Open;
        };
        let Some(may) = may else {
            return Door::SignInFirst;
        };
        let reaches = |verb| may.verbs.contains(&verb) && (may.everywhere || in_prod);
        match needs {
            Needs::OnDevice(_) if reaches(verb) => Door::Open,
            Needs::OnDevice(_) if reaches(Verb::View) => Door::Forbidden,
            Needs::OnDevice(_) => Door::Hidden,
            Needs::Everywhere(_) if may.verbs.contains(&verb) && may.everywhere => Door::Open,
            Needs::Somewhere(_) if may.verbs.contains(&verb) => Door::Open,
            _ => Door::Forbidden,
        }
    }
}

/// Two devices of different tags, and every kind of caller. The tokens of parts are for the tag of `web`.
struct Fleet {
    bed: Testbed,
    router: Router,
    cases: Vec<Case>,
}

impl Fleet {
    async fn new() -> Self {
        let (mut web, mut lab) = (peer("web", 1), peer("lab", 2));
        web.row.tags = vec!["prod".parse().unwrap()];
        lab.row.tags = vec!["lab".parse().unwrap()];
        let bed = Testbed::with(crate::Ui::None, vec![web, lab]).await;
        let answering_nothing = |route: Route| Route {
            serve: on(filter(route.method), async || StatusCode::NO_CONTENT),
            ..route
        };
        let routes = table().into_iter().map(answering_nothing).collect();
        let router = guarded(&bed.core, routes).with_state(bed.core.clone());
        let cases = Vec::new();
        let mut fleet = Self { bed, router, cases };
        let expired = fleet
            .token("expired", r#""roles":["admin"],"expires_seconds":300"#)
            .await;
        fleet.bed.clock.advance(301);
        let revoked = fleet.token("revoked", r#""roles":["admin"]"#).await;
        let (ended, _) = fleet.bed.call(Method::DELETE, "/tokens/revoked", "").await;
        assert_eq!(ended, StatusCode::OK);
        fleet.case("nobody", vec![], None);
        fleet.case("a wrong token", bearer("x"), None);
        fleet.case("an expired token", bearer(&expired), None);
        fleet.case("a revoked token", bearer(&revoked), None);
        fleet.add_owner().await;
        fleet.add_tokens().await;
        fleet
    }

    fn case(&mut self, name: &str, headers: Vec<(&'static str, String)>, may: Option<May>) {
        let name = name.to_owned();
        self.cases.push(Case { name, headers, may });
    }

    /// Creates a token as the owner.
    async fn token(&self, name: &str, grant: &str) -> String {
        let body = format!(r#"{{"name":"{name}",{grant}}}"#);
        let created: TokenCreated = self.bed.post("/tokens", &body).await;
        created.token
    }

    async fn add_owner(&mut self) {
        let all = || {
            Some(May {
                verbs: Verb::ALL.iter().copied().collect(),
                everywhere: true,
            })
        };
        self.case("the owner's programs", bearer(&self.bed.token.clone()), all());
        let browser = self.sign_in().await;
        self.case("the owner's browser", browser, all());
    }

    async fn sign_in(&self) -> Vec<(&'static str, String)> {
        let link = self.bed.core.sign_in_link(LinkPurpose::Request);
        let (_, code) = link.split_once("#code=").unwrap();
        let request = Request::post(format!("{PREFIX}/session"))
            .header(header::HOST, format!("127.0.0.1:{API_PORT}"))
            .body(Body::from(format!(r#"{{"code":"{code}"}}"#)));
        let response = self.bed.api().oneshot(request.unwrap()).await.unwrap();
        let cookie = response.headers()[header::SET_COOKIE].to_str().unwrap();
        let cookie = cookie.split(';').next().unwrap().to_owned();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let opened: SessionOpened = serde_json::from_slice(&body).unwrap();
        vec![("cookie", cookie), (SESSION_HEADER, opened.page_secret)]
    }

    /// A token of each role and of each single verb, in the whole fleet and in its part `prod`.
    async fn add_tokens(&mut self) {
        let roles = Role::ALL
            .iter()
            .map(|role| (format!(r#""roles":["{role}"]"#), role.verbs().to_vec()));
        let verbs = Verb::ALL.iter().filter(|verb| !verb.is_owners());
        let verbs = verbs.map(|verb| (format!(r#""verbs":["{verb}"]"#), vec![*verb]));
        let grants: Vec<_> = roles.chain(verbs).collect();
        for (nth, (grant, verbs)) in grants.into_iter().enumerate() {
            for (everywhere, scope) in [(true, ""), (false, r#","tags":["prod"]"#)] {
                let token = self
                    .token(&format!("t{nth}-{everywhere}"), &format!("{grant}{scope}"))
                    .await;
                let may = May {
                    verbs: verbs.iter().copied().collect(),
                    everywhere,
                };
                self.case(&format!("a token with {grant}{scope}"), bearer(&token), Some(may));
            }
        }
    }

    /// What a caller meets on a route when its path names this device.
    async fn knock(&self, case: &Case, route: &Route, device: &str) -> Door {
        let parts = route.path.split('/').map(|part| match part {
            "{device}" => device,
            part if part.starts_with('{') => "x",
            part => part,
        });
        let path = parts.collect::<Vec<_>>().join("/");
        let mut request = Request::builder()
            .method(route.method.as_str())
            .uri(format!("{PREFIX}{path}"))
            .header(header::HOST, format!("127.0.0.1:{API_PORT}"));
        for (name, value) in &case.headers {
            request = request.header(*name, value);
        }
        let response = self
            .router
            .clone()
            .oneshot(request.body(Body::empty()).unwrap())
            .await
            .unwrap();
        if response.status() == StatusCode::NO_CONTENT {
            return Door::Open;
        }
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let problem: Problem = serde_json::from_slice(&body).unwrap();
        match problem.code {
            Code::Unauthenticated => Door::SignInFirst,
            Code::Forbidden => Door::Forbidden,
            Code::NotFound if problem == no_such_device(device).0 => Door::Hidden,
            _ => panic!("{} {}: {problem:?}", case.name, route.path),
        }
    }
}

fn bearer(token: &str) -> Vec<(&'static str, String)> {
    vec![("authorization", format!("Bearer {token}"))]
}

#[tokio::test]
async fn every_route_meets_every_caller_as_its_line_says() {
    let fleet = Fleet::new().await;
    let mut cells = 0;
    for route in table() {
        for case in &fleet.cases {
            // A device by its name and by its id, one of another part, and one that there is not.
            let devices = [
                ("web", true),
                ("01937c5e-7b1a-7c3e-8b9e-000000000001", true),
                ("lab", false),
                ("01937c5e-7b1a-7c3e-8b9e-000000000002", false),
            ];
            let named = if route.path.contains("{device}") { 4 } else { 1 };
            for (device, in_prod) in devices.into_iter().take(named) {
                let door = fleet.knock(case, &route, device).await;
                let method = route.method.as_str();
                assert_eq!(
                    door,
                    case.door(route.needs, in_prod),
                    "{method} {} for {device} by {}",
                    route.path,
                    case.name
                );
                cells += 1;
            }
        }
    }
    assert!(cells > 1_000, "{cells} cells");
}

#[tokio::test]
async fn a_device_that_is_not_there_is_missing_for_everybody() {
    let fleet = Fleet::new().await;
    for route in table().iter().filter(|route| route.path.contains("{device}")) {
        for case in fleet.cases.iter().filter(|case| case.may.is_some()) {
            assert_eq!(
                fleet.knock(case, route, "nobody").await,
                Door::Hidden,
                "{}",
                route.path
            );
        }
    }
}

#[test]
fn a_route_needs_a_verb_on_a_device_exactly_if_its_path_names_one() {
    for route in table() {
        let names_one = route.path.contains("{device}");
        assert_eq!(
            matches!(route.needs, Needs::OnDevice(_)),
            names_one,
            "{}",
            route.path
        );
    }
}
