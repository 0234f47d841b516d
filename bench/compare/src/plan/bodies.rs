//! Long bodies, of each size and either way.

use super::{Notebook, Plan};
use crate::{
    bodies::{self, Direction},
    case::{Case, Size},
    error::Error,
    figure::Measure,
    peer,
    used::Used,
};

impl Plan {
    pub(super) fn bodies(&self, threads: usize, notebook: &mut Notebook<'_>) -> Result<(), Error> {
        for direction in Direction::ALL {
            for size in Size::ALL {
                self.bodies_of(direction, size, threads, notebook)?;
            }
        }
        Ok(())
    }

    fn bodies_of(
        &self,
        direction: Direction,
        size: Size,
        threads: usize,
        notebook: &mut Notebook<'_>,
    ) -> Result<(), Error> {
        let case = Case::Bodies {
            direction,
            size,
            threads,
        };
        for peer in self.peers(notebook.round, threads) {
            notebook.say(case, peer);
            let running = peer::start(peer, threads)?;
            let before = Used::of(&running)?;
            let (moved, time) = bodies::load(running.port, direction, size.bytes(), self.time())?;
            let used = Used::of(&running)?.since(&before);
            let mib = moved as f64 / f64::from(1 << 20);
            let mut note = |measure, value| notebook.note(case, peer, measure, value);
            note(Measure::MibPerSecond, mib / time.as_secs_f64());
            note(
                Measure::ProxySecondsPerGib,
                used.proxy.as_secs_f64() / mib * 1024.0,
            );
            note(Measure::ProxyPeakMib, used.peak_mib);
        }
        Ok(())
    }
}
