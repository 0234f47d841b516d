//! Carries out what an ownership wants done. One arm for each effect, and no rule in any.

use std::rc::Rc;

use constellation_actors::{
    ownership::{
        effect::{Effect, Ignored, Urgency},
        holding::HoldingId,
        reason::ReleaseReason,
    },
    placement::{epoch::Epoch, key::ResourceKey},
    protocol::frame::encode,
};

use super::{Changed, Domain};
use crate::{
    event::WorkerEvent,
    grant::Grant,
    holding::Holding,
    release::release,
    session::{Farewell, Session},
    tenure::Tenure,
};

impl Domain {
    pub(super) fn apply(self: &Rc<Self>, effect: Effect) {
        match effect {
            Effect::Hold {
                holding,
                epoch,
                key,
            } => self.hold(holding, epoch, key),
            Effect::Open { holding } => self.with_holding(holding, |holding| holding.open()),
            Effect::Close {
                holding,
                reason,
                urgency,
            } => self.with_holding(holding, |holding| self.close(holding, reason, urgency)),
            Effect::Gone { holding, reason } => self.gone(holding, reason),
            Effect::GrantIgnored {
                key,
                epoch,
                because,
            } => log_ignored(&key, epoch, because),
            Effect::SendReleased { epoch, key } => self.with_session(|session| {
                session.control(|buffer| encode::released(buffer, epoch, &key));
            }),
            Effect::SendHeartbeat { sequence } => self.with_session(|session| {
                session.control(|buffer| encode::heartbeat(buffer, sequence));
            }),
            Effect::SendDraining => self.with_session(Session::announce_drain),
            Effect::SendGoodbye => self.with_session(|session| session.leave(Farewell::Goodbye)),
            Effect::EndSession => self.with_session(|session| session.leave(Farewell::LeaseEnded)),
            Effect::LeaseEnded { keys } => self.lease_ended(keys),
        }
    }

    fn with_session(&self, act: impl FnOnce(&Session)) {
        if let Some(session) = self.session() {
            act(&session);
        }
    }

    fn with_holding(&self, id: HoldingId, act: impl FnOnce(&Rc<Holding>)) {
        let holding = self.holdings.borrow().get(&id).cloned();
        if let Some(holding) = holding {
            act(&holding);
        }
    }

    fn hold(&self, id: HoldingId, epoch: Epoch, key: ResourceKey) {
        let tenure = Tenure::new(self.settings.clock.shared(), self.lease_end.clone());
        let grant = Grant::new(key, epoch, self.controller_text(), tenure);
        let resource = self.dispatch.resource(&grant);
        let holding = Holding::new(id, grant.clone(), resource);
        self.holdings.borrow_mut().insert(id, holding);
        self.emit(&WorkerEvent::Granted(grant));
    }

    /// Tells those who ask from other threads how long they may act.
    pub(super) fn bound_tenures(&self, changed: Changed) {
        let ownership = self.ownership.borrow();
        self.lease_end.set(ownership.lease_end());
        let bound = |holding: &Rc<Holding>| {
            let tenure = holding.grant().tenure();
            tenure.set_bound(ownership.bound(holding.id()));
        };
        let holdings = self.holdings.borrow();
        match changed {
            Changed::Nothing => {}
            Changed::All => holdings.values().for_each(bound),
            Changed::One(grant) => {
                let named = ownership.may_start(self.now(), grant).ok();
                named
                    .and_then(|id| holdings.get(&id))
                    .into_iter()
                    .for_each(bound);
            }
        }
    }

    fn close(self: &Rc<Self>, holding: &Rc<Holding>, reason: ReleaseReason, urgency: Urgency) {
        if urgency > Urgency::Graceful {
            holding.grant().tenure().set_bound(None);
        }
        if holding.close(reason, urgency) {
            actix_rt::spawn(release(Rc::clone(self), Rc::clone(holding)));
        }
    }

    fn gone(&self, id: HoldingId, reason: ReleaseReason) {
        let holding = self.holdings.borrow_mut().remove(&id);
        if let Some(holding) = holding {
            holding.send_refusals();
            self.emit(&WorkerEvent::Released {
                grant: holding.grant().clone(),
                reason,
            });
        }
    }

    fn lease_ended(&self, keys: usize) {
        let controller = self.controller_text();
        log::warn!(
            controller = &*controller, keys;
            "the lease ended, nothing was heard from the controller for too long"
        );
        self.emit(&WorkerEvent::LeaseEnded { controller, keys });
    }
}

fn log_ignored(key: &ResourceKey, epoch: Epoch, because: Ignored) {
    match because {
        Ignored::HeldHigher(held) => {
            log::warn!(key:%, epoch:%, held:%; "a grant of an epoch that is over is ignored");
        }
        Ignored::NoLease | Ignored::Leaving | Ignored::GivenBack(_) => {
            log::debug!(key:%, epoch:%; "a grant is ignored: {because:?}");
        }
    }
}
