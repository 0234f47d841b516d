//! Small histories, sound but for one thing each.

use super::*;
use crate::{
    history::{Answer, OperationKind},
    journal::Outcome,
};

const KEY: Key = Key(1);
const MS: u64 = 1_000_000;

fn at(milliseconds: u64) -> Moment {
    Moment::at(milliseconds * MS)
}

fn epoch(number: u64) -> Epoch {
    Epoch::new(number)
}

fn opened(time: u64, under: u64) -> Record {
    Record::Opened(at(time), KEY, epoch(under))
}

fn closed(time: u64, under: u64) -> Record {
    Record::Closed(at(time), KEY, epoch(under))
}

/// The start and the end of an execution.
fn executed(from: u64, to: u64, under: u64, id: u64, outcome: Outcome) -> [Record; 2] {
    let id = RequestId(id);
    [
        Record::Start(at(from), KEY, epoch(under), id),
        Record::End(at(to), KEY, epoch(under), id, outcome),
    ]
}

fn process(number: usize, records: impl IntoIterator<Item = Record>) -> ProcessEvidence {
    ProcessEvidence {
        process: Process(number),
        records: records.into_iter().collect(),
        stops: Vec::new(),
        ended: Moment::NEVER,
    }
}

fn operation(kind: OperationKind, id: u64, from: u64, to: u64, answer: Answer) -> Operation {
    Operation {
        id: RequestId(id),
        key: KEY,
        kind,
        start: at(from),
        end: at(to),
        answer,
    }
}

fn write(id: u64, from: u64, to: u64, answer: Answer) -> Operation {
    operation(OperationKind::Write, id, from, to, answer)
}

fn done(row: u64, under: u64) -> Answer {
    Answer::Done {
        row: Row(row),
        epoch: epoch(under),
    }
}

fn written(row: u64, id: u64, under: u64) -> Written {
    Written {
        row: Row(row),
        id: RequestId(id),
        epoch: epoch(under),
    }
}

/// Two owners one after the other, a write by each, and a read in between.
fn sound() -> Evidence {
    let mut first = vec![opened(0, 5)];
    first.extend(executed(1, 2, 5, 1, Outcome::Done));
    first.push(closed(10, 5));
    let mut second = vec![opened(20, 6)];
    second.extend(executed(21, 22, 6, 2, Outcome::Done));
    second.extend(executed(31, 32, 6, 3, Outcome::Done));
    Evidence {
        operations: vec![
            write(1, 0, 3, done(1, 5)),
            write(2, 19, 23, done(2, 6)),
            operation(OperationKind::Read, 3, 30, 33, done(2, 6)),
        ],
        processes: vec![process(0, first), process(1, second)],
        databases: [(KEY, vec![written(1, 1, 5), written(2, 2, 6)])].into(),
        unserved: Vec::new(),
        margin: Duration::from_millis(250),
    }
}

/// What is found after `spoil`.
fn found(spoil: impl FnOnce(&mut Evidence)) -> Vec<Claim> {
    let mut evidence = sound();
    spoil(&mut evidence);
    let violations = check(&evidence).violations;
    violations.into_iter().map(|found| found.claim).collect()
}

/// A first owner that closes only at 1,500 ms, though the second one opened at 20 ms.
fn outlive(evidence: &mut Evidence) {
    let records = &mut evidence.processes[0].records;
    records.pop();
    records.push(closed(1_500, 5));
}

#[test]
fn a_sound_history_has_nothing_against_it() {
    assert_eq!(found(|_| {}), []);
    let verdict = check(&sound());
    assert_eq!((verdict.ownerships, verdict.excused), (2, 0));
}

#[test]
fn two_owners_at_one_time_are_found() {
    assert_eq!(found(outlive), [Claim::OneHolder]);
    let never_closed = |evidence: &mut Evidence| {
        evidence.processes[0].records.pop();
    };
    assert_eq!(found(never_closed), [Claim::OneHolder]);
}

#[test]
fn a_process_that_was_killed_owns_nothing_after_that() {
    let killed = |ended| {
        found(|evidence| {
            evidence.processes[0].records.pop();
            evidence.processes[0].ended = at(ended);
        })
    };
    assert_eq!(killed(15), []);
    assert_eq!(killed(25), [Claim::OneHolder]);
}

#[test]
fn only_a_gap_that_explains_it_excuses_a_second_owner() {
    let with = |from, to| {
        let mut evidence = sound();
        outlive(&mut evidence);
        let records = &mut evidence.processes[0].records;
        records.push(Record::Gap(at(from), at(to)));
        let verdict = check(&evidence);
        (verdict.violations.len(), verdict.excused)
    };
    assert_eq!(with(15, 1_400), (0, 1));
    assert_eq!(
        with(15, 1_001),
        (0, 1),
        "it closed within margin and closing time"
    );
    assert_eq!(
        with(15, 900),
        (1, 0),
        "it held on for too long after the gap"
    );
    assert_eq!(
        with(25, 1_400),
        (1, 0),
        "the gap began after the second owner"
    );
    assert_eq!(with(1_390, 1_400), (1, 0));
}

#[test]
fn a_gap_of_less_than_half_a_margin_excuses_nothing() {
    let with = |to| {
        found(|evidence| {
            let records = &mut evidence.processes[0].records;
            records.pop();
            records.push(closed(150, 5));
            evidence.processes[0].stops.push((at(10), at(to)));
        })
    };
    assert_eq!(with(135), []);
    assert_eq!(with(134), [Claim::OneHolder]);
}

