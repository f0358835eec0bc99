//! How much of something is used, as a bar and its figure.

use super::icon::{Icon, lucide};
use crate::format;
use leptos::prelude::*;

/// Percent from which a meter is a warning, and from which it is bad.
const WARN: u8 = 80;
const BAD: u8 = 92;

/// A share in percent; `None` while it is not reported.
#[component]
pub fn Meter(
    /// The accessible name, such as "Memory of nas".
    #[prop(into)]
    name: String,
    /// The short word beside the bar.
    label: &'static str,
    #[prop(into)] percent: Signal<Option<u8>>,
    /// The figures in words, such as "61 %, 9.8 of 16 GiB".
    #[prop(into)]
    text: Signal<String>,
    #[prop(optional, into)] stale: Signal<bool>,
) -> impl IntoView {
    let level = move || percent.get().and_then(level);
    let class = move || {
        format!(
            "meter {}{}",
            level().unwrap_or_default(),
            if stale.get() { " stale" } else { "" }
        )
    };
    let known = Memo::new(move |_| percent.with(Option::is_some));
    let value = move || percent.get().unwrap_or_default();
    let track = move || {
        if !known.get() {
            return view! { <span class="track"></span> }.into_any();
        }
        view! {
            <span class="track" role="meter" aria-label=name.clone() aria-valuemin="0" aria-valuemax="100"
                aria-valuenow=move || value().to_string() aria-valuetext=move || text.get()
                title=move || text.get()>
                <span class="bar" style:transform=move || format!("scaleX({})", f32::from(value()) / 100.0)></span>
            </span>
        }
        .into_any()
    };
    let figure = move || {
        percent
            .get()
            .map_or_else(|| format::NOTHING.to_owned(), |percent| format!("{percent} %"))
    };
    view! {
        <div class=class>
            <span class="name">{label}</span>
            {track}
            <span class="value">
                {move || level().map(|level| view! { <span class=level><Icon glyph=lucide::TRIANGLE_ALERT/></span> })}
                {figure}
            </span>
        </div>
    }
}

fn level(percent: u8) -> Option<&'static str> {
    match percent {
        BAD.. => Some("bad"),
        WARN.. => Some("warn"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::level;

    #[test]
    fn a_meter_warns_before_it_is_bad() {
        assert_eq!(
            [79, 80, 91, 92, 100].map(level),
            [None, Some("warn"), Some("warn"), Some("bad"), Some("bad")]
        );
    }
}
