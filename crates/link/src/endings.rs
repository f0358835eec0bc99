//! How a link ends, in the same words at both ends.

use std::{error::Error, io};

/// Why a link is over. Its text goes into the device's last-drop reason.
#[derive(Debug, Clone, PartialEq, Eq, derive_more::Display)]
pub enum LinkEnd {
    /// [`crate::AgentLink::abort`] or a shutdown on this side ended it.
    #[display("ended from this side")]
    Stopped,
    /// The far end closed the link in order.
    #[display("closed by the other side")]
    Closed,
    /// The far end did not answer pings: it is frozen, or the network is gone.
    #[display("no answer to pings")]
    Silent,
    /// The connection broke.
    #[display("connection broken: {_0}")]
    Broken(String),
}

impl LinkEnd {
    /// What the end of an HTTP/2 connection means.
    pub(crate) fn of(result: Result<(), hyper::Error>) -> Self {
        let Err(error) = result else {
            return Self::Closed;
        };
        if error.is_timeout() {
            return Self::Silent;
        }
        match find::<io::Error>(&error).map(io::Error::kind) {
            // A peer that dies, or aborts the link, ends TLS without a close notification.
            Some(
                io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe,
            ) => Self::Closed,
            _ => Self::Broken(innermost(&error)),
        }
    }
}

/// An error and its causes, outermost first.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    let mut next = Some(error);
    std::iter::from_fn(move || {
        let error: &'a (dyn Error + 'static) = next?;
        next = error.source();
        Some(error)
    })
}

/// The first error of type `E` in a chain of causes.
fn find<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    causes(error).find_map(|error| error.downcast_ref())
}

/// The text of the last cause, which is the most specific one.
pub(crate) fn innermost(error: &(dyn Error + 'static)) -> String {
    causes(error).last().unwrap_or(error).to_string()
}
