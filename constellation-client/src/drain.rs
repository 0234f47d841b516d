//! Leaving one controller: no new keys, every key given back, goodbye said.

use std::rc::Rc;

use constellation_actors::ownership::input::Input;

use crate::domain::Domain;

/// What a drain came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Drained {
    /// How many keys were held when it began.
    pub keys: usize,
    /// How many controllers were told that every key is free.
    pub told: usize,
    /// How many controllers were not, because there was no connection: they give the keys away
    /// when the lease is over.
    pub untold: usize,
}

impl Drained {
    /// Both together.
    #[must_use]
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            keys: self.keys + other.keys,
            told: self.told + other.told,
            untold: self.untold + other.untold,
        }
    }
}

/// Gives every key of `domain` back, says goodbye and ends the connection: in order with
/// [`Input::Drain`], at once with [`Input::Stop`], which also cuts a drain short that has begun.
pub(crate) async fn leave(domain: Rc<Domain>, how: Input) -> Drained {
    let keys = domain.keys();
    domain.handle(how);
    domain.finished().await;
    let told = domain.is_told();
    Drained {
        keys,
        told: usize::from(told),
        untold: usize::from(!told),
    }
}
