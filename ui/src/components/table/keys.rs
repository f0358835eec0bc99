//! What keys do inside the grid.

/// A key press that the grid answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Press {
    /// Move to a row; with `extend` the rows on the way are selected.
    Move {
        to: Step,
        extend: bool,
    },
    /// Into the row's controls and between them, or back.
    Control {
        forward: bool,
    },
    Open,
    Toggle,
    SelectAll,
    Menu,
    /// To the filter field.
    Filter,
    /// From the field or a control back to the row, or out of a selection.
    Back,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    By(isize),
    Page { down: bool },
    First,
    Last,
}

/// What a key with its modifiers means while a row has the keyboard, or a control of a row when `in_control`.
pub(super) fn press(key: &str, shift: bool, command: bool, in_control: bool) -> Option<Press> {
    let to = |to| Some(Press::Move { to, extend: shift });
    match key {
        "ArrowDown" => to(Step::By(1)),
        "ArrowUp" => to(Step::By(-1)),
        "PageDown" => to(Step::Page { down: true }),
        "PageUp" => to(Step::Page { down: false }),
        "Home" => to(Step::First),
        "End" => to(Step::Last),
        "ArrowRight" => Some(Press::Control { forward: true }),
        "ArrowLeft" => Some(Press::Control { forward: false }),
        "a" if command => Some(Press::SelectAll),
        "Escape" => Some(Press::Back),
        "." => Some(Press::Menu),
        "F10" if shift => Some(Press::Menu),
        "ContextMenu" => Some(Press::Menu),
        // A control keeps the keys that press it.
        "Enter" if !in_control => Some(Press::Open),
        " " if !in_control && shift => Some(Press::Move {
            to: Step::By(0),
            extend: true,
        }),
        " " if !in_control => Some(Press::Toggle),
        "/" => Some(Press::Filter),
        _ => None,
    }
}

/// The row that a step leads to, of `total`, with so many rows in view.
pub(super) fn target(from: Option<usize>, step: Step, total: usize, in_view: usize) -> Option<usize> {
    let last = total.checked_sub(1)?;
    let from = from.unwrap_or(0).min(last);
    Some(match step {
        Step::By(by) => from.saturating_add_signed(by).min(last),
        Step::Page { down: true } => (from + in_view.max(1)).min(last),
        Step::Page { down: false } => from.saturating_sub(in_view.max(1)),
        Step::First => 0,
        Step::Last => last,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_stop_at_the_ends() {
        assert_eq!(target(Some(2), Step::By(1), 3, 9), Some(2));
        assert_eq!(target(Some(0), Step::By(-1), 3, 9), Some(0));
        assert_eq!(target(Some(5), Step::Page { down: false }, 30, 9), Some(0));
        assert_eq!(target(Some(5), Step::Page { down: true }, 30, 9), Some(14));
        assert_eq!(target(None, Step::Last, 30, 9), Some(29));
        assert_eq!(target(Some(99), Step::By(0), 30, 9), Some(29));
        assert_eq!(target(None, Step::First, 0, 9), None);
    }

    #[test]
    fn a_control_keeps_enter_and_space() {
        assert_eq!(press("Enter", false, false, true), None);
        assert_eq!(press(" ", false, false, true), None);
        assert_eq!(press(" ", false, false, false), Some(Press::Toggle));
        assert_eq!(press("F10", true, false, true), Some(Press::Menu));
        assert_eq!(press("F10", false, false, false), None);
    }
}
