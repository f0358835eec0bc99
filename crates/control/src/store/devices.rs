//! Devices: their records, which outlive links, tokens and certificates.

use super::{Store, StoreError, cells, to_json};
use flotilla_protocol::{
    Timestamp,
    agent::RELAY_MBIT_PER_SECOND,
    cidr::IpRange,
    device::{CertificateFacts, NetworkMode, RelayPreference},
    endpoint::Endpoint,
    id::DeviceId,
    name::{DeviceName, Tag},
};
use serde::{Deserialize, Serialize};
use sqlx::{Sqlite, Transaction, sqlite::SqliteRow};
use std::net::Ipv4Addr;

/// A device as control records it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DeviceRow {
    pub(crate) id: DeviceId,
    pub(crate) name: DeviceName,
    pub(crate) mode: NetworkMode,
    pub(crate) relay: RelayPreference,
    pub(crate) tags: Vec<Tag>,
    pub(crate) mesh_ip: Ipv4Addr,
    pub(crate) this_computer: bool,
    pub(crate) created: Timestamp,
    pub(crate) enrolled: Option<Timestamp>,
    pub(crate) revoked: Option<Timestamp>,
    /// The credential in use. Every other one except `incoming` is void.
    pub(crate) credential: Option<Credential>,
    /// A credential that was issued, and that no link has shown yet.
    pub(crate) incoming: Option<Credential>,
    pub(crate) imposter: Option<Imposter>,
    pub(crate) last_seen: Option<Timestamp>,
    /// The networks in its routing table when it enrolled.
    pub(crate) routes: Vec<IpRange>,
    /// How it relays other devices' packets; `None` while it is no relay.
    pub(crate) relaying: Option<Relaying>,
    /// The owner decided for host networking although the engine is Docker Desktop's.
    pub(crate) host_kept: bool,
    /// The owner vouches that it is one machine: its machine id may differ from link to link.
    pub(crate) vouched: bool,
}

impl DeviceRow {
    /// Whether two machines take turns with its identity, and no person has decided yet.
    pub(crate) fn is_contested(&self) -> bool {
        self.imposter
            .as_ref()
            .is_some_and(|other| other.contests.is_some())
    }
}

/// How a device relays other devices' packets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Relaying {
    pub(crate) port: u16,
    /// Where other devices reach it; `None` for its own addresses.
    pub(crate) address: Option<Endpoint>,
    /// The limit for all other devices together.
    #[serde(default = "mbit_per_second")]
    pub(crate) mbit_per_second: u32,
}

fn mbit_per_second() -> u32 {
    RELAY_MBIT_PER_SECOND
}

/// The result of one enrollment: a certificate, and the machine and the mesh key that belong to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Credential {
    #[serde(flatten)]
    pub(crate) certificate: CertificateFacts,
    pub(crate) machine_id: String,
    /// X25519, base64.
    pub(crate) wireguard_key: String,
}

impl DeviceRow {
    /// Whether the certificate with this fingerprint is the device's.
    pub(crate) fn trusts(&self, fingerprint: &str) -> bool {
        let held = self.credential.as_ref().filter(|_| self.revoked.is_none());
        held.is_some_and(|held| held.certificate.fingerprint == fingerprint)
    }
}

/// A machine that presented another device's identity and was turned away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Imposter {
    pub(crate) hostname: String,
    pub(crate) address: String,
    pub(crate) at: Timestamp,
    /// The machine that it takes turns with, if it does. Control can't know which of the two is the device, so both are
    /// turned away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) contests: Option<String>,
}

fn read(row: &SqliteRow) -> Result<DeviceRow, StoreError> {
    let cells = cells("devices", "id", row);
    Ok(DeviceRow {
        id: cells.parse("id")?,
        name: cells.parse("name")?,
        mode: cells.parse("mode")?,
        relay: cells.parse("relay")?,
        tags: cells.json("tags")?,
        mesh_ip: cells.parse("mesh_ip")?,
        this_computer: cells.get("this_computer")?,
        created: cells.moment("created")?,
        enrolled: cells.moment_if_any("enrolled")?,
        revoked: cells.moment_if_any("revoked")?,
        credential: cells.json_if_any("credential")?,
        incoming: cells.json_if_any("incoming")?,
        imposter: cells.json_if_any("imposter")?,
        last_seen: cells.moment_if_any("last_seen")?,
        routes: cells.json("routes")?,
        relaying: cells.json_if_any("relaying")?,
        host_kept: cells.get("host_kept")?,
        vouched: cells.get("vouched")?,
    })
}

impl Store {
    pub(crate) async fn list_devices(&self) -> Result<Vec<DeviceRow>, StoreError> {
        let rows = sqlx::query("SELECT * FROM devices ORDER BY id")
            .fetch_all(&self.readers)
            .await?;
        rows.iter().map(read).collect()
    }

    /// Writes a device's row, new or changed.
    pub(crate) async fn save_device(&self, device: &DeviceRow) -> Result<(), StoreError> {
        let mut transaction = self.writer.begin().await?;
        write(&mut transaction, device).await?;
        Ok(transaction.commit().await?)
    }

    /// Writes a device whose new credential came into use, and ends the keys of its earlier ones.
    pub(crate) async fn save_superseded(&self, device: &DeviceRow, now: Timestamp) -> Result<(), StoreError> {
        let mut transaction = self.writer.begin().await?;
        write(&mut transaction, device).await?;
        let kept = device.credential.as_ref().map(|held| held.wireguard_key.as_str());
        super::keys::end(&mut transaction, device.id, kept, now).await?;
        Ok(transaction.commit().await?)
    }

