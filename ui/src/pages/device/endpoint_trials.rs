//! The results of the device's trials of the controller's addresses.

use crate::{
    components::{
        age::AgeLabel,
        badge::{Status, Tone, status_badge},
        icon::lucide,
    },
    copy::link as copy,
};
use flotilla_protocol::device::{Device, EndpointTrial};
use leptos::prelude::*;
use std::sync::Arc;

#[component]
pub(super) fn EndpointTrials(device: Signal<Arc<Device>>) -> impl IntoView {
    let trials = Memo::new(move |_| device.with(|device| device.endpoint_trials.clone()));
    let name = device.with_untracked(|device| device.name.to_string());
    move || {
        let trials = trials.get();
        let newest = trials.iter().map(|trial| trial.at).max()?;
        Some(view! {
            <div class="trials">
                <h3>{copy::tried_from(&name)}" "<AgeLabel moment=newest/></h3>
                <ul>{trials.iter().map(trial_line).collect_view()}</ul>
                {trials.iter().all(|trial| !trial.reached).then(|| view! { <p class="hint">{copy::NONE_REACHED}</p> })}
            </div>
        })
    }
}

fn trial_line(trial: &EndpointTrial) -> impl IntoView + use<> {
    let status = if trial.reached {
        Status {
            tone: Tone::Ok,
            glyph: lucide::CIRCLE_CHECK,
            word: copy::REACHED.to_owned(),
        }
    } else {
        Status {
            tone: Tone::Off,
            glyph: lucide::UNPLUG,
            word: copy::NOT_REACHED.to_owned(),
        }
    };
    view! {
        <li>
            <span class="mono">{trial.endpoint.to_string()}</span>
            {status_badge(&status, false, false)}
            {trial.reason.clone().map(|reason| view! { <span class="caption muted">{reason}</span> })}
        </li>
    }
}
