//! When a client is too slow. Pure: told how much time has passed and how a body stands.

use std::time::Duration;

/// How long a body may wait for its client; `None` is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PaceLimits {
    /// Without getting on.
    pub(crate) idle: Option<Duration>,
    /// In all.
    pub(crate) total: Option<Duration>,
}

/// How a client was too slow. Each text goes on after what the client did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Slow {
    /// Nothing moved for so long.
    #[error("stood still for {} ms (Proxy.BodyIdleMs)", limit.as_millis())]
    Idle { limit: Duration },
    /// It kept the body waiting for so long in all.
    #[error("took its client more than {} ms (Proxy.BodyTotalMs)", limit.as_millis())]
    Total { limit: Duration },
}

/// How long one body has waited for its client.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Meter {
    idle: Duration,
    total: Duration,
    progress: u32,
}

impl Meter {
    /// How long it has waited in all.
    pub(super) fn total(&self) -> Duration {
        self.total
    }

    /// Takes in that `step` has passed, whether the body waits for its client now, and how often
    /// it has got on so far; tells whether the client was too slow.
    pub(super) fn look(
        &mut self,
        step: Duration,
        waiting: bool,
        progress: u32,
        limits: PaceLimits,
    ) -> Option<Slow> {
        let moved = std::mem::replace(&mut self.progress, progress) != progress;
        if !waiting {
            self.idle = Duration::ZERO;
            return None;
        }
        self.total += step;
        // What moved since the last look moved at some time of the step.
        self.idle = if moved {
            Duration::ZERO
        } else {
            self.idle + step
        };
        let over = |spent: Duration, limit: Option<Duration>| limit.filter(|limit| spent >= *limit);
        over(self.idle, limits.idle)
            .map(|limit| Slow::Idle { limit })
            .or_else(|| over(self.total, limits.total).map(|limit| Slow::Total { limit }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEP: Duration = Duration::from_millis(250);
    const LIMITS: PaceLimits = PaceLimits {
        idle: Some(Duration::from_secs(1)),
        total: Some(Duration::from_secs(10)),
    };

    /// After how many looks a body is found slow that waits as `waits` says and moves every so many
    /// looks.
    fn found(every: u32, waits: impl Fn(u32) -> bool) -> Option<(u32, Slow)> {
        let mut meter = Meter::default();
        (1..1000).find_map(|look| {
            let slow = meter.look(STEP, waits(look), look / every, LIMITS);
            slow.map(|slow| (look, slow))
        })
    }

    #[test]
    fn a_client_that_does_nothing_is_idle_after_its_limit() {
        let limit = Duration::from_secs(1);
        assert_eq!(found(10_000, |_| true), Some((4, Slow::Idle { limit })));
    }

    #[test]
    fn a_client_that_does_a_little_again_and_again_meets_the_limit_in_all() {
        let limit = Duration::from_secs(10);
        assert_eq!(found(3, |_| true), Some((40, Slow::Total { limit })));
    }

    #[test]
    fn a_body_that_waits_for_its_worker_is_never_slow() {
        assert_eq!(found(10_000, |_| false), None);
        let rarely = found(10_000, |look| look % 100 == 0);
        assert_eq!(rarely, None, "ten looks are not enough for any limit");
    }

    #[test]
    fn without_limits_nothing_is_slow() {
        let mut meter = Meter::default();
        for _ in 0..100_000 {
            let slow = meter.look(STEP, true, 0, PaceLimits::default());
            assert_eq!(slow, None);
        }
        assert_eq!(meter.total(), 100_000 * STEP);
    }
}
