//! Whether a device may open a link: judges the certificate, the machine that presents it, and the agent's protocol.
//!
//! A device has at most two certificates that count: the one in use, and after an enrollment the one to come. The
//! first link with the one to come retires the other for good. A copy of a device's state carries a good certificate
//! to another machine, and is recognized by that machine's id. Where both machines have the same id,
//! [`crate::Holders`] finds that there are two, and neither gets a link until a person decides.

use crate::lifecycle::Life;
use flotilla_identity::PeerCertificate;
use flotilla_protocol::{Code, PROTOCOL, Problem, SPOKEN, Timestamp};

/// The agent speaks a protocol outside [`SPOKEN`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "This controller speaks protocol {PROTOCOL} and understands {first} to {last}; the agent speaks {theirs}. {remedy}",
    first = SPOKEN.start(),
    last = SPOKEN.end(),
    remedy = self.remedy()
)]
pub struct UnsupportedProtocol {
    theirs: u32,
}

impl UnsupportedProtocol {
    fn remedy(self) -> &'static str {
        if self.theirs > *SPOKEN.end() {
            "Update Flotilla on the controller's computer."
        } else {
            "Install the agent that the controller serves."
        }
    }
}

impl From<UnsupportedProtocol> for Problem {
    fn from(unsupported: UnsupportedProtocol) -> Self {
        Code::UnsupportedProtocol.because(unsupported.to_string())
    }
}

/// Checks that this control understands the protocol that an agent speaks.
///
/// # Errors
/// See [`UnsupportedProtocol`].
pub fn check_protocol(protocol: u32) -> Result<(), UnsupportedProtocol> {
    if SPOKEN.contains(&protocol) {
        Ok(())
    } else {
        Err(UnsupportedProtocol { theirs: protocol })
    }
}

/// A certificate that control issued, and the machine it was issued to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Credential<'a> {
    /// SHA-256 of the certificate, lowercase hexadecimal.
    pub fingerprint: &'a str,
    pub machine_id: &'a str,
}

/// What control has recorded of a device's certificates.
#[derive(Debug, Clone, Copy)]
pub struct CertificateRecord<'a> {
    pub life: Life,
    pub in_use: Option<Credential<'a>>,
    pub to_come: Option<Credential<'a>>,
    /// Two agents take turns with this identity, and no person has decided yet which one is the device.
    pub contested: bool,
    /// A person said that it is one machine. Its id is then not compared, because some machines have another id at
    /// each boot.
    pub vouched: bool,
}

/// Which certificate of the device was presented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admitted {
    /// It is the one in use.
    InUse,
    /// The one to come. The caller makes it the one in use, after which the old one is not accepted.
    Promoted,
}

/// Why a device gets no link. An agent stops for good on some of these codes, so only control's own routes may answer
/// with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AdmissionError {
    #[error("This device was removed from the fleet. Add it again to bring it back.")]
    Removed,
    #[error("This device was revoked. Create a re-enroll command to bring it back.")]
    Revoked,
    #[error("A newer certificate of this device is in use.")]
    Superseded,
    #[error("Another machine has this device's identity. Enroll this machine as a device of its own.")]
    Cloned,
    #[error(
        "Two machines take turns with this device's identity, and nothing is done on either until the owner decides. In Flotilla, vouch for the device if it is one machine, or create a re-enroll command for the right one."
    )]
    Contested,
    #[error("This device's certificate has expired. It may only renew it.")]
    Expired,
}

impl From<AdmissionError> for Problem {
    fn from(error: AdmissionError) -> Self {
        let code = match error {
            AdmissionError::Removed | AdmissionError::Revoked => Code::Revoked,
            AdmissionError::Superseded => Code::Superseded,
            AdmissionError::Cloned | AdmissionError::Contested => Code::Quarantined,
            AdmissionError::Expired => Code::Expired,
        };
        code.because(error.to_string())
    }
}

