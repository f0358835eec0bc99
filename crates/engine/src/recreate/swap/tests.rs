//! An exchange against an engine of a few values, which may refuse steps, while process and engine end at any moment.

use super::*;
use crate::recreate::proof::{HealthGoal, Proof};
use proptest::prelude::*;

/// What happens when the next step is due.
#[derive(Debug, Clone, Copy)]
enum Event {
    Fine,
    /// Only on the way forward: an engine that also refuses the way back can't be helped.
    Refused,
    KilledBefore,
    KilledAfter,
    /// The engine carries the step out later, when the process that asked is gone.
    KilledMeanwhile,
    /// The device restarts with all containers; those with the policy `always` come back.
    Reboot,
    NewEnds,
}

const GRACE: Duration = Duration::from_secs(10);

struct World {
    old: Option<SeenContainer>,
    new: Option<SeenContainer>,
    always: bool,
    starts: u32,
    now: Duration,
    /// What the engine will have done by this time.
    later: Option<(Duration, Step)>,
}

impl World {
    fn do_it(&mut self, swap: &Swap, step: Step) {
        self.starts += 1;
        let stamp = Some(self.starts.to_string());
        let run = |seen: &mut Option<SeenContainer>, other: &Option<SeenContainer>| {
            assert!(!other.as_ref().is_some_and(SeenContainer::runs), "both run");
            if let Some(seen) = seen {
                seen.state = State::Running;
                seen.started = stamp;
            }
        };
        match step {
            Step::Create => self.new = Some(container("new", &swap.temporary_name(), State::Created)),
            Step::StopOld => {
                // The engine had been asked before, and both requests end in the same stop.
                self.later.take_if(|(_, step)| *step == Step::StopOld);
                self.old.iter_mut().for_each(|old| old.state = State::Ended(0));
            }
            Step::SetOldAside => rename(&mut self.old, swap.aside_name()),
            Step::NameNew => rename(&mut self.new, swap.name.clone()),
            Step::StartNew => run(&mut self.new, &self.old),
            Step::RemoveOld => self.old = None,
            Step::RemoveNew => self.new = None,
            Step::NameOld => rename(&mut self.old, swap.name.clone()),
            Step::StartOld => run(&mut self.old, &self.new),
        }
    }

    fn pass(&mut self, swap: &Swap, time: Duration) {
        self.now += time;
        if let Some((_, step)) = self.later.take_if(|(due, _)| *due <= self.now) {
            self.do_it(swap, step);
        }
    }

    fn reboot(&mut self) {
        self.starts += 1;
        self.later = None;
        for seen in [&mut self.old, &mut self.new].into_iter().flatten() {
            if seen.state != State::Created {
                seen.state = if self.always {
                    State::Running
                } else {
                    State::Ended(137)
                };
                seen.started = Some(self.starts.to_string());
            }
        }
    }

    /// One container is left, as it was or as it was to be.
    fn assert_whole(&self, swap: &Swap) {
        let left: Vec<_> = [&self.old, &self.new].into_iter().flatten().collect();
        assert_eq!(left.len(), 1, "{left:?}");
        assert_eq!(left[0].name, swap.name);
        assert!(!swap.ran || left[0].runs(), "{left:?}");
        assert!(swap.ran || self.always || !left[0].runs(), "{left:?}");
    }
}

fn container(id: &str, name: &str, state: State) -> SeenContainer {
    SeenContainer {
        id: id.into(),
        name: name.into(),
        state,
        health: Health::None,
        started: None,
        created: None,
    }
}

fn rename(seen: &mut Option<SeenContainer>, name: String) {
    seen.iter_mut().for_each(|seen| seen.name.clone_from(&name));
}

