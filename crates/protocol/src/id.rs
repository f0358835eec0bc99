//! Identifiers: time-ordered UUIDs (RFC 9562, version 7), one type per kind of thing.

use crate::Timestamp;
use serde::{Deserialize, Serialize};
use std::str::FromStr;
use uuid::{Builder, Uuid};

/// The text is not a UUID.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not a {1} id")]
pub struct InvalidId(String, &'static str);

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
            derive_more::Debug, derive_more::Display,
        )]
        #[debug("{_0}")]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A new id, in the order of moments. The bytes are random.
            pub fn new(now: Timestamp, random: [u8; 10]) -> Self {
                let millis = u64::try_from(now.as_millisecond()).unwrap_or(0);
                Self(Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                text.parse().map(Self).map_err(|_| InvalidId(text.to_owned(), $kind))
            }
        }
    };
}

id!(
    /// A fleet: one control server and the devices that trust its certificate authority.
    FleetId, "fleet"
);
id!(
    /// A device, for as long as its row exists. Rotation and a recreated container keep it.
    DeviceId, "device"
);
id!(
    /// The public half of an enrollment token.
    TokenId, "token"
);
id!(
    /// A relay: the fleet's id for control's own, the device's id for one that a device runs.
    RelayId, "relay"
);
id!(
    /// A job; control makes it up before it starts the job, so that a start that is repeated starts nothing new.
    JobId, "job"
);
id!(
    /// A browser's session, for people to tell sessions apart. It opens nothing.
    SessionId, "session"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_prints_as_it_parses() {
        let text = "01937c5e-7b1a-7c3e-8b9e-0123456789ab";
        assert_eq!(text.parse::<DeviceId>().unwrap().to_string(), text);
        assert_eq!(
            "nas".parse::<DeviceId>().unwrap_err().to_string(),
            "\"nas\" is not a device id"
        );
    }
}
