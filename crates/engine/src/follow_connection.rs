//! Follows one connection to its end.
//!
//! `listen` turns events into marks, `read_schedule` decides which marked subject is read next, and this loop reads them and
//! publishes the result: as soon as every read that does not fail is done, or at the latest after [`Patience::show`].
//! So a read that hangs or fails affects only its own subject: a container that can't be described is shown as the
//! engine lists it, a list that fails is an ailment of the engine, and only an engine that does not list its containers
//! is unfit.
//!
//! [`Patience::show`]: crate::Patience::show

use crate::{
    clock,
    connection::{Connection, ReadAnswer},
    follow::Engine,
    listen::{Marks, listen},
    plain::ReadFailure,
    pod::Pod,
    read_schedule::{Failing, ReadSchedule, Subject},
    reports::View,
    snapshot::Snapshot,
};
use flotilla_protocol::{
    Timestamp,
    inventory::{Ailment, EngineState, Health},
};
use futures_util::{StreamExt as _, future::BoxFuture, stream::FuturesUnordered};
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use tokio::time::{Instant, sleep_until};

/// The longest sleep where nothing is scheduled; a wake-up then finds nothing to do.
const NEVER: Duration = Duration::from_secs(3600);

pub(crate) struct ConnectionFollower<'a> {
    engine: &'a Engine,
    connection: &'a Connection,
    snapshot: &'a mut Snapshot,
    schedule: ReadSchedule,
    reads: FuturesUnordered<BoxFuture<'a, FinishedRead>>,
    marks: Marks,
    /// The containers were listed once on this connection, so the snapshot describes this engine.
    is_listed: bool,
    /// When the first change was read that has not been published yet.
    unpublished_since: Option<Instant>,
    next_list: Instant,
    /// Images that containers run and that the list did not have, even after it was read for them once.
    missed_images: BTreeSet<String>,
}

struct FinishedRead {
    subject: Subject,
    asked_at: Timestamp,
    answer: Result<ReadAnswer, ReadFailure>,
}

/// The engine answers no more.
struct EngineGone;

impl<'a> ConnectionFollower<'a> {
    pub(crate) fn new(engine: &'a Engine, connection: &'a Connection, snapshot: &'a mut Snapshot) -> Self {
        let patience = engine.patience();
        let mut schedule = ReadSchedule::new(patience.pauses());
        Subject::LISTS.into_iter().for_each(|list| schedule.mark(list));
        Self {
            engine,
            connection,
            snapshot,
            schedule,
            reads: FuturesUnordered::new(),
            marks: Marks::default(),
            is_listed: false,
            unpublished_since: Some(Instant::now()),
            next_list: Instant::now() + patience.look,
            missed_images: BTreeSet::new(),
        }
    }

    /// Returns when the engine is gone.
    pub(crate) async fn run(mut self) {
        let (connection, marks) = (self.connection, self.marks.clone());
        let listening = listen(connection, &marks);
        let following = self.follow_marks();
        tokio::select! {
            never = listening => match never {},
            EngineGone = following => {}
        }
    }

    async fn follow_marks(&mut self) -> EngineGone {
        let marks = self.marks.clone();
        let mut marked = Box::pin(marks.next());
        loop {
            self.begin_reads();
            self.publish_due();
            let wake = self.wake_at();
            tokio::select! {
                Some(read) = self.reads.next() => {
                    if self.take(read).await.is_err() {
                        return EngineGone;
                    }
                }
                stale = &mut marked => {
                    marked.set(marks.next());
                    let containers = &self.snapshot.containers;
                    let known = |id: &str| -> Option<Health> { Some(containers.get(id)?.container.health) };
                    for id in &stale.checked {
                        self.schedule.mark_paced(Subject::Container(id.clone()));
                    }
                    stale.subjects(known).for_each(|subject| self.schedule.mark(subject));
                }
                () = sleep_until(wake) => {}
            }
            if Instant::now() >= self.next_list {
                self.next_list = Instant::now() + self.engine.patience().look;
                self.schedule.mark(Subject::Containers);
            }
        }
    }

    fn begin_reads(&mut self) {
        while let Some(subject) = self.schedule.poll_next(Instant::now()) {
            let connection = self.connection;
            self.reads.push(Box::pin(async move {
                let asked_at = clock::now();
                let answer = connection.read(&subject).await;
                FinishedRead {
                    subject,
                    asked_at,
                    answer,
                }
            }));
        }
    }

    fn wake_at(&self) -> Instant {
        let shown = self
            .unpublished_since
            .map(|since| since + self.engine.patience().show);
        let shown = shown.filter(|at| self.is_listed && *at > Instant::now());
        let times = [self.schedule.wake_at(), shown, Some(self.next_list)];
        let soonest = times.into_iter().flatten().min();
        soonest.unwrap_or_else(|| Instant::now() + NEVER)
    }

