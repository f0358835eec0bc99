//! API tokens: hashed, named, expiring. A revoked one has no row.

use super::{Store, StoreError, cells, to_json};
use flotilla_identity::TokenHash;
use flotilla_protocol::{Timestamp, api::Grant, name::TokenName};
use sqlx::sqlite::SqliteRow;

/// A token as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ApiTokenRow {
    /// The public part of the token.
    pub(crate) id: String,
    pub(crate) name: TokenName,
    pub(crate) hash: TokenHash,
    pub(crate) grant: Grant,
    pub(crate) created: Timestamp,
    pub(crate) expires: Timestamp,
    /// To the minute.
    pub(crate) last_used: Option<Timestamp>,
}

fn read(row: &SqliteRow) -> Result<ApiTokenRow, StoreError> {
    let cells = cells("api_tokens", "id", row);
    Ok(ApiTokenRow {
        name: cells.parse("name")?,
        hash: cells.hash("hash")?,
        grant: cells.json("granted")?,
        created: cells.moment("created")?,
        expires: cells.moment("expires")?,
        last_used: cells.moment_if_any("last_used")?,
        id: cells.get("id")?,
    })
}

impl Store {
    pub(crate) async fn list_api_tokens(&self) -> Result<Vec<ApiTokenRow>, StoreError> {
        let rows = sqlx::query("SELECT * FROM api_tokens")
            .fetch_all(&self.readers)
            .await?;
        rows.iter().map(read).collect()
    }

    /// Saves a new token, in place of one of that name that has expired. Answers false where the name is that of a
    /// token that works.
    pub(crate) async fn create_api_token(&self, token: &ApiTokenRow) -> Result<bool, StoreError> {
        let mut transaction = self.writer.begin().await?;
        sqlx::query("DELETE FROM api_tokens WHERE name = ? AND expires <= ?")
            .bind(token.name.as_str())
            .bind(token.created.as_millisecond())
            .execute(&mut *transaction)
            .await?;
        let created = sqlx::query(
            "INSERT INTO api_tokens (id, name, hash, granted, created, expires) VALUES (?, ?, ?, ?, ?, ?) \
             ON CONFLICT (name) DO NOTHING",
        )
        .bind(&token.id)
        .bind(token.name.as_str())
        .bind(token.hash.as_bytes().as_slice())
        .bind(to_json(&token.grant)?)
        .bind(token.created.as_millisecond())
        .bind(token.expires.as_millisecond())
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(created.rows_affected() == 1)
    }

    /// Notes that a token was used.
    pub(crate) async fn save_token_use(&self, id: &str, at: Timestamp) -> Result<(), StoreError> {
        sqlx::query("UPDATE api_tokens SET last_used = ? WHERE id = ?")
            .bind(at.as_millisecond())
            .bind(id)
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    /// Forgets a token. Answers whether there was one of that name.
    pub(crate) async fn delete_api_token(&self, name: &TokenName) -> Result<bool, StoreError> {
        let deleted = sqlx::query("DELETE FROM api_tokens WHERE name = ?")
            .bind(name.as_str())
            .execute(&self.writer)
            .await?;
        Ok(deleted.rows_affected() == 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::{moment, open};
    use flotilla_protocol::api::{Role, Scope, Verb};
    use std::collections::BTreeSet;

    fn token(id: &str, created: i64) -> ApiTokenRow {
        ApiTokenRow {
            id: id.to_owned(),
            name: "ci".parse().unwrap(),
            hash: TokenHash::from_bytes([7; 32]),
            grant: Grant {
                roles: BTreeSet::from([Role::Viewer]),
                verbs: BTreeSet::from([Verb::Operate]),
                scope: Scope::Part {
                    tags: BTreeSet::from(["prod".parse().unwrap()]),
                    devices: BTreeSet::new(),
                },
            },
            created: moment(created),
            expires: moment(created + 60),
            last_used: None,
        }
    }

    #[tokio::test]
    async fn a_token_is_kept_with_its_last_use_until_it_is_revoked() {
        let (store, _dir) = open().await;
        let mut row = token("a", 0);
        assert!(store.create_api_token(&row).await.unwrap());
        assert_eq!(store.list_api_tokens().await.unwrap(), [row.clone()]);
        store.save_token_use("a", moment(30)).await.unwrap();
        row.last_used = Some(moment(30));
        assert_eq!(store.list_api_tokens().await.unwrap(), [row.clone()]);
        assert!(store.delete_api_token(&row.name).await.unwrap());
        assert!(!store.delete_api_token(&row.name).await.unwrap());
        assert_eq!(store.list_api_tokens().await.unwrap(), []);
    }

    #[tokio::test]
    async fn a_name_is_free_again_once_its_token_has_expired() {
        let (store, _dir) = open().await;
        assert!(store.create_api_token(&token("a", 0)).await.unwrap());
        assert!(!store.create_api_token(&token("b", 59)).await.unwrap());
        let later = token("c", 60);
        assert!(store.create_api_token(&later).await.unwrap());
        assert_eq!(store.list_api_tokens().await.unwrap(), [later]);
    }
}
