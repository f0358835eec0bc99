//! The limit of time of a call.

use gloo_timers::callback::Timeout;
use std::{cell::Cell, rc::Rc, time::Duration};
use web_sys::{AbortController, AbortSignal};

/// Ends a call when its time is over, and when this is dropped.
#[derive(Debug)]
pub(super) struct Limit {
    controller: AbortController,
    _timer: Timeout,
    over: Rc<Cell<bool>>,
}

impl Limit {
    pub(super) fn new(within: Duration) -> Option<Self> {
        let controller = AbortController::new().ok()?;
        let over = Rc::new(Cell::new(false));
        let end = {
            let (controller, over) = (controller.clone(), over.clone());
            move || {
                over.set(true);
                controller.abort();
            }
        };
        let within = u32::try_from(within.as_millis()).unwrap_or(u32::MAX);
        Some(Self {
            controller,
            _timer: Timeout::new(within, end),
            over,
        })
    }

    pub(super) fn signal(&self) -> AbortSignal {
        self.controller.signal()
    }

    /// The call ended because its time was over.
    pub(super) fn is_over(&self) -> bool {
        self.over.get()
    }
}

impl Drop for Limit {
    fn drop(&mut self) {
        self.controller.abort();
    }
}
