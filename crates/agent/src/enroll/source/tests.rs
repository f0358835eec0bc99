//! Config files and variables as people break them.

use super::*;
use proptest::prelude::*;

const PIN: &str = "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

fn token() -> String {
    EnrollmentToken::generate(Timestamp::UNIX_EPOCH)
        .reveal()
        .to_string()
}

fn config(token: &str) -> String {
    format!(
        r#"version = 1
fleet_id = "01937c5e-7b1a-7c3e-8b9e-0123456789ab"
device_id = "01937c5e-7b1a-7c3e-8b9e-0123456789ac"
device_name = "nas"
endpoints = ["192.0.2.7:7443", "nas.lan"]
ca_pin = "{PIN}"
token = "{token}"
token_expires = "2026-03-01T12:00:00Z"
mesh_ip = "100.64.1.2"
mesh_cidr = "100.64.0.0/16"
network_mode = "host"
relay = "auto"
agent_image = "flotilla/agent:dev"
ca_pem = ""
"#
    )
}

fn written(text: &str) -> (tempfile::TempDir, EnrollmentSource) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("nas.device.toml");
    fs::write(&path, text).unwrap();
    (dir, EnrollmentSource::File(path))
}

#[test]
fn a_config_file_says_all_it_takes() {
    let (_dir, source) = written(&config(&token()));
    let enrollment = source.read().unwrap().unwrap();
    assert_eq!((enrollment.endpoints.len(), enrollment.ca_pin.as_str()), (2, PIN));
    assert!(enrollment.fleet.is_some());
}

#[test]
fn each_way_of_breaking_it_is_named() {
    let token = token();
    let good = config(&token);
    for (broken, says) in [
        (good.replace("version = 1", "version = 2"), "Update the agent"),
        (format!("{good}colour = \"red\"\n"), "unknown field `colour`"),
        (
            good.replace("device_name = \"nas\"", "device_name = \"NAS\""),
            "line 4",
        ),
        (
            good.replace("[\"192.0.2.7:7443\", \"nas.lan\"]", "[]"),
            "No address of control",
        ),
        (good.replace(&token, "no-token"), "not an enrollment token"),
        (
            good.replace("100.64.0.0/16", "8.8.0.0/16"),
            "8.8.0.0/16, which is not a private range",
        ),
        (
            good.replace("100.64.0.0/16", "everywhere"),
            "inside 100.64.0.0/10",
        ),
        (String::new(), "cut short: missing field `version`"),
        (
            good.replace("relay = \"auto\"\n", ""),
            "cut short: missing field `relay`",
        ),
        ("\u{0}\u{1}".into(), "Download it again"),
        ("#".repeat(70_000), "too long"),
    ] {
        let (_dir, source) = written(&broken);
        let text = source.read().unwrap_err().to_string();
        assert!(text.contains(says), "{says}: {text}");
    }
    let nowhere = EnrollmentSource::File("/nonexistent/nas.device.toml".into());
    assert!(nowhere.read().unwrap_err().to_string().contains("does not exist"));
}

#[test]
fn a_file_that_an_editor_of_windows_saved_is_as_good() {
    let (_dir, source) = written(&format!("\u{feff}{}", config(&token())).replace('\n', "\r\n"));
    assert!(source.read().unwrap().is_some());
}

#[test]
fn what_is_no_text_is_not_taken_for_a_file_cut_short() {
    let (_dir, source) = written("");
    let EnrollmentSource::File(path) = &source else {
        unreachable!()
    };
    let utf16 = config(&token())
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect::<Vec<_>>();
    fs::write(path, [&[0xff, 0xfe][..], &utf16].concat()).unwrap();
    assert!(matches!(source.read(), Err(ConfigError::NotText(_))));
    assert!(matches!(
        EnrollmentSource::File("/dev/zero".into()).read(),
        Err(ConfigError::TooLong(_))
    ));
    assert!(matches!(
        EnrollmentSource::File("/".into()).read(),
        Err(ConfigError::Unreadable { .. })
    ));
}

