//! What the placement decides is done, effect by effect, as `registry::effects` does it.

use super::{
    super::{
        World,
        client::Offer,
        clock::{MILLI, SECOND},
        event::Event,
        network::{ConnectionId, End, Message},
        note,
        record::Fact,
        scenario::terms,
        store,
    },
    Link, Route, Stage,
};
use crate::{
    placement::{
        effect::{Dismissal, Effect, Owner, Revocation},
        epoch::Epoch,
        holder::{HolderId, SessionId},
        input::{Input, Ticket, Use},
        key::ResourceKey,
    },
    protocol::frame::code::RevokeReason,
};

impl World {
    /// Lets the placement handle one input and applies its effects.
    pub(crate) fn input(&mut self, input: Input) {
        let now_real = self.now;
        let Some(controller) = &mut self.controller else {
            return;
        };
        note!(self, "  placement <- {input:?}");
        let mut outbox = Vec::new();
        let now = controller.clock.at(now_real);
        controller.placement.handle(now, input, &mut outbox);
        let (mut forgotten, mut notes, mut claims) = (Vec::new(), Vec::new(), Vec::new());
        let mut asked = Vec::new();
        for effect in outbox {
            note!(self, "  placement -> {effect:?}");
            match effect {
                Effect::Claim(claim) => claims.push(store::Request::Claim(claim)),
                Effect::Forget { key, epoch } => {
                    forgotten.push(store::Request::Forget(key, epoch));
                }
                Effect::NoteLease => {
                    let ttl = self
                        .controller
                        .as_ref()
                        .map(|it| it.placement.rules().ttl());
                    notes.extend(ttl.map(store::Request::Lease));
                }
                Effect::NoteCordon { worker, cordoned } => {
                    notes.push(store::Request::Cordon(worker, cordoned));
                }
                Effect::AskUse(keys) => asked.extend(keys),
                other => self.apply(other),
            }
        }
        forgotten.extend(notes);
        forgotten.extend(claims);
        self.ask_store(forgotten);
        self.tell_uses(&asked);
        self.reschedule_controller();
    }

    pub(crate) fn route(&mut self, ticket: Ticket, key: &str) {
        let Some(controller) = &mut self.controller else {
            return;
        };
        let Some(route) = controller.known(key) else {
            self.record.broken = Some(format!("a route for {key} is told and not published"));
            return;
        };
        match controller.tickets.remove(&ticket) {
            Some(request) => self.hand_route(request, route),
            None => self.record.broken = Some(format!("{ticket:?} is answered twice")),
        }
    }

    pub(crate) fn tell_uses(&mut self, asked: &[(ResourceKey, Epoch)]) {
        let Some(controller) = self.controller.as_ref().filter(|_| !asked.is_empty()) else {
            return;
        };
        let now = controller.clock.at(self.now);
        let uses = asked.iter().filter_map(|(key, epoch)| {
            let last = controller.last_use(key, *epoch, now)?;
            Some(Use {
                key: key.clone(),
                epoch: *epoch,
                last,
            })
        });
        let uses = uses.collect();
        self.input(Input::Used(uses));
    }

    pub(crate) fn apply(&mut self, effect: Effect) {
        let Some(controller) = &mut self.controller else {
            return;
        };
        match effect {
            Effect::Expect { holder, .. } => {
                controller.links.insert(holder, Link::default());
            }
            Effect::Welcome {
                session,
                holder,
                resumed,
            } => self.welcome(session, holder, resumed),
            Effect::Acknowledge { session, sequence } => {
                self.tell(session, Message::Acknowledgement(sequence));
            }
            Effect::Dismiss { session, reason } => self.dismiss(session, reason),
            Effect::Revoke {
                session,
                key,
                epoch,
                reason,
            } => self.tell(session, Message::Revoke(revoke_reason(reason), epoch, key)),
            Effect::Open { holder } => self.let_through(holder, true),
            Effect::Shut { holder } => self.let_through(holder, false),
            Effect::Ended { holder, .. } => self.end_life(holder),
            Effect::Publish { key, owner } => self.publish(key, owner),
            Effect::Freeze { key, epoch } => {
                if let Some(route) = controller.shown.get(&key)
                    && controller.routes[*route].epoch == epoch
                {
                    controller.routes[*route].stage = Stage::Frozen;
                }
            }
            Effect::Withdraw { key, epoch } => self.withdraw(&key, epoch),
            Effect::Reject { ticket, rejection } => match controller.tickets.remove(&ticket) {
                Some(request) => self.rejected(request, rejection),
                None => self.record.broken = Some(format!("{ticket:?} is answered twice")),
            },
            Effect::Route { ticket, key, .. } => self.route(ticket, &key),
            Effect::Probe { .. } | Effect::AwaitQuiet { .. } => {
                self.record.broken = Some(format!("no worker is without a lease: {effect:?}"));
            }
            Effect::Answer { .. }
            | Effect::Claim(_)
            | Effect::Forget { .. }
            | Effect::NoteLease
            | Effect::NoteCordon { .. }
            | Effect::AskUse(_) => {}
        }
    }

