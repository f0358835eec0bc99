//! The data plane's stand-in on systems where it cannot create a network interface: starting it fails with a message.

use std::io;

use flotilla_protocol::enroll::MeshAddress;

use crate::Obstacle;

/// No obstacle can exist without a data plane.
///
/// # Errors
/// None.
pub fn obstacle(_: &str, _: MeshAddress) -> io::Result<Option<Obstacle>> {
    Ok(None)
}

pub(crate) mod run {
    use std::sync::Arc;
    use std::sync::mpsc::Receiver;

    use tokio::sync::mpsc::UnboundedSender;

    use super::wake::Wake;
    use crate::command::Command;
    use crate::{DeviceError, Event, TunnelConfig, TunnelError};

    /// Has no value, because opening it always fails.
    #[derive(Debug)]
    pub(crate) enum Plane {}

    impl Plane {
        pub(crate) fn open(
            _: TunnelConfig,
            _: Arc<Wake>,
            _: Receiver<Command>,
            _: UnboundedSender<Event>,
        ) -> Result<Self, TunnelError> {
            Err(DeviceError::Unsupported.into())
        }

        pub(crate) fn port(&self) -> u16 {
            match *self {}
        }

        pub(crate) fn run(self) {
            match self {}
        }
    }
}

pub(crate) mod wake {
    use std::io;

    #[derive(Debug)]
    pub(crate) struct Wake;

    impl Wake {
        pub(crate) fn new() -> io::Result<Self> {
            Ok(Self)
        }

        pub(crate) fn wake(&self) {}
    }
}
