//! A connection that is lost and comes back.

use std::time::Duration;

use actix::Actor;
use constellation_actors::{
    placement::{epoch::Epoch, key::ResourceKey},
    protocol::{frame::Held, mux::event::Ended},
};
use constellation_client::{ConnectionStatus, ManualClock, ReleaseReason, Worker, WorkerEvent};

use crate::support::{
    Events,
    behaviour::{Counter, closing_name},
    connected,
    controller::Running,
    gate::gate,
    http::get,
    relay::Relay,
    script::{AN_HOUR, SIX_SECONDS, Script, Terms},
    status, until,
};

#[actix_rt::test]
async fn a_lost_connection_resumes_with_the_same_incarnation_keys_and_actor() {
    let script = Script::start().await;
    let (gate, mut keeper) = gate();
    let builder = Worker::builder().controller(script.url());
    let worker = builder.actor(move |grant| Counter::new(grant, &gate));
    let _worker = worker.unwrap().start();
    let mut before = script.welcome(AN_HOUR).await;
    assert_eq!(before.hello.holding, 0);
    for (id, key) in [(1, "/a"), (2, "/b")] {
        let grant = before.grant(id, u64::from(id) + 4, key);
        let stream = before.request(grant, key);
        assert_eq!(before.answer(stream).await.unwrap().json()["requests"], 1);
    }
    let hello = before.hello.clone();
    drop(before);

    let terms = Terms {
        resumed: true,
        ..AN_HOUR
    };
    let mut after = script.welcome(terms).await;
    assert_eq!(after.hello.worker, hello.worker);
    assert_eq!(after.hello.incarnation, hello.incarnation);
    let held = |epoch, key| Held {
        epoch: Epoch::new(epoch),
        key: ResourceKey::parse(key).unwrap(),
    };
    assert_eq!(after.holding, [held(5, "/a"), held(6, "/b")]);

    // The same epoch under another name is the same ownership.
    let grant = after.grant(9, 5, "/a");
    let stream = after.request(grant, "/a");
    assert_eq!(after.answer(stream).await.unwrap().json()["requests"], 2);
    assert_eq!(keeper.seen(), [], "no actor was closed");
}

#[actix_rt::test]
async fn a_lost_connection_cancels_what_ran_over_it() {
    let script = Script::start().await;
    let (gate, mut keeper) = gate();
    let builder = Worker::builder().controller(script.url());
    let worker = builder.actor(move |grant| Counter::new(grant, &gate));
    let _worker = worker.unwrap().start();
    let mut before = script.welcome(AN_HOUR).await;
    let grant = before.grant(1, 1, "/a");
    before.request(grant, "/a?cancelled");
    before.during(keeper.passed("begun")).await;
    drop(before);
    keeper.passed("cancelled").await;
}

#[actix_rt::test]
async fn a_cut_wire_is_resumed_at_the_real_controller() {
    let controller = Running::start();
    let relay = Relay::to(controller.workers_port()).await;
    let (gate, mut keeper) = gate();
    let builder = Worker::builder().controller(relay.url());
    let worker = builder.actor(move |grant| Counter::new(grant, &gate));
    let worker = worker.unwrap().start();
    let mut events = Events::of(&worker).await;
    connected(&worker).await;
    let first = get(controller.clients_port(), "/a").await.json();
    assert_eq!(first["requests"], 1);

    assert_eq!(relay.cut(), 1);
    let resumed = loop {
        match events.next().await {
            WorkerEvent::Connected { resumed: true, .. } => break true,
            WorkerEvent::LeaseEnded { .. } | WorkerEvent::Released { .. } => break false,
            WorkerEvent::Connected { .. }
            | WorkerEvent::Disconnected { .. }
            | WorkerEvent::Granted(_) => {}
        }
    };
    assert!(resumed);
    let second = get(controller.clients_port(), "/a").await.json();
    assert_eq!(second["requests"], 2);
    assert_eq!(second["epoch"], first["epoch"]);
    assert_eq!(keeper.seen(), []);
    controller.stop().await;
}

#[actix_rt::test]
async fn a_key_that_the_controller_forgot_is_closed_at_the_end_of_its_own_lease() {
    let script = Script::start().await;
    let clock = ManualClock::new();
    let (gate, mut keeper) = gate();
    let builder = Worker::builder()
        .controller(script.url())
        .clock(clock.clock());
    let worker = builder.actor(move |grant| Counter::new(grant, &gate));
    let worker = worker.unwrap().start();
    let mut before = script.welcome(SIX_SECONDS).await;
    let forgotten = before.grant(1, 1, "/forgotten");
    let kept = before.grant(2, 2, "/kept");
    for (grant, path) in [(forgotten, "/forgotten"), (kept, "/kept")] {
        let stream = before.request(grant, path);
        before.answer(stream).await.unwrap();
    }
    drop(before);
    until("the loss to be noticed", async || {
        let connection = &status(&worker).await[0].connection;
        matches!(connection, ConnectionStatus::Connecting { .. }).then_some(())
    })
    .await;
    // The longest first wait.
    clock.advance(Duration::from_millis(100));

    let mut after = script.welcome(SIX_SECONDS).await;
    let kept = after.grant(1, 2, "/kept");
    let stream = after.request(kept, "/kept");
    assert_eq!(after.answer(stream).await.unwrap().json()["requests"], 2);
    // To the end of the lease before; the one that runs goes on for another 100 ms.
    clock.advance(Duration::from_millis(5_150));
    let closing = closing_name("/forgotten", 1, ReleaseReason::LeaseEnded);
    after.during(keeper.passed(&closing)).await;
    let stream = after.request(kept, "/kept");
    let answer: Result<_, Ended> = after.answer(stream).await;
    assert_eq!(answer.unwrap().json()["requests"], 3);
}
