//! How a job goes, for one reader: a report at each change, and each line once.

use super::record::Progress;
use flotilla_protocol::{
    job::{JobProgress, JobReport},
    stream::{End, Event, EventOf},
};
use tokio::sync::watch;

pub(crate) struct JobNews {
    progress: watch::Receiver<Progress>,
    /// Number of the first line that was not told.
    from: u32,
    /// The last report, without its lines.
    told: Option<JobReport>,
}

impl JobNews {
    pub(super) fn new(progress: watch::Receiver<Progress>, from: u32) -> Self {
        let from = progress.borrow().place(from);
        Self {
            progress,
            from,
            told: None,
        }
    }

    /// Waits for news. The first are where the job stands; the last are how it ended. Cancel safe.
    pub(crate) async fn next(&mut self) -> EventOf<JobProgress> {
        let told = &self.told;
        let is_new = |progress: &Progress| *told != Some(progress.report(u32::MAX));
        // A job is forgotten only when it is over, so where it stands is then the last news.
        let _ = self.progress.wait_for(is_new).await;
        let progress = self.progress.borrow_and_update();
        let report = progress.report(self.from);
        self.told = Some(progress.report(u32::MAX));
        self.from = report.next_line;
        if report.state.is_over() {
            Event::End(End::Finished { outcome: report })
        } else {
            Event::Item(report)
        }
    }
}
