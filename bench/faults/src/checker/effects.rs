//! Checks what is in the databases against what clients were told and workers wrote down.

use std::collections::{BTreeMap, BTreeSet};

use super::{Claim, Evidence, Verdict, Violation, Written};
use crate::{
    history::{Answer, Operation, OperationKind},
    journal::{Outcome, Record},
    names::{Key, Process, RequestId},
};

type Rows = BTreeMap<RequestId, Vec<(Key, Written)>>;

pub(super) fn check(evidence: &Evidence, verdict: &mut Verdict) {
    let mut rows = Rows::new();
    for (key, written) in &evidence.databases {
        check_order(*key, written, verdict);
        for row in written {
            rows.entry(row.id).or_default().push((*key, *row));
        }
    }
    let writes: BTreeMap<_, _> = evidence
        .operations
        .iter()
        .filter(|operation| operation.kind == OperationKind::Write)
        .map(|operation| (operation.id, operation))
        .collect();
    let starts = check_executions(evidence, &writes, &rows, verdict);
    for operation in writes.values() {
        check_write(operation, &rows, &starts, verdict);
    }
    for (id, copies) in &rows {
        let claim = if copies.len() > 1 {
            Claim::NothingTwice
        } else if writes.contains_key(id) {
            continue;
        } else {
            Claim::NothingUntold
        };
        let text = format!("{} rows of request {id}: {copies:?}", copies.len());
        verdict.violations.push(Violation::new(claim, text));
    }
}

/// The order of rows is the order of transactions: an epoch that falls was let in too late.
fn check_order(key: Key, written: &[Written], verdict: &mut Verdict) {
    for pair in written.windows(2) {
        if pair[1].epoch < pair[0].epoch {
            let text = format!("key {key}: {:?} lies before {:?}", pair[0], pair[1]);
            verdict.violations.push(Violation::new(Claim::Fence, text));
        }
    }
}

/// Each write is executed at most once, and its row is there exactly when its worker says so. Which
/// requests were begun.
fn check_executions(
    evidence: &Evidence,
    writes: &BTreeMap<RequestId, &Operation>,
    rows: &Rows,
    verdict: &mut Verdict,
) -> BTreeSet<RequestId> {
    let mut starts: BTreeMap<RequestId, Process> = BTreeMap::new();
    for process in &evidence.processes {
        let number = process.process;
        for record in &process.records {
            match *record {
                Record::Start(_, key, epoch, id) => {
                    let before = starts.insert(id, number);
                    if let Some(before) = before.filter(|_| writes.contains_key(&id)) {
                        let text = format!(
                            "request {id} for key {key} was begun by process {before} and, under \
                             epoch {epoch}, by process {number}"
                        );
                        verdict
                            .violations
                            .push(Violation::new(Claim::NothingTwice, text));
                    }
                }
                Record::End(_, key, epoch, id, outcome) => {
                    verdict.refused += usize::from(outcome == Outcome::Refused);
                    let is_there = rows.contains_key(&id);
                    let claim = match (outcome, is_there) {
                        (Outcome::Done, false) if writes.contains_key(&id) => Claim::NothingLost,
                        (Outcome::Done, _) | (_, false) => continue,
                        (_, true) => Claim::NothingUntold,
                    };
                    let word = outcome.word();
                    let text = format!(
                        "request {id} for key {key} was {word} in process {number} under epoch \
                         {epoch}, and its row is there: {is_there}"
                    );
                    verdict.violations.push(Violation::new(claim, text));
                }
                Record::Opened(..) | Record::Closed(..) | Record::Gap(..) => {}
            }
        }
    }
    starts.into_keys().collect()
}

/// What the client was told of a write is so.
fn check_write(
    operation: &Operation,
    rows: &Rows,
    starts: &BTreeSet<RequestId>,
    verdict: &mut Verdict,
) {
    let id = operation.id;
    let found = rows.get(&id).map_or(&[][..], Vec::as_slice);
    let claim = match operation.answer {
        Answer::Done { row, epoch } => {
            let told = (operation.key, Written { row, id, epoch });
            if found.first() == Some(&told) {
                return;
            }
            Claim::NothingLost
        }
        Answer::Undelivered { .. } | Answer::Unsent if starts.contains(&id) => Claim::NothingUntold,
        Answer::Nothing(_) | Answer::Undelivered { .. } | Answer::Unsent => {
            if found.is_empty() {
                return;
            }
            Claim::NothingUntold
        }
        Answer::Unknown { .. } => return,
    };
    let text = format!("{operation:?}, and there is {found:?}");
    verdict.violations.push(Violation::new(claim, text));
}