/// Judges a certificate that a machine presents for a device. `record` is `None` when the device was removed.
///
/// # Errors
/// See [`AdmissionError`].
pub fn admit(
    record: Option<&CertificateRecord<'_>>,
    presented: &PeerCertificate,
    machine_id: &str,
    now: Timestamp,
) -> Result<Admitted, AdmissionError> {
    let record = record.ok_or(AdmissionError::Removed)?;
    let is_presented = |credential: &Credential<'_>| credential.fingerprint == presented.fingerprint;
    if record.life == Life::Revoked {
        return Err(AdmissionError::Revoked);
    }
    let (credential, admitted) = match (
        record.to_come.filter(is_presented),
        record.in_use.filter(is_presented),
    ) {
        (Some(credential), _) => (credential, Admitted::Promoted),
        (None, Some(credential)) => (credential, Admitted::InUse),
        (None, None) => return Err(AdmissionError::Superseded),
    };
    if record.contested {
        return Err(AdmissionError::Contested);
    }
    if credential.machine_id != machine_id && !record.vouched {
        return Err(AdmissionError::Cloned);
    }
    if now > presented.expires {
        return Err(AdmissionError::Expired);
    }
    Ok(admitted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flotilla_identity::PeerIdentity;
    use proptest::prelude::*;

    const ID: &str = "01937c5e-7b1a-7c3e-8b9e-0123456789ab";
    const OLD: Credential<'_> = Credential {
        fingerprint: "old",
        machine_id: "nas",
    };
    const NEW: Credential<'_> = Credential {
        fingerprint: "new",
        machine_id: "nas-2",
    };

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn presented(fingerprint: &str) -> PeerCertificate {
        PeerCertificate {
            identity: PeerIdentity::device(ID.parse().unwrap(), ID.parse().unwrap()),
            not_before: at(0),
            expires: at(100),
            fingerprint: fingerprint.to_owned(),
        }
    }

    fn rotating() -> CertificateRecord<'static> {
        CertificateRecord {
            life: Life::Enrolled,
            in_use: Some(OLD),
            to_come: Some(NEW),
            contested: false,
            vouched: false,
        }
    }

    #[test]
    fn a_machine_that_a_person_vouched_for_may_have_another_id_at_each_boot() {
        let record = CertificateRecord {
            vouched: true,
            ..rotating()
        };
        for machine in ["nas", "boot-2", "boot-3"] {
            assert_eq!(
                admit(Some(&record), &presented("old"), machine, at(1)),
                Ok(Admitted::InUse)
            );
        }
        assert_eq!(
            admit(Some(&record), &presented("older"), "nas", at(1)),
            Err(AdmissionError::Superseded)
        );
    }

    #[test]
    fn of_two_that_take_turns_neither_gets_in_and_what_is_superseded_is_told_so() {
        let record = CertificateRecord {
            contested: true,
            vouched: true,
            ..rotating()
        };
        assert_eq!(
            admit(Some(&record), &presented("old"), "nas", at(1)),
            Err(AdmissionError::Contested)
        );
        assert_eq!(
            admit(Some(&record), &presented("older"), "nas", at(1)),
            Err(AdmissionError::Superseded)
        );
        assert_eq!(Problem::from(AdmissionError::Contested).code, Code::Quarantined);
    }

    #[test]
    fn while_a_device_rotates_both_certificates_are_good_and_the_new_one_takes_over() {
        let record = rotating();
        assert_eq!(
            admit(Some(&record), &presented("old"), "nas", at(1)),
            Ok(Admitted::InUse)
        );
        assert_eq!(
            admit(Some(&record), &presented("new"), "nas-2", at(1)),
            Ok(Admitted::Promoted)
        );
        let promoted = CertificateRecord {
            in_use: Some(NEW),
            to_come: None,
            ..record
        };
        assert_eq!(
            admit(Some(&promoted), &presented("old"), "nas", at(2)),
            Err(AdmissionError::Superseded)
        );
    }

    #[test]
    fn a_copied_identity_is_turned_away_and_the_original_is_not() {
        let record = CertificateRecord {
            to_come: None,
            ..rotating()
        };
        assert_eq!(
            admit(Some(&record), &presented("old"), "laptop", at(1)),
            Err(AdmissionError::Cloned)
        );
        assert_eq!(
            admit(Some(&record), &presented("old"), "nas", at(1)),
            Ok(Admitted::InUse)
        );
    }

    #[test]
    fn a_protocol_that_is_not_spoken_is_refused_with_both_versions_and_a_way_out() {
        for spoken in SPOKEN {
            assert_eq!(check_protocol(spoken), Ok(()));
        }
        for (theirs, remedy) in [
            (SPOKEN.start() - 1, "Install the agent"),
            (SPOKEN.end() + 1, "Update Flotilla"),
        ] {
            let problem = Problem::from(check_protocol(theirs).unwrap_err());
            assert_eq!(problem.code, Code::UnsupportedProtocol);
            let said = [
                format!("protocol {PROTOCOL} "),
                format!("speaks {theirs}."),
                remedy.to_owned(),
            ];
            assert!(
                said.iter().all(|part| problem.message.contains(part)),
                "{problem}"
            );
        }
    }

    #[test]
    fn an_expired_certificate_is_told_so() {
        let record = rotating();
        assert_eq!(
            admit(Some(&record), &presented("old"), "nas", at(100)),
            Ok(Admitted::InUse)
        );
        assert_eq!(
            admit(Some(&record), &presented("old"), "nas", at(101)),
            Err(AdmissionError::Expired)
        );
    }

    #[test]
    fn a_device_that_is_gone_is_told_to_stop_for_good() {
        let error = admit(None, &presented("old"), "nas", at(1)).unwrap_err();
        assert_eq!(Problem::from(error).code, Code::Revoked);
    }

    proptest! {
        #[test]
        fn nothing_admits_a_revoked_device(fingerprint in "old|new|other", machine in "nas|nas-2|laptop", now in 0i64..200) {
            let record = CertificateRecord { life: Life::Revoked, ..rotating() };
            prop_assert_eq!(admit(Some(&record), &presented(&fingerprint), &machine, at(now)), Err(AdmissionError::Revoked));
        }

        #[test]
        fn only_a_certificate_on_record_on_its_own_machine_gets_in(fingerprint in "old|new|other", machine in "nas|nas-2") {
            let admitted = admit(Some(&rotating()), &presented(&fingerprint), &machine, at(1)).is_ok();
            let own = [("old", "nas"), ("new", "nas-2")].contains(&(fingerprint.as_str(), machine.as_str()));
            prop_assert_eq!(admitted, own);
        }
    }
}
