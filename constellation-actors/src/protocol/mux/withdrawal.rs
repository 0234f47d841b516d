//! The end of a pin at the controller: which of its responses still count. Decided under the lock
//! under which they are received, so that there is one instant before which a response counts and
//! behind which it does not.

use super::{Mux, event::Ended};
use crate::{
    placement::grant::GrantId,
    protocol::frame::{StreamId, code::ResetCode},
};

impl Mux {
    /// The pin called `grant` is over.
    ///
    /// A response that has come completely was given by the owner, and stays readable. One that is
    /// under way ends with [`Ended::Withdrawn`]. Where none has begun, the worker may still say
    /// that it did not act; should it answer, that ends with [`Ended::Withdrawn`] too.
    pub fn withdraw(&mut self, grant: GrantId) {
        let mut under_way = Vec::new();
        for (stream, exchange) in &mut self.table {
            if exchange.grant != grant || !exchange.is_live() || exchange.receiving.is_complete() {
                continue;
            }
            if exchange.receiving.has_begun() {
                under_way.push(*stream);
            } else {
                exchange.unwanted = true;
            }
        }
        for stream in under_way {
            self.cut_off(stream);
        }
    }

    /// Ends an exchange whose response does not count, and tells the worker.
    pub(super) fn cut_off(&mut self, stream: StreamId) {
        let Some(exchange) = self.table.get_mut(&stream) else {
            return;
        };
        let in_line = exchange.sending.leave_line();
        let remains = exchange.end(Ended::Withdrawn, &mut self.wakers);
        self.clear_away(stream, in_line, remains);
        let reason = Ended::Withdrawn.to_string();
        self.answer_reset(stream, ResetCode::Moved, &reason);
    }
}
