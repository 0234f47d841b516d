//! Messages that websockets send back.

use std::time::Duration;

use super::{Notebook, Plan, micros};
use crate::{case::Case, error::Error, figure::Measure, peer, used::Used, websockets};

impl Plan {
    pub(super) fn websockets(
        &self,
        threads: usize,
        notebook: &mut Notebook<'_>,
    ) -> Result<(), Error> {
        let case = Case::Websockets { threads };
        for peer in self.peers(notebook.round, threads) {
            notebook.say(case, peer);
            let running = peer::start(peer, threads)?;
            // Keys are pinned and memory is taken before anything is counted.
            websockets::load(running.port, Duration::from_secs(1))?;
            let before = Used::of(&running)?;
            let found = websockets::load(running.port, self.time())?;
            let used = Used::of(&running)?.since(&before);
            let (count, time) = (found.answers.max(1) as f64, found.time.as_secs_f64());
            let mut note = |measure, value| notebook.note(case, peer, measure, value);
            note(Measure::MessagesPerSecond, count / time);
            note(Measure::P50Micros, micros(found.p50));
            note(Measure::P99Micros, micros(found.p99));
            note(Measure::ProxyMicrosPerMessage, micros(used.proxy) / count);
            note(
                Measure::TotalMicrosPerMessage,
                micros(used.proxy + used.far) / count,
            );
            note(Measure::ProxyPeakMib, used.peak_mib);
        }
        Ok(())
    }
}
