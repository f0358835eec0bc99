//! Enrollment tokens: hashed, bound to a device, used once.

use super::{Store, StoreError, cells, devices, devices::DeviceRow, keys, to_json};
use flotilla_fleet::enrollment::{Redemption, TokenRecord};
use flotilla_identity::TokenHash;
use flotilla_protocol::{
    Timestamp,
    api::{EnrollmentFailure, StageReached},
    id::{DeviceId, TokenId},
    pin::Pin,
};
use sqlx::sqlite::SqliteRow;

/// A token and its state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TokenRow {
    pub(crate) id: TokenId,
    pub(crate) device_id: DeviceId,
    pub(crate) hash: TokenHash,
    pub(crate) created: Timestamp,
    pub(crate) expires: Timestamp,
    /// When it was replaced, or its device was revoked.
    pub(crate) withdrawn: Option<Timestamp>,
    pub(crate) used: Option<TokenUse>,
    pub(crate) stages: Vec<StageReached>,
    pub(crate) failure: Option<EnrollmentFailure>,
}

impl TokenRow {
    /// The part of the token that decides whether it enrolls a device.
    pub(crate) fn record(&self) -> TokenRecord {
        let used = self.used.as_ref().map(|used| Redemption {
            at: used.at,
            key: used.key.clone(),
        });
        TokenRecord {
            hash: self.hash,
            expires: self.expires,
            withdrawn: self.withdrawn.is_some(),
            used,
        }
    }
}

/// The one enrollment that a token was used for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TokenUse {
    pub(crate) at: Timestamp,
    /// The pin of the key that was certified.
    pub(crate) key: Pin,
    /// The certificate, PEM. A device that lost the answer may ask for it again.
    pub(crate) chain: String,
}

/// The outcome of using a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UseOutcome {
    Done,
    /// The token was used or withdrawn, or it expired: of two uses that race, one wins.
    TokenGone,
    /// The fleet has had the WireGuard key before.
    KeyKnown,
}

fn read(row: &SqliteRow) -> Result<TokenRow, StoreError> {
    let cells = cells("tokens", "id", row);
    let used = match (cells.moment_if_any("used")?, cells.get("chain")?) {
        (None, _) => None,
        (Some(at), Some(chain)) => {
            let key = cells.parse("used_key")?;
            Some(TokenUse { at, key, chain })
        }
        (Some(_), None) => return Err(cells.inconsistent("used")),
    };
    Ok(TokenRow {
        id: cells.parse("id")?,
        device_id: cells.parse("device_id")?,
        hash: cells.hash("hash")?,
        created: cells.moment("created")?,
        expires: cells.moment("expires")?,
        withdrawn: cells.moment_if_any("withdrawn")?,
        used,
        stages: cells.json("stages")?,
        failure: cells.json_if_any("failure")?,
    })
}

impl Store {
    pub(crate) async fn lookup_token(&self, id: TokenId) -> Result<Option<TokenRow>, StoreError> {
        let row = sqlx::query("SELECT * FROM tokens WHERE id = ?")
            .bind(id.to_string())
            .fetch_optional(&self.readers)
            .await?;
        row.as_ref().map(read).transpose()
    }