    async fn take(&mut self, read: FinishedRead) -> Result<(), EngineGone> {
        let FinishedRead {
            subject,
            asked_at,
            answer,
        } = read;
        self.unpublished_since.get_or_insert_with(Instant::now);
        match answer {
            Ok(ReadAnswer::Unread(failure, listed)) => {
                if let Subject::Container(id) = &subject {
                    self.snapshot
                        .take_unread(id, listed.map(|listed| *listed), &failure.to_string());
                }
                self.fail(&subject, &failure, asked_at);
            }
            Ok(answer) => {
                self.schedule.succeeded(&subject);
                self.keep(subject, answer);
            }
            // An engine may break the connection off for one question and still answer others.
            Err(failure) if failure.is_broken() && !self.connection.is_there().await => {
                return Err(EngineGone);
            }
            Err(failure) => self.fail(&subject, &failure, asked_at),
        }
        Ok(())
    }

    fn fail(&mut self, subject: &Subject, failure: &ReadFailure, asked_at: Timestamp) {
        if self.schedule.failing(subject).is_none() {
            tracing::warn!(?subject, %failure, "the engine can't be read in part");
        }
        self.schedule
            .failed(subject, failure.to_string(), asked_at, Instant::now());
    }

    fn keep(&mut self, subject: Subject, answer: ReadAnswer) {
        match (answer, subject) {
            (ReadAnswer::Containers(rows), _) => {
                self.is_listed = true;
                let stale = self.snapshot.take_list(rows).into_iter();
                stale.for_each(|id| self.schedule.mark(Subject::Container(id)));
            }
            (ReadAnswer::Container(seen), Subject::Container(id)) => {
                self.snapshot.containers.insert(id, *seen);
            }
            (ReadAnswer::Gone, Subject::Container(id)) => drop(self.snapshot.containers.remove(&id)),
            (ReadAnswer::Images(images), _) => self.snapshot.images = images,
            (ReadAnswer::Volumes(volumes), _) => self.snapshot.volumes = volumes,
            (ReadAnswer::Networks(networks), _) => self.snapshot.networks = networks,
            _ => {}
        }
    }

    fn publish_due(&mut self) {
        let patience = self.engine.patience().show;
        let is_late = self
            .unpublished_since
            .is_some_and(|since| since.elapsed() >= patience);
        if self.schedule.is_settled(Instant::now())
            && self.unpublished_since.is_some()
            && self.misses_images()
        {
            self.schedule.mark(Subject::Images);
            self.begin_reads();
        }
        if self.unpublished_since.is_some()
            && (self.schedule.is_settled(Instant::now()) || is_late && self.is_listed)
        {
            self.unpublished_since = None;
            self.publish_view();
        }
    }

    /// Whether a container runs an image that is not listed and for which the list has not been read again yet.
    fn misses_images(&mut self) -> bool {
        let missing = self.snapshot.missing_images();
        let is_new = !missing.is_subset(&self.missed_images);
        self.missed_images = missing;
        is_new
    }

    fn publish_view(&self) {
        let state = self.state();
        if !self.is_listed {
            return self.engine.publish(View::without_inventory(state));
        }
        let own = self.engine.own().find(&self.snapshot.containers);
        let pod = own.and_then(|own| Pod::around(own, &self.snapshot.containers));
        self.engine.publish(View {
            state,
            inventory: Some(Arc::new(self.snapshot.assemble(own, pod.as_ref()))),
            own: own.map(str::to_owned),
            pod: pod.map(Arc::new),
        });
    }

    fn state(&self) -> EngineState {
        let place = self.connection.socket.display();
        if let Some(Failing { reason, since, .. }) = self.schedule.failing(&Subject::Containers) {
            return EngineState::Unfit {
                reason: format!(
                    "The container engine at {place} does not list its containers: {reason}. Its log on the device says why."
                ),
                since: Some(*since),
            };
        }
        let mut facts = self.connection.facts.clone();
        let lists = [
            (Subject::Images, "images"),
            (Subject::Volumes, "volumes"),
            (Subject::Networks, "networks"),
        ];
        let failing = lists
            .into_iter()
            .filter_map(|(list, name)| Some((self.schedule.failing(&list)?, name)));
        let failing: Vec<_> = failing.collect();
        let since = failing.iter().map(|(failing, _)| failing.since).min();
        facts.ailment = since.map(|since| {
            let each = failing.iter().map(|(failing, name)| format!("its {name} ({})", failing.reason));
            let each = each.collect::<Vec<_>>().join(", ");
            Ailment {
                reason: format!(
                    "The container engine at {place} does not list {each}. They are shown as they were known. Its log on the device says why."
                ),
                since,
            }
        });
        EngineState::Running(facts)
    }
}
