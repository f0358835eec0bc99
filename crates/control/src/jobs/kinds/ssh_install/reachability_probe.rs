//! Asks a device, before anything is changed there, at which of control's addresses it reaches control. The question
//! contains no secret.

use crate::provision::quote;
use flotilla_protocol::{endpoint::Endpoint, pin::Pin};

const BODY: &str = include_str!("reachability_probe.sh");

/// Begins each line of the answer.
const LINE_PREFIX: &str = "flotilla-look: ";

/// The status of curl when the server has another key than the pinned one.
const WRONG_KEY: u32 = 90;

/// The script that the device runs.
pub(super) fn script(addresses: &[Endpoint], tls_pin: &Pin) -> String {
    let addresses: Vec<_> = addresses.iter().map(Endpoint::to_string).collect();
    format!(
        "TLS_PIN={}\nADDRESSES={}\n\n{BODY}",
        quote(tls_pin.as_str()),
        quote(&addresses.join(" "))
    )
}

/// The device's answers so far, for these addresses of control.
#[derive(Debug)]
pub(super) struct Reachability<'a> {
    addresses: &'a [Endpoint],
    tried: Vec<(&'a Endpoint, u32)>,
    is_complete: bool,
    lacks_curl: bool,
}

impl<'a> Reachability<'a> {
    pub(super) fn new(addresses: &'a [Endpoint]) -> Self {
        Self {
            addresses,
            tried: Vec::new(),
            is_complete: false,
            lacks_curl: false,
        }
    }

    /// Reads a line; false when it is not part of the answer, but was printed by another program.
    pub(super) fn handle_line(&mut self, line: &str) -> bool {
        let Some(answer) = line.strip_prefix(LINE_PREFIX) else {
            return false;
        };
        match answer.split_once(' ') {
            None if answer == "done" => self.is_complete = true,
            Some(("no", "curl")) => self.lacks_curl = true,
            Some((code, address)) => {
                if let (Ok(code), Ok(address)) = (code.parse(), address.parse::<Endpoint>()) {
                    self.note(&address, code);
                }
            }
            None => {}
        }
        true
    }

    /// Notes the first answer for each of control's addresses. The host may send any others.
    fn note(&mut self, address: &Endpoint, code: u32) {
        let own = self.addresses.iter().find(|own| *own == address);
        let is_new = |own: &&Endpoint| self.tried.iter().all(|(tried, _)| tried != own);
        if let Some(own) = own.filter(is_new) {
            self.tried.push((own, code));
        }
    }

    pub(super) fn is_complete(&self) -> bool {
        self.is_complete
    }

    pub(super) fn lacks_curl(&self) -> bool {
        self.lacks_curl
    }

    /// The first of control's addresses at which control answered.
    pub(super) fn reached(&self) -> Option<&'a Endpoint> {
        let answered = |address: &&Endpoint| self.tried.contains(&(address, 0));
        self.addresses.iter().find(answered)
    }

    /// The result for each address, as a line for people.
    pub(super) fn lines(&self) -> impl Iterator<Item = String> + '_ {
        self.tried.iter().map(|(address, code)| match *code {
            0 => format!("{address} leads to this controller."),
            WRONG_KEY => format!("{address} leads to another program than this controller."),
            6 => format!("{address} has a name that can't be found from there."),
            7 => format!("{address} refuses connections, or there is no way to it."),
            28 => format!("{address} does not answer within 5 s."),
            other => format!("{address} can't be used from there (curl ended with {other})."),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testbed;
    use proptest::prelude::*;
    use std::process::Command;

    fn pin() -> Pin {
        format!("sha256//{}=", "T".repeat(43)).parse().unwrap()
    }

    fn addresses() -> Vec<Endpoint> {
        ["192.168.1.10:7443", "[2001:db8::1]:7443", "fleet.example.org:443"]
            .map(|text| text.parse().unwrap())
            .into()
    }

    /// Runs the script with this stand-in for curl.
    fn probed<'a>(addresses: &'a [Endpoint], curl: &str) -> (Reachability<'a>, String) {
        let dir = tempfile::tempdir().unwrap();
        let script = testbed::program(dir.path(), "curl", curl);
        let output = Command::new("bash")
            .args(["-c", &super::script(addresses, &pin())])
            .env(
                "PATH",
                format!("{}:/usr/bin:/bin", script.parent().unwrap().display()),
            )
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let mut reachability = Reachability::new(addresses);
        for line in text.lines() {
            reachability.handle_line(line);
        }
        (reachability, text)
    }

    #[test]
    fn every_address_is_tried_and_the_first_that_answers_counts() {
        let addresses = addresses();
        let (reachability, text) = probed(
            &addresses,
            r#"case "$*" in *192.168*) exit 28;; *example*) exit 0;; *db8*) exit 0;; esac"#,
        );
        assert!(reachability.is_complete(), "{text}");
        assert_eq!(reachability.reached(), addresses.get(1));
        let mut lines: Vec<_> = reachability.lines().collect();
        lines.sort();
        assert_eq!(
            lines,
            [
                "192.168.1.10:7443 does not answer within 5 s.",
                "[2001:db8::1]:7443 leads to this controller.",
                "fleet.example.org:443 leads to this controller.",
            ]
        );
    }

    #[test]
    fn another_program_at_the_address_is_no_control() {
        let addresses = addresses();
        let (reachability, _) = probed(&addresses, "exit 90");
        assert_eq!(reachability.reached(), None);
        assert!(reachability.lines().all(|line| line.contains("another program")));
    }

    #[test]
    fn shellcheck_has_nothing_to_say() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("reachability_probe.sh");
        let script = super::script(&addresses(), &pin());
        std::fs::write(&file, format!("#!/usr/bin/env bash\n{script}")).unwrap();
        let checked = Command::new("shellcheck").arg(file).output();
        let checked =
            checked.expect("the program shellcheck is needed here: `cargo xtask setup --test` installs it");
        assert!(
            checked.status.success(),
            "{}",
            String::from_utf8_lossy(&checked.stdout)
        );
    }

    proptest! {
        #[test]
        fn whatever_is_printed_nothing_is_told_of_an_address_that_control_does_not_have(lines in proptest::collection::vec("flotilla-look: [ -~]{0,30}|flotilla-look: [0-9]{1,2} (192.168.1.10|evil.example.org)(:7443)?|[ -~]{0,30}", 0..8)) {
            let addresses = addresses();
            let mut reachability = Reachability::new(&addresses);
            for line in &lines {
                reachability.handle_line(line);
            }
            prop_assert!(reachability.lines().count() <= addresses.len());
            for line in reachability.lines() {
                prop_assert!(addresses.iter().any(|address| line.starts_with(&address.to_string())), "{}", line);
            }
        }
    }
}
