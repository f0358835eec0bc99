//! What the desktop shell and the page in its window say to each other. In a browser there is no shell.
//!
//! The shell names what it can do in a global of the page ([`ABILITIES`]); the page asks by moving to an address of
//! control's own origin that the shell acts on instead of loading ([`INSTALL_SERVICE`], [`SIGN_IN`]). What takes long is
//! answered by an event ([`ANSWER`]).

use serde::{Deserialize, Serialize};

/// The page's global: an array of words, `install_service` among them.
pub const ABILITIES: &str = "flotillaShell";

/// The word in [`ABILITIES`] for installing the agent as a service of the system.
pub const CAN_INSTALL_SERVICE: &str = "install_service";

/// Path on control's own origin that asks the shell to install it.
pub const INSTALL_SERVICE: &str = "/shell/install-service";

/// The word in [`ABILITIES`] for opening a session for this window.
pub const CAN_SIGN_IN: &str = "sign_in";

/// Path on control's own origin that asks for a session; the window then loads the page again.
pub const SIGN_IN: &str = "/shell/sign-in";

/// The event of the page's window whose detail is a [`ServiceOutcome`] as JSON text.
pub const ANSWER: &str = "flotilla-shell";

/// How an attempt to install the system service ended.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum ServiceOutcome {
    /// The service takes over this computer's device by itself.
    Installed,
    NotInstalled {
        /// Why, and what to do.
        message: String,
        /// A command that does the same in a terminal; absent where none does.
        command: Option<String>,
    },
}
