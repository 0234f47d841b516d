//! Leaving a controller.

use super::*;

fn graceful(holding: HoldingId) -> Effect {
    close(holding, ReleaseReason::Drained, Urgency::Graceful)
}

#[test]
fn a_draining_worker_serves_its_keys_until_the_controller_takes_them() {
    let mut worker = Worker::welcomed();
    let one = worker.hold(1, 5, "/a");
    let other = worker.hold(2, 6, "/b");
    assert_eq!(worker.handle(Input::Drain), [Effect::SendDraining]);
    assert_eq!(worker.handle(Input::Drain), []);
    assert_eq!(worker.may_start(1), Ok(one));

    let effects = worker.revoke(RevokeReason::Drain, 5, "/a");
    assert_eq!(effects, [graceful(one)]);
    assert_eq!(worker.may_start(2), Ok(other));
    assert_eq!(
        worker.closed(one),
        [released(5, "/a"), gone(one, ReleaseReason::Drained)]
    );
    worker.revoke(RevokeReason::Drain, 6, "/b");
    assert_eq!(
        worker.closed(other),
        [
            released(6, "/b"),
            gone(other, ReleaseReason::Drained),
            Effect::SendGoodbye,
        ]
    );
    assert_eq!(worker.ownership.stage(), Stage::Left);
}

#[test]
fn a_draining_worker_takes_no_further_key_and_says_so() {
    let mut worker = Worker::welcomed();
    let held = worker.hold(1, 5, "/a");
    worker.handle(Input::Drain);
    assert_eq!(
        worker.grant(2, 9, "/c"),
        [ignored(9, "/c", Ignored::Leaving), released(9, "/c")]
    );
    assert_eq!(worker.may_start(2), Err(Refusal::NotInForce));
    assert_eq!(worker.grant(3, 5, "/a"), [], "one that is held");
    assert_eq!(worker.may_start(3), Ok(held));
}

#[test]
fn a_draining_worker_closes_what_was_granted_to_it_anew() {
    let mut worker = Worker::welcomed();
    let held = worker.hold(1, 5, "/a");
    worker.handle(Input::Drain);
    assert_eq!(
        worker.grant(2, 7, "/a"),
        [
            ignored(7, "/a", Ignored::Leaving),
            close(held, ReleaseReason::Superseded, Urgency::AtOnce)
        ]
    );
}

#[test]
fn keys_that_the_controller_does_not_take_are_given_back_after_the_stall() {
    let mut worker = Worker::welcomed();
    let holding = worker.hold(1, 5, "/a");
    worker.renewed_until(1_000);
    worker.handle(Input::Drain);
    assert_eq!(worker.renewed_until(2_999), []);
    assert_eq!(worker.may_start(1), Ok(holding));
    assert_eq!(worker.renewed_until(3_000), [graceful(holding)]);
    assert_eq!(worker.may_start(1), Err(Refusal::BeingGivenBack(holding)));
}

#[test]
fn a_key_that_takes_its_time_to_close_is_no_stall() {
    let mut worker = Worker::welcomed();
    let slow = worker.hold(1, 5, "/slow");
    let other = worker.hold(2, 6, "/other");
    worker.handle(Input::Drain);
    worker.renewed_until(1_000);
    worker.revoke(RevokeReason::Drain, 5, "/slow");
    assert_eq!(worker.renewed_until(20_000), []);
    worker.closed(slow);
    assert_eq!(worker.renewed_until(21_999), [], "from its end on");
    assert_eq!(worker.renewed_until(22_000), [graceful(other)]);
}

#[test]
fn a_handover_takes_no_longer_than_the_drain_timeout() {
    let mut worker = Worker::welcomed();
    let slow = worker.hold(1, 5, "/slow");
    let other = worker.hold(2, 6, "/other");
    worker.handle(Input::Drain);
    worker.renewed_until(1_000);
    worker.revoke(RevokeReason::Drain, 5, "/slow");
    assert_eq!(worker.renewed_until(29_999), []);
    assert_eq!(worker.renewed_until(30_000), [graceful(other)]);
    let late = close(slow, ReleaseReason::Drained, Urgency::AtOnce);
    assert_eq!(worker.renewed_until(31_000), [late]);
}

#[test]
fn without_a_session_a_worker_gives_its_keys_back_by_itself() {
    let mut worker = Worker::welcomed();
    let holding = worker.hold(1, 5, "/a");
    worker.disconnect();
    assert_eq!(worker.handle(Input::Drain), [graceful(holding)]);
    worker.closed(holding);
    assert_eq!(worker.ownership.stage(), Stage::Left);

    let mut worker = Worker::welcomed();
    let holding = worker.hold(1, 5, "/a");
    worker.handle(Input::Drain);
    assert_eq!(worker.disconnect(), [graceful(holding)]);
}

#[test]
fn a_worker_that_holds_nothing_leaves_at_once() {
    let mut worker = Worker::welcomed();
    let goodbye = [Effect::SendDraining, Effect::SendGoodbye];
    assert_eq!(worker.handle(Input::Drain), goodbye);
    let mut worker = Worker::new();
    assert_eq!(worker.handle(Input::Drain), []);
    assert_eq!(worker.ownership.stage(), Stage::Left);
}

#[test]
fn a_stop_cancels_what_runs_also_in_the_middle_of_a_drain() {
    for draining in [false, true] {
        let mut worker = Worker::welcomed();
        let holding = worker.hold(1, 5, "/a");
        let mut effects = Vec::new();
        if draining {
            effects.extend(worker.handle(Input::Drain));
            worker.revoke(RevokeReason::Drain, 5, "/a");
        }
        effects.extend(worker.handle(Input::Stop));
        let stopped = close(holding, ReleaseReason::Stopped, Urgency::AtOnce);
        assert_eq!(effects, [Effect::SendDraining, stopped]);
        assert!(!worker.may_act(holding));
        assert_eq!(worker.may_start(1), Err(Refusal::BeingGivenBack(holding)));
        assert_eq!(
            worker.closed(holding),
            [
                released(5, "/a"),
                gone(holding, ReleaseReason::Stopped),
                Effect::SendGoodbye,
            ]
        );
    }
}

#[test]
fn a_welcome_in_the_middle_of_leaving_is_told_of_it() {
    let mut worker = Worker::welcomed();
    worker.hold(1, 5, "/a");
    worker.handle(Input::Drain);
    worker.disconnect();
    assert_eq!(worker.welcome(true, 0), [Effect::SendDraining]);
}