fn swap(ran: bool) -> Swap {
    Swap {
        old: "old".into(),
        name: "web".into(),
        ran,
        started: None,
        network: Network::Before,
        new: Replacement::Unknown,
        stopping: false,
        stop_seconds: None,
        grace: GRACE,
        proof: Proof {
            settle: Duration::from_secs(1),
            health: HealthGoal::Nothing,
        },
        begun: Timestamp::UNIX_EPOCH,
        back: None,
    }
}

/// One process that carries the exchange out, from its start to its end.
struct Life<'a> {
    world: &'a mut World,
    /// The swap on disk; `swap` is the one in memory.
    kept: &'a mut Swap,
    swap: Swap,
    begun: Duration,
    up_since: Option<Duration>,
    again: bool,
}

impl<'a> Life<'a> {
    fn begin(world: &'a mut World, kept: &'a mut Swap, again: bool) -> Self {
        let mut life = Self {
            swap: kept.clone(),
            begun: world.now,
            world,
            kept,
            up_since: None,
            again,
        };
        if again {
            let facts = life.look();
            life.swap.handle_interruption(&facts);
            life.keep();
        }
        life
    }

    fn look(&mut self) -> Facts {
        let new = self.world.new.clone().filter(|new| match &self.swap.new {
            Replacement::Made(_) => true,
            Replacement::Unknown => self.again && self.swap.is_ours(new),
            Replacement::Refused => false,
        });
        let is_up = new.as_ref().is_some_and(|new| new.state != State::Created);
        let now = self.world.now;
        self.up_since = self.up_since.filter(|_| is_up).or_else(|| is_up.then_some(now));
        Facts {
            old: self.world.old.clone(),
            new,
            since: now - self.begun,
            unheard: self.again,
            up_for: self.up_since.map(|up| now - up).unwrap_or_default(),
        }
    }

    fn keep(&mut self) {
        self.kept.clone_from(&self.swap);
    }

    fn turn_back(&mut self) {
        self.swap.back = Some("a fault".into());
        self.keep();
    }

    /// Runs until the end, or until the process is killed.
    fn live(mut self, events: &mut impl Iterator<Item = Event>) -> Option<End> {
        for _ in 0..300 {
            let facts = self.look();
            match self.swap.next(&facts, &BTreeSet::new()) {
                Next::Look => self.world.pass(&self.swap, Duration::from_millis(500)),
                Next::TurnBack(_) => self.turn_back(),
                Next::End(end) => return Some(end),
                Next::Do(step) => {
                    self.world.pass(&self.swap, Duration::from_millis(100));
                    if step == Step::StopOld {
                        self.swap.handle_stop(&facts);
                        self.keep();
                    }
                    let event = events.next().unwrap_or(Event::Fine);
                    if !self.survives(step, event) {
                        return None;
                    }
                }
            }
        }
        panic!("it never ends: {:?}", self.swap);
    }

    fn survives(&mut self, step: Step, event: Event) -> bool {
        match event {
            Event::Refused if self.swap.back.is_none() && step != Step::RemoveOld => {
                if step == Step::Create {
                    self.swap.new = Replacement::Refused;
                }
                self.turn_back();
                return true;
            }
            Event::NewEnds => {
                let new = self.world.new.as_mut().filter(|new| new.state == State::Running);
                new.into_iter().for_each(|new| new.state = State::Ended(1));
                return true;
            }
            Event::KilledBefore => return false,
            Event::Reboot => {
                self.world.reboot();
                return false;
            }
            Event::KilledMeanwhile if matches!(step, Step::Create | Step::StopOld) => {
                let within = if step == Step::Create { IN_FLIGHT } else { GRACE };
                self.world.later = Some((self.world.now + within / 2, step));
                return false;
            }
            Event::Fine | Event::Refused | Event::KilledAfter | Event::KilledMeanwhile => {
                self.world.do_it(&self.swap, step);
            }
        }
        if matches!(event, Event::KilledAfter | Event::KilledMeanwhile) {
            return false;
        }
        match step {
            Step::Create => self.swap.new = Replacement::Made("new".into()),
            Step::StopOld => self.swap.stopping = false,
            _ => return true,
        }
        self.keep();
        true
    }
}

