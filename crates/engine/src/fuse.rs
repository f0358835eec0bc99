//! Ending this process between two steps of a job, as a power cut would. Tests lay a fuse; in a release build it never
//! burns.

/// Burns down with each step, and ends the process when nothing is left of it.
#[derive(Debug, Default)]
pub struct Fuse(Option<u32>);

impl Fuse {
    /// Variable of a mover that says how long its fuse is.
    const VARIABLE: &str = "FLOTILLA_FUSE";

    /// One that is as many steps long as the text says; without a number, there is none.
    #[must_use]
    pub fn of(text: &str) -> Self {
        Self(text.trim().parse().ok())
    }

    /// The one that this process was given as a mover.
    pub(crate) fn of_mover() -> Self {
        std::env::var(Self::VARIABLE).map_or_else(|_| Self::default(), |text| Self::of(&text))
    }

    /// Hands it on to a mover.
    pub(crate) fn variable(&self) -> Option<String> {
        let left = self.0?;
        cfg!(debug_assertions).then(|| format!("{}={left}", Self::VARIABLE))
    }

    /// Counts a step that was taken.
    pub fn burn(&mut self) {
        if let Some(left) = &mut self.0
            && cfg!(debug_assertions)
        {
            *left = left.saturating_sub(1);
            if *left == 0 {
                // Not even what a panic would tidy up is.
                std::process::abort();
            }
        }
    }
}
