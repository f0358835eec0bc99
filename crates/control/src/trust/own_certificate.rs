//! Control's own certificate, which is replaced while control runs.
//!
//! Life cycle: read from the data directory, or issued when none there is of use → presented in each handshake → when
//! it is due, the next one is issued, presented and written. The key stays, and with it the pin in install commands.
//! Connections keep the certificate with which they began.
//!
//! A certificate that can't be written is presented all the same, and written later: a control with a full disk must
//! not expire.

use crate::data_dir::ReplacedFile;
use flotilla_identity::{FleetCa, IssuedCertificate, LeafKey, LiveCertificate, MaterialError};
use flotilla_protocol::Timestamp;
use jiff::SignedDuration;
use parking_lot::Mutex;

/// The pause before a write that failed is tried again. A full disk rarely has room sooner, and a minute is short beside
/// the 30 days that are left of the certificate.
const RETRY: SignedDuration = SignedDuration::from_mins(1);

#[derive(Debug)]
pub(super) struct OwnCertificate {
    live: LiveCertificate,
    file: ReplacedFile,
    kept: Mutex<Kept>,
}

#[derive(Debug)]
struct Kept {
    issued: IssuedCertificate,
    is_written: bool,
    failure: Option<Failure>,
}

/// The last attempt, which failed.
#[derive(Debug)]
struct Failure {
    at: Timestamp,
    reason: String,
}

impl Kept {
    fn is_in_order(&self, now: Timestamp) -> bool {
        self.is_written && !self.issued.is_due(now)
    }

    /// Each reason is logged once until another comes or the attempt succeeds.
    fn note_failure(&mut self, reason: String, now: Timestamp) {
        if self.failure.as_ref().is_none_or(|last| last.reason != reason) {
            let expires = self.issued.expires;
            tracing::error!(reason, certificate.expires = %expires, "control's next certificate is not kept; it is tried again");
        }
        self.failure = Some(Failure { at: now, reason });
    }
}

impl OwnCertificate {
    /// Takes up the certificate in `file`; what is wrong with it never keeps control from starting.
    pub(super) fn open(
        ca: &FleetCa,
        key: &LeafKey,
        file: ReplacedFile,
        now: Timestamp,
    ) -> Result<Self, MaterialError> {
        let stored = read(ca, key, &file).filter(|stored| !stored.is_due(now));
        let is_written = stored.is_some();
        let issued = stored.map_or_else(|| ca.issue_control(key, now), Ok)?;
        let own = Self {
            live: LiveCertificate::new(key, &issued.pem, ca.cert_pem())?,
            file,
            kept: Mutex::new(Kept {
                issued,
                is_written,
                failure: None,
            }),
        };
        own.tend(ca, key, now);
        Ok(own)
    }

    /// For a TLS configuration, which then presents the one that is in use.
    pub(super) fn live(&self) -> &LiveCertificate {
        &self.live
    }

    /// Whether [`OwnCertificate::tend`] has something to do. After a failure that is so a minute later, or when the
    /// clock was set.
    pub(super) fn is_to_be_tended(&self, now: Timestamp) -> bool {
        let kept = self.kept.lock();
        let failed = kept.failure.as_ref().map(|failure| failure.at);
        !kept.is_in_order(now) && failed.is_none_or(|at| now.duration_since(at).abs() >= RETRY)
    }

    /// Issues the next certificate when it is due, and writes what is not written. Takes as long as the disk does.
    pub(super) fn tend(&self, ca: &FleetCa, key: &LeafKey, now: Timestamp) {
        let mut kept = self.kept.lock();
        if kept.issued.is_due(now) {
            match self.issue(ca, key, now) {
                Ok(issued) => {
                    tracing::info!(certificate.expires = %issued.expires, "control presents its next certificate");
                    (kept.issued, kept.is_written) = (issued, false);
                }
                Err(error) => return kept.note_failure(error.to_string(), now),
            }
        }
        if kept.is_written {
            return;
        }
        match self.file.write(&kept.issued.pem) {
            Ok(()) => (kept.is_written, kept.failure) = (true, None),
            Err(error) => kept.note_failure(error.to_string(), now),
        }
    }

    fn issue(&self, ca: &FleetCa, key: &LeafKey, now: Timestamp) -> Result<IssuedCertificate, MaterialError> {
        let issued = ca.issue_control(key, now)?;
        self.live.replace(key, &issued.pem, ca.cert_pem())?;
        Ok(issued)
    }
}

