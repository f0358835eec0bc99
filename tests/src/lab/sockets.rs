//! Sockets that belong to a machine's network and are held by the test.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};

use super::{Machine, network};

impl Machine {
    /// Runs `work` on a thread in the machine's network. Sockets that it opens stay in that network.
    pub fn inside<T: Send>(&self, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
        let namespace = self.unique_name();
        thread::scope(|scope| {
            let visitor = scope.spawn(move || {
                network::enter(namespace)?;
                work()
            });
            visitor
                .join()
                .map_err(|_| anyhow!("a visitor of {namespace} panicked"))?
        })
    }

    /// Echoes what connections to this TCP port of the machine send, until the test's process ends.
    pub fn echo(&self, port: u16) -> Result<()> {
        self.inside(|| echo((Ipv4Addr::UNSPECIFIED, port)))
    }

    /// A TCP connection from this machine. `within` also limits each read and each write on it.
    pub fn connect(&self, address: impl Into<SocketAddr> + Send, within: Duration) -> Result<TcpStream> {
        let address = address.into();
        let stream = self
            .inside(|| Ok(TcpStream::connect_timeout(&address, within)?))
            .with_context(|| format!("{} connects to {address}", self.name()))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(within))?;
        stream.set_write_timeout(Some(within))?;
        Ok(stream)
    }

    /// The answer of a web server to `GET /` from this machine.
    pub fn get(&self, address: impl Into<SocketAddr> + Send, within: Duration) -> Result<String> {
        let mut stream = self.connect(address, within)?;
        stream.write_all(b"GET / HTTP/1.0\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    }

    /// A UDP socket of this machine. A read on it fails after `patience`.
    pub fn udp(&self, port: u16, patience: Duration) -> Result<UdpSocket> {
        self.inside(|| {
            let socket = UdpSocket::bind((IpAddr::from([0, 0, 0, 0]), port))?;
            socket.set_read_timeout(Some(patience))?;
            Ok(socket)
        })
    }
}

/// Echoes what connections to this address send, in the network namespace of the calling thread.
pub fn echo(address: impl Into<SocketAddr>) -> Result<()> {
    let listener = TcpListener::bind(address.into())?;
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || repeat(stream));
        }
    });
    Ok(())
}

/// Sends one byte to an [`Machine::echo`] and waits for it to come back.
pub fn ping(stream: &mut TcpStream) -> Result<()> {
    let mut byte = [7];
    stream.write_all(&byte)?;
    Ok(stream.read_exact(&mut byte)?)
}

/// Waits until a byte crosses an open connection again; returns how long that took.
pub fn passes_again(stream: &mut TcpStream, within: Duration) -> Result<Duration> {
    let begun = Instant::now();
    stream.set_read_timeout(Some(within))?;
    ping(stream).context("the connection broke")?;
    Ok(begun.elapsed())
}

/// Sends this many bytes to a [`Machine::echo`] and reads them back.
pub fn transfer(stream: &mut TcpStream, bytes: usize) -> Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    stream.set_write_timeout(Some(Duration::from_secs(20)))?;
    let mut out = stream.try_clone()?;
    let data: Vec<u8> = (0..=255).cycle().take(bytes).collect();
    let sent = data.clone();
    let sender = thread::spawn(move || out.write_all(&sent));
    let mut back = vec![0; bytes];
    stream.read_exact(&mut back)?;
    ensure!(back == data, "it came back changed");
    sender.join().ok().context("the sender panicked")??;
    Ok(())
}

fn repeat(mut stream: TcpStream) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(length @ 1..) = stream.read(&mut buffer) {
        if stream.write_all(&buffer[..length]).is_err() {
            return;
        }
    }
}
