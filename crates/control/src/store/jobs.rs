//! Records of jobs: the request, its state and its outcome. A record is written before the first call to a device, and an
//! outcome in one transaction with its entries of the activity log.

use super::{DeviceRow, NewActivity, Store, StoreError, activity, cells, devices, to_json};
use flotilla_fleet::jobs::{Act, JobRecord};
use flotilla_protocol::{
    Timestamp,
    activity::Activity,
    id::{DeviceId, JobId},
};
use sqlx::{AssertSqlSafe, Sqlite, Transaction};

/// The jobs that are over by their age, the newest first, each with how many acts it and all newer ones have.
const BY_AGE: &str = "SELECT jobs.id AS id, ROW_NUMBER() OVER newest AS nth, \
     SUM((SELECT COUNT(*) FROM job_acts WHERE job_id = jobs.id)) OVER newest AS acts FROM jobs WHERE ended IS NOT NULL \
     WINDOW newest AS (ORDER BY ended DESC, id DESC ROWS UNBOUNDED PRECEDING)";

/// So many of the newest jobs that are over, and not more of them than have so many acts together.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Newest {
    pub(crate) jobs: u32,
    pub(crate) acts: u32,
}

impl Newest {
    /// The condition under which a job is one of them.
    fn condition(self) -> String {
        let Self { jobs, acts } = self;
        format!("id IN (SELECT id FROM ({BY_AGE}) WHERE nth <= {jobs} AND acts <= {acts})")
    }
}

impl Store {
    /// Writes a job that has not begun.
    pub(crate) async fn create_job(&self, job: &JobRecord) -> Result<(), StoreError> {
        let mut transaction = self.writer.begin().await?;
        create(&mut transaction, job).await?;
        Ok(transaction.commit().await?)
    }

    /// Writes a device whose mode was changed, with the job that moves its agent if there is one to be moved: whenever
    /// control ends, the agent is told what the record of its device says.
    pub(crate) async fn save_mode(
        &self,
        device: &DeviceRow,
        job: Option<&JobRecord>,
    ) -> Result<(), StoreError> {
        let mut transaction = self.writer.begin().await?;
        devices::write(&mut transaction, device).await?;
        if let Some(job) = job {
            create(&mut transaction, job).await?;
        }
        Ok(transaction.commit().await?)
    }

    /// Writes what has changed of a job, the outcomes of these acts, and what the activity log says of them.
    pub(crate) async fn save_job(
        &self,
        job: &JobRecord,
        acts: &[usize],
        entries: Vec<NewActivity>,
        now: Timestamp,
    ) -> Result<Vec<Activity>, StoreError> {
        let mut transaction = self.writer.begin().await?;
        update(&mut transaction, job).await?;
        for nth in acts {
            let Some(act) = job.acts.get(*nth) else { continue };
            let outcome = act.outcome.as_ref().map(to_json).transpose()?;
            sqlx::query("UPDATE job_acts SET outcome = ? WHERE id = ?")
                .bind(outcome)
                .bind(act.id.to_string())
                .execute(&mut *transaction)
                .await?;
        }
        let mut written = Vec::new();
        for entry in entries {
            written.push(activity::append(&mut transaction, entry, now).await?);
        }
        transaction.commit().await?;
        Ok(written)
    }

    /// The jobs that are not over, in the order in which they were begun.
    pub(crate) async fn list_live_jobs(&self) -> Result<Vec<JobRecord>, StoreError> {
        self.find_jobs("ended IS NULL ORDER BY id", &[]).await
    }

    /// The newest jobs that are over, the newest first.
    pub(crate) async fn list_over_jobs(&self, newest: Newest) -> Result<Vec<JobRecord>, StoreError> {
        let clause = newest.condition() + " ORDER BY ended DESC, id DESC";
        self.find_jobs(&clause, &[]).await
    }

    pub(crate) async fn lookup_job(&self, id: JobId) -> Result<Option<JobRecord>, StoreError> {
        Ok(self.find_jobs("id = ?", &[&id.to_string()]).await?.pop())
    }

    /// The job that an act belongs to.
    pub(crate) async fn lookup_job_of(&self, act: JobId) -> Result<Option<JobRecord>, StoreError> {
        let clause = "id = (SELECT job_id FROM job_acts WHERE job_acts.id = ?)";
        Ok(self.find_jobs(clause, &[&act.to_string()]).await?.pop())
    }

