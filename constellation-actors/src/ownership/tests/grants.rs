//! Grants and the epochs they carry.

use super::*;

#[test]
fn a_grant_begins_to_hold_and_lets_requests_start_under_its_name() {
    let mut worker = Worker::welcomed();
    let holding = worker.hold(1, 5, "/a");
    assert_eq!(worker.may_start(1), Ok(holding));
    assert_eq!(worker.may_start(2), Err(Refusal::NotInForce));
    assert!(worker.may_act(holding));
    assert_eq!(worker.holding(), [("/a".to_owned(), 5)]);
}

#[test]
fn a_grant_of_the_same_epoch_changes_only_the_name() {
    let mut worker = Worker::welcomed();
    let holding = worker.hold(1, 5, "/a");
    assert_eq!(worker.grant(9, 5, "/a"), []);
    assert_eq!(worker.may_start(9), Ok(holding));
    assert_eq!(worker.may_start(1), Err(Refusal::NotInForce));
}

#[test]
fn a_grant_of_a_lower_epoch_is_ignored_and_takes_its_name_with_it() {
    let mut worker = Worker::welcomed();
    let other = worker.hold(1, 5, "/b");
    worker.hold(2, 7, "/a");
    assert_eq!(worker.may_start(1), Ok(other));
    let held = Ignored::HeldHigher(Epoch::new(7));
    assert_eq!(worker.grant(1, 6, "/a"), [ignored(6, "/a", held)]);
    assert_eq!(worker.may_start(1), Err(Refusal::NotInForce));
    assert_eq!(worker.holding()[0], ("/a".to_owned(), 7));
}

#[test]
fn a_grant_of_a_higher_epoch_closes_first_and_opens_then() {
    let mut worker = Worker::welcomed();
    let old = worker.hold(1, 5, "/a");
    let effects = worker.grant(2, 7, "/a");
    let new = worker.may_start(2).unwrap();
    let begun = Effect::Hold {
        holding: new,
        epoch: Epoch::new(7),
        key: key("/a"),
    };
    let closing = close(old, ReleaseReason::Superseded, Urgency::AtOnce);
    assert_eq!(effects, [closing, begun]);
    assert_eq!(worker.may_start(1), Err(Refusal::NotInForce));
    assert_eq!(worker.may_start(2), Ok(new), "it waits for its turn");
    assert!(!worker.may_act(old) && !worker.may_act(new));
    assert_eq!(worker.holding(), [("/a".to_owned(), 7)]);

    let opened = Effect::Open { holding: new };
    assert_eq!(
        worker.closed(old),
        [
            released(5, "/a"),
            gone(old, ReleaseReason::Superseded),
            opened
        ]
    );
    assert!(worker.may_act(new));
}

#[test]
fn a_holding_that_ends_before_it_was_open_is_told_only_when_the_one_before_is_closed() {
    let mut worker = Worker::welcomed();
    let old = worker.hold(1, 5, "/a");
    worker.grant(2, 7, "/a");
    let new = worker.may_start(2).unwrap();
    assert_eq!(
        worker.revoke(RevokeReason::Stale, 7, "/a"),
        [close(new, ReleaseReason::Stale, Urgency::AtOnce)]
    );
    assert_eq!(worker.closed(new), [], "something of the key is left");
    assert_eq!(
        worker.closed(old),
        [
            released(5, "/a"),
            gone(old, ReleaseReason::Superseded),
            released(7, "/a"),
            gone(new, ReleaseReason::Stale),
        ]
    );
}

#[test]
fn a_lost_key_that_is_granted_again_under_its_epoch_begins_anew() {
    let mut worker = Worker::welcomed();
    let lost = worker.hold(1, 5, "/a");
    worker.until(LEASE_END);
    worker.disconnect();
    worker.welcome(true, LEASE_END);
    let effects = worker.grant(1, 5, "/a");
    assert!(matches!(effects[..], [Effect::Hold { .. }]), "{effects:?}");
    let anew = worker.may_start(1).unwrap();
    assert!(anew != lost && !worker.may_act(anew));
    assert_eq!(worker.holding(), [("/a".to_owned(), 5)]);
    assert_eq!(
        worker.closed(lost),
        [
            gone(lost, ReleaseReason::LeaseEnded),
            Effect::Open { holding: anew }
        ]
    );
}

#[test]
fn a_grant_that_crossed_its_own_release_is_ignored() {
    let mut worker = Worker::welcomed();
    let holding = worker.hold(1, 5, "/a");
    worker.revoke(RevokeReason::Move, 5, "/a");
    worker.closed(holding);
    let given_back = Ignored::GivenBack(Epoch::new(5));
    assert_eq!(worker.grant(1, 5, "/a"), [ignored(5, "/a", given_back)]);
    assert_eq!(worker.may_start(1), Err(Refusal::NotInForce));
    worker.hold(2, 6, "/a");
}

#[test]
fn what_was_given_back_is_remembered_only_as_long_as_a_grant_can_cross_it() {
    let mut worker = Worker::welcomed();
    let holding = worker.hold(1, 5, "/a");
    worker.revoke(RevokeReason::Move, 5, "/a");
    worker.closed(holding);
    worker.renewed_until(2_000);
    let given_back = Ignored::GivenBack(Epoch::new(5));
    assert_eq!(worker.grant(1, 5, "/a"), [ignored(5, "/a", given_back)]);
    worker.renewed_until(4_000);
    worker.hold(1, 5, "/a");
}

#[test]
fn a_lost_key_whose_end_is_awaited_does_not_begin_anew_under_its_epoch() {
    let mut worker = Worker::welcomed();
    let lost = worker.hold(1, 5, "/a");
    worker.until(LEASE_END);
    worker.disconnect();
    worker.welcome(true, LEASE_END);
    worker.revoke(RevokeReason::Move, 5, "/a");
    let given_back = Ignored::GivenBack(Epoch::new(5));
    assert_eq!(worker.grant(1, 5, "/a"), [ignored(5, "/a", given_back)]);
    assert!(worker.closed(lost).contains(&released(5, "/a")));
    assert_eq!(worker.grant(1, 5, "/a"), [ignored(5, "/a", given_back)]);
}
