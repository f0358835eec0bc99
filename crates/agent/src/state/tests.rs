//! What the state directory survives, and what it says when it cannot be used.

use super::*;
use zeroize::Zeroizing;

fn keys() -> Keys {
    Keys {
        token: "01937c5e-7b1a-7c3e-8b9e-0123456789ab".parse().unwrap(),
        tls: Secret::new(Zeroizing::new("the tls key".into())),
        wireguard: Secret::new(Zeroizing::new("the wireguard key".into())),
    }
}

#[test]
fn what_was_stored_is_there_after_a_restart_and_only_the_owner_may_look() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state");
    let state = StateDir::open(&path).unwrap();
    state.update(|state| state.pending = Some(keys())).unwrap();
    drop(state);
    assert_eq!(StateDir::open(&path).unwrap().get().pending, Some(keys()));
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(
        fs::metadata(path.join(FILE)).unwrap().permissions().mode() & 0o777,
        0o600
    );
}

#[test]
fn two_agents_cannot_share_a_directory() {
    let dir = tempfile::tempdir().unwrap();
    assert!(!is_held(dir.path()));
    let _first = StateDir::open(dir.path()).unwrap();
    assert!(is_held(dir.path()));
    let second = StateDir::open(dir.path()).unwrap_err();
    assert!(matches!(second, StateError::Locked(_)) && second.to_string().contains("--state-dir"));
}

#[test]
fn a_truncated_file_is_named_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    StateDir::open(dir.path())
        .unwrap()
        .update(|state| state.pending = Some(keys()))
        .unwrap();
    let whole = fs::read(dir.path().join(FILE)).unwrap();
    for length in 0..whole.len() - 1 {
        fs::write(dir.path().join(FILE), &whole[..length]).unwrap();
        let error = StateDir::open(dir.path()).unwrap_err();
        assert!(
            error.is_lasting() && !error.to_string().contains("the tls key"),
            "{error}"
        );
        assert_eq!(fs::read(dir.path().join(FILE)).unwrap().len(), length);
    }
}

#[test]
fn a_leftover_of_a_crash_is_ignored() {
    let dir = tempfile::tempdir().unwrap();
    StateDir::open(dir.path())
        .unwrap()
        .update(|state| state.pending = Some(keys()))
        .unwrap();
    fs::write(dir.path().join("agent.json.new"), b"{\"vers").unwrap();
    let state = StateDir::open(dir.path()).unwrap();
    assert_eq!(state.get().pending, Some(keys()));
    state.update(|state| state.pending = None).unwrap();
    assert_eq!(load(dir.path()).unwrap().unwrap().pending, None);
}

#[test]
fn a_failed_write_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let state = StateDir::open(dir.path()).unwrap();
    state.update(|state| state.pending = Some(keys())).unwrap();
    // A directory in the way of the temporary file fails for root, too.
    fs::create_dir(dir.path().join("agent.json.new")).unwrap();
    assert!(state.update(|state| state.pending = None).is_err());
    assert_eq!(state.get().pending, Some(keys()));
    assert_eq!(load(dir.path()).unwrap().unwrap().pending, Some(keys()));
}

#[test]
fn a_full_disk_and_a_newer_file_say_what_to_do() {
    let full = StateError::of(Path::new("/var/lib/flotilla"), ErrorKind::StorageFull.into());
    assert!(full.to_string().contains("Free some space"));
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join(FILE), br#"{"version":2,"anything":[]}"#).unwrap();
    assert!(matches!(StateDir::open(dir.path()), Err(StateError::Newer(_))));
}

#[test]
fn keys_do_not_print_themselves() {
    assert!(!format!("{:?}", keys()).contains("key\""));
    assert!(format!("{:?}", keys()).contains("redacted"));
}
