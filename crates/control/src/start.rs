//! Why control cannot start. Each message says what to do.

use std::{io, net::SocketAddr, path::PathBuf};

/// A start that did not happen. Nothing on disk was changed by it.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(
        "Another Flotilla{} is using {dir}. Run `flotilla open` for a link that signs you in to it; or quit it, or choose another data directory with --data-dir.",
        holder.map(|pid| format!(" (process {pid})")).unwrap_or_default(), dir = dir.display()
    )]
    Locked { dir: PathBuf, holder: Option<u32> },
    #[error(
        "The data directory {path} can't be read or written: {source}. Make it writable for the user that runs Flotilla, or choose another with --data-dir.",
        path = path.display()
    )]
    DataDir { path: PathBuf, source: io::Error },
    #[error(
        "Port {port} for devices is already in use on {address}. Stop the other program, or choose another port with --fleet-addr.",
        port = address.port()
    )]
    FleetPortTaken { address: SocketAddr },
    #[error(
        "Port {port} for this computer is already in use. Stop the other program, or choose another port with --api-addr.",
        port = address.port()
    )]
    ApiPortTaken { address: SocketAddr },
    #[error("{address} can't be listened on: {source}. Choose another address with {flag}.")]
    Listen {
        address: SocketAddr,
        flag: &'static str,
        source: io::Error,
    },
    #[error(
        "{address} is not an address of this computer alone. The API is for this computer only: use 127.0.0.1:{port} with --api-addr.",
        port = address.port()
    )]
    ApiNotLoopback { address: SocketAddr },
    #[error(
        "{path} does not hold the fleet's keys: {reason}. Restore it from a backup; without it no device trusts this control.",
        path = path.display()
    )]
    Keys { path: PathBuf, reason: String },
    #[error(
        "{path} was written by a newer Flotilla. Start that version, or restore a backup made by this one.",
        path = path.display()
    )]
    NewerStore { path: PathBuf },
    #[error(
        "The database {path} can't be opened: {reason}. Restore it from a backup, or choose another data directory with --data-dir.",
        path = path.display()
    )]
    Store { path: PathBuf, reason: String },
    #[error("This computer has no random numbers to make keys from.")]
    Randomness,
}
