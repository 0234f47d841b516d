//! The lease: renewed, ended, and what may be done under it.

use super::*;

fn heartbeat(sequence: u64) -> Effect {
    Effect::SendHeartbeat { sequence }
}

#[test]
fn a_worker_without_a_lease_may_not_act() {
    let mut worker = Worker::new();
    assert!(!worker.ownership.has_lease(worker.now));
    assert_eq!(worker.ownership.lease_left(worker.now), None);
    assert_eq!(
        worker.grant(1, 5, "/a"),
        [ignored(5, "/a", Ignored::NoLease)]
    );
    assert_eq!(worker.may_start(1), Err(Refusal::NotInForce));
}

#[test]
fn the_lease_counts_from_the_hello_and_not_from_the_welcome() {
    let mut worker = Worker::new();
    worker.pause_until(3_000);
    worker.welcome(false, 1_000);
    assert_eq!(worker.ownership.lease_end(), Some(at(1_000 + LEASE_END)));
}

#[test]
fn the_lease_is_renewed_at_each_interval_under_rising_numbers() {
    let mut worker = Worker::welcomed();
    assert_eq!(worker.until(1_999), []);
    assert_eq!(worker.until(2_000), [heartbeat(1)]);
    assert_eq!(worker.until(4_000), [heartbeat(2)]);
    worker.acknowledge(2);
    assert_eq!(worker.ownership.lease_end(), Some(at(4_000 + LEASE_END)));
    worker.disconnect();
    assert_eq!(worker.until(8_000), [], "there is nobody to tell");
    worker.welcome(true, 8_000);
    assert_eq!(worker.until(10_000), [heartbeat(1)], "of the new session");
}

#[test]
fn missed_renewals_are_not_made_up_for() {
    let mut worker = Worker::welcomed();
    worker.pause_until(5_000);
    assert_eq!(worker.handle(Input::Tick), [heartbeat(1)]);
    assert_eq!(worker.handle(Input::Tick), []);
    assert_eq!(worker.ownership.next_deadline(), Some(at(LEASE_END)));
}

#[test]
fn the_end_takes_every_key_and_the_session_and_is_told_once() {
    let mut worker = Worker::welcomed();
    let one = worker.hold(1, 5, "/a");
    let other = worker.hold(2, 6, "/b");
    worker.until(LEASE_END - 1);
    assert_eq!(worker.may_start(1), Ok(one));
    let lost = |holding| close(holding, ReleaseReason::LeaseEnded, Urgency::AtOnce);
    assert_eq!(
        worker.until(LEASE_END),
        [
            lost(one),
            lost(other),
            Effect::EndSession,
            Effect::LeaseEnded { keys: 2 },
        ]
    );
    assert_eq!(worker.may_start(1), Err(Refusal::NotInForce));
    assert!(!worker.may_act(one));
    assert_eq!(worker.holding(), []);
    assert_eq!(worker.ownership.owned().count(), 0);
    assert_eq!(worker.handle(Input::LeaseExpired), []);
}

#[test]
fn a_paused_worker_may_not_act_although_no_timer_has_run() {
    let mut worker = Worker::welcomed();
    let holding = worker.hold(1, 5, "/a");
    worker.pause_until(LEASE_END - 1);
    assert!(worker.may_act(holding));
    worker.pause_until(LEASE_END);
    assert!(!worker.may_act(holding));
    assert_eq!(worker.may_start(1), Err(Refusal::NoLease));
    assert_eq!(worker.holding(), []);
}

#[test]
fn an_acknowledgement_after_the_end_does_not_bring_the_lease_back() {
    let mut worker = Worker::welcomed();
    let holding = worker.hold(1, 5, "/a");
    worker.until(4_000);
    worker.pause_until(LEASE_END);
    // Sent at 4 s, it would have prolonged the lease to 9.25 s.
    let effects = worker.acknowledge(2);
    assert!(effects.contains(&Effect::LeaseEnded { keys: 1 }));
    assert!(!worker.ownership.has_lease(worker.now));
    assert!(!worker.may_act(holding));
}

#[test]
fn a_lost_resource_is_abandoned_when_the_margin_has_passed_too() {
    let mut worker = Worker::welcomed();
    let holding = worker.hold(1, 5, "/a");
    worker.until(LEASE_END);
    assert_eq!(worker.until(MARGIN_END - 1), []);
    let abandoned = close(holding, ReleaseReason::LeaseEnded, Urgency::Abandon);
    assert_eq!(worker.until(MARGIN_END), [abandoned]);
    assert_eq!(worker.until(MARGIN_END * 2), [], "once");
    assert_eq!(
        worker.closed(holding),
        [gone(holding, ReleaseReason::LeaseEnded)]
    );
}

#[test]
fn the_margin_counts_from_the_end_and_not_from_when_it_is_noticed() {
    let mut worker = Worker::welcomed();
    let holding = worker.hold(1, 5, "/a");
    worker.pause_until(60_000);
    let effects = worker.handle(Input::Tick);
    let abandoned = close(holding, ReleaseReason::LeaseEnded, Urgency::Abandon);
    assert!(effects.contains(&abandoned), "{effects:?}");
}

#[test]
fn the_lease_ends_when_the_controller_says_so() {
    let mut worker = Worker::welcomed();
    let holding = worker.hold(1, 5, "/a");
    worker.until(1_000);
    let lost = close(holding, ReleaseReason::LeaseEnded, Urgency::AtOnce);
    let effects = worker.handle(Input::LeaseExpired);
    assert_eq!(
        effects,
        [lost, Effect::EndSession, Effect::LeaseEnded { keys: 1 }]
    );
    assert_eq!(worker.ownership.next_deadline(), Some(at(1_750)));
}

#[test]
fn what_was_being_closed_in_order_is_cut_short_by_the_leases_end() {
    let mut worker = Worker::welcomed();
    let holding = worker.hold(1, 5, "/a");
    worker.revoke(RevokeReason::Move, 5, "/a");
    assert!(worker.may_act(holding), "what runs may finish");
    let effects = worker.until(LEASE_END);
    let lost = close(holding, ReleaseReason::LeaseEnded, Urgency::AtOnce);
    assert!(effects.contains(&lost), "{effects:?}");
    assert!(!worker.may_act(holding));
}
