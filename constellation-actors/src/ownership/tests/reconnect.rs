//! A session that is lost, and the one after it.

use super::*;

#[test]
fn the_loss_of_a_connection_ends_nothing_but_the_names() {
    let mut worker = Worker::welcomed();
    let holding = worker.hold(1, 5, "/a");
    assert_eq!(worker.disconnect(), []);
    assert!(worker.may_act(holding));
    assert_eq!(worker.may_start(1), Err(Refusal::NotInForce));
    assert_eq!(worker.holding(), [("/a".to_owned(), 5)]);
    worker.pause_until(3_000);
    assert_eq!(worker.welcome(true, 2_900), []);
    assert_eq!(worker.grant(4, 5, "/a"), []);
    assert_eq!(worker.may_start(4), Ok(holding));
    worker.renewed_until(60_000);
    assert!(worker.may_act(holding));
}

#[test]
fn a_lease_that_ended_before_the_welcome_has_taken_the_keys_whatever_that_says() {
    let mut worker = Worker::welcomed();
    let holding = worker.hold(1, 5, "/a");
    worker.disconnect();
    worker.pause_until(LEASE_END);
    // Said hello in time, was welcomed too late.
    let effects = worker.welcome(true, LEASE_END - 100);
    let lost = close(holding, ReleaseReason::LeaseEnded, Urgency::AtOnce);
    assert_eq!(effects, [lost, Effect::LeaseEnded { keys: 1 }]);
    assert!(!worker.may_act(holding));
    assert!(worker.ownership.has_lease(worker.now), "a new one");
}

#[test]
fn what_a_forgetful_controller_does_not_confirm_ends_with_the_lease_before() {
    let mut worker = Worker::welcomed();
    let forgotten = worker.hold(1, 5, "/forgotten");
    let kept = worker.hold(2, 6, "/kept");
    worker.disconnect();
    worker.pause_until(1_000);
    worker.welcome(false, 1_000);
    assert_eq!(worker.grant(1, 6, "/kept"), []);
    worker.renewed_until(LEASE_END - 1);
    assert!(worker.may_act(forgotten));
    let lost = |urgency| close(forgotten, ReleaseReason::LeaseEnded, urgency);
    assert_eq!(worker.renewed_until(LEASE_END), [lost(Urgency::AtOnce)]);
    assert!(!worker.may_act(forgotten));
    assert_eq!(worker.holding(), [("/kept".to_owned(), 6)]);
    assert_eq!(worker.renewed_until(MARGIN_END), [lost(Urgency::Abandon)]);
    assert!(worker.may_act(kept));
}

#[test]
fn a_revocation_is_answered_though_the_lease_before_ends_meanwhile() {
    for (reason, given) in [
        (RevokeReason::Move, ReleaseReason::Moved),
        (RevokeReason::Stale, ReleaseReason::Stale),
    ] {
        let mut worker = Worker::welcomed();
        let holding = worker.hold(1, 5, "/a");
        worker.disconnect();
        worker.pause_until(1_000);
        worker.welcome(false, 1_000);
        worker.renewed_until(LEASE_END - 1);
        let closing = worker.revoke(reason, 5, "/a");
        assert!(matches!(closing[..], [Effect::Close { reason, .. }] if reason == given));
        worker.renewed_until(LEASE_END);
        let effects = worker.closed(holding);
        assert!(effects.contains(&released(5, "/a")), "{effects:?}");
    }
}

#[test]
fn the_end_of_the_lease_before_needs_no_timer() {
    let mut worker = Worker::welcomed();
    let holding = worker.hold(1, 5, "/a");
    worker.disconnect();
    worker.pause_until(1_000);
    worker.welcome(false, 1_000);
    worker.pause_until(LEASE_END);
    assert!(worker.ownership.has_lease(worker.now));
    assert!(!worker.may_act(holding));
    assert_eq!(worker.holding(), []);
}

#[test]
fn a_later_session_does_not_prolong_what_an_earlier_one_left_unconfirmed() {
    let mut worker = Worker::welcomed();
    let holding = worker.hold(1, 5, "/a");
    for (resumed, when) in [(false, 1_000), (true, 2_000), (false, 3_000)] {
        worker.disconnect();
        worker.pause_until(when);
        worker.welcome(resumed, when);
    }
    worker.renewed_until(LEASE_END);
    assert!(!worker.may_act(holding));
}

#[test]
fn what_was_closed_while_there_was_no_session_is_told_to_the_next() {
    let mut worker = Worker::welcomed();
    let holding = worker.hold(1, 5, "/a");
    worker.revoke(RevokeReason::Move, 5, "/a");
    worker.disconnect();
    assert_eq!(
        worker.closed(holding),
        [gone(holding, ReleaseReason::Moved)]
    );
    worker.pause_until(1_000);
    assert_eq!(worker.welcome(true, 900), [released(5, "/a")]);
    let crossed = ignored(5, "/a", Ignored::GivenBack(Epoch::new(5)));
    assert_eq!(worker.grant(1, 5, "/a"), [crossed]);
    worker.disconnect();
    assert_eq!(worker.welcome(true, 1_000), [], "once");
}
