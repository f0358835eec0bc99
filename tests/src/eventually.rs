//! Waiting for something to become true: asked again and again until it is, or the deadline has passed.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

/// Short enough not to blur the limits that tests set, long enough not to be the load.
const PAUSE: Duration = Duration::from_millis(25);

/// What the first successful probe answered. The last refusal is the error, so say in it what was seen.
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

/// The same where no runtime is there yet.
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
            // The pause between two looks, on a thread that has no runtime to wait with.
            Err(_) => thread::sleep(PAUSE),
        }
    }
}

/// Looks for as long as `during` lasts: an error as soon as the probe fails once.
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
