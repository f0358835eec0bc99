//! A line over the last minutes, drawn by a script that is fetched when a page first shows a chart. The line is an
//! image with its figures in words; a slider reads it moment by moment, and a table has the same figures.

use super::{
    button::{Button, ButtonKind},
    ids::fresh_id,
};
use crate::{clock::use_clock, copy::chart as copy, format, pending::use_pending, script::Script};
use flotilla_protocol::Timestamp;
use js_sys::Float64Array;
use leptos::{ev::KeyboardEvent, html, prelude::*, task::spawn_local_scoped_with_cancellation};
use wasm_bindgen::{JsValue, closure::Closure};

/// A figure at a moment. None stands in a gap.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    pub at: Timestamp,
    pub value: Option<f64>,
}

/// What a chart shows.
#[derive(Debug, Clone, Copy)]
pub struct Axis {
    /// The name of the figure, as in "CPU".
    pub figure: &'static str,
    /// The unit after a figure, with the space before it.
    pub unit: &'static str,
    /// The highest figure that there can be.
    pub top: f64,
    /// The time that is shown, up to this moment, in seconds.
    pub span: i64,
}

impl Axis {
    fn words(self, value: Option<f64>) -> String {
        value.map_or_else(
            || copy::NO_FIGURE.to_owned(),
            |value| format!("{value:.0}{}", self.unit),
        )
    }
}

/// The chart of an object.
#[component]
pub fn Chart(
    axis: Axis,
    /// The name of the object, as in "nas".
    #[prop(into)]
    of: Signal<String>,
    #[prop(into)] samples: Signal<Vec<Sample>>,
) -> impl IntoView {
    let samples = Memo::new(move |_| samples.get());
    // Which figure is pointed at.
    let at = RwSignal::new(None::<usize>);
    let as_table = RwSignal::new(false);
    let summary = move || samples.with(|samples| summary(axis, &of.get(), samples));
    let words = move || samples.with(|samples| read_out(axis, samples, at.get()));
    let toggle = move || {
        if as_table.get() {
            copy::HIDE_TABLE
        } else {
            copy::SHOW_TABLE
        }
    };
    view! {
        <div class="chart">
            <div class="plot">
                <Drawing axis samples at summary=Signal::derive(summary)/>
                <TimeCursor axis samples at/>
            </div>
            <div class="chart-foot">
                <span class="num">{words}</span>
                <Button label=Signal::derive(move || toggle().to_owned()) kind=ButtonKind::Quiet
                    on_press=move || as_table.update(|shown| *shown = !*shown)/>
            </div>
            {move || as_table.get().then(|| view! { <Table axis of samples/> })}
        </div>
    }
}

/// "CPU of nas, last 5 min: now 38 %, peak 81 %".
fn summary(axis: Axis, of: &str, samples: &[Sample]) -> String {
    let values = samples.iter().filter_map(|sample| sample.value);
    let peak = values.fold(None, |peak: Option<f64>, value| {
        Some(peak.map_or(value, |peak| peak.max(value)))
    });
    let now = samples.last().and_then(|sample| sample.value);
    let span = format::span(axis.span);
    copy::summary(axis.figure, of, &span, &axis.words(now), &axis.words(peak))
}

/// The figure that is pointed at with its time, or the newest one.
fn read_out(axis: Axis, samples: &[Sample], at: Option<usize>) -> String {
    match at.and_then(|at| samples.get(at)) {
        Some(sample) => copy::at(&time_of_day(sample.at), &axis.words(sample.value)),
        None => copy::now(
            axis.figure,
            &axis.words(samples.last().and_then(|sample| sample.value)),
        ),
    }
}

/// The time of day to the second.
fn time_of_day(at: Timestamp) -> String {
    let moment = format::moment(at);
    let (_, time) = moment.rsplit_once(' ').unwrap_or(("", &moment));
    time.to_owned()
}

/// The image of the line.
#[component]
fn Drawing(
    axis: Axis,
    samples: Memo<Vec<Sample>>,
    at: RwSignal<Option<usize>>,
    summary: Signal<String>,
) -> impl IntoView {
    let clock = use_clock();
    let place = NodeRef::<html::Div>::new();
    let drawing = StoredValue::new_local(None::<Script>);
    let moved = StoredValue::new_local(Closure::<dyn Fn(JsValue)>::new(move |index: JsValue| {
        let index = index.as_f64().map(whole);
        if at.try_get_untracked().is_some_and(|known| known != index) {
            at.set(index);
        }
    }));
    let script = RwSignal::new_local(None::<Script>);
    let hold = use_pending().hold();
    spawn_local_scoped_with_cancellation(async move {
        script.set(Script::fetch("chart").await);
        drop(hold);
    });
    let drawn = RwSignal::new(false);
    Effect::new(move |_| {
        if let (Some(place), Some(script)) = (place.get(), script.get())
            && !drawn.get_untracked()
        {
            let callback = moved.with_value(|moved| moved.as_ref().clone());
            let arguments = [place.into(), axis.top.into(), axis.unit.into(), callback];
            drawing.set_value(script.call("draw", &arguments));
            drawn.set(true);
        }
    });
    Effect::new(move |_| {
        if drawn.get() {
            let (span, last) = (axis.span, clock.half_minute.get());
            samples.with(|samples| drawing.with_value(|drawing| set(drawing.as_ref(), samples, span, last)));
        }
    });
    Effect::new(move |_| {
        let index = at.get();
        if drawn.get() {
            #[expect(clippy::cast_precision_loss, reason = "a chart has some hundred figures")]
            let index = index.map_or(JsValue::NULL, |index| JsValue::from_f64(index as f64));
            drawing.with_value(|drawing| drawing.as_ref().map(|drawing| drawing.call("point", &[index])));
        }
    });
    on_cleanup(move || {
        if let Some(drawing) = drawing.try_update_value(Option::take).flatten() {
            drawing.call("end", &[]);
        }
    });
    view! { <div class="line-of-chart" role="img" aria-label=summary node_ref=place></div> }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an index of a script's array"
)]
fn whole(index: f64) -> usize {
    index as usize
}

