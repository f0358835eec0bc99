//! Control, its store and three agents, while anything ends at any moment.

use super::{agents::Agent, *};
use rand::{Rng, SeedableRng, rngs::StdRng};

/// A call on its way.
#[derive(Debug)]
pub(super) struct Flight {
    device: usize,
    job: JobId,
    act: JobId,
    call: Call,
    /// The agent's answer, on its way back.
    answer: Option<Result<JobReport, CallFailure>>,
}

pub(super) struct World {
    pub(super) random: StdRng,
    /// Milliseconds that passed, and those that the clock says in addition, after sleeps.
    pub(super) passed: u64,
    slept: i64,
    start: Instant,
    pub(super) control: Option<Jobs>,
    pub(super) store: BTreeMap<JobId, JobRecord>,
    /// Entries of the activity log for each act, and how often an outcome was corrected.
    pub(super) entries: BTreeMap<JobId, usize>,
    pub(super) reopened: BTreeMap<JobId, usize>,
    saves: Vec<(JobRecord, Vec<usize>)>,
    runs: BTreeSet<JobId>,
    ran: BTreeMap<JobId, u32>,
    pub(super) flights: Vec<Flight>,
    pub(super) agents: [Agent; 3],
    pub(super) links: [bool; 3],
    next_id: u128,
    pub(super) is_calm: bool,
}

