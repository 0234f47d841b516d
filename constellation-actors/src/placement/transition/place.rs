//! A key gets its owner: looked up, waited for, or chosen and claimed.

use super::super::{
    Placement,
    effect::{Claim, Effect, Owner, Rejection},
    epoch::Epoch,
    handover::{Cause, Next},
    holder::{HolderId, Standing},
    input::{ClaimFailure, ClaimId, Ticket},
    key::ResourceKey,
    pin::{Pin, Stage},
};
use crate::mutation::{self, Mutation};

/// What the requests for a key are told.
enum Answer {
    Owner(Owner),
    Wait(Line),
    Reject(Rejection),
}

/// What the requests for a key wait for.
enum Line {
    /// The holder: that its claim is confirmed, it comes back, or its lease ends.
    Holder(HolderId),
    /// That keys get new owners again.
    Barrier,
}

impl Placement {
    pub(super) fn resolve(
        &mut self,
        key: ResourceKey,
        ticket: Ticket,
        refused: Option<Epoch>,
        outbox: &mut Vec<Effect>,
    ) {
        let answer = match refused.and_then(|epoch| self.doubtful(&key, epoch)) {
            Some(holder) => Answer::Wait(Line::Holder(holder)),
            None => self.answer(&key, outbox),
        };
        match answer {
            Answer::Owner(owner) => outbox.push(Effect::Route { ticket, key, owner }),
            Answer::Reject(rejection) => outbox.push(Effect::Reject { ticket, rejection }),
            Answer::Wait(line) => {
                let (per_key, total) = (self.rules.waiting_per_key_max, self.rules.waiting_max);
                match self.waiting.push(&key, ticket, per_key, total) {
                    Ok(()) => self.await_in(line, key),
                    Err(rejection) => outbox.push(Effect::Reject { ticket, rejection }),
                }
            }
        }
    }

    /// Gives everybody who waits for `key` what can be said now.
    pub(super) fn settle(&mut self, key: &ResourceKey, outbox: &mut Vec<Effect>) {
        if self.waiting.at(key) == 0 {
            return;
        }
        match self.answer(key, outbox) {
            Answer::Wait(line) => self.await_in(line, key.clone()),
            Answer::Owner(owner) => {
                for ticket in self.waiting.take(key) {
                    outbox.push(Effect::Route {
                        ticket,
                        key: key.clone(),
                        owner,
                    });
                }
            }
            Answer::Reject(rejection) => {
                for ticket in self.waiting.take(key) {
                    outbox.push(Effect::Reject { ticket, rejection });
                }
            }
        }
    }

    pub(super) fn abandoned(&mut self, key: &ResourceKey, ticket: Ticket) {
        if self.waiting.abandon(key, ticket) {
            return;
        }
        self.barred_keys.remove(key);
        if let Some(holder) = self.pins.get(key).map(|pin| pin.holder) {
            self.roster
                .update(holder, &self.rules, |holder| holder.awaited.remove(key));
        }
    }

    /// The owner of `key`; chooses one when it has none.
    fn answer(&mut self, key: &ResourceKey, outbox: &mut Vec<Effect>) -> Answer {
        if let Some(pin) = self.pins.get(key) {
            match self.roster.get(pin.holder).map(|holder| holder.standing) {
                Some(Standing::Live { .. }) if pin.stage == Stage::Held => {
                    return Answer::Owner(pin.owner());
                }
                Some(_) => return Answer::Wait(Line::Holder(pin.holder)),
                None => self.record_departed(key, pin),
            }
        }
        if self.is_barred() {
            return Answer::Wait(Line::Barrier);
        }
        if self.pins.len() >= self.rules.keys_max && !self.pins.contains_key(key) {
            return Answer::Reject(Rejection::KeysFull);
        }
        let Some(holder) = self.roster.next_for(key, None) else {
            return Answer::Reject(Rejection::NoWorker);
        };
        let epoch = self.raise_epoch();
        self.claim(key.clone(), holder, epoch, outbox);
        Answer::Wait(Line::Holder(holder))
    }

    /// An epoch that was never given before.
    pub(super) fn raise_epoch(&mut self) -> Epoch {
        let epoch = self.next_epoch;
        if !mutation::is_active(Mutation::EpochNotRaised) {
            self.next_epoch = epoch.next();
        }
        epoch
    }

    fn await_in(&mut self, line: Line, key: ResourceKey) {
        match line {
            Line::Holder(id) => {
                self.roster
                    .update(id, &self.rules, |holder| holder.awaited.insert(key));
            }
            Line::Barrier => {
                self.barred_keys.insert(key);
            }
        }
    }

