//! What each input does to a placement. One function per event; rules are asked, never repeated.

mod arrive;
mod command;
mod depart;
mod handover;
mod idle;
mod place;
mod restore;
mod time;

use super::{
    Placement,
    effect::Effect,
    holder::{HolderId, SessionId, Standing},
    input::Input,
    moment::Moment,
};

impl Placement {
    pub(super) fn apply(&mut self, now: Moment, input: Input, outbox: &mut Vec<Effect>) {
        match input {
            Input::Restored(restored) => self.restored(now, *restored, outbox),
            Input::Ordered { order, command } => {
                let outcome = self.ordered(command, outbox);
                outbox.push(Effect::Answer { order, outcome });
            }
            Input::Used(uses) => self.used(uses, outbox),
            Input::Quiet { key, epoch } => self.quiet(&key, epoch, outbox),
            Input::Arrived(arrival) => self.arrived(now, *arrival, outbox),
            Input::Renewed { session, sequence } => {
                if self.heard(now, session, outbox) {
                    outbox.push(Effect::Acknowledge { session, sequence });
                }
            }
            Input::Heard { session } => {
                self.heard(now, session, outbox);
            }
            Input::Cordoned { session } => self.cordoned(session, outbox),
            Input::Left { session, departure } => self.left(session, departure, outbox),
            Input::Resolve {
                key,
                ticket,
                refused,
            } => {
                self.resolve(key, ticket, refused, outbox);
            }
            Input::Abandoned { key, ticket } => self.abandoned(&key, ticket),
            Input::Released {
                session,
                key,
                epoch,
            } => {
                self.released(session, &key, epoch, outbox);
            }
            Input::Stored { claim, outcome } => self.stored(claim, outcome, outbox),
            Input::Tick => self.clear_deserted(outbox),
        }
    }

    /// Notes a sign of life; tells whether the session is one of a holder.
    fn heard(&mut self, now: Moment, session: SessionId, outbox: &mut Vec<Effect>) -> bool {
        let Some(id) = self.roster.by_session(session) else {
            return false;
        };
        if self.roster.get(id).is_none_or(|holder| holder.given_up) {
            return false;
        }
        self.roster.update(id, &self.rules, |holder| {
            holder.heard = now;
            // Whoever renews has heard the welcome, and keeps a lease of today's length.
            holder.lease_floor = Moment::ZERO;
        });
        self.revive(id, session, outbox);
        true
    }

    /// Makes a holder live and looks again at the requests that wait for it.
    fn revive(&mut self, id: HolderId, session: SessionId, outbox: &mut Vec<Effect>) {
        let revived = self.roster.update(id, &self.rules, |holder| {
            let before = std::mem::replace(&mut holder.standing, Standing::Live { session });
            (
                before != holder.standing,
                std::mem::take(&mut holder.awaited),
            )
        });
        let Some((changed, awaited)) = revived else {
            return;
        };
        if changed {
            outbox.push(Effect::Open { holder: id });
        }
        for key in awaited {
            self.settle(&key, outbox);
        }
    }

    /// Lets the requests of a holder wait from now on.
    fn hold_back(&mut self, id: HolderId, standing: Standing, outbox: &mut Vec<Effect>) {
        let before = self.roster.update(id, &self.rules, |holder| {
            std::mem::replace(&mut holder.standing, standing)
        });
        if matches!(before, Some(Standing::Live { .. })) {
            outbox.push(Effect::Shut { holder: id });
        }
    }

    /// The worker wants no new keys: those it has are moved away.
    fn cordoned(&mut self, session: SessionId, outbox: &mut Vec<Effect>) {
        if let Some(id) = self.roster.by_session(session) {
            self.roster
                .update(id, &self.rules, |holder| holder.cordoned = true);
            self.begin_drain(id, outbox);
        }
    }
}
