//! A line of a log as elements of the page. What the container wrote is only ever text there.

use super::Look;
use crate::{
    copy::logs as copy,
    format,
    logs::{
        ansi::Style,
        lines::{Line, LineKind},
        parts::{Part, parts},
    },
};
use flotilla_protocol::Timestamp;
use leptos::prelude::*;
use std::ops::Range;

/// A line of which so many bytes are drawn, with marks at these places. `rest` follows it.
pub fn line(
    line: &Line,
    look: Look,
    drawn: usize,
    places: &[Range<usize>],
    rest: Option<AnyView>,
) -> impl IntoView + use<> {
    let class = match line.kind {
        LineKind::Output => "log-line",
        LineKind::Error => "log-line error",
        LineKind::Note => "log-line note",
    };
    let kind = match line.kind {
        LineKind::Error => Some(view! { <span title=copy::ERROR_OUTPUT>"E"</span> }),
        LineKind::Output | LineKind::Note => None,
    };
    let text = parts(&line.content, drawn, places)
        .into_iter()
        .map(part)
        .collect_view();
    view! {
        <div class=class>
            {gutter(look, line.at, line.number)}
            <span class="log-kind">{kind}</span>
            <span class="log-text">{text}{rest}</span>
        </div>
    }
}

/// What stands before the text of a line.
pub(super) fn gutter(look: Look, at: Option<Timestamp>, number: u64) -> impl IntoView {
    let number = look
        .numbers
        .then(|| view! { <span class="log-number">{number + 1}</span> });
    let time = look.times.then(|| {
        let (day, time) = at.map(moment).unwrap_or_default();
        view! { <time class="log-time"><span class="log-day">{day}" "</span>{time}</time> }
    });
    (number, time)
}

/// The day and the time to the millisecond, in the person's time zone.
fn moment(at: Timestamp) -> (String, String) {
    let told = format::moment(at);
    let (day, time) = told.split_once(' ').unwrap_or(("", &told));
    (day.to_owned(), format!("{time}.{:03}", at.subsec_millisecond()))
}

fn part(part: Part<'_>) -> AnyView {
    let text = part.text.to_owned();
    match (part.is_found, class(part.style)) {
        (true, _) => view! { <mark>{text}</mark> }.into_any(),
        (false, Some(class)) => view! { <span class=class>{text}</span> }.into_any(),
        (false, None) => text.into_any(),
    }
}

/// The classes of a style; none for that of the text around it.
fn class(style: Style) -> Option<String> {
    if style == Style::default() {
        return None;
    }
    let color = style.color.map(|color| HUES[usize::from(color.hue())].to_owned());
    let flag = |is_set: bool, class: &str| is_set.then(|| class.to_owned());
    let all = [
        color,
        flag(style.is_bold, "bold"),
        flag(style.is_dim && style.color.is_none(), "dim"),
        flag(style.is_italic, "italic"),
        flag(style.is_underlined, "underlined"),
        flag(style.is_reversed || style.background.is_some(), "ground"),
    ];
    Some(all.into_iter().flatten().collect::<Vec<_>>().join(" "))
}

/// The classes of a terminal's eight colors, from black to white; that is the color of the text itself.
const HUES: [&str; 8] = [
    "dim",
    "hue-red",
    "hue-green",
    "hue-yellow",
    "hue-blue",
    "hue-magenta",
    "hue-cyan",
    "plain-hue",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logs::ansi::Styled;

    #[test]
    fn a_style_becomes_classes_of_the_theme_whatever_color_was_asked_for() {
        let mut style = Style::default();
        let _ = Styled::read("\u{1b}[1;38;2;255;80;0;48;5;12m", &mut style);
        assert_eq!(class(style).as_deref(), Some("hue-red bold ground"));
        assert_eq!(class(Style::default()), None);
    }
}
