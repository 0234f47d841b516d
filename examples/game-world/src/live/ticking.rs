//! The beat of a world. A beat that comes late is one beat: time that the process did not have is not
//! caught up with.

use std::{fmt, time::Duration};

use actix::{Context, StreamHandler};
use futures::{Stream, stream};
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::LiveWorld;
use crate::clock;

/// The time between two beats.
pub(crate) const TICK: Duration = Duration::from_millis(50);

/// Later than this a beat is counted as late.
const LATE: Duration = Duration::from_millis(10);

/// A beat, with the time at which it was due.
#[derive(Clone, Copy, Debug)]
pub(super) struct Beat {
    due: Instant,
}

/// Beats until it is dropped.
pub(super) fn stream() -> impl Stream<Item = Beat> {
    let mut beats = interval(TICK);
    beats.set_missed_tick_behavior(MissedTickBehavior::Skip);
    stream::unfold(beats, async |mut beats| {
        let due = beats.tick().await;
        Some((Beat { due }, beats))
    })
}

/// How the beats were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Ticks {
    pub(super) all: u64,
    pub(super) late: u64,
}

impl fmt::Display for Ticks {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { all, late } = self;
        write!(formatter, "{late} of {all} ticks were late")
    }
}

impl Ticks {
    fn count(&mut self, late_by: Duration) {
        self.all += 1;
        if late_by > LATE {
            self.late += 1;
        }
    }
}

impl StreamHandler<Beat> for LiveWorld {
    fn handle(&mut self, beat: Beat, context: &mut Context<Self>) {
        let now = clock::now();
        self.ticks.count(now.saturating_duration_since(beat.due));
        if !self.grant.is_in_force() {
            self.freeze(context);
            return;
        }
        let Some(world) = &mut self.world else {
            return;
        };
        world.step(TICK.as_secs_f64());
        for number in self.seats.tell(world, self.safe.revision()) {
            world.leave(number);
        }
        self.save_when_due(now, context);
    }

    // The default stops the actor with its stream.
    fn finished(&mut self, _: &mut Context<Self>) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beat_is_late_when_it_comes_more_than_ten_milliseconds_late() {
        let mut ticks = Ticks::default();
        for late_by in [0, 10, 11, 500] {
            ticks.count(Duration::from_millis(late_by));
        }
        assert_eq!(ticks, Ticks { all: 4, late: 2 });
    }
}
