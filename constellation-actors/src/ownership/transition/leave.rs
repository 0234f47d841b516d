//! A worker leaves its controller: in order, with the controller taking one key after the other, or
//! by itself.

use crate::{
    ownership::{Ownership, Stage, effect::Effect, reason::ReleaseReason},
    placement::moment::Moment,
};

impl Ownership {
    pub(super) fn drain(&mut self, now: Moment, outbox: &mut Vec<Effect>) {
        if self.stage == Stage::Serving {
            self.stage = Stage::HandingOver {
                until: now + self.rules.drain_timeout,
                progress: now,
            };
            self.announce_drain(outbox);
        }
    }

    pub(super) fn stop(&mut self, now: Moment, outbox: &mut Vec<Effect>) {
        if self.stage == Stage::Serving {
            self.announce_drain(outbox);
        }
        if self.stage != Stage::Left {
            self.stage = Stage::GivingBack;
            self.end_all(now, ReleaseReason::Stopped, outbox);
        }
    }

    fn announce_drain(&self, outbox: &mut Vec<Effect>) {
        if self.connected {
            outbox.push(Effect::SendDraining);
        }
    }

    fn end_all(&mut self, now: Moment, reason: ReleaseReason, outbox: &mut Vec<Effect>) {
        let all: Vec<_> = self.table.all_current().map(|(id, _)| id).collect();
        for id in all {
            self.end(now, id, reason, outbox);
        }
    }

    /// The controller takes keys, so the worker goes on to wait for it.
    pub(super) fn note_progress(&mut self, now: Moment) {
        if let Stage::HandingOver { progress, .. } = &mut self.stage {
            *progress = now;
        }
    }

    /// When the worker no longer waits for the controller to take its keys: after all the time there
    /// is, or already when the controller has taken none for a while and none is being given back.
    pub(in crate::ownership) fn handover_end(&self) -> Option<Moment> {
        match self.stage {
            Stage::HandingOver { until, progress } if self.table.ending() == 0 => {
                Some(until.min(progress + self.rules.handover_stall))
            }
            Stage::HandingOver { until, .. } => Some(until),
            Stage::Serving | Stage::GivingBack | Stage::Left => None,
        }
    }

    pub(in crate::ownership) fn go_on_leaving(&mut self, now: Moment, outbox: &mut Vec<Effect>) {
        if let Some(end) = self.handover_end()
            && (end <= now || !self.connected || self.table.is_empty())
        {
            self.stage = Stage::GivingBack;
            self.end_all(now, ReleaseReason::Drained, outbox);
        }
        if self.stage == Stage::GivingBack && self.table.is_empty() {
            self.stage = Stage::Left;
            if self.connected {
                outbox.push(Effect::SendGoodbye);
            }
        }
    }
}
