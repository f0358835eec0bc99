//! What people can do to what they see. Each action is declared once, in the file of its object, and five places list
//! it from there: the menu of a row, the drawer, the detail page, the bar of selected rows, and the command palette.
//!
//! A declaration says what the action is called, what it risks, which right it needs, why it cannot be done now, and
//! what it sends. Everything else follows from it: [`Acting`] asks first where the risk wants that, sends, follows a
//! job to its end, and reports the outcome. A new action is one declaration and its words in [`crate::copy`]; a new
//! object is a file here and a line in [`KINDS`].

mod acting;
mod action;
mod batch;
mod images;
mod items;
mod jobs;
mod kinds;
mod outcome;
mod paths;
mod places;
mod question;
#[cfg(test)]
mod tests;

pub mod containers;
pub mod devices;
pub mod fleet;
pub mod stacks;

pub use acting::{Acting, Doing, Told, use_acting};
pub use action::{Action, Asked, DialogEnd, Does, Kind, Object, Place, Tier, Words, Work};
pub use images::ImageObject;
pub use kinds::{AnyObject, AnyVerb, Found, KINDS};
pub use paths::PathObject;
pub use places::{Offer, bulk_bar, button, buttons, more, row_menu};
pub use question::Questions;

pub use containers::ContainerObject;
pub use devices::DeviceObject;
pub use stacks::StackObject;
