//! Carrying out actions: those that are under way, the question that is open, and the outcome of each.
//!
//! Life cycle of an action on objects: chosen → (asked) → sent → done or failed. One that is a job is followed until
//! the job is over; it survives this page.

use super::{
    Action, Object,
    action::{Asked, Asking, DialogEnd, Does, Reason, Words, Work},
    batch::Batch,
    jobs::{JobEnd, begin_job},
    outcome::Outcome,
};
use crate::{
    api::Failure,
    browser,
    clock::now,
    components::toast::{Toaster, use_toaster},
    copy::actions as copy,
    store::{Store, use_store},
};
use flotilla_protocol::{Timestamp, api::Job, id::JobId};
use leptos::{prelude::*, task::spawn_local};
use leptos_router::hooks::{use_location, use_navigate};
use std::{collections::BTreeMap, fmt, sync::Arc};

/// An action that goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doing {
    pub slug: &'static str,
    /// "Restarting…"
    pub words: &'static str,
    /// "Restarting jellyfin on nas…"
    pub sentence: String,
    pub since: Timestamp,
    /// The job that it is, which can be canceled.
    pub job: Option<JobId>,
}

/// What a person answers before an action goes on.
#[derive(Clone)]
pub(super) enum Opened {
    Question(Arc<Question>),
    Dialog(Arc<dyn Fn(Callback<()>) -> AnyView + Send + Sync>),
}

/// A question about an action on some objects.
pub(super) struct Question {
    id: u32,
    pub asked: Asked,
    pub asking: Asking,
    /// The objects, each with its detail.
    pub objects: Vec<(String, String)>,
    pub skipped: Vec<String>,
    pub doing: &'static str,
    pub confirm: Box<dyn Fn() + Send + Sync>,
}

/// Learns the keys of the objects for which an action failed. It holds no signals of a place that may be gone by then.
pub type Told = Arc<dyn Fn(Vec<String>) + Send + Sync>;

/// Opens an address of the page.
pub type Go = Arc<dyn Fn(&str) + Send + Sync>;

/// What goes on and what is asked. A handle: copies share the same signals.
#[derive(Clone, Copy)]
pub struct Acting {
    pub store: Store,
    pub toaster: Toaster,
    go: StoredValue<Go>,
    path: Signal<String>,
    /// By the keys of objects.
    doing: RwSignal<BTreeMap<String, Doing>>,
    pub(super) opened: RwSignal<Option<Opened>>,
    /// What goes on for the open question, and why that failed.
    pub(super) waits: RwSignal<Option<Doing>>,
    pub(super) failure: RwSignal<Option<String>>,
    next: StoredValue<u32>,
    pub(super) followed: StoredValue<BTreeMap<JobId, JobEnd>>,
}

impl fmt::Debug for Acting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Acting").finish_non_exhaustive()
    }
}

#[must_use]
pub fn use_acting() -> Acting {
    expect_context()
}

impl Acting {
    /// Provides actions to the components below, which are inside the router.
    pub fn provide() -> Self {
        let navigate = use_navigate();
        let go = Arc::new(move |path: &str| navigate(path, Default::default()));
        let acting = Self::new(use_store(), use_toaster(), use_location().pathname.into(), go);
        Effect::new(move |_| acting.end_jobs());
        provide_context(acting);
        acting
    }

    /// Actions in a page whose address is `path`; `go` changes it.
    #[must_use]
    pub fn new(store: Store, toaster: Toaster, path: Signal<String>, go: Go) -> Self {
        Self {
            store,
            toaster,
            go: StoredValue::new(go),
            path,
            doing: RwSignal::default(),
            opened: RwSignal::new(None),
            waits: RwSignal::new(None),
            failure: RwSignal::new(None),
            next: StoredValue::new(0),
            followed: StoredValue::default(),
        }
    }

    /// What goes on at the object of a key.
    #[must_use]
    pub fn doing(self, key: &str) -> Option<Doing> {
        self.doing.with(|doing| doing.get(key).cloned())
    }

    /// Whether a question or a dialog is open.
    #[must_use]
    pub fn is_asking(self) -> bool {
        self.opened.with(Option::is_some)
    }

