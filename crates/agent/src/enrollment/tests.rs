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
        (String::new(), "Download it again"),
        ("\u{0}\u{1}".into(), "Download it again"),
    ] {
        let (_dir, source) = written(&broken);
        let text = source.read().unwrap_err().to_string();
        assert!(text.contains(says), "{says}: {text}");
    }
    let nowhere = EnrollmentSource::File("/nonexistent/nas.device.toml".into());
    assert!(nowhere.read().unwrap_err().to_string().contains("does not exist"));
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

proptest! {
    #[test]
    fn a_file_cut_short_anywhere_is_an_error_that_keeps_the_secret(cut in 0..600_usize) {
        let token = token();
        let whole = config(&token);
        let mut cut = cut.min(whole.len() - 2);
        while !whole.is_char_boundary(cut) { cut -= 1; }
        let secret = token.split_once('.').unwrap().1;
        let text = match parse(Path::new("/x"), &whole[..cut]).and_then(|config| from_config(&config)) {
            Err(error) => error.to_string(),
            Ok(_) => return Err(TestCaseError::fail("cut and still whole")),
        };
        prop_assert!(!text.contains(&secret[..8]), "{}", text);
    }
}