/// The stored certificate, if it is control's. It can be made again at any time, so one that isn't is left out.
fn read(ca: &FleetCa, key: &LeafKey, file: &ReplacedFile) -> Option<IssuedCertificate> {
    let pem = file
        .read()
        .inspect_err(|error| tracing::warn!(%error, "control's certificate can't be read"))
        .ok()??;
    IssuedCertificate::read_control(ca, key, &pem)
        .inspect_err(
            |error| tracing::warn!(%error, "the stored certificate is not control's; another is made"),
        )
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data_dir::DataDir;
    use flotilla_identity::LEAF_LIFETIME;
    use std::sync::Arc;

    const FILE: &str = "control.pem";
    const DAY: i64 = 86_400;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    struct Rig {
        _parent: tempfile::TempDir,
        dir: DataDir,
        ca: FleetCa,
        key: LeafKey,
    }

    impl Rig {
        fn new() -> Self {
            let parent = tempfile::tempdir().unwrap();
            let fleet = "01937c5e-7b1a-7c3e-8b9e-0123456789ab".parse().unwrap();
            Self {
                dir: DataDir::open(parent.path()).unwrap(),
                _parent: parent,
                ca: FleetCa::create(fleet, at(0)).unwrap(),
                key: LeafKey::generate().unwrap(),
            }
        }

        fn open(&self, now: i64) -> OwnCertificate {
            OwnCertificate::open(&self.ca, &self.key, self.dir.replaced_file(FILE), at(now)).unwrap()
        }

        fn tend(&self, own: &OwnCertificate, now: i64) {
            own.tend(&self.ca, &self.key, at(now));
        }

        fn written(&self) -> Option<String> {
            self.dir.read(FILE).unwrap()
        }
    }

    fn pem(own: &OwnCertificate) -> String {
        own.kept.lock().issued.pem.clone()
    }

    #[test]
    fn a_start_takes_up_the_certificate_of_the_one_before_until_it_is_due() {
        let rig = Rig::new();
        let first = pem(&rig.open(0));
        assert_eq!(rig.written().as_ref(), Some(&first));
        assert_eq!(pem(&rig.open(60 * DAY - 1)), first);
        let second = pem(&rig.open(60 * DAY));
        assert_ne!(second, first);
        assert_eq!(rig.written(), Some(second));
    }

    #[test]
    fn a_certificate_that_is_of_no_use_is_made_again() {
        let rig = Rig::new();
        let mut last = pem(&rig.open(0));
        let of_another_key = rig
            .ca
            .issue_control(&LeafKey::generate().unwrap(), at(0))
            .unwrap();
        for text in ["garbled", of_another_key.pem.as_str()] {
            rig.dir.write(FILE, text).unwrap();
            let next = pem(&rig.open(0));
            assert_ne!(next, last);
            assert_eq!(rig.written().as_ref(), Some(&next));
            last = next;
        }
        rig.dir.remove(FILE);
        assert_ne!(pem(&rig.open(0)), last);
    }

    #[test]
    fn a_certificate_that_a_clock_set_years_ahead_has_dated_is_replaced_when_the_clock_is_right_again() {
        let rig = Rig::new();
        let own = rig.open(900 * DAY);
        assert!(!own.is_to_be_tended(at(900 * DAY)) && own.is_to_be_tended(at(0)));
        rig.tend(&own, 0);
        assert!(!own.is_to_be_tended(at(0)));
        let issued = own.kept.lock().issued.clone();
        assert_eq!(issued.not_before, at(-600));
        let life = i64::try_from(LEAF_LIFETIME.as_secs()).unwrap();
        assert_eq!(issued.expires, at(life));
    }

    #[test]
    fn a_certificate_that_cannot_be_written_is_presented_said_once_and_written_later() {
        let log = tempfile::NamedTempFile::new().unwrap();
        let writer = Arc::new(log.reopen().unwrap());
        let subscriber = tracing_subscriber::fmt().with_writer(writer).finish();
        let _saying = tracing::subscriber::set_default(subscriber);
        // With one subscriber alone, another thread's answer whether a line is wanted would be kept for all.
        let _second = tracing::Dispatch::new(tracing_subscriber::registry());
        let rig = Rig::new();
        let own = rig.open(0);
        let first = pem(&own);
        // No file can take the place of a directory that is not empty.
        rig.dir.remove(FILE);
        std::fs::create_dir_all(rig.dir.file(FILE).join("in the way")).unwrap();
        rig.tend(&own, 70 * DAY);
        let second = pem(&own);
        assert_ne!(second, first);
        assert!(!own.is_to_be_tended(at(70 * DAY)), "not at once");
        assert!(own.is_to_be_tended(at(70 * DAY + 60)));
        rig.tend(&own, 70 * DAY + 60);
        let said = std::fs::read_to_string(log.path()).unwrap();
        assert_eq!(said.matches("ERROR").count(), 1, "{said}");
        std::fs::remove_dir_all(rig.dir.file(FILE)).unwrap();
        rig.tend(&own, 70 * DAY + 120);
        assert!(!own.is_to_be_tended(at(71 * DAY)));
        assert_eq!(rig.written(), Some(second), "the same one");
    }
}
