//! The lease and the epoch: when a worker may act, and what happens when it may not any more.

use std::time::Duration;

use actix::Actor;
use constellation_actors::protocol::{frame::code::ResetCode, mux::event::Ended};
use constellation_client::{
    ConnectionStatus, ManualClock, ReleaseReason, Request, Response, Worker, WorkerBuilder,
    WorkerEvent,
};

use crate::support::{
    Events, behaviour,
    behaviour::{Counter, closing_name},
    gate::{Passage, gate},
    owned,
    script::{AN_HOUR, SIX_SECONDS, Said, Script},
    status, until,
};

const MILLISECOND: Duration = Duration::from_millis(1);

fn builder(script: &Script, clock: &ManualClock) -> WorkerBuilder {
    Worker::builder()
        .controller(script.url())
        .clock(clock.clock())
}

#[track_caller]
fn assert_reset<T: std::fmt::Debug>(answer: Result<T, Ended>, expected: ResetCode) {
    match answer {
        Err(Ended::Reset { code, .. }) if code == expected => {}
        other => panic!("not reset as {expected}: {other:?}"),
    }
}

#[actix_rt::test]
async fn a_request_after_the_leases_end_is_refused_as_not_begun() {
    let script = Script::start().await;
    let clock = ManualClock::new();
    let (gate, _keeper) = gate();
    let worker = builder(&script, &clock).handler(behaviour::function(&gate));
    let _worker = worker.unwrap().start();
    let mut peer = script.welcome(SIX_SECONDS).await;
    peer.fall_silent();

    let grant = peer.grant(1, 1, "/a");
    let early = peer.request(grant, "/a");
    assert_eq!(peer.answer(early).await.unwrap().status, 200);
    clock.advance(Duration::from_millis(5_249));
    let last = peer.request(grant, "/a");
    assert_eq!(peer.answer(last).await.unwrap().status, 200);

    clock.advance(MILLISECOND);
    let late = peer.request(grant, "/a");
    assert_reset(peer.answer(late).await, ResetCode::Refused);
}

#[actix_rt::test]
async fn a_renewal_that_is_acknowledged_prolongs_the_lease() {
    let script = Script::start().await;
    let clock = ManualClock::new();
    let (gate, _keeper) = gate();
    let worker = builder(&script, &clock).handler(behaviour::function(&gate));
    let worker = worker.unwrap().start();
    let mut peer = script.welcome(SIX_SECONDS).await;

    let grant = peer.grant(1, 1, "/a");
    let first = peer.request(grant, "/a");
    assert_eq!(peer.answer(first).await.unwrap().status, 200);
    for _ in 0..5 {
        clock.advance(Duration::from_secs(2));
        let renewed = until("a renewal to be acknowledged", async || {
            let left = status(&worker).await[0].lease_left;
            (left == Some(Duration::from_millis(5_250))).then_some(())
        });
        peer.during(renewed).await;
        let stream = peer.request(grant, "/a");
        assert_eq!(peer.answer(stream).await.unwrap().status, 200);
    }
}

#[actix_rt::test]
async fn the_leases_end_cancels_what_runs_closes_the_actor_and_tells_why() {
    let script = Script::start().await;
    let clock = ManualClock::new();
    let (gate, mut keeper) = gate();
    let worker = builder(&script, &clock).actor(move |grant| Counter::new(grant, &gate));
    let worker = worker.unwrap().start();
    let mut events = Events::of(&worker).await;
    let mut peer = script.welcome(SIX_SECONDS).await;
    peer.fall_silent();

    let grant = peer.grant(1, 5, "/a");
    let running = peer.request(grant, "/a?wait");
    let waiting = peer.request(grant, "/a");
    peer.during(keeper.entered("/a")).await;
    let held = match events.next_of_keys().await {
        WorkerEvent::Granted(grant) => grant,
        event => panic!("{event:?}"),
    };

    clock.advance(Duration::from_millis(5_250));
    assert_reset(peer.answer(waiting).await, ResetCode::Refused);
    assert_reset(peer.answer(running).await, ResetCode::Internal);
    // The actor is told, and whatever it had begun ends with it.
    let closing = Passage::Passed(closing_name("/a", 5, ReleaseReason::LeaseEnded));
    assert_eq!(peer.during(keeper.next()).await, closing);
    peer.during(keeper.dropped("/a")).await;
    let controller = held.controller().into();
    assert_eq!(
        events.next_of_keys().await,
        WorkerEvent::LeaseEnded {
            controller,
            keys: 1
        }
    );
    let reason = ReleaseReason::LeaseEnded;
    assert_eq!(
        events.next_of_keys().await,
        WorkerEvent::Released {
            grant: held,
            reason
        }
    );
    assert_eq!(owned(&worker).await, []);
    assert_eq!(status(&worker).await[0].lease_left, None);
    assert_eq!(status(&worker).await[0].keys, 0);
}