fn begin(ran: bool, always: bool) -> (World, Swap) {
    let state = if ran { State::Running } else { State::Ended(0) };
    let world = World {
        old: Some(container("old", "web", state)),
        new: None,
        always,
        starts: 0,
        now: Duration::ZERO,
        later: None,
    };
    (world, swap(ran))
}

fn carry_to_the_end(world: &mut World, kept: &mut Swap, events: Vec<Event>) -> End {
    let mut events = events.into_iter();
    let mut end = Life::begin(world, kept, false).live(&mut events);
    while end.is_none() {
        end = Life::begin(world, kept, true).live(&mut events);
    }
    // Requests still in flight arrive.
    world.pass(kept, GRACE * 2);
    end.unwrap_or(End::Gone)
}

fn event() -> impl Strategy<Value = Event> {
    use Event::{Fine, KilledAfter, KilledBefore, KilledMeanwhile, NewEnds, Reboot, Refused};
    prop_oneof![
        6 => Just(Fine),
        1 => Just(Refused),
        1 => Just(KilledBefore),
        1 => Just(KilledAfter),
        1 => Just(KilledMeanwhile),
        1 => Just(Reboot),
        1 => Just(NewEnds),
    ]
}

proptest! {
    #[test]
    fn however_often_it_is_killed_there_is_one_container_in_the_end_and_it_runs_if_it_ran(
        ran: bool,
        always: bool,
        events in prop::collection::vec(event(), 0..24),
    ) {
        let (mut world, mut kept) = begin(ran, always);
        carry_to_the_end(&mut world, &mut kept, events);
        world.assert_whole(&kept);
    }
}

#[test]
fn undisturbed_it_replaces_the_old_one() {
    for ran in [true, false] {
        let (mut world, mut kept) = begin(ran, false);
        let end = carry_to_the_end(&mut world, &mut kept, vec![]);
        assert_eq!(end, End::Replaced("new".into()));
        world.assert_whole(&kept);
    }
}

#[test]
fn killed_before_the_old_one_gave_up_its_name_it_goes_back_and_later_it_goes_on() {
    let steps = [
        Step::Create,
        Step::StopOld,
        Step::SetOldAside,
        Step::NameNew,
        Step::StartNew,
    ];
    for (at, step) in steps.into_iter().enumerate() {
        let (mut world, mut kept) = begin(true, false);
        let mut events = vec![Event::Fine; at];
        events.push(Event::KilledAfter);
        let end = carry_to_the_end(&mut world, &mut kept, events);
        let goes_on = !matches!(step, Step::Create | Step::StopOld);
        assert_eq!(end == End::Replaced("new".into()), goes_on, "{step:?}");
        world.assert_whole(&kept);
    }
}

#[test]
fn a_stop_that_arrives_late_does_not_leave_the_old_one_stopped() {
    let (mut world, mut kept) = begin(true, false);
    let end = carry_to_the_end(&mut world, &mut kept, vec![Event::Fine, Event::KilledMeanwhile]);
    assert_eq!(end, End::PutBack);
    world.assert_whole(&kept);
    assert!(world.now >= GRACE / 2);
}

#[test]
fn a_leftover_of_another_program_is_not_removed() {
    let (mut world, mut kept) = begin(true, false);
    world.new = Some(SeenContainer {
        created: Some(Timestamp::UNIX_EPOCH),
        ..container("foreign", "web.flotilla-new", State::Created)
    });
    kept.begun = "2026-11-21T14:02:00Z".parse().unwrap();
    // The engine refuses the name, and the process ends before it can note that.
    let end = carry_to_the_end(&mut world, &mut kept, vec![Event::KilledBefore]);
    assert_eq!(
        (end, world.new.map(|new| new.id)),
        (End::PutBack, Some("foreign".into()))
    );
}
