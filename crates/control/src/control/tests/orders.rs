//! A store that fails, a second link and a revocation, in every order, while a job runs.

use super::{modes::add_box, *};
use flotilla_protocol::{
    activity::{Action, Activity},
    api::Job,
    job::JobState,
};
use sqlx::{Connection as _, SqliteConnection};

#[derive(Debug, Clone, Copy, PartialEq)]
enum Event {
    StoreFails,
    SecondLink,
    Revoke,
}

const ORDERS: [[Event; 3]; 6] = {
    use Event::{Revoke, SecondLink, StoreFails};
    [
        [StoreFails, SecondLink, Revoke],
        [StoreFails, Revoke, SecondLink],
        [SecondLink, StoreFails, Revoke],
        [SecondLink, Revoke, StoreFails],
        [Revoke, StoreFails, SecondLink],
        [Revoke, SecondLink, StoreFails],
    ]
};

/// Tables of which nothing can be written while the store fails.
const TABLES: [&str; 4] = ["devices", "tokens", "jobs", "activity"];

/// The store's file, written from beside control.
struct Disk(SqliteConnection);

impl Disk {
    async fn of(control: &Control) -> Self {
        let path = control.data_dir.file("flotilla.db");
        let options = sqlx::sqlite::SqliteConnectOptions::new()
            .filename(path)
            .busy_timeout(Duration::from_secs(10));
        Self(SqliteConnection::connect_with(&options).await.unwrap())
    }

    async fn run(&mut self, statement: String) {
        let statement = sqlx::AssertSqlSafe(statement);
        sqlx::query(statement).execute(&mut self.0).await.unwrap();
    }

    async fn fail(&mut self) {
        for (table, what) in TABLES
            .iter()
            .flat_map(|table| [(table, "INSERT"), (table, "UPDATE")])
        {
            let name = format!("fail_{table}_{what}");
            self.run(format!(
                "CREATE TRIGGER {name} BEFORE {what} ON {table} BEGIN SELECT RAISE(ABORT, 'the disk is full'); END"
            ))
            .await;
        }
    }

    async fn mend(&mut self) {
        for (table, what) in TABLES
            .iter()
            .flat_map(|table| [(table, "INSERT"), (table, "UPDATE")])
        {
            self.run(format!("DROP TRIGGER IF EXISTS fail_{table}_{what}"))
                .await;
        }
    }
}

async fn job(control: &Control, id: &str) -> Job {
    serde_json::from_value(control.ask("GET", &format!("/jobs/{id}"), "").await).unwrap()
}

async fn is_revoked(control: &Control) -> bool {
    control.device("box").await.status == DeviceStatus::Revoked
}

async fn holds(order: [Event; 3]) {
    let dir = tempfile::tempdir().unwrap();
    let control = Control::start(config(dir.path())).await.unwrap();
    let (agent, enrolled) = add_box(&control, "host").await;
    let mut disk = Disk::of(&control).await;
    agent.jobs.slow.send_replace(true);
    let body = r#"{"action":"restart","containers":[{"device":"box","container":"web"}]}"#;
    let begun = control.ask("POST", "/containers/actions", body).await;
    let id = begun["id"].as_str().unwrap().to_owned();
    eventually("it is begun", async || agent.jobs.list().len() == 1).await;
    let mut second = None;
    for event in order {
        match event {
            Event::StoreFails => disk.fail().await,
            Event::SecondLink => second = enrolled.dial("box").await.ok(),
            Event::Revoke => {
                let is_failing = order[0] == Event::StoreFails
                    || order[1] == Event::StoreFails && order[2] == Event::Revoke;
                let answer = control.ask("POST", "/devices/box/revoke", "{}").await;
                assert_eq!(answer["code"].is_string(), is_failing, "{order:?}: {answer}");
                assert_eq!(
                    is_revoked(&control).await,
                    !is_failing,
                    "{order:?}: all of it or nothing"
                );
            }
        }
    }
    disk.mend().await;
    if !is_revoked(&control).await {
        let answer = control.ask("POST", "/devices/box/revoke", "{}").await;
        assert!(answer["code"].is_null(), "{order:?}: {answer}");
    }
    // A record that could not be written is written again after five seconds.
    eventually("its job is over", async || {
        job(&control, &id).await.state.is_over()
    })
    .await;
    let over = job(&control, &id).await;
    assert_eq!(over.state, JobState::Failed, "{order:?}");
    assert_eq!(
        over.problem.unwrap().code,
        Code::Conflict,
        "{order:?}: it left the fleet"
    );
    let device = control.device("box").await.id;
    eventually("it has no link", async || {
        control.core.links.lookup(device).is_none()
    })
    .await;
    for agent in [Some(agent), second].into_iter().flatten() {
        agent.link.await.unwrap();
    }
    assert!(
        enrolled.dial("box").await.is_err(),
        "{order:?}: it is not let in again"
    );
    is_told_once(&control, order).await;
    control.shutdown().await;
}

async fn is_told_once(control: &Control, order: [Event; 3]) {
    let log: List<Activity> =
        serde_json::from_value(control.ask("GET", "/activity?limit=100", "").await).unwrap();
    for action in [Action::ContainerRestarted, Action::DeviceRevoked] {
        let told = log.items.iter().filter(|entry| entry.action == action).count();
        assert_eq!(told, 1, "{order:?}: {action:?} is told once");
    }
    assert_eq!(
        control.ask("GET", "/activity/verify", "").await["faulty"],
        Value::Null
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_comes_first_of_a_failing_store_a_second_link_and_a_revocation_all_of_it_ends_as_it_must() {
    futures_util::future::join_all(ORDERS.map(holds)).await;
}

#[tokio::test]
async fn a_stream_of_news_ends_with_its_act_though_the_outcome_can_t_be_written_yet() {
    let dir = tempfile::tempdir().unwrap();
    let control = Control::start(config(dir.path())).await.unwrap();
    let (agent, _enrolled) = add_box(&control, "host").await;
    let mut disk = Disk::of(&control).await;
    agent.jobs.slow.send_replace(true);
    agent.jobs.chatty.send_replace(true);
    let body = r#"{"action":"restart","containers":[{"device":"box","container":"web"}]}"#;
    let begun = control.ask("POST", "/containers/actions", body).await;
    eventually("it is followed", async || agent.jobs.chatty.receiver_count() == 1).await;
    disk.fail().await;
    agent.jobs.slow.send_replace(false);
    eventually("it is done", async || agent.jobs.list()[0].state.is_over()).await;
    eventually("the stream is given back", async || {
        agent.jobs.chatty.receiver_count() == 0
    })
    .await;
    disk.mend().await;
    let id = begun["id"].as_str().unwrap();
    eventually("it is written", async || {
        job(&control, id).await.state == JobState::Done
    })
    .await;
    control.shutdown().await;
}