#[actix_rt::test]
async fn the_end_of_a_lease_is_told_once_and_the_next_session_holds_nothing() {
    let script = Script::start().await;
    let clock = ManualClock::new();
    let (gate, _keeper) = gate();
    let worker = builder(&script, &clock).handler(behaviour::function(&gate));
    let worker = worker.unwrap().start();
    let mut events = Events::of(&worker).await;
    let mut peer = script.welcome(SIX_SECONDS).await;
    peer.fall_silent();
    let grant = peer.grant(1, 1, "/a");
    let stream = peer.request(grant, "/a");
    peer.answer(stream).await.unwrap();

    clock.advance(Duration::from_millis(5_250));
    let late = peer.request(grant, "/a");
    assert_reset(peer.answer(late).await, ResetCode::Refused);
    peer.go_away("lease_expired");
    // Over the time in which requests are still refused, and any wait after it.
    let again = until("the next session", async || {
        clock.advance(Duration::from_millis(100));
        let connecting = tokio::time::timeout(MILLISECOND * 50, script.accept());
        connecting.await.ok()
    });
    let again = peer.during(again).await;
    assert_eq!((again.hello.holding, again.holding.len()), (0, 0));

    let mut ends = 0;
    loop {
        match events.next().await {
            WorkerEvent::LeaseEnded { .. } => ends += 1,
            WorkerEvent::Disconnected { .. } => break,
            WorkerEvent::Connected { .. }
            | WorkerEvent::Granted(_)
            | WorkerEvent::Released { .. } => {}
        }
    }
    assert_eq!(ends, 1);
}

#[actix_rt::test]
async fn a_grant_of_a_higher_epoch_closes_the_actor_before_it_starts_a_new_one() {
    let script = Script::start().await;
    let clock = ManualClock::new();
    let (gate, mut keeper) = gate();
    let worker =
        builder(&script, &clock).actor(move |grant| Counter::new(grant, &gate).closing_slowly());
    let worker = worker.unwrap().start();
    let mut events = Events::of(&worker).await;
    let mut peer = script.welcome(AN_HOUR).await;

    let old = peer.grant(1, 5, "/a");
    let first = peer.request(old, "/a");
    assert_eq!(peer.answer(first).await.unwrap().json()["epoch"], 5);
    let running = peer.request(old, "/a?wait");
    peer.during(keeper.entered("/a")).await;

    let new = peer.grant(2, 7, "/a");
    let late = peer.request(old, "/a");
    let next = peer.request(new, "/a");
    assert_reset(peer.answer(running).await, ResetCode::Internal);
    assert_reset(peer.answer(late).await, ResetCode::Refused);
    let closing = closing_name("/a", 5, ReleaseReason::Superseded);
    peer.during(keeper.entered(&closing)).await;
    // The old one takes its time, and the new one does not begin beside it.
    let other = peer.grant(3, 8, "/b");
    let other = peer.request(other, "/b");
    peer.answer(other).await.unwrap();
    assert_eq!(owned(&worker).await[0].epoch.get(), 7);
    assert!(owned(&worker).await[0].busy);

    keeper.let_through(&closing);
    let answer = peer.answer(next).await.unwrap().json();
    assert_eq!(
        (&answer["epoch"], &answer["requests"]),
        (&7.into(), &1.into())
    );
    assert_eq!(keeper.next().await, Passage::Passed(closing));
    assert_eq!(keeper.next().await, Passage::Dropped("/a".into()));
    let told = until("the release to be told", async || {
        match events.next_of_keys().await {
            WorkerEvent::Released { grant, reason } => Some((grant.epoch().get(), reason)),
            _ => None,
        }
    });
    assert_eq!(peer.during(told).await, (5, ReleaseReason::Superseded));
}

