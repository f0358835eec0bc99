//! Tunnels: the ssh hosts that carry the links of devices that can't dial control.

use super::{Store, StoreError, cells};
use flotilla_protocol::{endpoint::Endpoint, id::DeviceId};
use std::{collections::BTreeMap, net::Ipv4Addr};

/// A port of a device's loopback that `ssh` carries to the fleet port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tunnel {
    /// As the owner named it.
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl Tunnel {
    /// The endpoint at which its device reaches control.
    pub(crate) fn endpoint(&self) -> Endpoint {
        Endpoint::from_ip(Ipv4Addr::LOCALHOST.into(), self.port)
    }
}

impl Store {
    pub(crate) async fn list_tunnels(&self) -> Result<BTreeMap<DeviceId, Tunnel>, StoreError> {
        let rows = sqlx::query("SELECT device_id, host, port FROM tunnels")
            .fetch_all(&self.readers)
            .await?;
        let read = rows.iter().map(|row| {
            let cells = cells("tunnels", "device_id", row);
            let (host, port) = (cells.get("host")?, cells.number("port")?);
            Ok((cells.parse("device_id")?, Tunnel { host, port }))
        });
        read.collect()
    }

    /// Writes a device's tunnel, in place of an earlier one.
    pub(crate) async fn save_tunnel(&self, device: DeviceId, tunnel: &Tunnel) -> Result<(), StoreError> {
        sqlx::query("INSERT OR REPLACE INTO tunnels (device_id, host, port) VALUES (?, ?, ?)")
            .bind(device.to_string())
            .bind(&tunnel.host)
            .bind(i64::from(tunnel.port))
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    pub(crate) async fn delete_tunnel(&self, device: DeviceId) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM tunnels WHERE device_id = ?")
            .bind(device.to_string())
            .execute(&self.writer)
            .await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::{device, open};

    #[tokio::test]
    async fn a_device_has_one_tunnel_until_it_is_ended_or_the_device_is_gone() {
        let (store, _dir) = open().await;
        let nas = device("nas", 1);
        store.save_device(&nas).await.unwrap();
        let tunnel = |port| Tunnel {
            host: "pi@nas".into(),
            port,
        };
        store.save_tunnel(nas.id, &tunnel(21_000)).await.unwrap();
        store.save_tunnel(nas.id, &tunnel(21_001)).await.unwrap();
        let kept = store.list_tunnels().await.unwrap();
        assert_eq!(kept, BTreeMap::from([(nas.id, tunnel(21_001))]));
        store.delete_tunnel(nas.id).await.unwrap();
        assert!(store.list_tunnels().await.unwrap().is_empty());
        store.save_tunnel(nas.id, &tunnel(21_002)).await.unwrap();
        store.delete_device(nas.id).await.unwrap();
        assert!(store.list_tunnels().await.unwrap().is_empty());
    }
}
