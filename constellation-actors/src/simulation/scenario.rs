//! What one run is like: drawn from its seed before anything happens, and then fixed.

use std::time::Duration;

use super::{
    clock::{GAP_SHARE, skew_max},
    random::Random,
};
use crate::placement::{
    key::ResourceKey,
    lease::LeaseTerms,
    rules::{Balance, Idleness, OnDisconnect, Rebalancing, Rules},
    strategy::Strategy,
};

/// What the store remembers when the controller restarts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Memory {
    /// Everything.
    Durable,
    /// Everything, until its file is lost, now and then.
    Losing,
    /// Nothing.
    Forgetful,
}

/// What one run is like.
#[derive(Clone, Debug)]
pub(crate) struct Scenario {
    pub(crate) workers: usize,
    pub(crate) keys: Vec<ResourceKey>,
    /// Of each life of the controller; the last one stays.
    pub(crate) intervals: Vec<Duration>,
    pub(crate) rules: Rules,
    pub(crate) memory: Memory,
    /// Whether processes are stopped for longer than the margin allows.
    pub(crate) long_pauses: bool,
    /// How wrong clocks may be, in millionths.
    pub(crate) skew: i64,
    /// The longest that a process is not scheduled, while the guarantee holds.
    pub(crate) gap: Duration,
    /// The longest that closing a resource takes after the end of a lease.
    pub(crate) closing: Duration,
    /// Whether the store fails and is slow.
    pub(crate) bad_store: bool,
    /// How much goes wrong: mean milliseconds between two faults.
    pub(crate) calm: u64,
}

impl Scenario {
    pub(crate) fn draw(random: &mut Random) -> Self {
        let paces = [400, 700, 1_000, 2_000].map(Duration::from_millis);
        let mut intervals = vec![*random.pick(&paces)];
        if random.percent(40) {
            intervals.extend([*random.pick(&paces), *random.pick(&paces)]);
        }
        let terms = intervals.iter().map(|interval| terms(*interval));
        let terms: Vec<_> = terms.collect();
        let margin = terms.iter().map(LeaseTerms::margin).min();
        let margin = margin.expect("there is an interval");
        let reassign = random.percent(12);
        Self {
            workers: usize::try_from(random.between(2, 4)).expect("a few"),
            keys: (0..random.between(2, 5)).map(key).collect(),
            rules: rules(random, reassign),
            memory: *random.pick(&[
                Memory::Durable,
                Memory::Durable,
                Memory::Losing,
                Memory::Forgetful,
            ]),
            long_pauses: random.percent(20),
            skew: terms.iter().map(skew_max).min().unwrap_or(0),
            gap: margin / GAP_SHARE,
            closing: margin / GAP_SHARE,
            bad_store: random.percent(60),
            calm: random.between(150, 1_500),
            intervals,
        }
    }

    /// The rules of the life of the controller with this number, counted from 0.
    pub(crate) fn rules_of(&self, life: usize) -> Rules {
        let last = self.intervals.len() - 1;
        Rules {
            interval: self.intervals[life.min(last)],
            ..self.rules.clone()
        }
    }

    /// Whether there are to be no two owners, and not merely none that a fence cannot tell apart.
    pub(crate) fn is_guaranteed(&self) -> bool {
        self.rules.on_disconnect == OnDisconnect::WaitForLease
    }

    /// Whether epochs tell old owners from new ones. They do not when a connection's loss moves keys
    /// at once and the store forgets: then a controller that starts anew believes a former owner
    /// until the latest one comes back.
    pub(crate) fn has_rising_epochs(&self) -> bool {
        self.is_guaranteed() || self.memory == Memory::Durable
    }

    /// Whether not even a resource is to be open at two workers at once.
    pub(crate) fn is_exclusive(&self) -> bool {
        self.is_guaranteed() && !self.long_pauses
    }
}

/// The terms of a lease with three renewals, as a controller gives them.
pub(crate) fn terms(interval: Duration) -> LeaseTerms {
    LeaseTerms::new(interval * 3, interval).expect("the paces fit the margin")
}

fn key(number: u64) -> ResourceKey {
    ResourceKey::parse(&format!("/k{number}")).expect("a short path")
}

fn rules(random: &mut Random, reassign: bool) -> Rules {
    Rules {
        failures_max: 3,
        on_disconnect: if reassign {
            OnDisconnect::Reassign
        } else {
            OnDisconnect::WaitForLease
        },
        strategy: *random.pick(&[Strategy::RoundRobin, Strategy::LeastPinned]),
        waiting_per_key_max: 3,
        waiting_max: 6,
        keys_max: 5,
        drain_parallel: 2,
        handover_patience: Duration::from_millis(random.between(200, 2_000)),
        idleness: random.percent(40).then(|| Idleness {
            after: Duration::from_millis(800),
            never: Vec::new(),
        }),
        balance: Balance {
            interval: Duration::from_secs(1),
            budget: 2,
            gain_min: 2,
            cooldown: Duration::from_secs(1),
        },
        rebalancing: if random.percent(40) {
            Rebalancing::On
        } else {
            Rebalancing::Off
        },
        ..Rules::default()
    }
}
