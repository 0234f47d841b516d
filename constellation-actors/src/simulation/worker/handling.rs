//! Requests from their arrival to their answer, or refusal.

use super::{
    super::{
        World,
        client::RequestId,
        clock::MILLI,
        event::Event,
        network::{ConnectionId, ExchangeId, Message},
        note,
        record::Fact,
    },
    Call, ExecutionId,
};
use crate::{
    ownership::{holding::HoldingId, refusal::Refusal},
    placement::grant::GrantId,
};

impl World {
    pub(crate) fn refuse(&mut self, worker: usize, call: Call) {
        let exchange = call.exchange;
        self.record.facts.push(Fact::Refused { exchange });
        self.reply(worker, call, Message::Refusal);
    }

    pub(crate) fn requested(&mut self, worker: usize, call: Call, grant: GrantId) {
        let local = self.workers[worker].clock.at(self.now);
        let Some(process) = &mut self.workers[worker].process else {
            return;
        };
        let admitted = process.ownership.may_start(local, grant);
        note!(self, "worker {worker}: {call:?} {admitted:?}");
        match admitted {
            Ok(holding) => {
                let Some(resource) = process.resources.get_mut(&holding) else {
                    return self.refuse(worker, call);
                };
                resource.waiting.push(call);
                if resource.open {
                    self.begin_soon(worker, holding, call);
                }
            }
            Err(Refusal::BeingGivenBack(holding)) => match process.resources.get_mut(&holding) {
                Some(resource) => resource.refused_later.push(call),
                None => self.refuse(worker, call),
            },
            Err(Refusal::NotInForce | Refusal::NoLease) => self.refuse(worker, call),
        }
    }

    pub(crate) fn begin_soon(&mut self, worker: usize, holding: HoldingId, call: Call) {
        let Some(process) = &self.workers[worker].process else {
            return;
        };
        let number = process.number;
        let late = self.random.below(20 * MILLI);
        let event = Event::Begin(worker, number, holding, call.connection, call.exchange);
        self.after(late, event);
    }

    /// The last look before a handler begins.
    pub(crate) fn begin(
        &mut self,
        worker: usize,
        holding: HoldingId,
        connection: ConnectionId,
        exchange: ExchangeId,
    ) {
        let local = self.workers[worker].clock.at(self.now);
        let Some(process) = &mut self.workers[worker].process else {
            return;
        };
        let call = Call {
            connection,
            exchange,
        };
        let Some(resource) = process.resources.get_mut(&holding) else {
            return;
        };
        let Some(at) = resource.waiting.iter().position(|waiting| *waiting == call) else {
            return;
        };
        resource.waiting.remove(at);
        if !process.ownership.may_act(local, holding) {
            return self.refuse(worker, call);
        }
        self.last_execution += 1;
        let execution = ExecutionId(self.last_execution);
        resource.running.insert(execution, call);
        let (key, epoch) = (resource.key.clone(), resource.epoch);
        let (incarnation, number) = (process.incarnation, process.number);
        note!(
            self,
            "worker {worker}: {exchange:?} begins, {key} under {epoch}"
        );
        if let Some(request) = self.request_of(exchange) {
            self.record.facts.push(Fact::Begun { request, exchange });
        }
        self.record.counts.executions += 1;
        self.record.facts.push(Fact::Wrote {
            key,
            epoch,
            incarnation,
        });
        let length = if self.random.percent(80) {
            self.random.below(30 * MILLI)
        } else {
            self.random.below(1_500 * MILLI)
        };
        self.after(length, Event::Finish(worker, number, holding, execution));
    }

    /// A handler has come to its end, unless it was cancelled.
    pub(crate) fn finish_handler(
        &mut self,
        worker: usize,
        holding: HoldingId,
        execution: ExecutionId,
    ) {
        let local = self.workers[worker].clock.at(self.now);
        let Some(process) = &mut self.workers[worker].process else {
            return;
        };
        let Some(resource) = process.resources.get_mut(&holding) else {
            return;
        };
        let Some(call) = resource.running.remove(&execution) else {
            return;
        };
        self.record.facts.push(Fact::Wrote {
            key: resource.key.clone(),
            epoch: resource.epoch,
            incarnation: process.incarnation,
        });
        let may_answer = process.ownership.may_act(local, holding);
        let reply = if may_answer {
            Message::Answer
        } else {
            Message::BrokenOff
        };
        self.reply(worker, call, reply);
        self.close_if_idle(worker, holding);
    }

    pub(crate) fn request_of(&self, exchange: ExchangeId) -> Option<RequestId> {
        self.record.request_of.get(&exchange).copied()
    }
}