#[test]
fn a_file_that_others_may_read_is_noticed() {
    let (_dir, source) = written("");
    let EnrollmentSource::File(path) = &source else {
        unreachable!()
    };
    fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(source.exposed_file().is_some());
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    assert!(source.exposed_file().is_none());
}

#[test]
fn the_three_variables_belong_together() {
    let whole = Environment {
        url: Some("https://192.0.2.7:7443/".into()),
        token: Some(token()),
        ca_pin: Some(PIN.into()),
    };
    let read = |environment: Environment| EnrollmentSource::Environment(environment).read();
    assert_eq!(
        read(whole.clone()).unwrap().unwrap().endpoints[0].to_string(),
        "192.0.2.7:7443"
    );
    let without_pin = Environment {
        ca_pin: None,
        ..whole.clone()
    };
    assert!(
        read(without_pin)
            .unwrap_err()
            .to_string()
            .starts_with("FLOTILLA_CA_PIN is not set")
    );
    let bad_url = Environment {
        url: Some("https://a b".into()),
        ..whole.clone()
    };
    assert!(matches!(read(bad_url), Err(ConfigError::Url(_))));
    assert!(!format!("{whole:?}").contains(whole.token.as_deref().unwrap()));
}

/// A refusal that repeats nothing of the secret, in one line that fits a log.
fn refuses(text: &str, token: &str) -> Result<(), TestCaseError> {
    let secret = token.split_once('.').map_or(token, |(_, secret)| secret);
    if let Err(error) = parse(Path::new("/x"), text).and_then(|config| from_config(&config)) {
        let text = error.to_string();
        prop_assert!(!text.contains(&secret[..8]), "{}", text);
        prop_assert!(text.chars().count() < 200 && !text.contains('\n'), "{}", text);
    }
    Ok(())
}

proptest! {
    #[test]
    fn a_file_cut_short_anywhere_is_an_error_that_keeps_the_secret(cut in 0..600_usize) {
        let token = token();
        let whole = config(&token);
        let mut cut = cut.min(whole.len() - 2);
        while !whole.is_char_boundary(cut) { cut -= 1; }
        prop_assert!(parse(Path::new("/x"), &whole[..cut]).is_err());
        refuses(&whole[..cut], &token)?;
    }

    #[test]
    fn any_text_has_an_answer(text in "\\PC{0,200}|[-_a-z0-9=\"\\[\\]{}.'#,\\n ]{0,200}") {
        refuses(&text, &token())?;
    }

    #[test]
    fn any_slip_of_an_editor_has_an_answer_that_keeps_the_secret(
        from in any::<prop::sample::Index>(),
        length in 0..40_usize,
        typed in "\\PC{0,3}|[\"'=#\\[\\]\\n]{0,3}",
    ) {
        let token = token();
        let mut text: Vec<char> = config(&token).chars().collect();
        let from = from.index(text.len());
        let until = (from + length).min(text.len());
        text.splice(from..until, typed.chars());
        refuses(&text.into_iter().collect::<String>(), &token)?;
    }

    #[test]
    fn lines_in_any_order_have_an_answer_that_keeps_the_secret(seed in any::<u64>()) {
        let token = token();
        let whole = config(&token);
        let mut lines: Vec<_> = whole.lines().collect();
        let count = lines.len();
        lines.swap(seed as usize % count, (seed >> 8) as usize % count);
        lines.remove((seed >> 16) as usize % count);
        refuses(&lines.join("\n"), &token)?;
    }
}

#[test]
fn what_was_looked_at_is_what_is_used_wherever_it_came_from() {
    let text = config(&token());
    let name = Path::new("-");
    assert_eq!(*checked_text(name, text.as_bytes()).unwrap(), text);
    let cut = &text.as_bytes()[..text.len() / 2];
    assert!(matches!(
        checked_text(name, cut),
        Err(ConfigError::Garbled { .. })
    ));
    let endless = io::repeat(b'#');
    assert!(matches!(
        checked_text(name, endless),
        Err(ConfigError::TooLong(_))
    ));
}
