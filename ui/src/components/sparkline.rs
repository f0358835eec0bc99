//! A line of the last values beside the newest figure. It is decoration without axes, hidden from screen readers.

use leptos::prelude::*;
use std::fmt::Write;

const WIDTH: f32 = 48.0;
const HEIGHT: f32 = 14.0;

/// The line of at least two values; nothing for fewer.
#[component]
pub fn Sparkline(values: Vec<f32>) -> impl IntoView {
    let points = points(&values);
    points.map(|points| {
        view! {
            <svg class="sparkline" viewBox=format!("0 0 {WIDTH} {HEIGHT}") aria-hidden="true" focusable="false">
                <polyline points=points/>
            </svg>
        }
    })
}

/// The points of the line from left to right, the lowest value at the bottom. If all values are equal, they are in the
/// middle.
#[expect(clippy::cast_precision_loss, reason = "a line has a few dozen points")]
fn points(values: &[f32]) -> Option<String> {
    let gaps = values.len().checked_sub(1).filter(|gaps| *gaps > 0)?;
    let low = values.iter().copied().fold(f32::INFINITY, f32::min);
    let high = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut line = String::new();
    for (index, value) in values.iter().enumerate() {
        let share = if high > low {
            (value - low) / (high - low)
        } else {
            0.5
        };
        let x = 1.0 + (WIDTH - 2.0) * index as f32 / gaps as f32;
        let y = 1.0 + (HEIGHT - 2.0) * (1.0 - share);
        _ = write!(line, "{}{x:.1},{y:.1}", if index > 0 { " " } else { "" });
    }
    Some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_goes_from_edge_to_edge_with_the_highest_on_top() {
        assert_eq!(
            points(&[5.0, 10.0, 5.0]).as_deref(),
            Some("1.0,13.0 24.0,1.0 47.0,13.0")
        );
        assert_eq!(points(&[7.0, 7.0]).as_deref(), Some("1.0,7.0 47.0,7.0"));
    }

    #[test]
    fn one_value_is_no_line() {
        assert_eq!(points(&[]), None);
        assert_eq!(points(&[1.0]), None);
    }
}
