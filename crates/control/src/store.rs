//! The store, for what must survive a restart: SQLite with one writer and a few readers, one file per table.
//!
//! Writes go through one connection, so they never meet a busy database; reads see the last commit and never
//! wait for a write. Migrations are embedded and only go forward.

mod activity;
mod api_tokens;
mod devices;
mod fleet;
mod inventory;
mod items;
mod jobs;
mod keys;
mod policy;
mod tokens;
mod tunnels;

pub(crate) use activity::NewActivity;
pub(crate) use api_tokens::ApiTokenRow;
pub(crate) use devices::{Credential, DeviceRow, Imposter, Relaying};
pub(crate) use fleet::FleetRow;
pub(crate) use inventory::LastReport;
pub(crate) use jobs::Newest;
pub(crate) use keys::ticket_end;
pub(crate) use tokens::{TokenRow, TokenUse, UseOutcome};
pub(crate) use tunnels::Tunnel;

use crate::{refusal::Refusal, report::Holdings, start::StartError};
use flotilla_identity::TokenHash;
use flotilla_protocol::{Code, Problem, Timestamp, id::DeviceId};
use serde::{Serialize, de::DeserializeOwned};
use sqlx::{
    Decode, Row as _, Sqlite, SqlitePool, Type,
    migrate::{MigrateError, Migrator},
    pool::PoolConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow, SqliteSynchronous},
};
use std::{collections::BTreeMap, path::Path, str::FromStr, sync::Arc, time::Duration};

static MIGRATIONS: Migrator = sqlx::migrate!();

/// Readers beside the writer; each is a thread and two small caches.
const READERS: u32 = 2;

/// The open store.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    writer: SqlitePool,
    readers: SqlitePool,
    /// The last reports as the tables hold them. Locked while one is saved.
    stored_reports: Arc<tokio::sync::Mutex<BTreeMap<DeviceId, StoredReport>>>,
}

/// A device's last report as the tables hold it.
#[derive(Debug)]
struct StoredReport {
    /// JSON, without the inventory.
    known: String,
    inventory: Holdings,
}

/// An error of the database, or a value in it that can't be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    #[error("the database failed: {0}")]
    Database(#[from] sqlx::Error),
    #[error("{table}.{column} of {row} holds what no Flotilla wrote")]
    Inconsistent {
        table: &'static str,
        column: &'static str,
        row: String,
    },
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        // SQLITE_FULL, SQLITE_READONLY and SQLITE_IOERR: the disk fails, which a person can mend.
        let disk = match &error {
            StoreError::Database(sqlx::Error::Database(cause)) => cause
                .code()
                .and_then(|code| code.parse::<u32>().ok())
                .is_some_and(|code| matches!(code & 0xff, 8 | 10 | 13)),
            _ => false,
        };
        tracing::error!(%error, "store failed");
        if disk {
            Code::Unavailable.because("The controller can't write its data, so nothing was changed. Check that its disk has room and is writable, then try again.")
        } else {
            Code::Internal
                .because("The controller's database failed, so nothing was changed. Its log says more.")
        }
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self(error.into())
    }
}

impl Store {
    /// Opens the database, creates it when absent, and brings it to this build's schema.
    pub(crate) async fn open(path: &Path) -> Result<Self, StartError> {
        let broken = |error: sqlx::Error| StartError::Store {
            path: path.to_owned(),
            reason: error.to_string(),
        };
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .foreign_keys(true)
            .journal_mode(SqliteJournalMode::Wal)
            // A power cut must not undo an answered enrollment: the device would hold a certificate that control does
            // not know.
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(Duration::from_secs(5))
            .statement_cache_capacity(32);
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .before_acquire(|writer, _| {
                Box::pin(async move {
                    // `hasty_writer` lowers it on the same connection.
                    sqlx::query("PRAGMA synchronous = FULL").execute(writer).await?;
                    Ok(true)
                })
            })
            .connect_with(options.clone())
            .await
            .map_err(broken)?;
        MIGRATIONS.run(&writer).await.map_err(|error| match error {
            MigrateError::VersionMissing(_) | MigrateError::VersionTooNew(..) => StartError::NewerStore {
                path: path.to_owned(),
            },
            error => StartError::Store {
                path: path.to_owned(),
                reason: error.to_string(),
            },
        })?;
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .connect_with(options.read_only(true))
            .await
            .map_err(broken)?;
        Ok(Self {
            writer,
            readers,
            stored_reports: Arc::default(),
        })
    }