#[actix_rt::test]
async fn a_grant_of_a_lower_epoch_is_ignored_and_its_requests_are_refused() {
    let script = Script::start().await;
    let clock = ManualClock::new();
    let (gate, _keeper) = gate();
    let worker = builder(&script, &clock).actor(move |grant| Counter::new(grant, &gate));
    let _worker = worker.unwrap().start();
    let mut peer = script.welcome(AN_HOUR).await;

    let high = peer.grant(1, 7, "/a");
    let low = peer.grant(2, 5, "/a");
    let stale = peer.request(low, "/a");
    let current = peer.request(high, "/a");
    assert_reset(peer.answer(stale).await, ResetCode::Refused);
    assert_eq!(peer.answer(current).await.unwrap().json()["epoch"], 7);
}

#[actix_rt::test]
async fn the_lease_is_checked_when_a_handler_begins_and_again_when_it_answers() {
    let script = Script::start().await;
    let clock = ManualClock::new();
    let (gate, mut keeper) = gate();
    let time = clock.clone();
    let worker = builder(&script, &clock).handler(move |request: Request| {
        let (gate, time) = (gate.clone(), time.clone());
        async move {
            gate.note(request.path());
            if request.path() == "/long" {
                // Both requests have been accepted, and nothing else gets a turn in between.
                time.advance(Duration::from_millis(5_250));
            }
            Response::ok()
        }
    });
    let _worker = worker.unwrap().start();
    let mut peer = script.welcome(SIX_SECONDS).await;
    peer.fall_silent();
    let grant = peer.grant(1, 1, "/a");
    let first = peer.request(grant, "/first");
    assert_eq!(peer.answer(first).await.unwrap().status, 200);

    let long = peer.request(grant, "/long");
    let next = peer.request(grant, "/next");
    assert_reset(peer.answer(long).await, ResetCode::Internal);
    assert_reset(peer.answer(next).await, ResetCode::Refused);
    let begun = ["/first", "/long"].map(|path| Passage::Passed(path.into()));
    assert_eq!(keeper.seen(), begun);
}

#[actix_rt::test]
async fn a_key_whose_lease_ended_is_owned_no_more_while_it_is_still_being_closed() {
    let script = Script::start().await;
    let clock = ManualClock::new();
    let (gate, mut keeper) = gate();
    let worker =
        builder(&script, &clock).actor(move |grant| Counter::new(grant, &gate).closing_slowly());
    let worker = worker.unwrap().start();
    let mut peer = script.welcome(SIX_SECONDS).await;
    peer.fall_silent();
    let grant = peer.grant(1, 5, "/a");
    let stream = peer.request(grant, "/a");
    peer.answer(stream).await.unwrap();

    clock.advance(Duration::from_millis(5_250));
    let closing = closing_name("/a", 5, ReleaseReason::LeaseEnded);
    peer.during(keeper.entered(&closing)).await;
    assert_eq!(owned(&worker).await, []);
    assert_eq!(status(&worker).await[0].keys, 0);

    // Requests are refused for half a second; then comes the first wait of at most 100 ms.
    clock.advance(Duration::from_millis(500));
    while peer.said().await != Said::Closed {}
    until("the loss to be noticed", async || {
        let connection = &status(&worker).await[0].connection;
        matches!(connection, ConnectionStatus::Connecting { .. }).then_some(())
    })
    .await;
    clock.advance(Duration::from_millis(100));
    let again = script.accept().await;
    assert_eq!((again.hello.holding, again.holding.len()), (0, 0));
    assert_eq!(keeper.seen(), [], "it is still being closed");

    // The margin is all the time it has.
    clock.advance(Duration::from_millis(150));
    keeper.dropped(&closing).await;
}
