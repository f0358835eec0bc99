//! The controls above the lines: what is looked for, what the device sends, and how lines are shown.

use super::{
    look::{Look, remember_tail},
    measured,
    viewer::Viewer,
};
use crate::{
    browser,
    components::{
        button::IconButton,
        icon::{Icon, lucide},
        select::Select,
        toast::use_toaster,
    },
    copy::logs as copy,
    logs::{choice::LogChoice, feed::LogSubject, lines::LineKind},
};
use flotilla_protocol::log::{EXPRESSION_CHARS, LogSource};
use leptos::{ev::KeyboardEvent, html, prelude::*};
use std::fmt::Write as _;

#[component]
pub(super) fn Tools(
    viewer: Viewer,
    choice: RwSignal<LogChoice>,
    subject: StoredValue<LogSubject>,
    search: NodeRef<html::Input>,
) -> impl IntoView {
    view! {
        <div class="log-tools" role="group" aria-label=copy::TOOLS>
            <Search viewer search/>
            <Only choice/>
            <Asked choice/>
            <span class="log-toggles">
                <Toggle label=copy::FOLLOW is_on=viewer.follows on_press=move || viewer.toggle_following()/>
                <LookToggle viewer label=copy::WRAP of=|look| &mut look.wraps/>
                <LookToggle viewer label=copy::TIMES of=|look| &mut look.times/>
                <LookToggle viewer label=copy::NUMBERS of=|look| &mut look.numbers/>
                <LookToggle viewer label=copy::ANNOUNCE of=|look| &mut look.announces/>
                <Taking viewer subject/>
            </span>
        </div>
    }
}

/// The field that looks through the lines that are loaded, with how often it found something.
#[component]
fn Search(viewer: Viewer, search: NodeRef<html::Input>) -> impl IntoView {
    let input = move |event| measured(|| viewer.look_for(&event_target_value(&event)));
    let keys = move |event: KeyboardEvent| {
        match event.key().as_str() {
            "Enter" => viewer.step(!event.shift_key()),
            "Escape" => {
                if let Some(search) = search.get_untracked() {
                    search.set_value("");
                }
                viewer.look_for("");
                if let Some(lines) = viewer.scroller.get_untracked() {
                    lines.focus().ok();
                }
            }
            _ => return,
        }
        event.prevent_default();
        event.stop_propagation();
    };
    let found = Memo::new(move |_| {
        viewer
            .counts
            .get()
            .found
            .map(|(place, all)| copy::place(place, all))
    });
    let is_looking = Memo::new(move |_| found.with(Option::is_some));
    let steps = move || {
        is_looking.get().then(|| {
            view! {
                <IconButton name=copy::PREVIOUS glyph=lucide::ARROW_UP on_press=move || viewer.step(false)/>
                <IconButton name=copy::NEXT glyph=lucide::ARROW_DOWN on_press=move || viewer.step(true)/>
            }
        })
    };
    view! {
        <div class="filter">
            <Icon glyph=lucide::SEARCH/>
            <input type="text" role="searchbox" autocomplete="off" spellcheck="false" aria-label=copy::SEARCH
                placeholder=copy::SEARCH_HINT node_ref=search on:input=input on:keydown=keys/>
            <span class="num muted" role="status">{move || found.get()}</span>
            {steps}
        </div>
    }
}

/// The field with the expression by which the device chooses lines. It counts when Enter is pressed or the field is left.
#[component]
fn Only(choice: RwSignal<LogChoice>) -> impl IntoView {
    let grep = Memo::new(move |_| choice.with(|choice| choice.grep.clone()));
    let change = move |event| {
        let text = event_target_value(&event);
        if grep.with_untracked(|grep| *grep != text) {
            choice.update(|choice| choice.grep = text);
        }
    };
    view! {
        <div class="filter">
            <input type="text" class="mono" autocomplete="off" spellcheck="false" autocapitalize="off" maxlength=EXPRESSION_CHARS.to_string()
                aria-label=copy::ONLY placeholder=copy::ONLY_HINT title=copy::ONLY_TITLE
                prop:value=move || grep.get() on:change=change/>
        </div>
    }
}

