//! Small requests, as many as come back.

use std::time::Duration;

use super::{Notebook, Plan, micros};
use crate::{case::Case, closed_loop, error::Error, figure::Measure, peer, used::Used};

impl Plan {
    pub(super) fn small(
        &self,
        threads: usize,
        connections: usize,
        notebook: &mut Notebook<'_>,
    ) -> Result<(), Error> {
        let case = Case::Small {
            threads,
            connections,
        };
        for peer in self.peers(notebook.round, threads) {
            notebook.say(case, peer);
            let running = peer::start(peer, threads)?;
            // Connections are opened and keys are pinned before anything is counted.
            closed_loop::load(running.port, connections, Duration::from_secs(1))?;
            let before = Used::of(&running)?;
            let found = closed_loop::load(running.port, connections, self.time())?;
            let used = Used::of(&running)?.since(&before);
            let count = found.requests.max(1) as f64;
            let mut note = |measure, value| notebook.note(case, peer, measure, value);
            note(Measure::RequestsPerSecond, count / found.time.as_secs_f64());
            note(Measure::P50Micros, micros(found.p50));
            note(Measure::P99Micros, micros(found.p99));
            note(Measure::ProxyMicros, micros(used.proxy) / count);
            note(Measure::TotalMicros, micros(used.proxy + used.far) / count);
            note(Measure::ProxyPeakMib, used.peak_mib);
            note(Measure::Errors, found.errors as f64);
        }
        Ok(())
    }
}
