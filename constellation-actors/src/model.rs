//! The guarantee, tried out to the end: a small cluster whose every reachable state is looked at.
//!
//! The real [`Placement`](crate::placement::Placement) and the real
//! [`Ownership`](crate::ownership::Ownership) of two workers run here, under the model checker
//! `stateright`: it chooses who does the next step, in every possible way, where the
//! [simulation](crate::simulation) draws one way by lot. Time is a counter of ticks of 250 ms; a
//! lease is three of them for the controller and two for the worker. A [`Budget`] says how much may
//! happen, and within that nothing is left out: crashes, pauses, connections that break, a clock that
//! is late, requests, moves. The tests have one kind of accident each, with a request, and a crash, a pause
//! and a loss together, without one.
//!
//! Not covered: messages that take longer than a tick, unless their receiver is paused; a
//! controller that is paused; a store that fails or forgets; drains, idleness and rebalancing; a
//! resource that takes time to close once nothing runs under it; whether keys are served again.
//! The simulation has all of these. States are told apart by a hash of 64 bits, as always with this
//! checker.

mod controller;
mod network;
mod record;
mod state;
mod store;
mod tests;
mod worker;

use stateright::{Model, Property};

use self::{
    record::Noted,
    state::{Action, Budget, State},
};
use crate::mutation::{self, Mutation};

/// What is explored: how much may happen, from which states, and with which defect.
#[derive(Clone, Debug)]
struct Cluster {
    budget: Budget,
    /// Whether both keys have owners in the beginning.
    placed: bool,
    mutation: Option<Mutation>,
}

impl Cluster {
    fn holds(&self, property: impl FnOnce() -> bool) -> bool {
        mutation::with(self.mutation, property)
    }
}

impl Model for Cluster {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let state = || State::new(self.budget, self.placed);
        vec![mutation::with(self.mutation, state)]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        mutation::with(self.mutation, || state.actions(actions));
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        let mut next = state.clone();
        mutation::with(self.mutation, || next.act(action));
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("one_holder", |model: &Self, state: &State| {
                model.holds(|| state.has_one_holder())
            }),
            Property::always("epochs_rise", |_, state: &State| {
                !state.record.broken.epochs_rise
            }),
            Property::always("durable_first", |_, state: &State| {
                !state.record.broken.durable_first
            }),
            Property::always("no_stale_answer", |_, state: &State| {
                !state.record.broken.no_stale_answer
            }),
            Property::sometimes("moved_after_crash", |_, state: &State| {
                state.noted == Some(Noted::MovedAfterCrash)
            }),
            Property::sometimes("late_answer", |_, state: &State| {
                state.noted == Some(Noted::LateAnswer)
            }),
            Property::sometimes("resumed", |_, state: &State| {
                state.noted == Some(Noted::Resumed)
            }),
            Property::sometimes("planned_move", |_, state: &State| {
                state.noted == Some(Noted::PlannedMove)
            }),
        ]
    }
}
