//! The time that a command has left. Screen readers read it out at a few moments only.

use crate::{clock::use_clock, copy::add_device as copy, format};
use flotilla_protocol::Timestamp;
use leptos::prelude::*;

/// The seconds left at which the rest is read out.
const ANNOUNCED: [i64; 3] = [600, 300, 60];

#[component]
pub(super) fn Countdown(
    expires: Timestamp,
    /// The lifetime of the command in seconds, if known.
    whole: Option<u32>,
) -> impl IntoView {
    let clock = use_clock();
    // This computer's clock may be behind the controller's, so the rest could be more than the lifetime; after the end
    // it would be negative.
    let most = whole.map_or(i64::MAX, i64::from);
    let left = Memo::new(move |_| (expires.as_second() - clock.second.get().as_second()).clamp(0, most));
    let announced = Memo::new(move |last: Option<&String>| match announcement(left.get()) {
        Some(words) => words,
        None => last.cloned().unwrap_or_default(),
    });
    view! {
        <span role="timer" class="num">{move || copy::expires_in(&format::countdown(left.get()))}</span>
        <span role="status" class="visually-hidden">{move || announced.get()}</span>
    }
}

/// The announcement at this many seconds left, if there is one.
fn announcement(left: i64) -> Option<String> {
    ANNOUNCED.contains(&left).then(|| {
        let minutes = left / 60;
        format!(
            "The command expires in {minutes} {}.",
            if minutes == 1 { "minute" } else { "minutes" }
        )
    })
}

#[cfg(test)]
mod tests {
    use super::announcement;

    #[test]
    fn only_three_moments_are_told_aloud() {
        let announced: Vec<_> = (0..=3_600).rev().filter_map(announcement).collect();
        assert_eq!(
            announced,
            [
                "The command expires in 10 minutes.",
                "The command expires in 5 minutes.",
                "The command expires in 1 minute."
            ]
        );
    }
}