    /// Deletes a device, its tokens and its last report. Its activity stays.
    pub(crate) async fn delete_device(&self, id: DeviceId) -> Result<(), StoreError> {
        let mut stored_reports = self.stored_reports.lock().await;
        stored_reports.remove(&id);
        sqlx::query("DELETE FROM devices WHERE id = ?")
            .bind(id.to_string())
            .execute(&self.writer)
            .await?;
        Ok(())
    }
}

/// Writes all devices after the mesh moved to another range.
pub(super) async fn move_all(
    transaction: &mut Transaction<'_, Sqlite>,
    devices: &[DeviceRow],
) -> Result<(), StoreError> {
    // Each address is unique, and a new one may be another device's old one, so all are cleared first.
    sqlx::query("UPDATE devices SET mesh_ip = id")
        .execute(&mut **transaction)
        .await?;
    for device in devices {
        write(transaction, device).await?;
    }
    Ok(())
}

pub(super) async fn write(
    transaction: &mut Transaction<'_, Sqlite>,
    device: &DeviceRow,
) -> Result<(), StoreError> {
    let millis = |at: Option<Timestamp>| at.map(Timestamp::as_millisecond);
    sqlx::query(
        "INSERT INTO devices (id, name, mode, relay, tags, mesh_ip, this_computer, created, enrolled, revoked, \
         credential, incoming, imposter, last_seen, routes, relaying, host_kept, vouched) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18) \
         ON CONFLICT (id) DO UPDATE SET name = ?2, mode = ?3, relay = ?4, tags = ?5, mesh_ip = ?6, \
         this_computer = ?7, created = ?8, enrolled = ?9, revoked = ?10, credential = ?11, incoming = ?12, \
         imposter = ?13, last_seen = ?14, routes = ?15, relaying = ?16, host_kept = ?17, vouched = ?18",
    )
    .bind(device.id.to_string())
    .bind(device.name.as_str())
    .bind(device.mode.as_str())
    .bind(device.relay.as_str())
    .bind(to_json(&device.tags)?)
    .bind(device.mesh_ip.to_string())
    .bind(device.this_computer)
    .bind(device.created.as_millisecond())
    .bind(millis(device.enrolled))
    .bind(millis(device.revoked))
    .bind(device.credential.as_ref().map(to_json).transpose()?)
    .bind(device.incoming.as_ref().map(to_json).transpose()?)
    .bind(device.imposter.as_ref().map(to_json).transpose()?)
    .bind(millis(device.last_seen))
    .bind(to_json(&device.routes)?)
    .bind(device.relaying.as_ref().map(to_json).transpose()?)
    .bind(device.host_kept)
    .bind(device.vouched)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::store::tests::{moment, open};

    pub(crate) fn device(name: &str, nth: u8) -> DeviceRow {
        DeviceRow {
            id: format!("01937c5e-7b1a-7c3e-8b9e-0000000000{nth:02x}")
                .parse()
                .unwrap(),
            name: name.parse().unwrap(),
            mode: NetworkMode::Host,
            relay: RelayPreference::Auto,
            tags: vec!["prod".parse().unwrap()],
            mesh_ip: Ipv4Addr::new(100, 71, 0, nth),
            this_computer: false,
            created: moment(1),
            enrolled: None,
            revoked: None,
            credential: None,
            incoming: None,
            imposter: None,
            last_seen: None,
            routes: vec![],
            relaying: None,
            host_kept: false,
            vouched: false,
        }
    }

    #[tokio::test]
    async fn a_device_reads_back_as_it_was_saved_and_changed() {
        let (store, _dir) = open().await;
        let mut nas = device("nas", 1);
        store.save_device(&nas).await.unwrap();
        nas.name = "nas-2".parse().unwrap();
        nas.enrolled = Some(moment(2));
        nas.credential = Some(Credential {
            certificate: CertificateFacts {
                issued: moment(2),
                expires: moment(3),
                fingerprint: "ab".into(),
            },
            machine_id: "m".into(),
            wireguard_key: "w".into(),
        });
        nas.imposter = Some(Imposter {
            hostname: "copy".into(),
            address: "192.0.2.7".into(),
            at: moment(4),
            contests: Some("nas at 192.0.2.1".into()),
        });
        nas.routes = vec!["192.168.1.0/24".parse().unwrap()];
        nas.relaying = Some(Relaying {
            port: 7443,
            address: Some("relay.example.com".parse().unwrap()),
            mbit_per_second: 20,
        });
        nas.host_kept = true;
        nas.vouched = true;
        store.save_device(&nas).await.unwrap();
        assert_eq!(store.list_devices().await.unwrap(), [nas.clone()]);
        store.delete_device(nas.id).await.unwrap();
        assert_eq!(store.list_devices().await.unwrap(), []);
    }

    #[tokio::test]
    async fn two_devices_never_share_a_name_or_an_address() {
        let (store, _dir) = open().await;
        store.save_device(&device("nas", 1)).await.unwrap();
        assert!(store.save_device(&device("nas", 2)).await.is_err());
        let mut same_address = device("desk", 3);
        same_address.mesh_ip = Ipv4Addr::new(100, 71, 0, 1);
        assert!(store.save_device(&same_address).await.is_err());
    }

    #[tokio::test]
    async fn a_row_that_no_flotilla_wrote_is_named() {
        let (store, _dir) = open().await;
        store.save_device(&device("nas", 1)).await.unwrap();
        sqlx::query("UPDATE devices SET mode = 'vpn'")
            .execute(&store.writer)
            .await
            .unwrap();
        let error = store.list_devices().await.unwrap_err().to_string();
        assert!(error.starts_with("devices.mode of 01937c5e"), "{error}");
    }
}
