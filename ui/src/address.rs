//! Addresses within the application. What others have named is encoded in them, and quoted where it is part of a
//! filter.

use crate::query::{self, Key};
use flotilla_protocol::id::DeviceId;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// Everything but letters, digits and the four marks that mean nothing in any part of an address.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// A text as one part of an address.
#[must_use]
pub fn encoded(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

/// The text that a part of an address stands for. Bytes that are no text are replaced.
#[must_use]
pub fn decoded(part: &str) -> String {
    percent_decode_str(part).decode_utf8_lossy().into_owned()
}

/// An item of a device beside the table of `page`. The device is given by id or name.
#[must_use]
pub fn item(page: &str, device: &str, place: &str) -> String {
    format!("{page}/{}/{}", encoded(device), encoded(place))
}

/// A page whose table shows the rows that have all of these facts.
#[must_use]
pub fn filtered(page: &str, facts: &[(Key, &str)]) -> String {
    let terms: Vec<_> = facts
        .iter()
        .map(|(key, value)| query::fact(*key, value))
        .collect();
    format!("{page}?q={}", encoded(&terms.join(" ")))
}

/// The progress of a device that has a command and is not online yet.
#[must_use]
pub fn enrollment(device: DeviceId) -> String {
    format!("{}?device={device}", crate::registry::ADD_DEVICE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::{Query, Subject};
    use proptest::prelude::*;

    /// Names that a label of a container, a plugin or a file can have.
    const HOSTILE: [&str; 10] = [
        "media",
        "my stack",
        "say \"hi\"",
        "\"",
        ">5",
        "-media",
        "a&sort=name#top",
        "100% tag:prod",
        "../../settings?x=1",
        "Größe\u{202e}\n",
    ];

    fn query_in(address: &str) -> Query {
        let (page, query) = address.split_once("?q=").unwrap();
        assert_eq!(page, "/containers");
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.~%".contains(c);
        assert!(query.chars().all(is_plain), "{address}");
        Query::parse(&decoded(query))
    }

    fn finds_only(name: &str) {
        let query = query_in(&filtered(
            "/containers",
            &[(Key::Stack, name), (Key::Device, "nas")],
        ));
        let subject = |stack: &str, device: &str| {
            let mut subject = Subject::default();
            subject.add(Key::Stack, stack);
            subject.add(Key::Device, device);
            subject
        };
        assert_eq!(query.choice(Key::Stack, name), Some(true), "{name}");
        assert!(query.matches(&subject(name, "nas")), "{name}");
        assert!(!query.matches(&subject(name, "attic")), "{name}");
        assert!(!query.matches(&subject(&format!("{name}x"), "nas")), "{name}");
    }

    #[test]
    fn a_link_to_filtered_rows_finds_the_rows_of_the_name_whatever_it_is() {
        for name in HOSTILE {
            finds_only(name);
        }
    }

    #[test]
    fn a_name_stays_one_part_of_an_address() {
        for name in HOSTILE {
            let address = item("/stacks", "nas", name);
            let place = address.strip_prefix("/stacks/nas/").unwrap();
            assert!(!place.contains(['/', '?', '#', ' ', '"']), "{address}");
            assert_eq!(decoded(place), name);
        }
    }

    proptest! {
        #[test]
        fn any_name_is_found_by_its_link(name in ".{1,20}") {
            finds_only(&name);
        }
    }
}
