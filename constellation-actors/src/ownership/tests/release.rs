//! Keys that are given back.

use super::*;

#[test]
fn a_move_lets_what_runs_finish_and_accepts_nothing_more() {
    let mut worker = Worker::welcomed();
    let holding = worker.hold(1, 5, "/a");
    assert_eq!(
        worker.revoke(RevokeReason::Move, 5, "/a"),
        [close(holding, ReleaseReason::Moved, Urgency::Graceful)]
    );
    assert_eq!(worker.may_start(1), Err(Refusal::BeingGivenBack(holding)));
    assert!(worker.may_act(holding));
    assert_eq!(
        worker.closed(holding),
        [released(5, "/a"), gone(holding, ReleaseReason::Moved)]
    );
    assert_eq!(worker.may_start(1), Err(Refusal::NotInForce));
}

#[test]
fn what_runs_too_long_under_a_key_that_moves_is_cancelled() {
    let mut worker = Worker::welcomed();
    let holding = worker.hold(1, 5, "/a");
    worker.revoke(RevokeReason::Idle, 5, "/a");
    assert_eq!(worker.renewed_until(29_999), []);
    assert!(worker.may_act(holding));
    let cancelled = close(holding, ReleaseReason::Idle, Urgency::AtOnce);
    assert_eq!(worker.renewed_until(30_000), [cancelled]);
    assert!(!worker.may_act(holding));
    assert_eq!(worker.may_start(1), Err(Refusal::BeingGivenBack(holding)));
}

#[test]
fn a_stale_key_is_closed_at_once_and_its_requests_are_refused_at_once() {
    let mut worker = Worker::welcomed();
    let holding = worker.hold(1, 5, "/a");
    assert_eq!(
        worker.revoke(RevokeReason::Stale, 5, "/a"),
        [close(holding, ReleaseReason::Stale, Urgency::AtOnce)]
    );
    assert!(!worker.may_act(holding));
    assert_eq!(worker.may_start(1), Err(Refusal::NotInForce));
    assert_eq!(worker.ownership.owned().count(), 0);
}

#[test]
fn a_key_that_is_not_held_under_that_epoch_is_released_without_a_wait() {
    let mut worker = Worker::welcomed();
    worker.hold(1, 5, "/a");
    assert_eq!(
        worker.revoke(RevokeReason::Move, 4, "/a"),
        [released(4, "/a")]
    );
    assert_eq!(
        worker.revoke(RevokeReason::Move, 5, "/b"),
        [released(5, "/b")]
    );
    assert!(worker.may_start(1).is_ok());
}

#[test]
fn a_revocation_of_what_is_being_superseded_waits_for_its_end() {
    let mut worker = Worker::welcomed();
    let old = worker.hold(1, 5, "/a");
    worker.grant(2, 7, "/a");
    assert_eq!(worker.revoke(RevokeReason::Stale, 5, "/a"), []);
    assert!(worker.closed(old).contains(&released(5, "/a")));
}

#[test]
fn a_lost_keys_end_is_told_only_to_a_controller_that_waits_for_it() {
    for awaited in [false, true] {
        let mut worker = Worker::welcomed();
        let holding = worker.hold(1, 5, "/a");
        worker.until(LEASE_END);
        worker.disconnect();
        worker.welcome(true, LEASE_END);
        if awaited {
            let effects = worker.revoke(RevokeReason::Move, 5, "/a");
            assert_eq!(effects, [], "the resource is not closed yet");
        }
        let told = worker.closed(holding).contains(&released(5, "/a"));
        assert_eq!(told, awaited);
    }
}

#[test]
fn the_first_reason_stays_unless_a_later_one_is_more_urgent() {
    let mut worker = Worker::welcomed();
    let holding = worker.hold(1, 5, "/a");
    worker.revoke(RevokeReason::Move, 5, "/a");
    assert_eq!(worker.revoke(RevokeReason::Idle, 5, "/a"), []);
    assert_eq!(
        worker.revoke(RevokeReason::Stale, 5, "/a"),
        [close(holding, ReleaseReason::Stale, Urgency::AtOnce)]
    );
    worker.handle(Input::Stop);
    assert_eq!(
        worker.closed(holding)[..2],
        [released(5, "/a"), gone(holding, ReleaseReason::Stale)]
    );
}

#[test]
fn a_word_that_nobody_waits_for_changes_nothing() {
    let mut worker = Worker::welcomed();
    let holding = worker.hold(1, 5, "/a");
    assert_eq!(worker.closed(holding), [], "it was not asked to close");
    assert_eq!(worker.may_start(1), Ok(holding));
    worker.revoke(RevokeReason::Stale, 5, "/a");
    assert_eq!(worker.closed(holding).len(), 2);
    assert_eq!(worker.closed(holding), []);
}