/// Draws the figures up to the newest one, or up to the clock where the newest is older.
fn set(drawing: Option<&Script>, samples: &[Sample], span: i64, clock: Timestamp) {
    let newest = samples.last().map_or(clock, |sample| sample.at.max(clock));
    let last = seconds(newest);
    #[expect(clippy::cast_precision_loss, reason = "a few minutes")]
    let first = last - span as f64;
    let times: Vec<f64> = samples.iter().map(|sample| seconds(sample.at)).collect();
    let values: Vec<f64> = samples
        .iter()
        .map(|sample| sample.value.unwrap_or(f64::NAN))
        .collect();
    let figures = [times, values].map(|list| Float64Array::from(list.as_slice()).into());
    let [times, values]: [JsValue; 2] = figures;
    if let Some(drawing) = drawing {
        drawing.call("set", &[first.into(), last.into(), times, values]);
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "milliseconds of our time are exact in an f64"
)]
fn seconds(at: Timestamp) -> f64 {
    at.as_millisecond() as f64 / 1000.0
}

/// The slider over the image, which arrow keys move from figure to figure.
#[component]
fn TimeCursor(axis: Axis, samples: Memo<Vec<Sample>>, at: RwSignal<Option<usize>>) -> impl IntoView {
    let last = Memo::new(move |_| samples.with(|samples| samples.len().saturating_sub(1)));
    let now = move || at.get().unwrap_or(usize::MAX).min(last.get());
    let words = move || {
        let now = now();
        samples.with(|samples| {
            let sample = samples.get(now)?;
            Some(copy::at(&time_of_day(sample.at), &axis.words(sample.value)))
        })
    };
    let keys = move |event: KeyboardEvent| {
        if let Some(index) = moved(&event.key(), untrack(now), last.get_untracked()) {
            event.prevent_default();
            at.set(Some(index));
        }
    };
    view! {
        <div class="time-cursor" role="slider" tabindex="0" aria-label=copy::TIME aria-valuemin="0"
            aria-valuemax=move || last.get().to_string() aria-valuenow=move || now().to_string()
            aria-valuetext=move || words().unwrap_or_else(|| copy::NO_FIGURE.to_owned())
            on:keydown=keys on:blur=move |_| at.set(None)></div>
    }
}

/// The figure to which a key moves.
fn moved(key: &str, now: usize, last: usize) -> Option<usize> {
    Some(match key {
        "ArrowLeft" | "ArrowDown" => now.saturating_sub(1),
        "ArrowRight" | "ArrowUp" => (now + 1).min(last),
        "Home" => 0,
        "End" => last,
        _ => return None,
    })
}

/// The figures as a table, the newest first.
#[component]
fn Table(axis: Axis, of: Signal<String>, samples: Memo<Vec<Sample>>) -> impl IntoView {
    let caption = fresh_id("figures");
    let labelled_by = caption.clone();
    let row = move |sample: &Sample| {
        let (time, value) = (time_of_day(sample.at), axis.words(sample.value));
        view! { <tr><th scope="row">{time}</th><td>{value}</td></tr> }
    };
    let rows = move || samples.with(|samples| samples.iter().rev().map(row).collect_view());
    view! {
        // It scrolls, so the focus can go there.
        <div class="figures-of-chart" tabindex="0" role="region" aria-labelledby=labelled_by>
            <table>
                <caption id=caption>{move || copy::figures(axis.figure, &of.get())}</caption>
                <thead><tr><th scope="col">{copy::TIME}</th><th scope="col">{axis.figure}</th></tr></thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CPU: Axis = Axis {
        figure: "CPU",
        unit: " %",
        top: 100.0,
        span: 300,
    };

    fn samples(values: &[Option<f64>]) -> Vec<Sample> {
        let at = |second| Timestamp::from_second(second).unwrap();
        (0..)
            .zip(values)
            .map(|(second, value)| Sample {
                at: at(second),
                value: *value,
            })
            .collect()
    }

    #[test]
    fn the_image_says_the_newest_and_the_highest_figure() {
        let said = |values| summary(CPU, "nas", &samples(values));
        assert_eq!(
            said(&[Some(81.2), Some(37.6)]),
            "CPU of nas, last 5 min: now 38 %, peak 81 %"
        );
        assert_eq!(
            said(&[Some(81.2), None]),
            "CPU of nas, last 5 min: now no figure, peak 81 %"
        );
    }

    #[test]
    fn keys_move_the_cursor_and_stop_at_the_ends() {
        assert_eq!(moved("ArrowLeft", 0, 9), Some(0));
        assert_eq!(moved("ArrowRight", 9, 9), Some(9));
        assert_eq!((moved("Home", 5, 9), moved("End", 5, 9)), (Some(0), Some(9)));
        assert_eq!(moved("Enter", 5, 9), None);
    }
}
