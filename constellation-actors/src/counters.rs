//! How often requests failed, limits were hit and keys changed hands. Counting never waits and
//! never decides anything.

use std::sync::atomic::{AtomicU64, Ordering};

/// A limit that turns requests away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limit {
    /// Messages to the Registry.
    RegistryMailbox,
    /// Requests that wait for one key.
    WaitingPerKey,
    /// Requests that wait for any key.
    Waiting,
    /// Keys that have an owner.
    Keys,
    /// Exchanges of one worker.
    Exchanges,
    /// Tunnels of one worker.
    Tunnels,
    /// Bytes that wait to be sent to one worker.
    SessionQueue,
    /// A limit of the worker.
    Worker,
}

/// Declares a counter for each name, once: the atomic ones and what is read of them.
macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// Counters of one controller.
        #[derive(Debug, Default)]
        pub(crate) struct Counters {
            $(pub(crate) $name: Counter,)*
        }

        /// How often what happened since the controller started.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct Counts {
            $($(#[$doc])* pub $name: u64,)*
        }

        impl Counters {
            /// What was counted so far.
            pub(crate) fn read(&self) -> Counts {
                Counts { $($name: self.$name.read(),)* }
            }
        }

        impl Counts {
            /// Every counter by its name, in the order of their declaration.
            pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> + use<> {
                [$((stringify!($name), self.$name),)*].into_iter()
            }
        }
    };
}

counters! {
    /// Requests that came to the ingress, the node's own pages included.
    requests,
    /// Requests that could not be forwarded as they were: 400.
    bad_requests,
    /// Wrong admin keys: 401.
    wrong_admin_keys,
    /// Bodies over the limit: 413.
    bodies_too_large,
    /// Bodies of requests that stood still for too long: 400, or the answer breaks off.
    uploads_idle,
    /// Bodies of requests that took their clients too long in all: the same.
    uploads_slow,
    /// Bodies of answers of which the client took nothing for too long: they break off.
    downloads_idle,
    /// Bodies of answers that took their clients too long in all: they break off.
    downloads_slow,
    /// Requests whose key no worker can own: 502.
    no_worker,
    /// Requests that could not be delivered, for sure: 502.
    undelivered,
    /// Requests that may have reached a worker which went away: 502.
    delivery_unknown,
    /// Answers of workers that could not be passed on: 502.
    bad_answers,
    /// Requests without an answer in time: 504.
    timeouts,
    /// Requests for new keys that the store did not take: 503.
    store_failures,
    /// Requests that came while the controller stopped: 503.
    shutting_down,
    /// Requests refused by the limit of messages to the Registry: 503.
    limit_registry_mailbox,
    /// Requests refused by the limit of those that wait for one key: 503.
    limit_waiting_per_key,
    /// Requests refused by the limit of those that wait for any key: 503.
    limit_waiting,
    /// Requests refused by the limit of keys that have an owner: 503.
    limit_keys,
    /// Requests refused by the limit of exchanges of one worker: 503.
    limit_exchanges,
    /// Upgrades refused by the limit of tunnels of one worker: 503.
    limit_tunnels,
    /// Requests refused by the limit of bytes that wait for one worker: 503.
    limit_session_queue,
    /// Requests refused by a limit of the worker: 503.
    limit_worker,
    /// Requests that were offered to an owner once more, because it was safe.
    offered_again,
    /// Answers that were discarded because their epoch was over.
    stale_answers,
    /// Tunnels that were opened. Those that are open are these less all that ended.
    tunnels_opened,
    /// Tunnels that ended because their worker or their client closed them.
    tunnels_closed,
    /// Tunnels that ended because their key moved.
    tunnels_moved,
    /// Tunnels that ended because the connection or the lease of their worker did.
    tunnels_lost,
    /// Tunnels that ended because their worker gave them up.
    tunnels_failed,
    /// Tunnels that ended because nothing had passed for too long.
    tunnels_idle,
    /// Tunnels that ended because they were too old.
    tunnels_too_old,
    /// Tunnels that ended because the controller stopped.
    tunnels_stopped,
    /// Pins that the store confirmed.
    pins_claimed,
    /// Pins that the store did not take.
    claims_failed,
    /// Planned hand-overs of a key that were begun.
    handovers,
    /// Workers whose lease ended.
    leases_ended,
    /// Workers that said goodbye.
    goodbyes,
    /// Workers whose connection ended and whose keys were not waited for.
    disconnects,
}

impl Counters {
    /// A limit turned a request away.
    pub(crate) fn hit(&self, limit: Limit) {
        let counter = match limit {
            Limit::RegistryMailbox => &self.limit_registry_mailbox,
            Limit::WaitingPerKey => &self.limit_waiting_per_key,
            Limit::Waiting => &self.limit_waiting,
            Limit::Keys => &self.limit_keys,
            Limit::Exchanges => &self.limit_exchanges,
            Limit::Tunnels => &self.limit_tunnels,
            Limit::SessionQueue => &self.limit_session_queue,
            Limit::Worker => &self.limit_worker,
        };
        counter.add();
    }
}

/// A number that only grows.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn read(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_limit_has_a_counter_of_its_own() {
        let limits = [
            Limit::RegistryMailbox,
            Limit::WaitingPerKey,
            Limit::Waiting,
            Limit::Keys,
            Limit::Exchanges,
            Limit::Tunnels,
            Limit::SessionQueue,
            Limit::Worker,
        ];
        for limit in limits {
            let counters = Counters::default();
            counters.hit(limit);
            let hit: Vec<_> = counters
                .read()
                .iter()
                .filter(|(_, count)| *count > 0)
                .collect();
            assert_eq!(hit.len(), 1, "{limit:?}: {hit:?}");
            assert!(hit[0].0.starts_with("limit_"), "{limit:?}: {hit:?}");
        }
    }
}