    /// Whether no key gets a new owner for now: workers of an earlier life may still act on keys
    /// that nobody remembers, or that have other names now.
    fn is_barred(&self) -> bool {
        self.grace_until.is_some() || !self.misplaced.is_empty()
    }

    /// Looks again at the keys that got no owner, if they can get one now.
    pub(super) fn end_barrier(&mut self, outbox: &mut Vec<Effect>) {
        if self.is_barred() {
            return;
        }
        for key in std::mem::take(&mut self.barred_keys) {
            self.settle(&key, outbox);
        }
    }

    /// Pins `key` to `holder` as soon as the store confirms it.
    pub(super) fn claim(
        &mut self,
        key: ResourceKey,
        holder: HolderId,
        epoch: Epoch,
        outbox: &mut Vec<Effect>,
    ) {
        let life = self.roster.get(holder);
        let Some((worker, incarnation)) = life.map(|life| (life.worker, life.incarnation)) else {
            return;
        };
        let grant = self.roster.give(holder, key.clone(), &self.rules);
        self.pins.insert(
            key.clone(),
            Pin {
                holder,
                epoch,
                grant,
                stage: Stage::Claimed,
            },
        );
        if mutation::is_active(Mutation::PublishedBeforeDurable)
            && let Some(pin) = self.pins.get(&key)
        {
            outbox.push(Effect::Publish {
                key: key.clone(),
                owner: pin.owner(),
            });
        }
        self.last_claim += 1;
        let id = ClaimId(self.last_claim);
        self.claims.insert(id, (key.clone(), epoch));
        outbox.push(Effect::Claim(Claim {
            id,
            key,
            worker,
            incarnation,
            epoch,
        }));
    }

    pub(super) fn stored(
        &mut self,
        claim: ClaimId,
        outcome: Result<(), ClaimFailure>,
        outbox: &mut Vec<Effect>,
    ) {
        let Some((key, pin)) = self.claimed(claim) else {
            return;
        };
        let waits = self.roster.update(pin.holder, &self.rules, |holder| {
            holder.awaited.remove(&key);
        });
        match (outcome, waits) {
            (Ok(()), Some(())) => {
                self.pins.enter(&key, Stage::Held);
                outbox.push(Effect::Publish {
                    key: key.clone(),
                    owner: pin.owner(),
                });
                self.watch_use(&key, pin.epoch);
                if pin.stage == Stage::Declined {
                    // Its worker refuses requests under it until it is asked.
                    self.begin_handover(&key, Cause::Release, Next::Nobody, outbox);
                }
                self.settle(&key, outbox);
                self.drain_late_comer(&key, pin, outbox);
            }
            (Ok(()), None) => {
                self.pins.remove(&key);
                outbox.push(Effect::Forget {
                    key: key.clone(),
                    epoch: pin.epoch,
                });
                self.settle(&key, outbox);
            }
            (Err(ClaimFailure::Retryable | ClaimFailure::Terminal), _) => {
                self.pins.remove(&key);
                self.roster.take(pin.holder, pin.grant, &self.rules);
                // A pin before it, of which nobody else knows any more, is over in any case.
                let epoch = pin.epoch;
                outbox.extend([
                    Effect::Withdraw {
                        key: key.clone(),
                        epoch,
                    },
                    Effect::Forget {
                        key: key.clone(),
                        epoch,
                    },
                ]);
                for ticket in self.waiting.take(&key) {
                    outbox.push(Effect::Reject {
                        ticket,
                        rejection: Rejection::StoreFailed,
                    });
                }
            }
        }
    }

    /// The key and the pin that a claim was about, unless another pin has replaced it.
    fn claimed(&mut self, claim: ClaimId) -> Option<(ResourceKey, Pin)> {
        let (key, epoch) = self.claims.remove(&claim)?;
        let pin = self.pins.get(&key).filter(|pin| pin.epoch == epoch)?;
        Some((key, pin))
    }

    /// Takes a pin away from a holder that is still there.
    pub(super) fn unpin(&mut self, key: &ResourceKey, pin: Pin, outbox: &mut Vec<Effect>) {
        self.pins.remove(key);
        self.roster.update(pin.holder, &self.rules, |holder| {
            holder.grants.remove(pin.grant);
            holder.leaving.remove(key);
        });
        outbox.push(Effect::Withdraw {
            key: key.clone(),
            epoch: pin.epoch,
        });
    }

    /// The owner of `key`, if it just refused a request under the epoch that is in force here: it is
    /// giving the key back, or believes that its lease is over. Nothing more is sent to it for this
    /// key until it releases the key or renews its lease.
    fn doubtful(&self, key: &str, epoch: Epoch) -> Option<HolderId> {
        self.pin(key)
            .filter(|pin| pin.epoch == epoch)
            .map(|pin| pin.holder)
    }
}
