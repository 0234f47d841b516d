//! Applies the effects of the placement, one by one, in their order. Waits for nothing.

use std::sync::Arc;

use super::{Answer, Link, Registry};
use crate::placement::{
    effect::{Effect, Owner},
    holder::{HolderId, SessionId},
    input::Ticket,
    key::ResourceKey,
};

impl Registry {
    pub(super) fn apply(&mut self, effect: Effect) {
        match effect {
            Effect::Claim(claim) => self.claims.push(claim),
            Effect::Forget { key, epoch } => self.forgotten.push((key, epoch)),
            Effect::Welcome {
                session,
                holder,
                resumed,
            } => self.welcome(session, holder, resumed),
            Effect::Acknowledge { session, sequence } => {
                self.to_wire(session, |wire| wire.acknowledge(sequence));
            }
            Effect::Probe { session } => self.to_wire(session, |wire| wire.probe()),
            Effect::Dismiss { session, reason } => {
                log::warn!(session:% = session, reason:? = reason; "a session is told to go");
                self.to_wire(session, |wire| wire.dismiss(reason));
            }
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
            } => {
                log::info!(worker:% = worker, end:? = end; "a worker's keys are free");
                if let Some(link) = self.links.remove(&holder) {
                    link.end();
                }
            }
            Effect::Publish { key, owner } => self.publish(key, owner),
            Effect::Withdraw { key, epoch } => self.view.withdraw(&key, epoch),
            Effect::Route {
                ticket,
                key,
                owner: _,
            } => {
                let route = self
                    .view
                    .get(&key)
                    .expect("an owner is published before it is told");
                self.answer(ticket, Ok(route));
            }
            Effect::Reject { ticket, rejection } => self.answer(ticket, Err(rejection)),
        }
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
            self.view.publish(key, Arc::clone(link), epoch, grant);
        }
    }

    /// Answers a request; one that is gone needs no answer.
    fn answer(&mut self, ticket: Ticket, answer: Answer) {
        if let Some(waiting) = self.tickets.remove(&ticket) {
            let _gone = waiting.send(answer);
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
