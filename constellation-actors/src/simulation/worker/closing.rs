//! How what runs under a key is brought to an end, and its resource closed.

use std::collections::BTreeMap;

use super::super::{World, clock::MILLI, event::Event, network::Message};
use crate::{
    mutation::{self, Mutation},
    ownership::{effect::Urgency, holding::HoldingId, input::Input, reason::ReleaseReason},
};

impl World {
    pub(crate) fn close_resource(
        &mut self,
        worker: usize,
        holding: HoldingId,
        reason: ReleaseReason,
        urgency: Urgency,
    ) {
        let Some(process) = &mut self.workers[worker].process else {
            return;
        };
        let number = process.number;
        let Some(resource) = process.resources.get_mut(&holding) else {
            return;
        };
        resource.closing = Some((urgency, reason));
        let is_closing = resource.is_closing;
        let not_begun = std::mem::take(&mut resource.waiting);
        let cancelled = if urgency > Urgency::Graceful {
            std::mem::take(&mut resource.running)
        } else {
            BTreeMap::new()
        };
        if reason.is_awaited() {
            resource.refused_later.extend(not_begun);
        } else {
            for call in not_begun {
                self.refuse(worker, call);
            }
        }
        for call in cancelled.into_values() {
            if mutation::is_active(Mutation::BegunIsRefused) {
                self.refuse(worker, call);
            } else {
                self.reply(worker, call, Message::BrokenOff);
            }
        }
        if urgency == Urgency::Abandon {
            self.after(0, Event::Closed(worker, number, holding));
        } else if urgency > Urgency::Graceful && is_closing {
            // It was closing in its own time, and makes haste now.
            let takes = self.random.below(self.scenario.closing.as_micros() as u64);
            self.after(takes, Event::Closed(worker, number, holding));
        }
        self.close_if_idle(worker, holding);
    }

    pub(crate) fn close_if_idle(&mut self, worker: usize, holding: HoldingId) {
        let Some(process) = &mut self.workers[worker].process else {
            return;
        };
        let number = process.number;
        let Some(resource) = process.resources.get_mut(&holding) else {
            return;
        };
        let idle = resource.running.is_empty();
        let Some((urgency, _)) = resource.closing.filter(|_| idle && !resource.is_closing) else {
            return;
        };
        resource.is_closing = true;
        let most = if urgency == Urgency::Graceful && self.random.percent(30) {
            400 * MILLI
        } else {
            self.scenario.closing.as_micros() as u64
        };
        let takes = self.random.below(most);
        self.after(takes, Event::Closed(worker, number, holding));
    }

    /// A resource is closed.
    pub(crate) fn closed(&mut self, worker: usize, holding: HoldingId) {
        let Some(process) = &mut self.workers[worker].process else {
            return;
        };
        let Some(resource) = process.resources.get_mut(&holding) else {
            return;
        };
        resource.open = false;
        resource.running.clear();
        self.own(worker, Input::Closed { holding });
    }
}