    /// The newest job that installs an agent on a device.
    pub(crate) async fn lookup_push(&self, device: DeviceId) -> Result<Option<JobRecord>, StoreError> {
        let clause = "device = ? AND kind = 'push' ORDER BY id DESC LIMIT 1";
        Ok(self.find_jobs(clause, &[&device.to_string()]).await?.pop())
    }

    async fn find_jobs(&self, clause: &str, values: &[&str]) -> Result<Vec<JobRecord>, StoreError> {
        let sql = format!("SELECT * FROM jobs WHERE {clause}");
        let query = values
            .iter()
            .fold(sqlx::query(AssertSqlSafe(sql)), |query, value| {
                query.bind((*value).to_owned())
            });
        let mut jobs = Vec::new();
        for row in query.fetch_all(&self.readers).await? {
            let cells = cells("jobs", "id", &row);
            jobs.push(JobRecord {
                id: cells.parse("id")?,
                work: cells.json("request")?,
                caller: cells.json("caller")?,
                state: cells.parse("state")?,
                step: cells.get("step")?,
                lines: cells.json("lines")?,
                began: cells.moment("began")?,
                ended: cells.moment_if_any("ended")?,
                problem: cells.json_if_any("outcome")?,
                acts: self.list_acts(cells.get("id")?).await?,
            });
        }
        Ok(jobs)
    }

    async fn list_acts(&self, job: &str) -> Result<Vec<Act>, StoreError> {
        let rows = sqlx::query("SELECT * FROM job_acts WHERE job_id = ? ORDER BY nth")
            .bind(job)
            .fetch_all(&self.readers)
            .await?;
        let read = rows.iter().map(|row| {
            let cells = cells("job_acts", "job_id", row);
            Ok(Act {
                id: cells.parse("id")?,
                target: cells.json("target")?,
                outcome: cells.json_if_any("outcome")?,
            })
        });
        read.collect()
    }

    /// Removes jobs that ended before a moment, and those that are not of the newest.
    pub(crate) async fn trim_jobs(&self, before: Timestamp, kept: Newest) -> Result<(), StoreError> {
        let is_kept = kept.condition();
        let sql = format!("DELETE FROM jobs WHERE ended < ? OR ended IS NOT NULL AND NOT {is_kept}");
        sqlx::query(AssertSqlSafe(sql))
            .bind(before.as_millisecond())
            .execute(&self.writer)
            .await?;
        Ok(())
    }
}

