//! What is said of actions on containers.

use super::ContainerObject;
use crate::{
    actions::action::{Asked, Object, Words},
    copy::{
        actions::{CANCEL, done, object_in_full, plainly},
        containers as copy,
    },
};

pub(in crate::actions) const fn starting<O: Object>() -> Words<O> {
    Words {
        doing: copy::STARTING,
        past: copy::WAS_STARTED,
        done: |objects| done(copy::WAS_STARTED, objects),
        asked: |objects| plainly(copy::START, copy::START_TEXT, objects),
    }
}

pub(in crate::actions) const fn stopping<O: Object>() -> Words<O> {
    Words {
        doing: copy::STOPPING,
        past: copy::WAS_STOPPED,
        done: |objects| done(copy::WAS_STOPPED, objects),
        asked: |objects| plainly(copy::STOP, copy::STOP_TEXT, objects),
    }
}

pub(in crate::actions) const fn restarting<O: Object>() -> Words<O> {
    Words {
        doing: copy::RESTARTING,
        past: copy::WAS_RESTARTED,
        done: |objects| done(copy::WAS_RESTARTED, objects),
        asked: |objects| plainly(copy::RESTART, copy::RESTART_TEXT, objects),
    }
}

pub(in crate::actions) const fn pausing() -> Words<ContainerObject> {
    Words {
        doing: copy::PAUSING,
        past: copy::WAS_PAUSED,
        done: |containers| done(copy::WAS_PAUSED, containers),
        asked: |containers| plainly(copy::PAUSE, copy::PAUSE_TEXT, containers),
    }
}

pub(in crate::actions) const fn unpausing() -> Words<ContainerObject> {
    Words {
        doing: copy::UNPAUSING,
        past: copy::WAS_UNPAUSED,
        done: |containers| done(copy::WAS_UNPAUSED, containers),
        asked: |containers| plainly(copy::UNPAUSE, copy::UNPAUSE_TEXT, containers),
    }
}

pub(in crate::actions) const fn killing() -> Words<ContainerObject> {
    Words {
        doing: copy::KILLING,
        past: copy::WAS_KILLED,
        done: |containers| done(copy::WAS_KILLED, containers),
        asked: |containers| plainly(copy::KILL, copy::KILL_TEXT, containers),
    }
}

pub(in crate::actions) const fn removing() -> Words<ContainerObject> {
    Words {
        doing: copy::REMOVING,
        past: copy::WAS_REMOVED,
        done: |containers| done(copy::WAS_REMOVED, containers),
        asked: |containers| {
            let confirm = copy::remove(&object_in_full(containers));
            let volumes = containers.iter().flat_map(|container| &container.item().volumes);
            Asked {
                title: format!("{confirm}?"),
                stakes: copy::remove_stakes(volumes.count()),
                confirm,
                keep: CANCEL.to_owned(),
                typed: String::new(),
            }
        },
    }
}

pub(in crate::actions) const fn recreating() -> Words<ContainerObject> {
    Words {
        doing: copy::RECREATING,
        past: copy::WAS_RECREATED,
        done: |containers| done(copy::WAS_RECREATED, containers),
        asked: |containers| {
            let confirm = copy::recreate(&object_in_full(containers));
            Asked {
                title: format!("{confirm}?"),
                stakes: copy::recreate_stakes(),
                confirm,
                keep: CANCEL.to_owned(),
                typed: String::new(),
            }
        },
    }
}
