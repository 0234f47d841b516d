//! Checks the answers of each key against their order in time. Rows are only ever added, so an answer
//! must know at least what every answer knew that was there before its request began; this is what
//! linearizable means for such a database (M. Herlihy and J. Wing, 1990).

use std::collections::BTreeMap;

use constellation_client::Epoch;

use super::{Claim, Evidence, Verdict, Violation};
use crate::{
    clock::Moment,
    history::{Answer, Operation, OperationKind},
    names::{Key, Row},
};

/// An answer that was done.
#[derive(Clone, Copy)]
struct Known<'a> {
    operation: &'a Operation,
    row: Row,
    epoch: Epoch,
}

pub(super) fn check(evidence: &Evidence, verdict: &mut Verdict) {
    let mut keys: BTreeMap<Key, Vec<Known<'_>>> = BTreeMap::new();
    for operation in &evidence.operations {
        if let Answer::Done { row, epoch } = operation.answer {
            keys.entry(operation.key).or_default().push(Known {
                operation,
                row,
                epoch,
            });
        }
    }
    for known in keys.into_values() {
        check_key(known, verdict);
    }
}

fn check_key(mut known: Vec<Known<'_>>, verdict: &mut Verdict) {
    let mut by_end = known.clone();
    by_end.sort_by_key(|known| known.operation.end);
    known.sort_by_key(|known| known.operation.start);
    let mut ended = by_end.into_iter().peekable();
    let (mut newest, mut highest): (Option<Known<'_>>, Option<Known<'_>>) = (None, None);
    for now in known {
        let before = |other: &Known<'_>, start: Moment| other.operation.end < start;
        while let Some(other) = ended.next_if(|other| before(other, now.operation.start)) {
            if newest.is_none_or(|newest| other.row > newest.row) {
                newest = Some(other);
            }
            if highest.is_none_or(|highest| other.epoch > highest.epoch) {
                highest = Some(other);
            }
        }
        let misses = |newest: &Known<'_>| match now.operation.kind {
            OperationKind::Write => now.row <= newest.row,
            OperationKind::Read => now.row < newest.row,
        };
        if let Some(newest) = newest.filter(misses) {
            report(Claim::ReadsAgree, &newest, &now, verdict);
        }
        if let Some(highest) = highest.filter(|highest| now.epoch < highest.epoch) {
            report(Claim::NoStaleAnswer, &highest, &now, verdict);
        }
    }
}

fn report(claim: Claim, before: &Known<'_>, now: &Known<'_>, verdict: &mut Verdict) {
    let text = format!("{:?}, and after that {:?}", before.operation, now.operation);
    verdict.violations.push(Violation::new(claim, text));
}
