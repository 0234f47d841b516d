//! Leaving one controller in order: no new keys, every key given back, goodbye said.

use std::rc::Rc;

use crate::{
    domain::{Domain, Stage},
    event::ReleaseReason,
    session::Farewell,
};

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

/// Gives every key of `domain` back for `reason`, says goodbye and ends the connection.
///
/// A second call joins the first, and shortens it if its reason is an immediate one.
pub(crate) async fn drain(domain: Rc<Domain>, reason: ReleaseReason) -> Drained {
    if domain.stage() == Stage::Serving {
        domain.advance(Stage::Draining);
        if let Some(session) = domain.session() {
            session.announce_drain();
        }
    }
    let holdings = domain.holdings().all();
    for holding in &holdings {
        domain.begin_release(holding, reason);
    }
    domain.holdings().emptied().await;
    if domain.stage() == Stage::Draining
        && let Some(session) = domain.session()
    {
        session.leave(Farewell::Goodbye);
    }
    domain.advance(Stage::Leaving);
    domain.reaches(Stage::Finished).await;
    let told = domain.is_told();
    Drained {
        keys: holdings.len(),
        told: usize::from(told),
        untold: usize::from(!told),
    }
}