    /// The writer, for what devices tell again: its commits don't wait for the disk, so a power cut may undo the last
    /// of them. It undoes nothing else: all commits are in one log, and one that waits brings those before it to the
    /// disk. They are the writer's and the file's own, and not another connection's or file's, because a second writer
    /// would meet a busy database, and rows in another file would not go with their device.
    async fn hasty_writer(&self) -> Result<PoolConnection<Sqlite>, StoreError> {
        let mut writer = self.writer.acquire().await?;
        sqlx::query("PRAGMA synchronous = NORMAL")
            .execute(&mut *writer)
            .await?;
        Ok(writer)
    }

    /// Waits for running statements and closes the files.
    pub(crate) async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// A row of a table, whose cells are read as what they hold.
struct Cells<'r> {
    table: &'static str,
    /// The column that tells the row from the others.
    key: &'static str,
    row: &'r SqliteRow,
}

fn cells<'r>(table: &'static str, key: &'static str, row: &'r SqliteRow) -> Cells<'r> {
    Cells { table, key, row }
}

impl<'r> Cells<'r> {
    fn inconsistent(&self, column: &'static str) -> StoreError {
        StoreError::Inconsistent {
            table: self.table,
            column,
            row: self.row.try_get_unchecked(self.key).unwrap_or_default(),
        }
    }

    /// The value as the database has it.
    fn get<T: Decode<'r, Sqlite> + Type<Sqlite>>(&self, column: &'static str) -> Result<T, StoreError> {
        Ok(self.row.try_get(column)?)
    }

    /// What `read` makes of the value; an error when it makes nothing of it.
    fn read<V: Decode<'r, Sqlite> + Type<Sqlite>, T>(
        &self,
        column: &'static str,
        read: impl FnOnce(V) -> Option<T>,
    ) -> Result<T, StoreError> {
        read(self.get(column)?).ok_or_else(|| self.inconsistent(column))
    }

    fn parse<T: FromStr>(&self, column: &'static str) -> Result<T, StoreError> {
        self.read(column, |text: &'r str| text.parse().ok())
    }

    fn parse_if_any<T: FromStr>(&self, column: &'static str) -> Result<Option<T>, StoreError> {
        self.read(column, |text: Option<&'r str>| {
            text.map(str::parse).transpose().ok()
        })
    }

    fn json<T: DeserializeOwned>(&self, column: &'static str) -> Result<T, StoreError> {
        self.read(column, |text: &'r str| serde_json::from_str(text).ok())
    }

    fn json_if_any<T: DeserializeOwned>(&self, column: &'static str) -> Result<Option<T>, StoreError> {
        self.read(column, |text: Option<&'r str>| {
            text.map(serde_json::from_str).transpose().ok()
        })
    }

    fn number<T: TryFrom<i64>>(&self, column: &'static str) -> Result<T, StoreError> {
        self.read(column, |number: i64| number.try_into().ok())
    }

    fn hash(&self, column: &'static str) -> Result<TokenHash, StoreError> {
        self.read(column, |bytes: &'r [u8]| {
            bytes.try_into().ok().map(TokenHash::from_bytes)
        })
    }

    fn moment(&self, column: &'static str) -> Result<Timestamp, StoreError> {
        self.read(column, |millis| Timestamp::from_millisecond(millis).ok())
    }

    fn moment_if_any(&self, column: &'static str) -> Result<Option<Timestamp>, StoreError> {
        self.read(column, |millis: Option<i64>| {
            millis.map(Timestamp::from_millisecond).transpose().ok()
        })
    }
}

/// Values of the protocol always have a JSON form: their maps have text keys.
fn to_json<T: Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Database(sqlx::Error::Encode(error.into())))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) use super::devices::tests::device;

    pub(crate) fn moment(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    pub(crate) async fn open() -> (Store, tempfile::TempDir) {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("flotilla.db")).await.unwrap();
        (store, dir)
    }

    #[tokio::test]
    async fn a_database_of_a_newer_version_is_refused_untouched() {
        let (store, dir) = open().await;
        sqlx::query(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
             VALUES (9999, 'future', 1, x'00', 0)",
        )
        .execute(&store.writer)
        .await
        .unwrap();
        store.close().await;
        let error = Store::open(&dir.path().join("flotilla.db")).await.unwrap_err();
        assert!(matches!(error, StartError::NewerStore { .. }), "{error}");
    }

    #[tokio::test]
    async fn a_file_that_is_no_database_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("flotilla.db");
        std::fs::write(
            &path,
            "nothing of the kind, and longer than a header of SQLite, which has 100 bytes. ".repeat(3),
        )
        .unwrap();
        let error = Store::open(&path).await.unwrap_err();
        assert!(
            matches!(error, StartError::Store { .. }) && error.to_string().contains("flotilla.db"),
            "{error}"
        );
    }
}
