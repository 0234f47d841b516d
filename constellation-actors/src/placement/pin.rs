//! The record "key -> worker, epoch", and the list of a worker's keys.

use super::{effect::Owner, epoch::Epoch, grant::GrantId, holder::HolderId, key::ResourceKey};

/// Who owns a key, and under which epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(Hash))]
pub struct Pin {
    /// The owner.
    pub holder: HolderId,
    /// The epoch it owns the key under.
    pub epoch: Epoch,
    /// What the pin is called on the wire between controller and owner.
    pub grant: GrantId,
    /// How far it is.
    pub stage: Stage,
}

/// How far a pin is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(Hash))]
pub enum Stage {
    /// The store has not confirmed it. Nothing may be delivered under it.
    Claimed,
    /// The store has not confirmed it, and its holder has let it go meanwhile: what it said it held
    /// when it came, it holds no longer.
    Declined,
    /// Requests are delivered under it, while its holder can be reached.
    Held,
    /// Its holder was asked to let it go; requests wait for the next owner.
    Leaving,
}

impl Pin {
    /// Whether the store has confirmed it.
    #[must_use]
    pub(super) fn is_confirmed(&self) -> bool {
        match self.stage {
            Stage::Claimed | Stage::Declined => false,
            Stage::Held | Stage::Leaving => true,
        }
    }

    /// What a request needs to know of it.
    #[must_use]
    pub(super) fn owner(&self) -> Owner {
        Owner {
            holder: self.holder,
            epoch: self.epoch,
            grant: self.grant,
        }
    }
}

/// The keys of one holder by grant id. Ids are small, dense, and used again after a release.
#[derive(Debug, Default)]
#[cfg_attr(test, derive(Clone, Hash))]
pub struct Grants {
    keys: Vec<Option<ResourceKey>>,
    free: Vec<u32>,
}

impl Grants {
    /// How many keys there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len() - self.free.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The keys, in the order of their grant ids.
    pub fn keys(&self) -> impl Iterator<Item = &ResourceKey> {
        self.keys.iter().flatten()
    }

    /// The first key from the slot `from` on, and the slot behind it.
    pub(super) fn next_from(&self, from: usize) -> Option<(&ResourceKey, usize)> {
        let rest = self.keys.get(from..)?;
        let at = rest.iter().position(Option::is_some)?;
        rest[at].as_ref().map(|key| (key, from + at + 1))
    }

    /// Takes a key in and names it.
    pub(super) fn insert(&mut self, key: ResourceKey) -> GrantId {
        if let Some(slot) = self.free.pop() {
            self.keys[slot as usize] = Some(key);
            return GrantId::new(slot);
        }
        let slot = u32::try_from(self.keys.len()).expect("the limit of keys is far below 2^32");
        if self.keys.len() == self.keys.capacity() {
            // Grown by an eighth, and not to the double, of which half may stay empty for ever.
            self.keys.reserve_exact(self.keys.len() / 8 + 4);
        }
        self.keys.push(Some(key));
        GrantId::new(slot)
    }

    /// Lets a key go; its id may be used again.
    pub(super) fn remove(&mut self, grant: GrantId) {
        let slot = self.keys.get_mut(grant.get() as usize);
        if slot.is_some_and(|slot| slot.take().is_some()) {
            self.free.push(grant.get());
        }
    }

    /// The keys alone, for when their holder is gone.
    pub(super) fn into_keys(self) -> Vec<Option<ResourceKey>> {
        self.keys
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_released_grant_id_is_used_again_and_its_key_forgotten() {
        let mut grants = Grants::default();
        let [a, b, c] = ["/a", "/b", "/c"].map(|key| ResourceKey::parse(key).unwrap());
        let first = grants.insert(a);
        grants.insert(b.clone());
        grants.remove(first);
        grants.remove(first);
        assert_eq!(grants.len(), 1);
        assert_eq!(grants.insert(c.clone()), first);
        assert_eq!(grants.keys().collect::<Vec<_>>(), [&c, &b]);
    }
}
