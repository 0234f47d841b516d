//! What each input does. One function for each, and nothing that any other module may call.

mod grant;
mod leave;
mod release;
mod session;
mod time;

use super::{Ownership, effect::Effect, input::Input};
use crate::placement::moment::Moment;

impl Ownership {
    pub(super) fn apply(&mut self, now: Moment, input: Input, outbox: &mut Vec<Effect>) {
        match input {
            Input::Welcomed {
                resumed,
                terms,
                hello_sent,
            } => self.welcomed(now, resumed, terms, hello_sent, outbox),
            Input::Disconnected => self.disconnected(),
            Input::Acknowledged { sequence } => self.acknowledged(now, sequence),
            Input::Granted { grant, epoch, key } => self.granted(now, grant, epoch, key, outbox),
            Input::Revoked { reason, epoch, key } => self.revoked(now, reason, epoch, &key, outbox),
            Input::LeaseExpired => self.end_lease(now, outbox),
            Input::Closed { holding } => self.closed(now, holding, outbox),
            Input::Drain => self.drain(now, outbox),
            Input::Stop => self.stop(now, outbox),
            Input::Tick => {}
        }
    }
}
