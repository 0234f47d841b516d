//! The execution of one request. It writes down its start and its end, whatever becomes of it.

use std::sync::Arc;

use constellation_client::fence::sqlite::Error;

use super::{
    database::rest,
    ownership::{Obstacle, Ownership},
    plan::{Act, Plan},
};
use crate::{
    clock::now,
    journal::{Outcome, Record},
    names::Row,
};

/// A request that is being executed.
#[derive(Debug)]
pub(super) struct Execution {
    ownership: Arc<Ownership>,
    plan: Plan,
    outcome: Outcome,
}

impl Execution {
    pub(super) fn begin(ownership: Arc<Ownership>, plan: Plan) -> Self {
        let (key, epoch) = (ownership.key, ownership.epoch);
        let start = Record::Start(now(), key, epoch, plan.id);
        ownership.site.journal.write(&start);
        Self {
            ownership,
            plan,
            outcome: Outcome::Cancelled,
        }
    }

    /// Does what the request asks for. Blocks.
    pub(super) fn run(mut self) -> (Outcome, Row) {
        let Plan {
            id,
            act,
            before,
            inside,
        } = self.plan;
        let done = self.ownership.with(|database| {
            rest(before);
            match act {
                Act::Write => database.insert(id, inside),
                Act::Read => database.last(),
            }
        });
        if let Err(Obstacle::Database(error)) = &done {
            log::warn!(id:%, error:%; "no effect");
        }
        self.outcome = outcome(&done);
        (self.outcome, done.unwrap_or(Row(0)))
    }
}

impl Drop for Execution {
    fn drop(&mut self) {
        let (key, epoch) = (self.ownership.key, self.ownership.epoch);
        let end = Record::End(now(), key, epoch, self.plan.id, self.outcome);
        self.ownership.site.journal.write(&end);
    }
}

fn outcome(done: &Result<Row, Obstacle>) -> Outcome {
    match done {
        Ok(_) => Outcome::Done,
        Err(Obstacle::Closed) => Outcome::Closed,
        Err(Obstacle::Database(Error::Refused(_))) => Outcome::Refused,
        Err(Obstacle::Database(Error::Locked(_))) => Outcome::Locked,
        Err(Obstacle::Database(Error::Overtaken(_))) => Outcome::Overtaken,
        Err(Obstacle::Database(_)) => Outcome::Failed,
    }
}
