//! What happened, seen from outside: by somebody who looks at every process at once, as nobody in
//! a real system can. The invariants are about this, not about what the code believes.

use std::collections::{BTreeMap, BTreeSet};

use super::{client::RequestId, network::ExchangeId};
use crate::placement::{epoch::Epoch, key::ResourceKey, worker::Incarnation};

/// Something that an invariant speaks of.
#[derive(Clone, Debug)]
pub(crate) enum Fact {
    /// The controller shows a pin to the ingress.
    Published {
        key: ResourceKey,
        epoch: Epoch,
        incarnation: Incarnation,
        durable: bool,
    },
    /// A worker begins to hold a key.
    Held {
        key: ResourceKey,
        epoch: Epoch,
        incarnation: Incarnation,
        durable: bool,
    },
    /// A request is sent to a worker.
    Offered {
        request: RequestId,
        exchange: ExchangeId,
    },
    /// A worker begins with a request.
    Begun {
        request: RequestId,
        exchange: ExchangeId,
    },
    /// A worker says that it has not begun with a request, and never will.
    Refused { exchange: ExchangeId },
    /// An answer reaches a client.
    Passed { key: ResourceKey, epoch: Epoch },
    /// A worker writes to the resource behind a key.
    Wrote {
        key: ResourceKey,
        epoch: Epoch,
        incarnation: Incarnation,
    },
}

/// What is known of one request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Deliveries {
    pub(crate) safe: bool,
    /// Offers that may have been begun with.
    pub(crate) open: BTreeSet<ExchangeId>,
    pub(crate) begun: BTreeSet<ExchangeId>,
}

/// What is remembered of the facts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Record {
    /// What the step that is checked brought.
    pub(crate) facts: Vec<Fact>,
    /// The pin of each key that was published last, by whichever life of the controller.
    pub(crate) published: BTreeMap<ResourceKey, (Epoch, Incarnation)>,
    /// The epoch that is in force for each key, by what the placement said.
    pub(crate) in_force: BTreeMap<ResourceKey, Epoch>,
    /// Who ever had each epoch of each key.
    pub(crate) owners: BTreeMap<(ResourceKey, Epoch), Incarnation>,
    pub(crate) deliveries: BTreeMap<RequestId, Deliveries>,
    pub(crate) request_of: BTreeMap<ExchangeId, RequestId>,
    /// The highest epoch that wrote to each resource: the fence.
    pub(crate) fence: BTreeMap<ResourceKey, Epoch>,
    pub(crate) counts: Counts,
    /// Keys that were answered for after faults stopped.
    pub(crate) recovered: BTreeSet<ResourceKey>,
    /// Why a step of the simulation itself must not have been possible.
    pub(crate) broken: Option<String>,
}

/// How much happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Events that were simulated.
    pub steps: u64,
    /// Requests of clients.
    pub requests: u64,
    /// Requests that a worker began with.
    pub executions: u64,
    /// Answers that reached a client.
    pub answers: u64,
    /// Pins that were published.
    pub pins: u64,
    /// Faults, orders of operators not counted.
    pub faults: u64,
    /// Restarts of the controller.
    pub restarts: u64,
    /// Writes that a fence refused.
    pub fenced: u64,
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.steps += other.steps;
        self.requests += other.requests;
        self.executions += other.executions;
        self.answers += other.answers;
        self.pins += other.pins;
        self.faults += other.faults;
        self.restarts += other.restarts;
        self.fenced += other.fenced;
    }
}
