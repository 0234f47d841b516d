//! Every pin by its key, packed: with a million of them each byte counts. Never decides anything.

use std::{
    collections::{BTreeMap, HashMap, hash_map::Entry},
    hash::{BuildHasher, RandomState},
};

use super::{
    epoch::Epoch,
    grant::GrantId,
    holder::HolderId,
    key::ResourceKey,
    pin::{Pin, Stage},
};

/// Into how many tables the pins are divided.
///
/// A table that grows moves all of its entries at once, and nobody is served meanwhile. With seven
/// million in one that takes longer than a lease; with seven thousand it takes less than 10 ms.
const TABLES: u64 = 1024;

/// The pins.
#[derive(Debug, Default)]
#[cfg_attr(test, derive(Clone))]
pub(super) struct Pins {
    /// Those in which there is or was a pin. Each hashes in its own way, so that keys which share a table
    /// are spread in it.
    tables: BTreeMap<u64, HashMap<ResourceKey, Packed>>,
    len: usize,
    hasher: RandomState,
}

/// A pin in 16 bytes instead of 24. The limit of keys is below 2^30, so a grant leaves two bits for
/// the stage.
#[derive(Clone, Copy, Debug)]
struct Packed {
    epoch: Epoch,
    holder: HolderId,
    grant_and_stage: u32,
}

const STAGES: [Stage; 4] = [Stage::Claimed, Stage::Declined, Stage::Held, Stage::Leaving];
const STAGE_BITS: u32 = 2;
const STAGE: u32 = (1 << STAGE_BITS) - 1;

impl From<Pin> for Packed {
    fn from(pin: Pin) -> Self {
        let grant = pin.grant.get();
        assert!(
            grant >> (u32::BITS - STAGE_BITS) == 0,
            "the limit of keys is below 2^30"
        );
        Self {
            epoch: pin.epoch,
            holder: pin.holder,
            grant_and_stage: grant << STAGE_BITS | bits(pin.stage),
        }
    }
}

impl From<Packed> for Pin {
    fn from(packed: Packed) -> Self {
        Self {
            epoch: packed.epoch,
            holder: packed.holder,
            grant: GrantId::new(packed.grant_and_stage >> STAGE_BITS),
            stage: STAGES[(packed.grant_and_stage & STAGE) as usize],
        }
    }
}

const fn bits(stage: Stage) -> u32 {
    match stage {
        Stage::Claimed => 0,
        Stage::Declined => 1,
        Stage::Held => 2,
        Stage::Leaving => 3,
    }
}

impl Pins {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn contains_key(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    pub(super) fn get(&self, key: &str) -> Option<Pin> {
        let table = self.tables.get(&self.table_of(key))?;
        table.get(key).copied().map(Pin::from)
    }

    /// In which table a key is, if anywhere.
    fn table_of(&self, key: &str) -> u64 {
        self.hasher.hash_one(key) % TABLES
    }

    /// The key as it is kept here, so that it need not be made anew.
    pub(super) fn key(&self, key: &str) -> Option<&ResourceKey> {
        let table = self.tables.get(&self.table_of(key))?;
        table.get_key_value(key).map(|(key, _)| key)
    }

    /// The keys, in no particular order.
    pub(super) fn keys(&self) -> impl Iterator<Item = &ResourceKey> {
        self.tables.values().flat_map(HashMap::keys)
    }

    pub(super) fn insert(&mut self, key: ResourceKey, pin: Pin) {
        let table = self.tables.entry(self.table_of(&key)).or_default();
        self.len += usize::from(table.insert(key, pin.into()).is_none());
    }

    /// Enters a pin's next stage; the pin as it is then.
    pub(super) fn enter(&mut self, key: &str, stage: Stage) -> Option<Pin> {
        let at = self.table_of(key);
        let packed = self.tables.get_mut(&at)?.get_mut(key)?;
        packed.grant_and_stage = packed.grant_and_stage & !STAGE | bits(stage);
        Some(Pin::from(*packed))
    }

    pub(super) fn remove(&mut self, key: &str) {
        let at = self.table_of(key);
        let table = self.tables.get_mut(&at);
        self.len -= usize::from(table.is_some_and(|table| table.remove(key).is_some()));
    }

    /// Takes out the pin of `key` if `is_wanted`.
    pub(super) fn take_if(
        &mut self,
        key: ResourceKey,
        is_wanted: impl FnOnce(Pin) -> bool,
    ) -> Option<(ResourceKey, Pin)> {
        let at = self.table_of(&key);
        // Looks the key up once. That it makes room for one more key before it finds that there is none
        // does not matter: a table is small.
        let Entry::Occupied(entry) = self.tables.get_mut(&at)?.entry(key) else {
            return None;
        };
        if !is_wanted(Pin::from(*entry.get())) {
            return None;
        }
        self.len -= 1;
        let (key, packed) = entry.remove_entry();
        Some((key, packed.into()))
    }

    /// The pins in the order of their keys.
    #[cfg(test)]
    pub(super) fn sorted(&self) -> Vec<(&ResourceKey, Pin)> {
        let mut pins: Vec<_> = self
            .tables
            .values()
            .flatten()
            .map(|(key, pin)| (key, Pin::from(*pin)))
            .collect();
        pins.sort_unstable_by_key(|(key, _)| *key);
        pins
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_comes_out_as_it_went_in_at_every_stage() {
        let mut pins = Pins::default();
        let key = ResourceKey::parse("/a").unwrap();
        for stage in STAGES {
            let pin = Pin {
                holder: HolderId(u32::MAX),
                epoch: Epoch::new(u64::MAX),
                grant: GrantId::new((1 << 30) - 1),
                stage,
            };
            pins.insert(key.clone(), pin);
            assert_eq!(pins.get("/a"), Some(pin));
            for next in STAGES {
                assert_eq!(pins.enter("/a", next), Some(Pin { stage: next, ..pin }));
                assert_eq!(pins.get("/a"), Some(Pin { stage: next, ..pin }));
            }
        }
        assert_eq!(size_of::<Packed>(), 16);
    }

    #[test]
    fn no_table_gets_many_more_pins_than_another() {
        let mut pins = Pins::default();
        let count = 100 * usize::try_from(TABLES).unwrap();
        for number in 0..count {
            let key = ResourceKey::parse(&format!("/{number}")).unwrap();
            let pin = Pin {
                holder: HolderId(1),
                epoch: Epoch::new(1),
                grant: GrantId::new(1),
                stage: Stage::Held,
            };
            pins.insert(key, pin);
        }
        assert_eq!((pins.len(), pins.keys().count()), (count, count));
        // A hundred each, and at most ten times the standard deviation more.
        assert!(pins.tables.values().all(|table| table.len() < 200));
        for number in 0..count / 2 {
            pins.remove(&format!("/{number}"));
        }
        for number in count / 2..count {
            let key = ResourceKey::parse(&format!("/{number}")).unwrap();
            assert!(
                pins.take_if(key.clone(), |pin| pin.holder != HolderId(1))
                    .is_none()
            );
            assert!(
                pins.take_if(key.clone(), |pin| pin.holder == HolderId(1))
                    .is_some()
            );
            assert!(pins.take_if(key, |_| true).is_none());
        }
        assert_eq!((pins.len(), pins.keys().count()), (0, 0));
    }
}
