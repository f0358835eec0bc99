//! What stands in for the data plane on systems where it can't make a network interface yet: a start that says so.

pub(crate) mod run {
    use std::net::SocketAddr;
    use std::sync::Arc;
    use std::sync::mpsc::Receiver;

    use flotilla_mesh::Tried;
    use flotilla_protocol::id::{DeviceId, RelayId};
    use flotilla_protocol::mesh::NetworkMap;
    use flotilla_protocol::path::PeerPath;
    use tokio::sync::mpsc::UnboundedSender;
    use tokio::sync::oneshot;

    use super::wake::Wake;
    use crate::stream::Rings;
    use crate::{Counts, DeviceError, Event, TunnelConfig, TunnelError};

    #[derive(Debug)]
    #[expect(dead_code, reason = "there is nobody to read it")]
    pub(crate) enum Command {
        Apply(Box<NetworkMap>, oneshot::Sender<Result<(), TunnelError>>),
        RelayAddresses(RelayId, Vec<SocketAddr>),
        StreamUp(RelayId, Rings),
        StreamDown(RelayId, Rings),
        TestPath(DeviceId, oneshot::Sender<Vec<Tried>>),
        Paths(oneshot::Sender<Vec<PeerPath>>),
        Counts(oneshot::Sender<Counts>),
        Stop,
    }

    /// There is none.
    #[derive(Debug)]
    pub(crate) enum Plane {}

    impl Plane {
        pub(crate) fn open(
            _: TunnelConfig,
            _: Arc<Wake>,
            _: Receiver<Command>,
            _: UnboundedSender<Event>,
        ) -> Result<Self, TunnelError> {
            Err(DeviceError::NotHere.into())
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