async fn create(transaction: &mut Transaction<'_, Sqlite>, job: &JobRecord) -> Result<(), StoreError> {
    let devices: Vec<_> = job.devices().into_keys().collect();
    let device = match &devices[..] {
        [only] => Some(only.to_string()),
        _ => None,
    };
    sqlx::query(
        "INSERT INTO jobs (id, kind, caller, device, request, state, step, lines, began) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(job.id.to_string())
    .bind(job.work.kind().as_str())
    .bind(to_json(&job.caller)?)
    .bind(device)
    .bind(to_json(&job.work)?)
    .bind(job.state.as_str())
    .bind(&job.step)
    .bind(to_json(&job.lines)?)
    .bind(job.began.as_millisecond())
    .execute(&mut **transaction)
    .await?;
    for (act, nth) in job.acts.iter().zip(0_i64..) {
        sqlx::query("INSERT INTO job_acts (job_id, nth, id, target) VALUES (?, ?, ?, ?)")
            .bind(job.id.to_string())
            .bind(nth)
            .bind(act.id.to_string())
            .bind(to_json(&act.target)?)
            .execute(&mut **transaction)
            .await?;
    }
    Ok(())
}

async fn update(transaction: &mut Transaction<'_, Sqlite>, job: &JobRecord) -> Result<(), StoreError> {
    sqlx::query("UPDATE jobs SET state = ?, step = ?, lines = ?, ended = ?, outcome = ? WHERE id = ?")
        .bind(job.state.as_str())
        .bind(&job.step)
        .bind(to_json(&job.lines)?)
        .bind(job.ended.map(Timestamp::as_millisecond))
        .bind(job.problem.as_ref().map(to_json).transpose()?)
        .bind(job.id.to_string())
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::{moment, open};
    use flotilla_fleet::jobs::{ActOutcome, Target, Work};
    use flotilla_protocol::{
        Code,
        activity::{Action, Actor},
        inventory::ContainerAction,
        job::JobState,
    };

    fn newest(jobs: u32, acts: u32) -> Newest {
        Newest { jobs, acts }
    }

    fn id(n: u128) -> JobId {
        JobId(uuid::Uuid::from_u128(n))
    }

    /// A job of two containers, the ids of whose acts are its own and 100 more.
    fn job(n: u128, began: i64) -> JobRecord {
        let target = |container: &str| Target {
            device: DeviceId(uuid::Uuid::from_u128(7)),
            device_name: "nas".parse().unwrap(),
            container: Some(container.into()),
            name: Some(container.into()),
        };
        let action = ContainerAction::Restart;
        let work = (Work::Bulk { action }, vec![target("web"), target("db")]);
        JobRecord::draft(id(n), work, Actor::Owner, moment(began), || id(n + 100))
    }

    /// Ends a job's acts, the second of them with a problem.
    fn end(job: &mut JobRecord, at: i64) {
        let problem = Code::EngineRefused.because("port 80 is taken");
        job.acts[0].outcome = Some(ActOutcome::done());
        job.acts[1].outcome = Some(ActOutcome::failed(problem.clone()));
        (job.state, job.ended, job.problem) = (JobState::Failed, Some(moment(at)), Some(problem));
        job.lines.add("web on nas: restarted.".into(), 9);
    }

    #[tokio::test]
    async fn a_job_is_taken_up_as_it_was_written_until_it_is_over() {
        let (store, _dir) = open().await;
        let mut job = job(1, 1);
        store.create_job(&job).await.unwrap();
        assert_eq!(store.list_live_jobs().await.unwrap(), std::slice::from_ref(&job));
        assert_eq!(store.lookup_job_of(id(101)).await.unwrap().as_ref(), Some(&job));
        end(&mut job, 5);
        let entries =
            ["one", "two"].map(|details| NewActivity::new(Actor::Owner, Action::ContainerRestarted, details));
        let written = store
            .save_job(&job, &[0, 1], entries.into(), moment(5))
            .await
            .unwrap();
        assert_eq!(
            store.list_activity(None, 9, None).await.unwrap(),
            [written[1].clone(), written[0].clone()]
        );
        assert_eq!(store.verify_activity().await.unwrap().faulty, None);
        assert!(store.list_live_jobs().await.unwrap().is_empty());
        assert_eq!(
            store.list_over_jobs(newest(5, 99)).await.unwrap(),
            std::slice::from_ref(&job)
        );
        assert_eq!(store.lookup_job(id(1)).await.unwrap(), Some(job));
        assert_eq!(store.lookup_job(id(9)).await.unwrap(), None);
    }

    #[tokio::test]
    async fn old_jobs_go_and_those_that_are_not_over_stay() {
        let (store, _dir) = open().await;
        for n in 1..=6 {
            let mut job = job(u128::try_from(n).unwrap(), n);
            store.create_job(&job).await.unwrap();
            if n > 1 {
                end(&mut job, 10 + n);
                store.save_job(&job, &[0, 1], vec![], moment(n)).await.unwrap();
            }
        }
        store.trim_jobs(moment(13), newest(2, 99)).await.unwrap();
        let over = store.list_over_jobs(newest(9, 99)).await.unwrap();
        assert_eq!(over.iter().map(|job| job.id).collect::<Vec<_>>(), [id(6), id(5)]);
        assert_eq!(store.list_live_jobs().await.unwrap().len(), 1);
        assert!(store.lookup_job_of(id(102)).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn jobs_of_many_containers_are_kept_and_listed_by_what_all_of_them_weigh() {
        let (store, _dir) = open().await;
        for n in 1..=4_u8 {
            let mut job = job(n.into(), 1);
            store.create_job(&job).await.unwrap();
            end(&mut job, 10 + i64::from(n));
            store.save_job(&job, &[0, 1], vec![], moment(20)).await.unwrap();
        }
        let ids = async |newest| -> Vec<_> {
            let over = store.list_over_jobs(newest).await.unwrap();
            over.iter().map(|job| job.id).collect()
        };
        assert_eq!(ids(newest(9, 5)).await, [id(4), id(3)]);
        assert_eq!(ids(newest(1, 5)).await, [id(4)]);
        store.trim_jobs(moment(0), newest(9, 5)).await.unwrap();
        assert_eq!(ids(newest(9, 99)).await, [id(4), id(3)]);
    }
}
