//! A way into the lab from outside of its namespaces: connections to a port outside are forwarded to the same port of
//! the control computer.

use std::net::{Ipv4Addr, SocketAddr, TcpListener as OutsideListener};

use anyhow::Result;
use tokio::net::{TcpListener, TcpStream};

/// A port on the loopback outside. Open it before entering the lab, since a socket stays in the namespace where it was
/// made.
#[derive(Debug)]
pub struct PortForward(OutsideListener);

impl PortForward {
    /// Opens this port where it is free, else any other one.
    pub fn open(preferred: u16) -> Result<Self> {
        let at = |port| OutsideListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
        let listener = at(preferred).or_else(|_| at(0))?;
        listener.set_nonblocking(true)?;
        Ok(Self(listener))
    }

    /// The port outside. Control must use the same one, since it serves pages under its own address only.
    pub fn port(&self) -> Result<u16> {
        Ok(self.0.local_addr()?.port())
    }

    /// Forwards until the future is dropped. Call it inside the lab.
    pub async fn forward(self) -> Result<()> {
        let port = self.port()?;
        let listener = TcpListener::from_std(self.0)?;
        loop {
            let (mut outside, _) = listener.accept().await?;
            tokio::spawn(async move {
                if let Ok(mut inside) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await {
                    tokio::io::copy_bidirectional(&mut outside, &mut inside)
                        .await
                        .ok();
                }
            });
        }
    }
}