/// Since when, how many lines, and of which output.
#[component]
fn Asked(choice: RwSignal<LogChoice>) -> impl IntoView {
    let word = |number: Option<i64>| number.map(|number| number.to_string()).unwrap_or_default();
    let since = copy::SINCE_OPTIONS
        .iter()
        .map(|(value, label)| (word(*value), (*label).to_owned()));
    let tails = copy::TAIL_OPTIONS
        .iter()
        .map(|(value, label)| (word(value.map(i64::from)), (*label).to_owned()));
    let outputs = copy::OUTPUT_OPTIONS
        .iter()
        .map(|(value, label)| ((*value).to_owned(), (*label).to_owned()));
    let (since, tails, outputs) = (since.collect(), tails.collect(), outputs.collect());
    let chosen_tail = Signal::derive(move || word(choice.with(|choice| choice.tail.map(i64::from))));
    let chosen_since = Signal::derive(move || word(choice.with(|choice| choice.since)));
    let chosen_source = Signal::derive(move || {
        let source = choice.with(|choice| choice.source);
        source.map(|source| source.to_string()).unwrap_or_default()
    });
    let choose_since = move |(word,): (String,)| choice.update(|choice| choice.since = word.parse().ok());
    let choose_tail = move |(word,): (String,)| {
        let tail = word.parse().ok();
        remember_tail(tail);
        choice.update(|choice| choice.tail = tail);
    };
    let choose_source = move |(word,): (String,)| {
        let source = match word.as_str() {
            "stdout" => Some(LogSource::Stdout),
            "stderr" => Some(LogSource::Stderr),
            _ => None,
        };
        choice.update(|choice| choice.source = source);
    };
    view! {
        <Select label=copy::SINCE options=since value=chosen_since on_change=Callback::new(choose_since)/>
        <Select label=copy::LINES options=tails value=chosen_tail on_change=Callback::new(choose_tail)/>
        <Select label=copy::OUTPUT options=outputs value=chosen_source on_change=Callback::new(choose_source)/>
    }
}

#[component]
fn Toggle(
    label: &'static str,
    #[prop(into)] is_on: Signal<bool>,
    #[prop(into)] on_press: Callback<()>,
) -> impl IntoView {
    view! {
        <button type="button" class="button secondary" aria-pressed=move || is_on.get().to_string()
            on:click=move |_| on_press.run(())>{label}</button>
    }
}

#[component]
fn LookToggle(viewer: Viewer, label: &'static str, of: fn(&mut Look) -> &mut bool) -> impl IntoView {
    let is_on = Signal::derive(move || *of(&mut viewer.look.get()));
    let press = move || {
        viewer.look.update(|look| {
            let flag = of(look);
            *flag = !*flag;
        });
    };
    view! { <Toggle label is_on on_press=press/> }
}

/// Copying and downloading the lines that are loaded.
#[component]
fn Taking(viewer: Viewer, subject: StoredValue<LogSubject>) -> impl IntoView {
    let toaster = use_toaster();
    let take = move || {
        if browser::copy_to_clipboard(&text(viewer)) {
            toaster.confirm(copy::COPIED);
        } else {
            toaster.fail(copy::NOT_COPIED);
        }
    };
    let download = move || {
        let name = subject.with_value(|subject| format!("{}-{}.log", subject.device, subject.name));
        browser::download(&name, &text(viewer));
    };
    view! {
        <IconButton name=copy::COPY glyph=lucide::COPY on_press=take/>
        <IconButton name=copy::DOWNLOAD glyph=lucide::DOWNLOAD on_press=download/>
    }
}

/// What the container wrote, as far as it is loaded, with times where they are shown.
fn text(viewer: Viewer) -> String {
    let has_times = viewer.look.get_untracked().times;
    let all = viewer.feed.with_lines(|lines| {
        let mut all = String::new();
        for line in lines.from(0).filter(|line| line.kind != LineKind::Note) {
            if let Some(at) = line.at.filter(|_| has_times) {
                // Writing to a string does not fail.
                let _ = write!(all, "{at:.3} ");
            }
            all.push_str(&line.content.text);
            all.push('\n');
        }
        all
    });
    all.unwrap_or_default()
}
