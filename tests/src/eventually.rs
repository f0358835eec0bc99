//! Waiting until something is true: a probe is called again and again until it succeeds or a deadline has passed.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

/// Between two probes: short beside the limits that tests set, long beside what a probe costs.
const PAUSE: Duration = Duration::from_millis(25);

/// Returns the answer of the first probe that succeeds. The error of the last probe becomes the error, so a probe's
/// error should say what was seen.
pub async fn eventually<T>(
    what: &str,
    within: Duration,
    mut probe: impl AsyncFnMut() -> Result<T>,
) -> Result<T> {
    let begun = Instant::now();
    loop {
        match probe().await {
            Ok(answer) => return Ok(answer),
            Err(error) if begun.elapsed() >= within => return Err(error).context(late(what, within)),
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

/// The same on a thread without a runtime.
pub fn eventually_blocking<T>(
    what: &str,
    within: Duration,
    mut probe: impl FnMut() -> Result<T>,
) -> Result<T> {
    let begun = Instant::now();
    loop {
        match probe() {
            Ok(answer) => return Ok(answer),
            Err(error) if begun.elapsed() >= within => return Err(error).context(late(what, within)),
            // This thread has no runtime to wait with.
            Err(_) => thread::sleep(PAUSE),
        }
    }
}

/// Probes for as long as `during`; fails as soon as one probe fails.
pub async fn always(during: Duration, mut probe: impl AsyncFnMut() -> Result<()>) -> Result<()> {
    let begun = Instant::now();
    while begun.elapsed() < during {
        probe()
            .await
            .with_context(|| format!("after {:.1?}", begun.elapsed()))?;
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
}

/// `1.5` is a second and a half.
#[must_use]
pub fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

fn late(what: &str, within: Duration) -> String {
    format!("not within {within:?}: {what}")
}
