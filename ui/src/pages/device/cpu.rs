//! The chart of the processors in use.

use crate::{
    clock::use_clock,
    components::chart::{Axis, Chart},
    copy::devices as copy,
    history::{SPAN, use_history},
};
use flotilla_protocol::device::Device;
use leptos::prelude::*;
use std::sync::Arc;

const AXIS: Axis = Axis {
    figure: copy::CPU,
    unit: " %",
    top: 100.0,
    span: SPAN,
};

#[component]
pub(super) fn CpuChart(device: Signal<Arc<Device>>) -> impl IntoView {
    let (history, clock) = (use_history(), use_clock());
    let id = device.with_untracked(|device| device.id);
    let samples = Memo::new(move |_| history.cpu(id, clock.half_minute.get()));
    // A device that never was online has no figures to wait for.
    let known = Memo::new(move |_| device.with(|device| device.usage.is_some()));
    let of = Signal::derive(move || device.with(|device| device.name.to_string()));
    move || known.get().then(|| view! { <Chart axis=AXIS of samples/> })
}
