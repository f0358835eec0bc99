//! How much of something is used: a bar, and the figure that it stands for.

use super::icon::{Icon, lucide};
use leptos::prelude::*;

/// Percent from which a meter warns, and from which it is bad.
const WARN: u8 = 80;
const BAD: u8 = 92;

/// A share of a whole in percent, with the words of the whole figure.
#[component]
pub fn Meter(
    /// "Memory of nas".
    #[prop(into)]
    name: String,
    /// The short word beside the bar.
    label: &'static str,
    #[prop(into)] percent: Signal<u8>,
    /// "61 %, 9.8 of 16 GiB".
    #[prop(into)]
    text: Signal<String>,
    #[prop(optional, into)] stale: Signal<bool>,
) -> impl IntoView {
    let level = move || level(percent.get());
    let class = move || {
        format!(
            "meter {}{}",
            level().unwrap_or_default(),
            if stale.get() { " stale" } else { "" }
        )
    };
    view! {
        <div class=class>
            <span class="name">{label}</span>
            <span class="track" role="meter" aria-label=name aria-valuemin="0" aria-valuemax="100"
                aria-valuenow=move || percent.get().to_string() aria-valuetext=move || text.get()
                title=move || text.get()>
                <span class="bar" style:transform=move || format!("scaleX({})", f32::from(percent.get()) / 100.0)></span>
            </span>
            <span class="value">
                {move || level().map(|level| view! { <span class=level><Icon glyph=lucide::TRIANGLE_ALERT/></span> })}
                {move || format!("{} %", percent.get())}
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
