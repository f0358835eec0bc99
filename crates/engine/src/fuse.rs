//! Ends this process between two steps of a job, as a power cut would. Only tests set a fuse; in a release build it
//! never burns.

/// Counts down with each step, and ends the process at zero.
#[derive(Debug, Default)]
pub struct Fuse(Option<u32>);

impl Fuse {
    /// Environment variable that tells a mover how many steps its fuse has.
    const VARIABLE: &str = "FLOTILLA_FUSE";

    /// A fuse with the number of steps that the text says; without a number, one that never ends the process.
    pub fn of(text: &str) -> Self {
        Self(text.trim().parse().ok())
    }

    /// The fuse that this process was given as a mover.
    pub(crate) fn of_mover() -> Self {
        std::env::var(Self::VARIABLE).map_or_else(|_| Self::default(), |text| Self::of(&text))
    }

    /// The variable that hands the rest of the fuse on to a mover.
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
                // Unlike a panic, this runs no destructors.
                std::process::abort();
            }
        }
    }
}
