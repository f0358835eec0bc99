//! Whether this device is still where a connection was made from.

use std::{
    io::ErrorKind,
    net::{IpAddr, UdpSocket},
    time::Duration,
};
use tokio::time::{MissedTickBehavior, interval};

/// Seldom enough to cost nothing, often enough that a move is no outage.
const LOOK: Duration = Duration::from_secs(2);

/// Returns when no interface of this system has the address any more. What was connected from there is dead, and TCP
/// does not say so before its pings are missed.
pub(crate) async fn gone(address: IpAddr) {
    let mut looks = interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        looks.tick().await;
        // Nobody can listen at an address that is not the system's.
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
        assert!(timeout(minute, gone([127, 0, 0, 1].into())).await.is_err());
        // For documentation (RFC 5737): no machine has it.
        assert!(timeout(minute, gone([192, 0, 2, 7].into())).await.is_ok());
    }
}