impl World {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            random: StdRng::seed_from_u64(seed),
            passed: 0,
            slept: 0,
            start: Instant::now(),
            control: Some(Jobs::default()),
            store: BTreeMap::new(),
            entries: BTreeMap::new(),
            reopened: BTreeMap::new(),
            saves: Vec::new(),
            runs: BTreeSet::new(),
            ran: BTreeMap::new(),
            flights: Vec::new(),
            agents: Default::default(),
            links: [false; 3],
            next_id: 0,
            is_calm: false,
        }
    }

    fn now(&self) -> Now {
        let millis = i64::try_from(self.passed).unwrap() + self.slept;
        (clock(millis), self.start + Duration::from_millis(self.passed))
    }

    fn any_device(&mut self) -> usize {
        self.random.random_range(0..3)
    }

    pub(super) fn event(&mut self) {
        self.passed += self.random.random_range(1..400);
        match self.random.random_range(0..100) {
            0..6 => self.begin(),
            6..36 => self.fly(),
            36..56 => self.work(),
            56..70 => self.save(),
            70..76 => self.link(),
            76..79 => self.cut(),
            79..81 => self.kill_agent(),
            81..84 => self.kill_control(),
            84..87 => self.cancel(),
            87..91 => self.run_ends(),
            91..94 => self.silence(),
            94 => self.slept += 3_600_000,
            95 => self.passed += self.random.random_range(0..400_000),
            96 => {
                self.passed += if self.random.random_bool(0.1) {
                    90_000_000
                } else {
                    0
                }
            }
            _ => {}
        }
        self.drain();
    }

    /// Begins a job as control does: drafted, kept, and only then adopted; control may end between the two.
    fn begin(&mut self) {
        let Some(control) = self.control.as_ref().filter(|_| !self.is_calm) else {
            return;
        };
        let device = self.random.random_range(0..3);
        let container = |n: u32| format!("c{n}");
        let work = match self.random.random_range(0..6) {
            0 => mode_change(device),
            1 => push(device),
            2 | 3 => placement(
                device,
                &container(self.random.random_range(0..3)),
                self.random.random(),
            ),
            _ => {
                let many = self.random.random_range(1..9);
                let all = (0..many).map(|n| target(self.random.random_range(0..3), &container(n)));
                bulk(all.collect())
            }
        };
        let mut ids: Vec<_> = (0..16).map(|n| id(self.next_id + 1 + n)).collect();
        self.next_id += 16;
        let first = ids.remove(0);
        let draft = JobRecord::draft(first, work, Actor::Owner, self.now().0, || ids.remove(0));
        if control.find_obstacle(&draft).is_some() || self.random.random_bool(0.1) {
            return;
        }
        self.store.insert(first, draft.clone());
        if self.random.random_bool(0.1) {
            return self.kill_control();
        }
        let now = self.now();
        if let Some(control) = &mut self.control {
            control.adopt(draft, Origin::New, now);
        }
    }

    /// Something on its way arrives.
    fn fly(&mut self) {
        if self.flights.is_empty() {
            return;
        }
        let nth = self.random.random_range(0..self.flights.len());
        let flight = &mut self.flights[nth];
        if flight.answer.is_none() {
            let agent = &mut self.agents[flight.device];
            flight.answer = Some(agent.answer(flight.act, &flight.call, &mut self.random));
            return;
        }
        let flight = self.flights.swap_remove(nth);
        let answer = flight.answer.clone().unwrap();
        self.tell(&flight, answer);
    }

    fn tell(&mut self, flight: &Flight, answer: Result<JobReport, CallFailure>) {
        let now = self.now();
        if let Some(control) = &mut self.control {
            control.handle_answer(flight.job, (flight.act, &flight.call), answer, now);
        }
    }

    /// An answer is not given in time, whether the call arrived or not.
    fn silence(&mut self) {
        if self.flights.is_empty() || self.is_calm {
            return;
        }
        let nth = self.random.random_range(0..self.flights.len());
        let flight = self.flights.swap_remove(nth);
        if flight.answer.is_none() && self.random.random_bool(0.5) {
            drop(self.agents[flight.device].answer(flight.act, &flight.call, &mut self.random));
        }
        self.tell(&flight, Err(CallFailure::Silent));
    }

    fn work(&mut self) {
        let device = self.any_device();
        self.agents[device].step(&mut self.random);
    }

    fn save(&mut self) {
        if self.saves.is_empty() {
            return;
        }
        let (record, ended) = self.saves.remove(0);
        let is_written = self.is_calm || self.random.random_bool(0.9);
        let id = record.id;
        if is_written {
            for nth in ended {
                *self.entries.entry(record.acts[nth].id).or_default() += 1;
            }
            self.store.insert(id, record);
        }
        // Control may end between its commit and its next step.
        if !self.is_calm && self.random.random_bool(0.05) {
            return self.kill_control();
        }
        let now = self.now();
        if let Some(control) = &mut self.control {
            control.handle_saved(id, is_written, now);
        }
    }

    pub(super) fn link(&mut self) {
        let device = self.any_device();
        let now = self.now();
        let Some(control) = &mut self.control else {
            return self.start_control();
        };
        if std::mem::replace(&mut self.links[device], true) {
            return;
        }
        let listed = self.agents[device].list();
        let ids: Vec<_> = listed.iter().map(|report| report.id).collect();
        control.handle_link_up(device_id(device), &ids, now);
        for report in &listed {
            self.handle_listed(device, report);
        }
    }

    /// A device lists a job when its link begins; control knows it, or looks it up.
    fn handle_listed(&mut self, device: usize, report: &JobReport) {
        let now = self.now();
        let Some(control) = &mut self.control else { return };
        if control.has_act(report.id) {
            return;
        }
        let holds = |record: &&mut JobRecord| record.acts.iter().any(|act| act.id == report.id);
        let record = self
            .store
            .values_mut()
            .find(holds)
            .expect("it was kept before it was called");
        if record.reopen(report.id) {
            *self.reopened.entry(report.id).or_default() += 1;
            control.adopt(record.clone(), Origin::Listed, now);
        } else if report.state.is_over() {
            drop(self.agents[device].answer(report.id, &Call::Forget, &mut self.random));
        }
    }

    fn cut(&mut self) {
        let device = self.any_device();
        self.cut_link(device);
    }

    pub(super) fn cut_link(&mut self, device: usize) {
        if self.is_calm || !std::mem::replace(&mut self.links[device], false) {
            return;
        }
        let now = self.now();
        let (cut, left) = std::mem::take(&mut self.flights)
            .into_iter()
            .partition(|flight| flight.device == device);
        self.flights = left;
        let is_noticed_first = self.random.random();
        if let Some(control) = self.control.as_mut().filter(|_| is_noticed_first) {
            control.handle_link_down(device_id(device), now);
        }
        let cut: Vec<Flight> = cut;
        for flight in cut {
            self.tell(&flight, Err(CallFailure::CutOff));
        }
        if let Some(control) = &mut self.control {
            control.handle_link_down(device_id(device), now);
        }
    }

    fn kill_agent(&mut self) {
        let device = self.any_device();
        self.cut_link(device);
        if !self.is_calm {
            self.agents[device].restart();
        }
    }

    fn kill_control(&mut self) {
        if self.is_calm {
            return;
        }
        self.control = None;
        self.saves.clear();
        self.runs.clear();
        self.links = [false; 3];
        for flight in std::mem::take(&mut self.flights) {
            if flight.answer.is_none() && self.random.random() {
                drop(self.agents[flight.device].answer(flight.act, &flight.call, &mut self.random));
            }
        }
    }

    fn start_control(&mut self) {
        let mut control = Jobs::default();
        for record in self.store.values().filter(|record| !record.state.is_over()) {
            control.adopt(record.clone(), Origin::Kept, self.now());
        }
        self.control = Some(control);
    }

    fn cancel(&mut self) {
        let (now, random) = (self.now(), self.random.random_range(0..self.store.len().max(1)));
        let id = self.store.keys().nth(random).copied();
        if let (Some(control), Some(id)) = (&mut self.control, id) {
            drop(control.handle_cancel(id, now));
        }
    }

    fn run_ends(&mut self) {
        let Some(id) = self.runs.pop_first() else { return };
        *self.ran.entry(id).or_default() += 1;
        let now = self.now();
        if let Some(control) = &mut self.control {
            control.handle_ran(id, ActOutcome::done(), now);
        }
    }

    pub(super) fn drain(&mut self) {
        let now = self.now();
        if let Some(control) = &mut self.control {
            control.handle_timeout(now);
        }
        while let Some(todo) = self.control.as_mut().and_then(|control| control.poll_todo(now)) {
            match todo {
                Todo::Save { record, ended } => self.saves.push((*record, ended)),
                Todo::Call {
                    job,
                    act,
                    device,
                    call,
                } => {
                    let device = (0..3).find(|n| device_id(*n) == device).unwrap();
                    assert!(self.store.contains_key(&job), "kept before it is called");
                    let flight = Flight {
                        device,
                        job,
                        act,
                        call,
                        answer: None,
                    };
                    self.flights.push(flight);
                }
                Todo::Run(record) => {
                    assert!(
                        !self.store[&record.id].state.is_over(),
                        "nothing runs that is over"
                    );
                    self.runs.insert(record.id);
                }
                Todo::Stop(id) => drop(self.runs.remove(&id).then(|| {
                    let outcome = ActOutcome::canceled(Code::Conflict.because("It was ended."));
                    if let Some(control) = &mut self.control {
                        control.handle_ran(id, outcome, now);
                    }
                })),
                Todo::Show(_) => {}
            }
        }
    }
}