    /// Why an action cannot be done to an object now; follows the store.
    #[must_use]
    pub fn reason<O: Object>(self, action: &Action<O>, object: &O) -> Option<String> {
        action
            .reason(object, &|verb, device| self.store.why_not(verb, device))
            .map(Reason::words)
    }

    /// Begins an action on the objects of these keys, or asks first. `failed` learns the keys of those it failed for.
    pub fn begin<O: Object>(self, action: &'static Action<O>, keys: &[String], failed: Option<Told>) {
        let chosen = untrack(|| {
            let objects = keys.iter().filter_map(|key| O::of_key(self.store, key));
            Batch::sort(action, objects.collect(), &|verb, device| {
                self.store.why_not(verb, device)
            })
        });
        self.begin_batch(chosen, failed);
    }

    /// Begins the action that a word in an address names. Another word begins nothing.
    pub fn begin_slug<O: Object>(self, slug: &str, key: &str) {
        if let Some(action) = Action::<O>::of_slug(slug) {
            self.begin(action, &[key.to_owned()], None);
        }
    }

    fn begin_batch<O: Object>(self, batch: Batch<O>, failed: Option<Told>) {
        let Some(first) = batch.objects.first() else {
            return self.toaster.fail(batch.refusal());
        };
        match &batch.action.does {
            Does::Goes(path) => self.go(&path(first)),
            Does::Copies(text) => self.copy(&text(first)),
            Does::Opens(dialog) => {
                let (dialog, objects) = (*dialog, batch.objects);
                self.open(Opened::Dialog(Arc::new(move |close| {
                    let failed = failed.clone();
                    dialog(objects.clone(), DialogEnd { close, failed })
                })));
            }
            Does::Sends { words, .. } => match batch.asking() {
                Asking::Not => self.send(batch, words, None, failed),
                asking => self.ask(batch, words, asking, failed),
            },
        }
    }

    fn ask<O: Object>(self, batch: Batch<O>, words: &'static Words<O>, asking: Asking, failed: Option<Told>) {
        let id = self.next.get_value();
        self.next.set_value(id + 1);
        let named = |object: &O| (object.name(), object.detail());
        let question = Question {
            id,
            asked: (words.asked)(&batch.objects),
            asking,
            objects: batch.objects.iter().map(named).collect(),
            skipped: batch.skipped(),
            doing: words.doing,
            confirm: Box::new(move || {
                // Nothing is lost by a plain action, so that the page need not wait for it.
                let stays = (asking != Asking::Plainly).then_some(id);
                if stays.is_none() {
                    self.close();
                }
                self.send(batch.clone(), words, stays, failed.clone());
            }),
        };
        self.open(Opened::Question(Arc::new(question)));
    }

    fn open(self, opened: Opened) {
        self.waits.set(None);
        self.failure.set(None);
        self.opened.set(Some(opened));
    }

    pub(super) fn close(self) {
        self.opened.set(None);
        self.waits.set(None);
    }

    /// Sends an action. A failure is shown in the question, if that is still open, else as a toast.
    fn send<O: Object>(
        self,
        mut batch: Batch<O>,
        words: &'static Words<O>,
        question: Option<u32>,
        failed: Option<Told>,
    ) {
        let Does::Sends { one, several, .. } = &batch.action.does else {
            return;
        };
        // A second press while the first goes on does nothing more.
        self.doing.with_untracked(|doing| {
            let slug = |object: &O| doing.get(&object.key()).map(|doing| doing.slug);
            batch
                .objects
                .retain(|object| slug(object) != Some(batch.action.slug));
        });
        let work = match batch.objects.as_slice() {
            [] => return,
            [_] => one,
            _ => several,
        };
        let slug = batch.action.slug;
        let doing = Doing {
            slug,
            words: words.doing,
            sentence: copy::doing(words.doing, &copy::object_in_full(&batch.objects)),
            since: now(),
            job: None,
        };
        self.mark(&batch.objects, &doing, question);
        let call = match work {
            Work::Call(call) => {
                return spawn_local(async move {
                    let mut outcome = Outcome::default();
                    for object in &batch.objects {
                        if let Err(failure) = call(object).answer().await {
                            outcome.failed(object, words.past, &failure);
                        }
                        self.unmark(std::slice::from_ref(object), batch.action.slug);
                    }
                    self.finish(&batch, words, &outcome, question, failed.as_ref());
                });
            }
            Work::Job(call) => untrack(|| call(&batch.objects)),
        };
        spawn_local(async move {
            let begun = begin_job(call).await;
            if let Ok(job) = &begun {
                self.mark_job(&batch.objects, job.id, question);
            }
            let end = move |outcome: Outcome| {
                self.unmark(&batch.objects, slug);
                self.finish(&batch, words, &outcome, question, failed.as_ref());
            };
            match begun {
                Ok(job) => {
                    let over = move |job: Result<Job, Failure>| {
                        end(job
                            .map_or_else(|failure| Outcome::refused(&failure), |job| Outcome::of_job(&job)));
                    };
                    self.follow(job, Arc::new(over));
                }
                Err(failure) => end(Outcome::refused(&failure)),
            }
        });
    }