    /// The newest token of each device.
    pub(crate) async fn list_newest_tokens(&self) -> Result<Vec<TokenRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM tokens AS token WHERE NOT EXISTS (SELECT 1 FROM tokens AS newer \
             WHERE newer.device_id = token.device_id AND newer.rowid > token.rowid)",
        )
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(read).collect()
    }

    /// Saves a device with a new token, and withdraws the tokens it had.
    pub(crate) async fn offer_token(&self, device: &DeviceRow, token: &TokenRow) -> Result<(), StoreError> {
        let mut transaction = self.writer.begin().await?;
        devices::write(&mut transaction, device).await?;
        sqlx::query(
            "UPDATE tokens SET withdrawn = ? WHERE device_id = ? AND withdrawn IS NULL AND used IS NULL",
        )
        .bind(token.created.as_millisecond())
        .bind(device.id.to_string())
        .execute(&mut *transaction)
        .await?;
        sqlx::query(
            "INSERT INTO tokens (id, device_id, hash, created, expires, stages) VALUES (?, ?, ?, ?, ?, ?)",
        )
        .bind(token.id.to_string())
        .bind(token.device_id.to_string())
        .bind(token.hash.as_bytes().as_slice())
        .bind(token.created.as_millisecond())
        .bind(token.expires.as_millisecond())
        .bind(to_json(&token.stages)?)
        .execute(&mut *transaction)
        .await?;
        Ok(transaction.commit().await?)
    }

    /// Uses a token up, and saves the device that it enrolled and its new key: all or nothing.
    pub(crate) async fn use_token(
        &self,
        id: TokenId,
        used: &TokenUse,
        device: &DeviceRow,
    ) -> Result<UseOutcome, StoreError> {
        let mut transaction = self.writer.begin().await?;
        let won = sqlx::query(
            "UPDATE tokens SET used = ?1, used_key = ?2, chain = ?3 \
             WHERE id = ?4 AND used IS NULL AND withdrawn IS NULL AND expires > ?1",
        )
        .bind(used.at.as_millisecond())
        .bind(used.key.as_str())
        .bind(&used.chain)
        .bind(id.to_string())
        .execute(&mut *transaction)
        .await?
        .rows_affected()
            == 1;
        if !won {
            return Ok(UseOutcome::TokenGone);
        }
        if let Some(incoming) = &device.incoming
            && !keys::enroll(&mut transaction, &incoming.wireguard_key, device.id).await?
        {
            return Ok(UseOutcome::KeyKnown);
        }
        devices::write(&mut transaction, device).await?;
        transaction.commit().await?;
        Ok(UseOutcome::Done)
    }

    /// Withdraws a device's tokens, ends its keys, and saves the device.
    pub(crate) async fn withdraw_tokens(&self, device: &DeviceRow, now: Timestamp) -> Result<(), StoreError> {
        let mut transaction = self.writer.begin().await?;
        devices::write(&mut transaction, device).await?;
        keys::end(&mut transaction, device.id, None, now).await?;
        sqlx::query("UPDATE tokens SET withdrawn = ? WHERE device_id = ? AND withdrawn IS NULL")
            .bind(now.as_millisecond())
            .bind(device.id.to_string())
            .execute(&mut *transaction)
            .await?;
        Ok(transaction.commit().await?)
    }

    /// Records how far an enrollment has come.
    pub(crate) async fn save_progress(
        &self,
        id: TokenId,
        stages: &[StageReached],
        failure: Option<&EnrollmentFailure>,
    ) -> Result<(), StoreError> {
        sqlx::query("UPDATE tokens SET stages = ?, failure = ? WHERE id = ?")
            .bind(to_json(&stages)?)
            .bind(failure.map(to_json).transpose()?)
            .bind(id.to_string())
            .execute(&self.writer)
            .await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{
        devices::tests::device,
        tests::{moment, open},
    };
    use flotilla_identity::EnrollmentToken;
    use flotilla_protocol::api::Stage;

    fn token(device: &DeviceRow, created: i64) -> TokenRow {
        let token = EnrollmentToken::generate(moment(created));
        TokenRow {
            id: token.id(),
            device_id: device.id,
            hash: token.hash(),
            created: moment(created),
            expires: moment(created + 3600),
            withdrawn: None,
            used: None,
            stages: vec![],
            failure: None,
        }
    }

    fn used(at: i64, key: char) -> TokenUse {
        let key = format!("sha256//{}=", key.to_string().repeat(43))
            .parse()
            .unwrap();
        TokenUse {
            at: moment(at),
            key,
            chain: "PEM".into(),
        }
    }

    #[tokio::test]
    async fn of_two_agents_that_race_exactly_one_wins() {
        let (store, _dir) = open().await;
        let nas = device("nas", 1);
        let token = token(&nas, 1);
        store.offer_token(&nas, &token).await.unwrap();
        let (mut first, mut second) = (nas.clone(), nas.clone());
        first.enrolled = Some(moment(2));
        second.enrolled = Some(moment(3));
        let (a, b) = (used(2, 'A'), used(2, 'B'));
        let (a, b) = tokio::join!(
            store.use_token(token.id, &a, &first),
            store.use_token(token.id, &b, &second)
        );
        let (a, b) = (a.unwrap(), b.unwrap());
        let won = |outcome| outcome == UseOutcome::Done;
        assert!(won(a) ^ won(b), "{a:?} {b:?}");
        let winner = if won(a) { first } else { second };
        assert_eq!(store.list_devices().await.unwrap(), [winner]);
    }

    #[tokio::test]
    async fn a_token_that_ran_out_or_was_withdrawn_enrolls_no_device() {
        let (store, _dir) = open().await;
        let nas = device("nas", 1);
        let (old, new) = (token(&nas, 1), token(&nas, 2));
        store.offer_token(&nas, &old).await.unwrap();
        store.offer_token(&nas, &new).await.unwrap();
        assert!(
            store
                .lookup_token(old.id)
                .await
                .unwrap()
                .unwrap()
                .withdrawn
                .is_some()
        );
        let gone = UseOutcome::TokenGone;
        assert_eq!(store.use_token(old.id, &used(3, 'A'), &nas).await.unwrap(), gone);
        assert_eq!(
            store.use_token(new.id, &used(3602, 'A'), &nas).await.unwrap(),
            gone
        );
        assert_eq!(
            store.list_newest_tokens().await.unwrap(),
            std::slice::from_ref(&new)
        );
        store.withdraw_tokens(&nas, moment(3)).await.unwrap();
        assert_eq!(store.use_token(new.id, &used(3, 'A'), &nas).await.unwrap(), gone);
    }

    #[tokio::test]
    async fn progress_and_use_read_back() {
        let (store, _dir) = open().await;
        let nas = device("nas", 1);
        let mut row = token(&nas, 1);
        store.offer_token(&nas, &row).await.unwrap();
        row.stages = vec![StageReached {
            stage: Stage::Reached,
            at: moment(2),
            from: Some("192.0.2.7".into()),
        }];
        store.save_progress(row.id, &row.stages, None).await.unwrap();
        row.used = Some(used(2, 'A'));
        let outcome = store.use_token(row.id, &used(2, 'A'), &nas).await.unwrap();
        assert_eq!(outcome, UseOutcome::Done);
        assert_eq!(store.lookup_token(row.id).await.unwrap(), Some(row.clone()));
        store.delete_device(nas.id).await.unwrap();
        assert_eq!(store.lookup_token(row.id).await.unwrap(), None);
    }
}
