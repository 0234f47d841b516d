//! The rules of ownership, as claims.

mod grants;
mod lease;
mod leaving;
mod reconnect;
mod release;

use std::time::Duration;

use super::{
    Ownership, Stage,
    effect::{Effect, Ignored, Urgency},
    holding::HoldingId,
    input::Input,
    reason::ReleaseReason,
    refusal::Refusal,
    rules::{HANDOVER_STALL, Rules},
};
use crate::{
    placement::{
        epoch::Epoch, grant::GrantId, key::ResourceKey, lease::LeaseTerms, moment::Moment,
    },
    protocol::frame::code::RevokeReason,
};

const SECOND: Duration = Duration::from_secs(1);

/// When a lease ends that a hello at zero began.
const LEASE_END: u64 = 5_250;

/// When another worker may own the keys of that lease.
const MARGIN_END: u64 = 6_000;

fn at(millis: u64) -> Moment {
    Moment::ZERO + Duration::from_millis(millis)
}

fn key(text: &str) -> ResourceKey {
    ResourceKey::parse(text).unwrap()
}

fn terms() -> LeaseTerms {
    LeaseTerms::new(6 * SECOND, 2 * SECOND).unwrap()
}

/// An ownership and the time that its test has come to.
struct Worker {
    ownership: Ownership,
    now: Moment,
}

impl Worker {
    fn new() -> Self {
        let rules = Rules {
            drain_timeout: 30 * SECOND,
            handover_stall: HANDOVER_STALL,
        };
        Self {
            ownership: Ownership::new(rules),
            now: Moment::ZERO,
        }
    }

    /// One that was welcomed at zero, and said hello then.
    fn welcomed() -> Self {
        let mut worker = Self::new();
        worker.welcome(false, 0);
        worker
    }

    fn handle(&mut self, input: Input) -> Vec<Effect> {
        let mut outbox = Vec::new();
        self.ownership.handle(self.now, input, &mut outbox);
        outbox
    }

    fn welcome(&mut self, resumed: bool, hello_sent: u64) -> Vec<Effect> {
        self.handle(Input::Welcomed {
            resumed,
            terms: terms(),
            hello_sent: at(hello_sent),
        })
    }

    fn disconnect(&mut self) -> Vec<Effect> {
        self.handle(Input::Disconnected)
    }

    fn grant(&mut self, grant: u32, epoch: u64, text: &str) -> Vec<Effect> {
        self.handle(Input::Granted {
            grant: GrantId::new(grant),
            epoch: Epoch::new(epoch),
            key: key(text),
        })
    }

    /// Lets a key begin to be held.
    fn hold(&mut self, grant: u32, epoch: u64, text: &str) -> HoldingId {
        match self.grant(grant, epoch, text)[..] {
            [
                Effect::Hold { holding, .. },
                Effect::Open { holding: opened },
            ] => {
                assert_eq!(holding, opened);
                holding
            }
            ref effects => panic!("not held at once: {effects:?}"),
        }
    }

    fn revoke(&mut self, reason: RevokeReason, epoch: u64, text: &str) -> Vec<Effect> {
        self.handle(Input::Revoked {
            reason,
            epoch: Epoch::new(epoch),
            key: key(text),
        })
    }

    fn closed(&mut self, holding: HoldingId) -> Vec<Effect> {
        self.handle(Input::Closed { holding })
    }

    fn acknowledge(&mut self, sequence: u64) -> Vec<Effect> {
        self.handle(Input::Acknowledged { sequence })
    }

    /// Goes on to `millis`, with a tick at each deadline up to then, as a driver does.
    fn until(&mut self, millis: u64) -> Vec<Effect> {
        let mut effects = Vec::new();
        while let Some(deadline) = self.ownership.next_deadline()
            && deadline <= at(millis)
        {
            effects.extend(self.tick_at(deadline));
        }
        self.now = at(millis);
        effects
    }

    fn tick_at(&mut self, deadline: Moment) -> Vec<Effect> {
        self.now = self.now.max(deadline);
        let effects = self.handle(Input::Tick);
        let next = self.ownership.next_deadline();
        assert!(next.is_none_or(|next| next > self.now), "a tick settles it");
        effects
    }

    /// Goes on to `millis` without a tick, as a process does that was stopped.
    fn pause_until(&mut self, millis: u64) {
        self.now = at(millis);
    }

    /// Goes on to `millis`, the controller answering each renewal.
    fn renewed_until(&mut self, millis: u64) -> Vec<Effect> {
        let mut others = Vec::new();
        while let Some(deadline) = self.ownership.next_deadline()
            && deadline <= at(millis)
        {
            for effect in self.tick_at(deadline) {
                match effect {
                    Effect::SendHeartbeat { sequence } => others.extend(self.acknowledge(sequence)),
                    other => others.push(other),
                }
            }
        }
        self.now = at(millis);
        others
    }

    fn may_start(&self, grant: u32) -> Result<HoldingId, Refusal> {
        self.ownership.may_start(self.now, GrantId::new(grant))
    }

    fn may_act(&self, holding: HoldingId) -> bool {
        self.ownership.may_act(self.now, holding)
    }

    /// What a hello would name.
    fn holding(&self) -> Vec<(String, u64)> {
        let held = self.ownership.holding(self.now);
        held.map(|it| (it.key.to_string(), it.epoch.get()))
            .collect()
    }
}

fn close(holding: HoldingId, reason: ReleaseReason, urgency: Urgency) -> Effect {
    Effect::Close {
        holding,
        reason,
        urgency,
    }
}

fn released(epoch: u64, text: &str) -> Effect {
    Effect::SendReleased {
        epoch: Epoch::new(epoch),
        key: key(text),
    }
}

fn gone(holding: HoldingId, reason: ReleaseReason) -> Effect {
    Effect::Gone { holding, reason }
}

fn ignored(epoch: u64, text: &str, because: Ignored) -> Effect {
    Effect::GrantIgnored {
        key: key(text),
        epoch: Epoch::new(epoch),
        because,
    }
}
