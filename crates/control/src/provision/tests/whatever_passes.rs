//! For every valid name, tag and address, the texts made of it mean the same to a shell, letter for letter.

use super::{config, pin};
use crate::provision::{device_added, install_script, script::Digests};
use flotilla_protocol::{
    device::NetworkMode, endpoint::Endpoint, enroll::ConfigFile, name::DeviceName, name::Tag,
};
use proptest::prelude::*;
use std::{process::Command, str::FromStr};

/// The texts of a pattern that parse; most of them nearly do.
fn parsed<T: FromStr + std::fmt::Debug>(texts: &'static str) -> impl Strategy<Value = T> {
    texts.prop_filter_map("parses", |text| text.parse().ok())
}

fn taken() -> impl Strategy<Value = ConfigFile> {
    let name = parsed::<DeviceName>("[a-z0-9-]{1,20}|[a-z0-9]{1,63}|[a-z0-9 -~]{1,2}");
    let tag = parsed::<Tag>("[a-z0-9][a-z0-9._-]{0,20}|[a-z0-9][ -~]?");
    let tags = proptest::collection::vec(tag, 0..4);
    let endpoint = parsed::<Endpoint>(
        "[-a-zA-Z0-9._]{1,20}(:[0-9]{1,5})?|\\[[0-9a-f]{1,4}::[0-9a-f]{1,4}\\](:[0-9]{1,4})?|[a-z][ -~]{0,2}",
    );
    (name, tags, endpoint, proptest::sample::select(NetworkMode::ALL)).prop_map(
        |(name, tags, endpoint, mode)| ConfigFile {
            device_name: name,
            tags,
            endpoints: vec![endpoint],
            ..config(mode)
        },
    )
}

/// The output of a bash script, split at NUL.
fn printed(script: &str) -> Vec<String> {
    let output = Command::new("bash").args(["-c", script]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && errors.is_empty(), "{script}\n{errors}");
    text.split_terminator('\0').map(str::to_owned).collect()
}

fn parses(shell: &str, text: &str) -> bool {
    let checked = Command::new(shell).args(["-n", "-c", text]).output().unwrap();
    checked.status.success() && checked.stderr.is_empty()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn every_text_of_whatever_is_taken_says_just_that(config in taken()) {
        let (tls_pin, endpoint) = (pin('T'), &config.endpoints[0]);
        let added = device_added(&config, false, &tls_pin);
        if let Some(install) = &added.install {
            let stubs = r#"curl() { printf '%s\0' "$@"; }; sudo() { cat; }"#;
            let (bearer, script) = (
                format!("Authorization: Bearer {}", config.token),
                format!("https://{endpoint}/install/agent.sh"),
            );
            let wanted = [
                "-fsSk", "--connect-timeout", "20", "--proto", "=https", "--pinnedpubkey", tls_pin.as_str(), "-H", &bearer, &script,
            ];
            prop_assert_eq!(printed(&format!("{stubs}\n{install}")), wanted);
        }
        for text in [&added.install, &added.docker_run, &added.config_run].into_iter().flatten() {
            prop_assert!(parses("bash", text) && parses("sh", text), "{}", text);
        }
        let file = added.config.unwrap();
        let read: ConfigFile = toml::from_str(&file).unwrap();
        prop_assert_eq!((&read.device_name, &read.tags, &read.endpoints), (&config.device_name, &config.tags, &config.endpoints));

        let script = install_script(&config, endpoint, &tls_pin, &Digests::default());
        prop_assert!(parses("bash", &script));
        let values = script.split_once("\n\n# What follows").unwrap().0;
        let shown = printed(&format!("{values}\nprintf '%s\\0' \"$DEVICE\" \"$CONTROL\" \"$TOKEN\" \"$CONFIG\" \"$DOCKER_RUN\""));
        let control = format!("https://{endpoint}");
        let docker_run = added.docker_run.unwrap();
        let wanted = [config.device_name.as_str(), &control, &config.token, &file, &docker_run];
        prop_assert_eq!(shown, wanted);
    }
}
