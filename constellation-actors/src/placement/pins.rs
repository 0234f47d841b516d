//! Every pin by its key, packed: with a million of them each byte counts. Never decides anything.

use std::collections::HashMap;

use super::{
    epoch::Epoch,
    grant::GrantId,
    holder::HolderId,
    key::ResourceKey,
    pin::{Pin, Stage},
};

/// The pins.
#[derive(Debug, Default)]
#[cfg_attr(test, derive(Clone))]
pub(super) struct Pins(HashMap<ResourceKey, Packed>);

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
        self.0.len()
    }

    pub(super) fn reserve(&mut self, more: usize) {
        self.0.reserve(more);
    }

    pub(super) fn contains_key(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    pub(super) fn get(&self, key: &str) -> Option<Pin> {
        self.0.get(key).copied().map(Pin::from)
    }

    /// The key as it is kept here, so that it need not be made anew.
    pub(super) fn key(&self, key: &str) -> Option<&ResourceKey> {
        self.0.get_key_value(key).map(|(key, _)| key)
    }

    /// The keys, in no particular order.
    pub(super) fn keys(&self) -> impl Iterator<Item = &ResourceKey> {
        self.0.keys()
    }

    pub(super) fn insert(&mut self, key: ResourceKey, pin: Pin) {
        self.0.insert(key, pin.into());
    }

    /// Enters a pin's next stage; the pin as it is then.
    pub(super) fn enter(&mut self, key: &str, stage: Stage) -> Option<Pin> {
        let packed = self.0.get_mut(key)?;
        packed.grant_and_stage = packed.grant_and_stage & !STAGE | bits(stage);
        Some(Pin::from(*packed))
    }

    pub(super) fn remove(&mut self, key: &str) {
        self.0.remove(key);
    }

    /// The pins in the order of their keys.
    #[cfg(test)]
    pub(super) fn sorted(&self) -> Vec<(&ResourceKey, Pin)> {
        let mut pins: Vec<_> = self
            .0
            .iter()
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
}
