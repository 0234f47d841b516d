//! What an operator orders: checked, then begun.

use super::super::{
    Placement,
    command::{Command, CommandError},
    effect::Effect,
    handover::{Cause, Next},
    holder::HolderId,
    key::ResourceKey,
    pin::{Pin, Stage},
    worker::WorkerId,
};

/// The most workers that can be cordoned.
const CORDONED_MAX: usize = 10_000;

impl Placement {
    pub(super) fn ordered(
        &mut self,
        command: Command,
        outbox: &mut Vec<Effect>,
    ) -> Result<(), CommandError> {
        match command {
            Command::Move { key, to } => {
                let next = self.destination(&key, to)?;
                self.begin_handover(&key, Cause::Move, next, outbox);
            }
            Command::Unpin { key } => {
                self.held(&key)?;
                self.begin_handover(&key, Cause::Unpin, Next::Nobody, outbox);
            }
            Command::Cordon { worker } => {
                self.bar(worker, outbox)?;
            }
            Command::Drain { worker } => {
                for id in self.bar(worker, outbox)? {
                    self.begin_drain(id, outbox);
                }
            }
            Command::Uncordon { worker } => self.unbar(worker, outbox)?,
            Command::Rebalance(mode) => {
                let (now, balance) = (self.now, self.rules.balance);
                self.rebalancer.switch(mode, now, &balance);
            }
        }
        Ok(())
    }

    /// The pin of a key that can be taken from its owner.
    fn held(&self, key: &ResourceKey) -> Result<Pin, CommandError> {
        let Some(pin) = self.pin(key) else {
            return Err(CommandError::NoOwner { key: key.clone() });
        };
        match pin.stage {
            Stage::Held => Ok(pin),
            Stage::Claimed | Stage::Declined | Stage::Leaving => {
                Err(CommandError::Changing { key: key.clone() })
            }
        }
    }

    /// Where a key is to go, if it can.
    fn destination(&self, key: &ResourceKey, to: Option<WorkerId>) -> Result<Next, CommandError> {
        let pin = self.held(key)?;
        let key = key.clone();
        let Some(worker) = to else {
            return match self.roster.next_for(&key, Some(pin.holder)) {
                Some(_) => Ok(Next::Anyone),
                None => Err(CommandError::NobodyElse { key }),
            };
        };
        match self.roster.eligible(worker, &key) {
            Ok(id) if id == pin.holder => Err(CommandError::OwnsAlready { key, worker }),
            Ok(_) => Ok(Next::To(worker)),
            Err(Some(obstacle)) => Err(CommandError::NotEligible {
                key,
                worker,
                obstacle,
            }),
            Err(None) => Err(CommandError::UnknownWorker { worker }),
        }
    }

    /// Lets a worker get no new keys; tells its lives.
    fn bar(
        &mut self,
        worker: WorkerId,
        outbox: &mut Vec<Effect>,
    ) -> Result<Vec<HolderId>, CommandError> {
        let lives: Vec<_> = self.roster.lives(worker).collect();
        if lives.is_empty() {
            return Err(CommandError::UnknownWorker { worker });
        }
        if self.cordoned.len() >= CORDONED_MAX && !self.cordoned.contains(&worker) {
            return Err(CommandError::TooManyCordoned { most: CORDONED_MAX });
        }
        if self.cordoned.insert(worker) {
            outbox.push(Effect::NoteCordon {
                worker,
                cordoned: true,
            });
        }
        for id in &lives {
            self.roster
                .update(*id, &self.rules, |holder| holder.barred = true);
        }
        Ok(lives)
    }

    fn unbar(&mut self, worker: WorkerId, outbox: &mut Vec<Effect>) -> Result<(), CommandError> {
        let lives: Vec<_> = self.roster.lives(worker).collect();
        let cordoned = self.cordoned.remove(&worker);
        if lives.is_empty() && !cordoned {
            return Err(CommandError::UnknownWorker { worker });
        }
        if cordoned {
            outbox.push(Effect::NoteCordon {
                worker,
                cordoned: false,
            });
        }
        for id in lives {
            self.roster.update(id, &self.rules, |holder| {
                holder.barred = false;
                if !holder.cordoned {
                    holder.drain = None;
                }
            });
        }
        Ok(())
    }
}
