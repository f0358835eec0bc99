//! A single answer of the controller, with how far its loading has come.

use super::{
    api::{Failure, send},
    load::{Load, Progress, Ticket},
};
use crate::clock;
use flotilla_protocol::{Timestamp, api::Request};
use leptos::{prelude::*, task::spawn_local_scoped_with_cancellation};

/// What is known of something that a page asks for.
#[derive(Debug, Clone)]
pub struct Known<T> {
    value: Option<T>,
    progress: Progress,
}

impl<T> Default for Known<T> {
    fn default() -> Self {
        Self {
            value: None,
            progress: Progress::default(),
        }
    }
}

impl<T> Known<T> {
    /// The newest answer. It stays while a newer one is awaited, and when that one fails.
    #[must_use]
    pub fn value(&self) -> Option<&T> {
        self.value.as_ref()
    }

    #[must_use]
    pub fn load(&self) -> &Load {
        self.progress.load()
    }

    pub fn begin(&mut self, now: Timestamp) -> Ticket {
        self.progress.begin(now)
    }

    /// Takes the answer to a request, unless a newer request was sent since.
    pub fn take(&mut self, ticket: Ticket, answer: Result<T, Failure>, now: Timestamp) {
        match answer {
            Ok(value) => {
                if self.progress.succeed(ticket, now) {
                    self.value = Some(value);
                }
            }
            Err(failure) => _ = self.progress.fail(ticket, failure),
        }
    }
}

/// Something whose loading can be watched.
pub trait Watched: Send + Sync + 'static {
    fn load(&self) -> &Load;
}

impl<T: Send + Sync + 'static> Watched for Known<T> {
    fn load(&self) -> &Load {
        self.progress.load()
    }
}

/// How far the loading of what a signal holds has come.
#[must_use]
pub fn load_of<T: Watched>(watched: RwSignal<T>) -> Memo<Load> {
    Memo::new(move |_| watched.with(|watched| watched.load().clone()))
}

/// Sends a request and keeps its answer in `known`. The request ends with the component that asks.
pub fn ask<R>(known: RwSignal<Known<R::Response>>, request: R)
where
    R: Request + 'static,
    R::Response: Send + Sync + 'static,
{
    let Some(ticket) = known.try_update(|known| known.begin(clock::now())) else {
        return;
    };
    spawn_local_scoped_with_cancellation(async move {
        let answer = send(&request).await;
        known.try_update(|known| known.take(ticket, answer, clock::now()));
    });
}
