//! What all bots together have seen, and how that is told.

use std::time::Duration;

use tokio::time::Instant;

use super::{Beats, histogram::Histogram};

/// Two states further apart than this, in milliseconds, are counted: one and a half beats.
const APART_MS: usize = 75;

/// What was seen since the beginning.
#[derive(Debug)]
pub(super) struct Tally {
    begun: Instant,
    came: u64,
    came_bytes: u64,
    sent: u64,
    between_states: Histogram,
    /// From the last state through one socket to the first through the next.
    reconnect_gaps: Histogram,
    failed_connects: u64,
    playing: i64,
    score: u64,
}

impl Tally {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            begun: now,
            came: 0,
            came_bytes: 0,
            sent: 0,
            between_states: Histogram::default(),
            reconnect_gaps: Histogram::default(),
            failed_connects: 0,
            playing: 0,
            score: 0,
        }
    }

    /// Forgets what was seen until now, but not who plays.
    pub(super) fn begin(&mut self, now: Instant) {
        *self = Self {
            playing: self.playing,
            score: self.score,
            ..Self::new(now)
        };
    }

    pub(super) fn message_came(&mut self, bytes: usize) {
        self.came += 1;
        self.came_bytes += bytes as u64;
    }

    pub(super) fn message_sent(&mut self) {
        self.sent += 1;
    }

    pub(super) fn state_after(&mut self, gap: Duration) {
        self.between_states.add(gap);
    }

    pub(super) fn reconnected_after(&mut self, gap: Duration) {
        self.reconnect_gaps.add(gap);
    }

    pub(super) fn connect_failed(&mut self) {
        self.failed_connects += 1;
    }

    /// How many play.
    pub(super) fn playing(&self) -> i64 {
        self.playing
    }

    pub(super) fn began_to_play(&mut self) {
        self.playing += 1;
    }

    pub(super) fn ceased_to_play(&mut self) {
        self.playing -= 1;
    }

    pub(super) fn earned(&mut self, points: u64) {
        self.score += points;
    }

    /// What there is to say.
    pub(super) fn report(&self, now: Instant, bots: u16, beats: Beats) -> String {
        let seconds = now.saturating_duration_since(self.begun).as_secs_f64();
        let rate = |count: u64| count as f64 / seconds;
        let share = |part: u64, all: u64| 100.0 * part as f64 / all.max(1) as f64;
        let (states, gaps) = (&self.between_states, &self.reconnect_gaps);
        let apart = states.longer_than(APART_MS);
        let spread = |times: &Histogram| {
            let [middle, high, highest] = [0.5, 0.99, 1.0].map(|at| times.percentile(at));
            format!("p50 {middle} ms, p99 {high} ms, longest {highest} ms")
        };
        [
            format!(
                "playing at the end   {} of {bots}, {} points",
                self.playing, self.score
            ),
            format!(
                "messages to bots     {:.0}/s, {:.2} MB/s",
                rate(self.came),
                rate(self.came_bytes) / 1e6
            ),
            format!("messages from bots   {:.0}/s", rate(self.sent)),
            format!("between two states   {}", spread(states)),
            format!(
                "more than {APART_MS} ms      {apart} of {} ({:.3} %)",
                states.count(),
                share(apart, states.count())
            ),
            format!(
                "ticks over 10 ms late {} of {} ({:.3} %), {} worlds moved",
                beats.late,
                beats.all,
                share(beats.late, beats.all),
                beats.moved
            ),
            format!(
                "reconnects           {}, {} tries failed; without a state: {}",
                gaps.count(),
                self.failed_connects,
                spread(gaps)
            ),
        ]
        .join("\n")
    }
}
