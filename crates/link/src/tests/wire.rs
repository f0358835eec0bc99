//! A wire between an agent and its control that can be frozen.

use flotilla_protocol::endpoint::Endpoint;
use std::net::SocketAddr;
use tokio::{
    io::copy,
    net::{TcpListener, TcpStream},
    sync::watch,
};
use tokio_util::sync::{CancellationToken, DropGuard};

/// A connection to `address` that can be frozen: bytes then stay where they are, and neither end is told.
pub(super) struct Wire {
    pub(super) endpoint: Endpoint,
    frozen: watch::Sender<bool>,
    _stop: DropGuard,
}

impl Wire {
    pub(super) async fn to(address: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let local = listener.local_addr().unwrap();
        let (frozen, state) = watch::channel(false);
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        tokio::spawn(stopped.run_until_cancelled_owned(async move {
            while let Ok((near, _)) = listener.accept().await {
                let far = TcpStream::connect(address).await.unwrap();
                tokio::spawn(forward(near, far, state.clone()));
            }
        }));
        Self {
            endpoint: Endpoint::from_ip(local.ip(), local.port()),
            frozen,
            _stop: stop.drop_guard(),
        }
    }

    pub(super) fn freeze(&self) {
        self.frozen.send_replace(true);
    }
}

async fn forward(near: TcpStream, far: TcpStream, mut frozen: watch::Receiver<bool>) {
    let ((mut near_in, mut near_out), (mut far_in, mut far_out)) = (near.into_split(), far.into_split());
    tokio::select! {
        _ = copy(&mut near_in, &mut far_out) => return,
        _ = copy(&mut far_in, &mut near_out) => return,
        _ = frozen.wait_for(|frozen| *frozen) => {}
    }
    // Both sockets stay open and silent until the test is over.
    let _ = frozen.wait_for(|frozen| !*frozen).await;
}
