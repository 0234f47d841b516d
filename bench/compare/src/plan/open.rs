//! Small requests at a fixed rate.

use std::time::Duration;

use super::{Notebook, Plan, micros};
use crate::{
    case::Case,
    closed_loop,
    error::Error,
    figure::Measure,
    open_loop,
    peer::{self, Peer},
};

impl Plan {
    pub(super) fn open(&self, threads: usize, notebook: &mut Notebook<'_>) -> Result<(), Error> {
        let rate = match self.rate {
            Some(rate) => rate,
            None => self.half_of_the_slowest(threads)?,
        };
        let case = Case::Open { threads };
        for peer in self.peers(notebook.round, threads) {
            notebook.say(case, peer);
            let running = peer::start(peer, threads)?;
            closed_loop::load(running.port, 64, Duration::from_secs(1))?;
            let found = open_loop::load(running.port, 64, rate, self.time())?;
            let mut note = |measure, value| notebook.note(case, peer, measure, value);
            note(
                Measure::RequestsPerSecond,
                found.requests as f64 / self.time().as_secs_f64(),
            );
            note(Measure::P50Micros, micros(found.p50));
            note(Measure::P99Micros, micros(found.p99));
            note(Measure::P999Micros, micros(found.p999));
        }
        Ok(())
    }

    /// The rate that is half of what the slowest proxy can do, so that none is pressed.
    fn half_of_the_slowest(&self, threads: usize) -> Result<f64, Error> {
        let mut least = f64::INFINITY;
        for peer in self.peers(0, threads) {
            if peer == Peer::Direct {
                continue;
            }
            let running = peer::start(peer, threads)?;
            let found = closed_loop::load(running.port, 64, Duration::from_secs(2))?;
            least = least.min(found.requests as f64 / found.time.as_secs_f64());
        }
        Ok((least / 2.0).min(1e6))
    }
}