#[test]
fn an_effect_outside_of_an_ownership_is_found() {
    let late = |evidence: &mut Evidence| {
        let records = &mut evidence.processes[0].records;
        records.pop();
        records.insert(1, closed(1, 5));
    };
    assert_eq!(found(late), [Claim::OneHolder]);
}

#[test]
fn an_epoch_that_does_not_rise_is_found() {
    let later_under = |under| {
        found(|evidence| {
            evidence.processes[1].records[0] = opened(20, under);
            evidence.processes[1].records.truncate(1);
            evidence.operations.truncate(1);
            evidence.databases = [(KEY, vec![written(1, 1, 5)])].into();
        })
    };
    assert_eq!(later_under(6), []);
    assert_eq!(later_under(5), [Claim::EpochsRise]);
    assert_eq!(later_under(4), [Claim::EpochsRise]);
}

#[test]
fn a_row_of_a_stale_owner_behind_a_later_owners_is_found() {
    let late = |evidence: &mut Evidence| {
        let mut more = executed(3, 900, 5, 9, Outcome::Done).to_vec();
        more.push(closed(1_000, 5));
        more.push(Record::Gap(at(4), at(890)));
        let records = &mut evidence.processes[0].records;
        records.pop();
        records.extend(more);
        let unknown = Answer::Unknown { status: Some(502) };
        evidence.operations.push(write(9, 3, 15, unknown));
        evidence
            .databases
            .get_mut(&KEY)
            .unwrap()
            .push(written(3, 9, 5));
    };
    assert_eq!(found(late), [Claim::Fence]);
}

#[test]
fn a_lost_write_is_found() {
    let lost = |evidence: &mut Evidence| {
        evidence.databases.get_mut(&KEY).unwrap().remove(0);
    };
    // Its worker says so, and its client was told so.
    assert_eq!(found(lost), [Claim::NothingLost, Claim::NothingLost]);
    let moved = |evidence: &mut Evidence| {
        evidence.operations[0].answer = done(7, 5);
    };
    assert!(found(moved).contains(&Claim::NothingLost));
}

#[test]
fn a_row_of_a_write_that_nobody_was_told_of_is_found() {
    let told = |answer: Answer| found(|evidence| evidence.operations[0].answer = answer);
    assert_eq!(told(Answer::Unknown { status: None }), []);
    assert_eq!(
        told(Answer::Undelivered { status: 503 }),
        [Claim::NothingUntold]
    );
    assert_eq!(told(Answer::Unsent), [Claim::NothingUntold]);
    assert_eq!(
        told(Answer::Nothing(Outcome::Refused)),
        [Claim::NothingUntold]
    );
    let from_nowhere = |evidence: &mut Evidence| {
        evidence.operations.remove(0);
    };
    assert_eq!(found(from_nowhere), [Claim::NothingUntold]);
    let refused = |evidence: &mut Evidence| {
        evidence.operations[0].answer = Answer::Unknown { status: None };
        let [_, end] = executed(1, 2, 5, 1, Outcome::Refused);
        evidence.processes[0].records[2] = end;
    };
    assert_eq!(found(refused), [Claim::NothingUntold]);
}

#[test]
fn a_write_that_was_not_delivered_but_begun_is_found() {
    let begun = |evidence: &mut Evidence| {
        let more = executed(3, 4, 5, 9, Outcome::Refused);
        evidence.processes[0].records.splice(3..3, more);
        let answer = Answer::Undelivered { status: 502 };
        evidence.operations.push(write(9, 3, 5, answer));
    };
    assert_eq!(found(begun), [Claim::NothingUntold]);
}

#[test]
fn a_write_that_is_done_or_begun_twice_is_found() {
    let rows = |evidence: &mut Evidence| {
        evidence
            .databases
            .get_mut(&KEY)
            .unwrap()
            .push(written(3, 1, 6));
    };
    assert_eq!(found(rows), [Claim::NothingTwice]);
    let begun = |id| {
        found(|evidence| {
            let [start, _] = executed(24, 25, 6, id, Outcome::Done);
            evidence.processes[1].records.push(start);
        })
    };
    assert_eq!(begun(1), [Claim::NothingTwice]);
    assert_eq!(begun(3), [], "a read may be repeated");
}

#[test]
fn an_answer_that_misses_what_was_known_is_found() {
    let read = |row| found(|evidence| evidence.operations[2].answer = done(row, 6));
    assert_eq!(read(2), []);
    assert_eq!(read(1), [Claim::ReadsAgree]);
    let at_once = |evidence: &mut Evidence| {
        evidence.operations[2] = operation(OperationKind::Read, 3, 22, 33, done(1, 6));
    };
    assert_eq!(found(at_once), [], "it may have been answered first");
}

#[test]
fn an_answer_under_an_epoch_that_is_over_is_found() {
    let stale = |evidence: &mut Evidence| evidence.operations[2].answer = done(2, 5);
    assert_eq!(found(stale), [Claim::NoStaleAnswer]);
}

#[test]
fn a_key_that_nobody_serves_is_found() {
    let unserved = |evidence: &mut Evidence| evidence.unserved.push(KEY);
    assert_eq!(found(unserved), [Claim::Recovers]);
}
