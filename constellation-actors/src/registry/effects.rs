//! Applies the effects of the placement, one by one, in their order. Waits for nothing.

use std::sync::Arc;

use super::{Answer, Link, Registry};
use crate::{
    placement::{
        command::{CommandError, OrderId},
        effect::{Dismissal, Effect, End, Owner},
        epoch::Epoch,
        holder::{HolderId, SessionId},
        input::Ticket,
        key::ResourceKey,
        worker::WorkerId,
    },
    store::Note,
};

impl Registry {
    pub(super) fn apply(&mut self, effect: Effect) {
        match effect {
            Effect::Claim(claim) => self.claims.push(claim),
            Effect::Forget { key, epoch } => self.forgotten.push((key, epoch)),
            Effect::NoteLease => self.notes.push(Note::Lease(self.placement.rules().ttl())),
            Effect::NoteCordon { worker, cordoned } => {
                self.notes.push(Note::Cordoned { worker, cordoned });
            }
            Effect::Expect { holder, worker } => self.expect(holder, worker),
            Effect::Welcome {
                session,
                holder,
                resumed,
            } => self.welcome(session, holder, resumed),
            Effect::Acknowledge { session, sequence } => {
                self.to_wire(session, |wire| wire.acknowledge(sequence));
            }
            Effect::Probe { session } => self.to_wire(session, |wire| wire.probe()),
            Effect::Dismiss { session, reason } => self.dismiss(session, reason),
            Effect::Revoke {
                session,
                key,
                epoch,
                reason,
            } => {
                self.to_wire(session, |wire| wire.revoke(reason, epoch, &key));
            }
            Effect::Open { holder } => self.to_link(holder, |link| link.set_open(true)),
            Effect::Shut { holder } => self.to_link(holder, |link| link.set_open(false)),
            Effect::Ended {
                holder,
                worker,
                end,
            } => self.end(holder, worker, end),
            Effect::Publish { key, owner } => self.publish(key, owner),
            Effect::Freeze { key, epoch } => self.freeze(&key, epoch),
            Effect::AwaitQuiet { key, epoch } => self.quieting.push((key, epoch)),
            Effect::AskUse(keys) => self.asked.extend(keys),
            Effect::Withdraw { key, epoch } => {
                self.view.withdraw(&key, epoch);
                self.tunnels.end_older(&key, epoch.next());
            }
            Effect::Route {
                ticket,
                key,
                owner: _,
            } => self.route(ticket, &key),
            Effect::Reject { ticket, rejection } => self.answer(ticket, Err(rejection)),
            Effect::Answer { order, outcome } => self.answer_operator(order, outcome),
        }
    }

    /// Tells a request its owner, which was published before.
    fn route(&mut self, ticket: Ticket, key: &ResourceKey) {
        let route = self.view.get(key);
        let route = route.expect("an owner is published before it is told");
        self.answer(ticket, Ok(route));
    }

    fn publish(
        &self,
        key: ResourceKey,
        Owner {
            holder,
            epoch,
            grant,
        }: Owner,
    ) {
        if let Some(link) = self.links.get(&holder) {
            log::debug!(key:% = key, worker:% = link.worker(), epoch:% = epoch; "pinned");
            self.view
                .publish(key.clone(), Arc::clone(link), epoch, grant);
            self.tunnels.end_older(&key, epoch);
        }
    }

    fn freeze(&self, key: &ResourceKey, epoch: Epoch) {
        log::debug!(key:% = key, epoch:% = epoch; "its owner is asked to let it go");
        self.counters.handovers.add();
        self.view.freeze(key, epoch);
    }

    /// Answers a request; one that is gone needs no answer.
    fn answer(&mut self, ticket: Ticket, answer: Answer) {
        if let Some(waiting) = self.tickets.remove(&ticket) {
            let _gone = waiting.send(answer);
        }
    }

    /// Answers an operator; one who is gone needs no answer.
    fn answer_operator(&mut self, order: OrderId, outcome: Result<(), CommandError>) {
        if let Some(operator) = self.orders.remove(&order) {
            let _gone = operator.send(outcome);
        }
    }

    /// Makes room for the pins of a worker that has not come back yet.
    fn expect(&mut self, holder: HolderId, worker: WorkerId) {
        self.links.insert(holder, Arc::new(Link::new(worker)));
    }

    fn dismiss(&self, session: SessionId, reason: Dismissal) {
        log::warn!(session:% = session, reason:? = reason; "a session is told to go");
        self.to_wire(session, |wire| wire.dismiss(reason));
    }

    fn end(&mut self, holder: HolderId, worker: WorkerId, end: End) {
        log::info!(worker:% = worker, end:? = end; "a worker's keys are free");
        match end {
            End::Goodbye => self.counters.goodbyes.add(),
            End::Disconnected => self.counters.disconnects.add(),
            End::LeaseEnded => self.counters.leases_ended.add(),
        }
        if let Some(link) = self.links.remove(&holder) {
            link.end();
        }
    }

    fn welcome(&mut self, session: SessionId, holder: HolderId, resumed: bool) {
        let Some(connection) = self.sessions.get(&session) else {
            return;
        };
        let Some(facts) = self.placement.holder(holder) else {
            return;
        };
        let worker = facts.worker();
        let link = self
            .links
            .entry(holder)
            .or_insert_with(|| Arc::new(Link::new(worker)));
        connection.wire.welcome(&self.terms, session, resumed);
        link.attach(Arc::clone(&connection.wire));
        log::info!(worker:% = worker, session:% = session, resumed = resumed,
            peer:% = connection.peer.address; "a worker connected");
        if let Some(status) = self.status(holder, self.clock.now()) {
            self.hooks.connected(&status);
        }
    }

    fn to_wire(&self, session: SessionId, tell: impl FnOnce(&crate::session::wire::Wire)) {
        if let Some(connection) = self.sessions.get(&session) {
            tell(&connection.wire);
        }
    }

    fn to_link(&self, holder: HolderId, tell: impl FnOnce(&Link)) {
        if let Some(link) = self.links.get(&holder) {
            tell(link);
        }
    }
}
