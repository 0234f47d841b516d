//! Giving one key back: nothing further accepted, time for what runs, the resource closed, the
//! controller told. In that order, whatever the reason; the reason only says how much time.

use crate::{
    ownership::{
        Ownership,
        effect::{Effect, Urgency},
        holding::{Ending, HoldingId, Stage, Standing},
        reason::ReleaseReason,
    },
    placement::{epoch::Epoch, key::ResourceKey, moment::Moment},
};

impl Ownership {
    /// Lets requests of a holding be handled, unless it ends already.
    pub(super) fn open(&mut self, id: HoldingId, outbox: &mut Vec<Effect>) {
        let waits = |stage| matches!(stage, Stage::Waiting);
        if self.table.get(id).is_some_and(|it| waits(it.stage)) {
            self.table.change(id, |holding| holding.stage = Stage::Open);
            outbox.push(Effect::Open { holding: id });
        }
    }

    /// Begins to give a key back. An immediate reason cuts the time short that an earlier one still
    /// gives. The reason of the withdrawal stays, unless the lease ends.
    pub(super) fn end(
        &mut self,
        now: Moment,
        id: HoldingId,
        reason: ReleaseReason,
        outbox: &mut Vec<Effect>,
    ) {
        let Some(holding) = self.table.get(id) else {
            return;
        };
        let urgency = if reason.is_immediate() {
            Urgency::AtOnce
        } else {
            Urgency::Graceful
        };
        let ending = match holding.stage {
            stage @ (Stage::Waiting | Stage::Open) => Ending {
                reason,
                urgency,
                opened: stage == Stage::Open,
                closed: false,
                finish_by: now + self.rules.drain_timeout,
            },
            Stage::Ending(before) if urgency > before.urgency => Ending {
                reason,
                urgency,
                ..before
            },
            Stage::Ending(before)
                if reason == ReleaseReason::LeaseEnded && before.reason != reason =>
            {
                Ending { reason, ..before }
            }
            Stage::Ending(_) => return,
        };
        self.close(id, ending, outbox);
    }

    /// The lease that a holding depended on is over; another worker may own its key at `close_by`.
    /// `awaited` says whether the controller waits for word of its end nevertheless.
    pub(super) fn lose(
        &mut self,
        now: Moment,
        id: HoldingId,
        awaited: bool,
        close_by: Moment,
        outbox: &mut Vec<Effect>,
    ) {
        self.table.change(id, |holding| {
            holding.standing = Standing::Lost { awaited, close_by };
        });
        self.end(now, id, ReleaseReason::LeaseEnded, outbox);
    }

    /// The time is over that an ending holding had.
    pub(super) fn press(&mut self, id: HoldingId, urgency: Urgency, outbox: &mut Vec<Effect>) {
        let ending = self.table.get(id).and_then(|holding| holding.ending());
        if let Some(before) = ending
            && before.urgency < urgency
        {
            self.close(id, Ending { urgency, ..before }, outbox);
        }
    }

    fn close(&mut self, id: HoldingId, ending: Ending, outbox: &mut Vec<Effect>) {
        self.table
            .change(id, |holding| holding.stage = Stage::Ending(ending));
        if !ending.closed {
            outbox.push(Effect::Close {
                holding: id,
                reason: ending.reason,
                urgency: ending.urgency,
            });
        }
    }

    /// The resource of a holding is closed. A holding that nobody asked to close is taken for one
    /// that was; one whose key was held before is over when that holding is.
    pub(super) fn closed(&mut self, now: Moment, id: HoldingId, outbox: &mut Vec<Effect>) {
        let ending = self.table.get(id).and_then(|holding| holding.ending());
        let Some(ending) = ending else { return };
        let closed = Stage::Ending(Ending {
            closed: true,
            ..ending
        });
        self.table.change(id, |holding| holding.stage = closed);
        let mut next = self.table.is_first(id).then_some(id);
        while let Some(id) = next {
            match self.table.get(id).map(|holding| holding.stage) {
                Some(Stage::Ending(Ending { closed: true, .. })) => next = self.gone(id, outbox),
                Some(Stage::Waiting | Stage::Open | Stage::Ending(_)) | None => {
                    self.open(id, outbox);
                    next = None;
                }
            }
        }
        self.note_progress(now);
    }

    /// A holding is over; tells the one of its key that comes next.
    fn gone(&mut self, id: HoldingId, outbox: &mut Vec<Effect>) -> Option<HoldingId> {
        let (holding, next) = self.table.remove(id)?;
        let ending = holding.ending()?;
        if holding.is_release_told() {
            self.tell_released(holding.key, holding.epoch, outbox);
        }
        outbox.push(Effect::Gone {
            holding: id,
            reason: ending.reason,
        });
        next
    }

    /// Tells the controller that a key is free, now or with the next session. Nothing may be left
    /// of the key under this epoch.
    pub(super) fn tell_released(
        &mut self,
        key: ResourceKey,
        epoch: Epoch,
        outbox: &mut Vec<Effect>,
    ) {
        if !self.connected {
            return self.untold.push((key, epoch));
        }
        let renewal = self.lease.as_ref().map_or(1, |lease| lease.next_renewal());
        self.given_back.enter(&key, epoch, renewal);
        outbox.push(Effect::SendReleased { epoch, key });
    }
}
