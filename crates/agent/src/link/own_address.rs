//! Notices when this device no longer has the address from which a connection was made.
//!
//! The address is checked from time to time rather than by netlink, as the data plane does: an agent has its link to
//! control without a data plane, too, and on every system.

use std::{
    io::ErrorKind,
    net::{IpAddr, UdpSocket},
    time::Duration,
};
use tokio::time::{MissedTickBehavior, interval};

/// Between two checks. A check is one system call, and a device that moved is offline for no longer than this and a
/// dial.
const CHECK_INTERVAL: Duration = Duration::from_secs(2);

/// Returns when no interface of this system has the address any more. Connections from it are dead then, and TCP
/// reports no error until the pings of the link are missed.
pub(super) async fn until_gone(address: IpAddr) {
    let mut checks = interval(CHECK_INTERVAL);
    checks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        checks.tick().await;
        // The system lets a socket be bound only to its own addresses.
        let bound = UdpSocket::bind((address, 0));
        if bound.is_err_and(|error| error.kind() == ErrorKind::AddrNotAvailable) {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::timeout;

    #[tokio::test(start_paused = true)]
    async fn an_address_is_gone_when_no_interface_has_it() {
        let minute = Duration::from_secs(60);
        assert!(timeout(minute, until_gone([127, 0, 0, 1].into())).await.is_err());
        // For documentation (RFC 5737): no machine has it.
        assert!(timeout(minute, until_gone([192, 0, 2, 7].into())).await.is_ok());
    }
}
