//! Codes, sessions and the token over time.

use super::*;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

fn access() -> Access {
    Access::new([1; 32]).0
}

fn open(access: &Access, now: i64) -> NewSession {
    let code = access.open_code(LinkPurpose::Request, at(now));
    access
        .open_session(code.reveal(), "here".into(), at(now))
        .unwrap()
}

fn session_of(access: &Access, opened: &NewSession, now: i64) -> Option<CurrentSession> {
    access.find_session(opened.cookie.reveal(), opened.page.reveal(), at(now))
}

#[test]
fn the_link_of_a_start_waits_for_a_build_and_later_ones_a_minute() {
    let access = access();
    for (link, good, over) in [
        (LinkPurpose::Start, 20 * MINUTE, 30 * MINUTE),
        (LinkPurpose::Request, MINUTE - 1, MINUTE),
        (LinkPurpose::Window, MINUTE - 1, MINUTE),
    ] {
        let code = access.open_code(link, at(0));
        assert!(
            access
                .open_session(code.reveal(), String::new(), at(good))
                .is_some(),
            "{link:?}"
        );
        assert!(
            access
                .open_session(code.reveal(), String::new(), at(good))
                .is_none(),
            "it works once"
        );
        let late = access.open_code(link, at(0));
        assert!(
            access
                .open_session(late.reveal(), String::new(), at(over))
                .is_none(),
            "{link:?}"
        );
    }
}

#[test]
fn asking_for_links_does_not_take_the_link_of_a_start_away() {
    let access = access();
    let first = access.open_code(LinkPurpose::Start, at(0));
    let second = access.open_code(LinkPurpose::Request, at(0));
    for _ in 0..CODES {
        access.open_code(LinkPurpose::Request, at(1));
    }
    let opens = |code: &Secret| access.open_session(code.reveal(), String::new(), at(1)).is_some();
    assert!(
        !opens(&second),
        "codes are bounded, and the one that expires next gives way"
    );
    assert!(opens(&first));
}

#[test]
fn either_half_of_a_session_opens_nothing_without_the_other() {
    let access = access();
    let (one, other) = (open(&access, 0), open(&access, 0));
    assert!(session_of(&access, &one, 1).is_some());
    let (cookie, page) = (one.cookie.reveal(), one.page.reveal());
    for (cookie, page) in [
        (cookie, ""),
        ("", page),
        (cookie, cookie),
        (page, cookie),
        (cookie, other.page.reveal()),
        ("", ""),
    ] {
        assert!(access.find_session(cookie, page, at(1)).is_none());
    }
}

#[test]
fn a_session_ends_when_it_is_not_used_and_after_a_month_in_any_case() {
    let access = access();
    let idle = open(&access, 0);
    let held = session_of(&access, &idle, 0).unwrap();
    assert!(
        session_of(&access, &idle, 12 * HOUR - 1).is_some(),
        "each use begins the wait anew"
    );
    assert!(!held.over.is_cancelled());
    assert!(session_of(&access, &idle, 24 * HOUR).is_none());
    assert!(held.over.is_cancelled(), "what it opened hears of it");

    let busy = open(&access, 0);
    for hour in 0..30 * 24 {
        assert!(session_of(&access, &busy, hour * HOUR).is_some(), "{hour}");
    }
    assert!(session_of(&access, &busy, 30 * DAY).is_none());
}

#[test]
fn a_page_that_holds_the_live_stream_uses_its_session() {
    let access = access();
    let opened = open(&access, 0);
    let session = session_of(&access, &opened, 0).unwrap().id;
    assert!(access.keep_session(session, at(11 * HOUR)));
    assert!(session_of(&access, &opened, 22 * HOUR).is_some());
    assert!(access.end_session(session));
    assert!(!access.keep_session(session, at(22 * HOUR)) && !access.end_session(session));
}

#[test]
fn sessions_are_listed_with_their_place_and_the_last_use() {
    let access = access();
    let first = open(&access, 0);
    let window = access.open_code(LinkPurpose::Window, at(5));
    access
        .open_session(window.reveal(), "Safari on Linux".into(), at(5))
        .unwrap();
    let session = session_of(&access, &first, 9).unwrap().id;
    let listed = access.sessions(at(9));
    assert_eq!(
        listed
            .iter()
            .map(|facts| facts.place.as_str())
            .collect::<Vec<_>>(),
        [place::WINDOW, "here"]
    );
    let facts = &listed[1];
    assert_eq!((facts.id, facts.opened, facts.last_used), (session, at(0), at(9)));
    assert!(access.sessions(at(DAY)).is_empty());
}

#[test]
fn sessions_are_bounded() {
    let access = access();
    let oldest = open(&access, 0);
    let kept = open(&access, 0);
    session_of(&access, &kept, 1).unwrap();
    for _ in 0..63 {
        open(&access, 2);
    }
    assert!(
        session_of(&access, &oldest, 3).is_none(),
        "the least used one gave way"
    );
    assert!(session_of(&access, &kept, 3).is_some());
}

#[test]
fn no_secret_passes_for_another_kind() {
    let (access, token) = Access::new([2; 32]);
    let code = access.open_code(LinkPurpose::Request, at(0));
    let session = open(&access, 0);
    assert!(access.is_token(token.reveal()));
    for wrong in [code.reveal(), session.cookie.reveal(), session.page.reveal(), ""] {
        assert!(!access.is_token(wrong));
        assert!(access.find_session(wrong, wrong, at(0)).is_none());
    }
    assert!(
        access
            .find_session(token.reveal(), token.reveal(), at(0))
            .is_none()
    );
}
