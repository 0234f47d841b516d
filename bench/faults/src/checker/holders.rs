//! Checks that one process owns a key at a time, and that later owners have higher epochs.

use std::collections::BTreeMap;

use super::{Claim, Evidence, Ownership, Verdict, Violation, excuse::Excuses, ownerships};
use crate::{
    journal::{Outcome, Record},
    names::Key,
};

pub(super) fn check(evidence: &Evidence, verdict: &mut Verdict) {
    let excuses = Excuses::new(evidence);
    let mut keys: BTreeMap<Key, Vec<Ownership>> = BTreeMap::new();
    for process in &evidence.processes {
        let owned = ownerships(process);
        check_effects(process.ended, &process.records, &owned, verdict);
        for ownership in owned {
            keys.entry(ownership.key).or_default().push(ownership);
        }
    }
    for owned in keys.values_mut() {
        owned.sort_by_key(|ownership| ownership.epoch);
        verdict.ownerships += owned.len();
        for (index, earlier) in owned.iter().enumerate() {
            for later in &owned[index + 1..] {
                check_pair(earlier, later, &excuses, verdict);
            }
        }
    }
}

/// Two ownerships of one key, the first under no higher epoch.
fn check_pair(stale: &Ownership, later: &Ownership, excuses: &Excuses, verdict: &mut Verdict) {
    if stale.process == later.process {
        return;
    }
    let both = || {
        let of = |owned: &Ownership| {
            let Ownership {
                epoch,
                process,
                from,
                to,
                ..
            } = owned;
            format!("process {process} under epoch {epoch} from {from} to {to}")
        };
        let overlap = stale.to.since(later.from).as_millis();
        format!(
            "key {}: {}, and {}: {overlap} ms",
            stale.key,
            of(stale),
            of(later)
        )
    };
    let overlaps = stale.from < later.to && later.from < stale.to;
    let claim = if stale.epoch == later.epoch || stale.from >= later.from {
        Claim::EpochsRise
    } else if overlaps {
        Claim::OneHolder
    } else {
        return;
    };
    if stale.epoch < later.epoch && excuses.cover(stale, later) {
        verdict.excused += 1;
    } else {
        verdict.violations.push(Violation::new(claim, both()));
    }
}

/// Every effect lies within an ownership of its process.
fn check_effects(
    ended: crate::clock::Moment,
    records: &[Record],
    owned: &[Ownership],
    verdict: &mut Verdict,
) {
    let mut starts = BTreeMap::new();
    for record in records {
        match *record {
            Record::Start(at, key, epoch, id) => {
                starts.insert((key, epoch, id), at);
            }
            Record::End(to, key, epoch, id, Outcome::Done) => {
                let from = starts.remove(&(key, epoch, id));
                let within = owned.iter().any(|owned| {
                    let same = owned.key == key && owned.epoch == epoch;
                    same && from.is_some_and(|from| owned.from <= from) && to <= owned.to
                });
                if !within && to <= ended {
                    let text =
                        format!("request {id} for key {key} took effect outside of epoch {epoch}");
                    verdict
                        .violations
                        .push(Violation::new(Claim::OneHolder, text));
                }
            }
            Record::End(..) | Record::Opened(..) | Record::Closed(..) | Record::Gap(..) => {}
        }
    }
}
