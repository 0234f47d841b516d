//! A placement with workers, and a store that confirms every claim at once.

use std::time::Duration;

use constellation_actors::placement::{
    Placement, Start,
    effect::{Claim, Effect},
    epoch::Epoch,
    holder::SessionId,
    input::{Arrival, Departure, Input, Ticket},
    key::ResourceKey,
    moment::Moment,
    rules::{OnDisconnect, Rules},
    worker::{Assurance, Incarnation, Profile, WorkerId},
};
use uuid::Uuid;

/// A placement, and everything that it asks for.
#[derive(Debug)]
pub struct Cluster {
    placement: Placement,
    now: Moment,
    effects: Vec<Effect>,
    tickets: u64,
}

/// The keys `/db/<first>`, `/db/<first + 1>` and so on.
///
/// # Panics
///
/// Never: such a text is a key.
#[must_use]
pub fn keys(first: usize, count: usize) -> Vec<ResourceKey> {
    (first..first + count)
        .map(|number| ResourceKey::parse(&format!("/db/{number}")).expect("it is a key"))
        .collect()
}

impl Cluster {
    /// So many workers without keys. New keys go to them in turn, and those of a worker whose
    /// connection is lost are free at once.
    #[must_use]
    pub fn new(workers: u64) -> Self {
        let rules = Rules {
            on_disconnect: OnDisconnect::Reassign,
            ..Rules::default()
        };
        let start = Start {
            first_epoch: Epoch::new(1),
            grace_until: None,
        };
        let mut cluster = Self {
            placement: Placement::new(rules, start),
            now: Moment::ZERO + Duration::from_secs(1),
            effects: Vec::new(),
            tickets: 0,
        };
        for number in 1..=workers {
            let uuid = Uuid::from_u128(number.into());
            cluster.handle(Input::Arrived(Box::new(Arrival {
                session: SessionId::new(number),
                worker: WorkerId::new(uuid),
                incarnation: Incarnation::new(uuid),
                profile: Profile::default(),
                assurance: Assurance::Leased,
                holding: Vec::new(),
            })));
        }
        cluster
    }

    /// The same, with keys that are placed already.
    #[must_use]
    pub fn with_keys(workers: u64, keys: &[ResourceKey]) -> Self {
        let mut cluster = Self::new(workers);
        for key in keys {
            cluster.resolve(key);
        }
        cluster
    }

    /// Asks for the owner of a key: a new one gets one, and the request its route.
    pub fn resolve(&mut self, key: &ResourceKey) {
        self.tickets += 1;
        self.handle(Input::Resolve {
            key: key.clone(),
            ticket: Ticket::new(self.tickets),
            refused: None,
        });
    }

    /// The connection of the first worker is lost.
    pub fn lose_a_worker(&mut self) {
        self.handle(Input::Left {
            session: SessionId::new(1),
            departure: Departure::Vanished,
        });
    }

    /// Clears away the pins of the workers that are gone, to the last.
    pub fn clear(&mut self) {
        while self.placement.next_deadline() == Some(Moment::ZERO) {
            self.handle(Input::Tick);
        }
    }

    /// How many pins there are.
    #[must_use]
    pub fn pins(&self) -> usize {
        self.placement.pins()
    }

    fn handle(&mut self, input: Input) {
        self.effects.clear();
        self.placement.handle(self.now, input, &mut self.effects);
        let mut seen = 0;
        while let Some(effect) = self.effects.get(seen) {
            if let Effect::Claim(Claim { id, .. }) = effect {
                let stored = Input::Stored {
                    claim: *id,
                    outcome: Ok(()),
                };
                self.placement.handle(self.now, stored, &mut self.effects);
            }
            seen += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_placed_and_those_of_a_lost_worker_are_cleared_away() {
        let mut cluster = Cluster::with_keys(10, &keys(0, 100));
        assert_eq!(cluster.pins(), 100);
        cluster.resolve(&keys(0, 1)[0]);
        assert_eq!(cluster.pins(), 100, "it has an owner");
        cluster.lose_a_worker();
        cluster.clear();
        assert_eq!(cluster.pins(), 90);
    }
}