    fn mark<O: Object>(self, objects: &[O], doing: &Doing, question: Option<u32>) {
        self.doing.update(|all| {
            all.extend(objects.iter().map(|object| (object.key(), doing.clone())));
        });
        if self.is_open(question) {
            self.failure.set(None);
            self.waits.set(Some(doing.clone()));
        }
    }

    /// What goes on at these objects is a job, which can be canceled.
    fn mark_job<O: Object>(self, objects: &[O], job: JobId, question: Option<u32>) {
        self.doing.update(|all| {
            for object in objects {
                if let Some(doing) = all.get_mut(&object.key()) {
                    doing.job = Some(job);
                }
            }
        });
        if self.is_open(question) {
            self.waits.update(|waits| {
                if let Some(doing) = waits {
                    doing.job = Some(job);
                }
            });
        }
    }

    fn unmark<O: Object>(self, objects: &[O], slug: &'static str) {
        self.doing.update(|all| {
            for object in objects {
                let key = object.key();
                if all.get(&key).is_some_and(|doing| doing.slug == slug) {
                    all.remove(&key);
                }
            }
        });
    }

    fn is_open(self, question: Option<u32>) -> bool {
        let open = self.opened.with_untracked(|opened| match opened {
            Some(Opened::Question(question)) => Some(question.id),
            _ => None,
        });
        question.is_some() && open == question
    }

    /// Says what came of an action.
    fn finish<O: Object>(
        self,
        batch: &Batch<O>,
        words: &'static Words<O>,
        outcome: &Outcome,
        question: Option<u32>,
        failed: Option<&Told>,
    ) {
        let (bad, done): (Vec<O>, Vec<O>) = batch
            .objects
            .iter()
            .cloned()
            .partition(|object| untrack(|| outcome.concerns(object)));
        if !done.is_empty() {
            self.toaster.confirm((words.done)(&done));
            if let Does::Sends { then, .. } = &batch.action.does {
                then(self, &done);
            }
        }
        let told = outcome.words(words.past);
        if self.is_open(question) && done.is_empty() {
            self.waits.set(None);
            self.failure.set(Some(told.join(" ")));
        } else {
            if self.is_open(question) {
                self.close();
            }
            told.into_iter().for_each(|words| self.toaster.fail(words));
        }
        if let Some(failed) = failed {
            failed(bad.iter().map(Object::key).collect());
        }
    }

    /// Opens an address of the application.
    pub fn go(self, path: &str) {
        let go = self.go.get_value();
        go(path);
    }

    /// Leaves the page of an object that is gone.
    pub(super) fn leave<O: Object>(self, objects: &[O], to: &str) {
        let path = self.path.get_untracked();
        if objects.iter().any(|object| path.starts_with(&object.address())) {
            self.go(to);
        }
    }

    /// Puts a text on the clipboard, and says whether that worked.
    pub fn copy(self, text: &str) {
        if browser::copy_to_clipboard(text) {
            self.toaster.confirm(copy::copied(text));
        } else {
            self.toaster.fail(copy::not_copied(text));
        }
    }
}
