//! What players collect.

use super::{Place, random::Random};

/// Every how many things one is rare.
const RARE_ONE_IN: u64 = 6;

/// What a thing is called in its world. Never used twice there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ThingNumber(u64);

impl ThingNumber {
    pub(super) const FIRST: Self = Self(1);

    pub(super) const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number.
    pub(crate) const fn get(self) -> u64 {
        self.0
    }

    pub(super) const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// A thing that lies somewhere.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Thing {
    place: Place,
    value: u32,
}

impl Thing {
    pub(super) const fn new(place: Place, value: u32) -> Self {
        Self { place, value }
    }

    pub(super) fn draw(random: &mut Random) -> Self {
        let place = Place::draw(random);
        let rare = random.next().is_multiple_of(RARE_ONE_IN);
        Self::new(place, if rare { 5 } else { 1 })
    }

    /// Where it lies.
    pub(crate) const fn place(&self) -> Place {
        self.place
    }

    /// What it is worth: 1, or 5 if it is rare.
    pub(crate) const fn value(&self) -> u32 {
        self.value
    }
}
