//! The keys of the grid.

/// What a key does in the grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum GridCommand {
    /// Moves to a row; with `extend` the rows on the way are selected.
    Move {
        to: RowStep,
        extend: bool,
    },
    /// Moves to the next or the previous control of the row.
    Control {
        forward: bool,
    },
    Open,
    Toggle,
    SelectAll,
    Menu,
    /// Moves to the filter field.
    Filter,
    /// Moves from a control to its row, or clears the selection.
    Back,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RowStep {
    By(isize),
    Page { down: bool },
    First,
    Last,
}

/// The command of a key with its modifiers while a row has the focus or, with `in_control`, a control of a row.
pub(super) fn command_for(key: &str, shift: bool, command: bool, in_control: bool) -> Option<GridCommand> {
    let to = |to| Some(GridCommand::Move { to, extend: shift });
    match key {
        "ArrowDown" => to(RowStep::By(1)),
        "ArrowUp" => to(RowStep::By(-1)),
        "PageDown" => to(RowStep::Page { down: true }),
        "PageUp" => to(RowStep::Page { down: false }),
        "Home" => to(RowStep::First),
        "End" => to(RowStep::Last),
        "ArrowRight" => Some(GridCommand::Control { forward: true }),
        "ArrowLeft" => Some(GridCommand::Control { forward: false }),
        "a" if command => Some(GridCommand::SelectAll),
        "Escape" => Some(GridCommand::Back),
        "." => Some(GridCommand::Menu),
        "F10" if shift => Some(GridCommand::Menu),
        "ContextMenu" => Some(GridCommand::Menu),
        // Enter and Space in a control press that control.
        "Enter" if !in_control => Some(GridCommand::Open),
        " " if !in_control && shift => Some(GridCommand::Move {
            to: RowStep::By(0),
            extend: true,
        }),
        " " if !in_control => Some(GridCommand::Toggle),
        "/" => Some(GridCommand::Filter),
        _ => None,
    }
}

/// The row, of `total`, that a step leads to from another; a page is `in_view` rows.
pub(super) fn target(from: Option<usize>, step: RowStep, total: usize, in_view: usize) -> Option<usize> {
    let last = total.checked_sub(1)?;
    let from = from.unwrap_or(0).min(last);
    Some(match step {
        RowStep::By(by) => from.saturating_add_signed(by).min(last),
        RowStep::Page { down: true } => (from + in_view.max(1)).min(last),
        RowStep::Page { down: false } => from.saturating_sub(in_view.max(1)),
        RowStep::First => 0,
        RowStep::Last => last,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_stop_at_the_ends() {
        assert_eq!(target(Some(2), RowStep::By(1), 3, 9), Some(2));
        assert_eq!(target(Some(0), RowStep::By(-1), 3, 9), Some(0));
        assert_eq!(target(Some(5), RowStep::Page { down: false }, 30, 9), Some(0));
        assert_eq!(target(Some(5), RowStep::Page { down: true }, 30, 9), Some(14));
        assert_eq!(target(None, RowStep::Last, 30, 9), Some(29));
        assert_eq!(target(Some(99), RowStep::By(0), 30, 9), Some(29));
        assert_eq!(target(None, RowStep::First, 0, 9), None);
    }

    #[test]
    fn a_control_keeps_enter_and_space() {
        assert_eq!(command_for("Enter", false, false, true), None);
        assert_eq!(command_for(" ", false, false, true), None);
        assert_eq!(command_for(" ", false, false, false), Some(GridCommand::Toggle));
        assert_eq!(command_for("F10", true, false, true), Some(GridCommand::Menu));
        assert_eq!(command_for("F10", false, false, false), None);
    }
}
