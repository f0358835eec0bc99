//! Where a panel is placed that is shown over the page at a button.

use leptos::prelude::*;
use std::fmt::Write;
use web_sys::Element;

/// The room between the button and the panel, in px.
const GAP: f64 = 4.0;

/// The least room between the panel and the edge of the view, in px.
const EDGE: f64 = 8.0;

/// In a view narrower than this, in px, the panel is as wide as the view.
const NARROW: f64 = 480.0;

/// The edges of a button in px of the view.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Anchor {
    pub left: f64,
    pub right: f64,
    pub top: f64,
    pub bottom: f64,
}

impl Anchor {
    #[must_use]
    pub fn of(button: &Element) -> Self {
        let place = button.get_bounding_client_rect();
        Self {
            left: place.left(),
            right: place.right(),
            top: place.top(),
            bottom: place.bottom(),
        }
    }

    /// The place of a panel at this button as a style: on the side with more room, and never out of the view.
    pub(super) fn style(self) -> String {
        let root = document().document_element();
        let (width, height) = root.map_or((0.0, 0.0), |root| {
            (f64::from(root.client_width()), f64::from(root.client_height()))
        });
        self.placed(width, height)
    }

    fn placed(self, width: f64, height: f64) -> String {
        let (above, below) = (self.top - GAP, height - self.bottom - GAP);
        let mut style = if below >= above {
            format!("top:{}px;bottom:auto;", self.bottom + GAP)
        } else {
            format!("top:auto;bottom:{}px;", height - self.top + GAP)
        };
        _ = write!(style, "max-height:{}px;", (below.max(above) - EDGE).max(0.0));
        let sides = if width < NARROW {
            format!("left:{EDGE}px;right:{EDGE}px;max-width:none")
        } else if width - self.left > self.right {
            format!("left:{}px;right:auto", self.left.max(EDGE))
        } else {
            format!("left:auto;right:{}px", (width - self.right).max(EDGE))
        };
        style + &sides
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn button(left: f64, top: f64) -> Anchor {
        Anchor {
            left,
            right: left + 24.0,
            top,
            bottom: top + 24.0,
        }
    }

    #[test]
    fn a_panel_opens_to_the_side_with_more_room() {
        assert_eq!(
            button(1000.0, 100.0).placed(1200.0, 800.0),
            "top:128px;bottom:auto;max-height:664px;left:auto;right:176px"
        );
        assert_eq!(
            button(10.0, 700.0).placed(1200.0, 800.0),
            "top:auto;bottom:104px;max-height:688px;left:10px;right:auto"
        );
    }

    #[test]
    fn on_a_narrow_screen_it_is_as_wide_as_the_screen() {
        let style = button(280.0, 100.0).placed(320.0, 640.0);
        assert!(style.ends_with("left:8px;right:8px;max-width:none"), "{style}");
    }
}
