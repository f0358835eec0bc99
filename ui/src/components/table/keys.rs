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
    /// Shows the row in the panel beside the table.
    Peek,
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

/// A key that was pressed in the grid.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pressed<'a> {
    pub key: &'a str,
    pub shift: bool,
    /// Ctrl or Cmd was held.
    pub command: bool,
    /// Alt was held.
    pub alt: bool,
    /// A control of a row has the focus, and not the row.
    pub in_control: bool,
    /// The person wants keys without a modifier to be shortcuts.
    pub single_keys: bool,
}

/// The command of a key.
pub(super) fn command_for(pressed: Pressed<'_>) -> Option<GridCommand> {
    let Pressed {
        key,
        shift,
        in_control,
        single_keys,
        ..
    } = pressed;
    if pressed.alt || pressed.command {
        return (pressed.command && !pressed.alt && key == "a").then_some(GridCommand::SelectAll);
    }
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
        "Escape" => Some(GridCommand::Back),
        "." if single_keys => Some(GridCommand::Menu),
        "F10" if shift => Some(GridCommand::Menu),
        "ContextMenu" => Some(GridCommand::Menu),
        // Enter and Space in a control press that control.
        "Enter" if !in_control => Some(GridCommand::Open),
        " " if !in_control && shift => Some(GridCommand::Move {
            to: RowStep::By(0),
            extend: true,
        }),
        " " if !in_control => Some(GridCommand::Toggle),
        "v" if single_keys => Some(GridCommand::Peek),
        "/" if single_keys => Some(GridCommand::Filter),
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

    const PRESSED: Pressed<'static> = Pressed {
        key: "",
        shift: false,
        command: false,
        alt: false,
        in_control: false,
        single_keys: true,
    };

    #[test]
    fn a_control_keeps_enter_and_space() {
        let of = |key, shift, in_control| {
            command_for(Pressed {
                key,
                shift,
                in_control,
                ..PRESSED
            })
        };
        assert_eq!(of("Enter", false, true), None);
        assert_eq!(of(" ", false, true), None);
        assert_eq!(of(" ", false, false), Some(GridCommand::Toggle));
        assert_eq!(of("F10", true, true), Some(GridCommand::Menu));
        assert_eq!(of("F10", false, false), None);
    }

    #[test]
    fn single_keys_do_nothing_for_who_switched_them_off() {
        for (key, command) in [
            (".", GridCommand::Menu),
            ("/", GridCommand::Filter),
            ("v", GridCommand::Peek),
        ] {
            let pressed = Pressed { key, ..PRESSED };
            assert_eq!(command_for(pressed), Some(command), "{key}");
            let off = Pressed {
                single_keys: false,
                ..pressed
            };
            assert_eq!(command_for(off), None, "{key}");
        }
        let menu = Pressed {
            key: "ContextMenu",
            single_keys: false,
            ..PRESSED
        };
        assert_eq!(command_for(menu), Some(GridCommand::Menu));
    }

    #[test]
    fn a_modifier_makes_another_key_of_it() {
        let with = |key, command, alt| {
            command_for(Pressed {
                key,
                command,
                alt,
                ..PRESSED
            })
        };
        assert_eq!(with("a", true, false), Some(GridCommand::SelectAll));
        assert_eq!(with("a", false, false), None);
        assert_eq!(with("v", true, false), None, "that pastes");
        assert_eq!(with("ArrowLeft", false, true), None, "that goes back");
    }
}
