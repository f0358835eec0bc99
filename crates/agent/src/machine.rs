//! The machine under the agent: its facts, its figures, its time, and an id that tells it from a copy.

mod clock;
mod gauge;
mod system;

pub(crate) use clock::AgentClock;
pub(crate) use gauge::Gauge;
pub(crate) use system::{hostname, routes};

use crate::state::{StateDir, StateError};
use sha2::{Digest as _, Sha256};
use std::{fmt::Write as _, fs};

/// Where an installed system keeps an identifier of its own (`machine-id(5)`). Images of machines are expected to
/// reset it, and a container has it only when it is mounted.
const MACHINE_ID_FILES: [&str; 2] = ["/etc/machine-id", "/var/lib/dbus/machine-id"];

/// A stable identifier of this machine, so that a copied state directory shows.
///
/// The system's own identifier is not given away: it is hashed together with what it is used for, as
/// `machine-id(5)` asks. A machine that has none gets a random one, kept in the state directory; a copy of that
/// directory to another machine without an identifier then goes unnoticed.
pub(crate) fn id(state: &StateDir) -> Result<String, StateError> {
    let own = MACHINE_ID_FILES
        .iter()
        .find_map(|path| well_formed(&fs::read_to_string(path).ok()?));
    if let Some(own) = own {
        return Ok(hashed(&own));
    }
    if let Some(made_up) = state.get().machine_id {
        return Ok(made_up);
    }
    let made_up = hashed(&rand::random::<u128>().to_string());
    state.update(|state| state.machine_id = Some(made_up.clone()))?;
    Ok(made_up)
}

/// The id, if it is 32 hexadecimal digits; during the first boot the file may say `uninitialized`.
fn well_formed(text: &str) -> Option<String> {
    let text = text.trim();
    (text.len() == 32 && text.bytes().all(|c| c.is_ascii_hexdigit())).then(|| text.to_owned())
}

fn hashed(id: &str) -> String {
    let digest = Sha256::new()
        .chain_update(b"flotilla machine id v1 ")
        .chain_update(id)
        .finalize();
    digest.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_is_told_from_others_without_giving_its_id_away() {
        let id = "0123456789abcdef0123456789abcdef";
        assert_eq!(hashed(id), hashed(id));
        assert_eq!(hashed(id).len(), 64);
        assert!(!hashed(id).contains(id));
        assert_eq!(well_formed(&format!("{id}\n")).as_deref(), Some(id));
        assert_eq!(well_formed("uninitialized\n"), None);
    }

    #[test]
    fn a_machine_without_an_id_keeps_the_one_it_made_up() {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::open(dir.path()).unwrap();
        assert_eq!(id(&state).unwrap(), id(&state).unwrap());
    }
}