    /// Whether requests are sent to a life of a worker.
    fn let_through(&mut self, holder: HolderId, open: bool) {
        let links = self.controller.as_mut().map(|it| &mut it.links);
        if let Some(link) = links.and_then(|links| links.get_mut(&holder)) {
            link.open = open;
        }
    }

    fn publish(&mut self, key: ResourceKey, owner: Owner) {
        let Some(controller) = &mut self.controller else {
            return;
        };
        controller.routes.push(Route {
            key: key.clone(),
            holder: owner.holder,
            epoch: owner.epoch,
            grant: owner.grant,
            stage: Stage::Open,
            used: controller.clock.at(self.now),
            users: 0,
        });
        let route = controller.routes.len() - 1;
        if let Some(older) = controller.shown.insert(key.clone(), route) {
            controller.routes[older].stage = Stage::Withdrawn;
        }
        self.published(key, owner.holder, owner.epoch);
    }

    fn withdraw(&mut self, key: &ResourceKey, epoch: Epoch) {
        let Some(controller) = &mut self.controller else {
            return;
        };
        if let Some(route) = controller.shown.get(key).copied()
            && controller.routes[route].epoch <= epoch
        {
            controller.routes[route].stage = Stage::Withdrawn;
            controller.shown.remove(key);
            self.record.in_force.remove(key);
        }
    }

    pub(crate) fn published(&mut self, key: ResourceKey, holder: HolderId, epoch: Epoch) {
        let Some(controller) = &self.controller else {
            return;
        };
        let of_life = controller.links.get(&holder).and_then(|it| it.incarnation);
        let of_pin = controller.incarnations.get(&(key.clone(), epoch)).copied();
        let Some(incarnation) = of_life.or(of_pin) else {
            self.record.broken = Some(format!("{key} is published for a life nobody knows"));
            return;
        };
        self.record.counts.pins += 1;
        self.record.in_force.insert(key.clone(), epoch);
        self.record.facts.push(Fact::Published {
            durable: self.store.has(&key, incarnation, epoch),
            key,
            epoch,
            incarnation,
        });
    }

    pub(crate) fn welcome(&mut self, session: SessionId, holder: HolderId, resumed: bool) {
        let Some(controller) = &mut self.controller else {
            return;
        };
        let connection = ConnectionId(session.get());
        let incarnation = controller
            .sessions
            .get(&connection)
            .map(|it| it.incarnation);
        let link = controller.links.entry(holder).or_default();
        link.incarnation = link.incarnation.or(incarnation);
        link.session = Some(connection);
        let terms = terms(controller.placement.rules().interval);
        self.tell(session, Message::Welcome { resumed, terms });
    }

    pub(crate) fn dismiss(&mut self, session: SessionId, reason: Dismissal) {
        let lease_ended = reason != Dismissal::Superseded;
        self.tell(session, Message::GoAway { lease_ended });
        self.after(SECOND, Event::HangUp(ConnectionId(session.get())));
    }

    /// A life is over: its answers are in force no more, and its exchanges end.
    pub(crate) fn end_life(&mut self, holder: HolderId) {
        let Some(controller) = &mut self.controller else {
            return;
        };
        let Some(link) = controller.links.get_mut(&holder) else {
            return;
        };
        link.ended = true;
        link.open = false;
        let session = link.session.take();
        let shown = controller
            .shown
            .values()
            .map(|route| &controller.routes[*route]);
        let over = shown.filter(|route| route.holder == holder);
        for route in over {
            self.record.in_force.remove(&route.key);
        }
        if let Some(connection) = session {
            self.lose_exchanges(connection);
        }
    }

    pub(crate) fn lose_exchanges(&mut self, connection: ConnectionId) {
        let Some(controller) = &mut self.controller else {
            return;
        };
        for exchange in controller.exchanges_over(connection) {
            let Some(controller) = &mut self.controller else {
                return;
            };
            if let Some((request, _)) = controller.forget_exchange(exchange) {
                let life = controller.life;
                let late = self.random.below(2 * MILLI);
                self.after(late, Event::Offered(life, request, Offer::Lost));
            }
        }
    }

    pub(crate) fn tell(&mut self, session: SessionId, message: Message) {
        self.send(ConnectionId(session.get()), End::Worker, message);
    }

    pub(crate) fn reschedule_controller(&mut self) {
        let Some(controller) = &mut self.controller else {
            return;
        };
        let Some(deadline) = controller.placement.next_deadline() else {
            return;
        };
        let due = controller.clock.reaches(deadline).max(self.now);
        if controller.wakes_at.is_none_or(|wakes| wakes > due) {
            controller.wakes_at = Some(due);
            let life = controller.life;
            let late = self.random.below(25 * MILLI);
            self.at(due + late, Event::TickController(life));
        }
    }

    pub(crate) fn tick_controller(&mut self) {
        if let Some(controller) = &mut self.controller {
            controller.wakes_at = None;
        }
        self.input(Input::Tick);
    }
}

fn revoke_reason(reason: Revocation) -> RevokeReason {
    match reason {
        Revocation::Stale => RevokeReason::Stale,
        Revocation::Move => RevokeReason::Move,
        Revocation::Drain => RevokeReason::Drain,
        Revocation::Idle => RevokeReason::Idle,
    }
}
