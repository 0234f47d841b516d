//! An actor for each key.

use std::time::Duration;

use actix::Actor;
use constellation_actors::protocol::{frame::code::ResetCode, mux::event::Ended};
use constellation_client::Worker;

use crate::support::{
    behaviour::Counter,
    connected,
    controller::Running,
    gate::{Passage, gate},
    http::{ask, get},
    script::{AN_HOUR, Script},
};

#[actix_rt::test]
async fn an_actor_keeps_its_state_and_shares_it_with_no_other_key() {
    let controller = Running::start();
    let (gate, _keeper) = gate();
    let builder = Worker::builder().controller(controller.workers_url());
    let worker = builder.actor(move |grant| Counter::new(grant, &gate));
    connected(&worker.unwrap().start()).await;

    let port = controller.clients_port();
    for (key, requests) in [("/a", 1), ("/a", 2), ("/b", 1), ("/a", 3)] {
        let answer = get(port, key).await.json();
        assert_eq!(
            (&answer["key"], &answer["requests"]),
            (&key.into(), &requests.into())
        );
    }
    controller.stop().await;
}

#[actix_rt::test]
async fn an_actor_gets_one_request_at_a_time_while_keys_run_side_by_side() {
    let script = Script::start().await;
    let (gate, mut keeper) = gate();
    let builder = Worker::builder().controller(script.url());
    let worker = builder.actor(move |grant| Counter::new(grant, &gate));
    let _worker = worker.unwrap().start();
    let mut peer = script.welcome(AN_HOUR).await;

    let a = peer.grant(1, 1, "/a");
    let b = peer.grant(2, 2, "/b");
    let first = peer.request(a, "/a?wait");
    let second = peer.request(a, "/a?wait");
    let third = peer.request(a, "/a");
    let other = peer.request(b, "/b?wait");
    peer.during(keeper.entered("/a")).await;
    peer.during(keeper.entered("/b")).await;
    // What came last on the wire has been answered, so whatever could begin has begun.
    let last = peer.request(b, "/b?nothing");
    keeper.let_through("/b");
    assert_eq!(peer.answer(other).await.unwrap().json()["requests"], 1);
    assert_eq!(peer.answer(last).await.unwrap().json()["requests"], 2);
    assert_eq!(keeper.seen(), [Passage::Passed("/b".into())]);

    keeper.let_through("/a");
    assert_eq!(peer.answer(first).await.unwrap().json()["requests"], 1);
    keeper.passed("/a").await;
    peer.during(keeper.entered("/a")).await;
    keeper.let_through("/a");
    assert_eq!(peer.answer(second).await.unwrap().json()["requests"], 2);
    assert_eq!(peer.answer(third).await.unwrap().json()["requests"], 3);
}

#[actix_rt::test]
async fn a_concurrent_actor_gets_requests_as_they_come() {
    let script = Script::start().await;
    let (gate, mut keeper) = gate();
    let builder = Worker::builder().controller(script.url()).concurrent();
    let worker = builder.actor(move |grant| Counter::new(grant, &gate));
    let _worker = worker.unwrap().start();
    let mut peer = script.welcome(AN_HOUR).await;

    let grant = peer.grant(1, 1, "/a");
    let waiting = peer.request(grant, "/a?wait");
    peer.during(keeper.entered("/a")).await;
    let overtaking = peer.request(grant, "/a");
    assert_eq!(peer.answer(overtaking).await.unwrap().json()["requests"], 2);
    keeper.let_through("/a");
    assert_eq!(peer.answer(waiting).await.unwrap().json()["requests"], 1);
}

#[actix_rt::test]
async fn more_requests_than_may_wait_are_sent_back_as_overload() {
    let script = Script::start().await;
    let (gate, mut keeper) = gate();
    let builder = Worker::builder()
        .controller(script.url())
        .queue_per_key_max(1);
    let worker = builder.actor(move |grant| Counter::new(grant, &gate));
    let _worker = worker.unwrap().start();
    let mut peer = script.welcome(AN_HOUR).await;

    let grant = peer.grant(1, 1, "/a");
    let running = peer.request(grant, "/a?wait");
    peer.during(keeper.entered("/a")).await;
    let waiting = peer.request(grant, "/a");
    let too_many = peer.request(grant, "/a");
    let ended = peer.answer(too_many).await.unwrap_err();
    assert!(
        matches!(
            ended,
            Ended::Reset {
                code: ResetCode::Overloaded,
                ..
            }
        ),
        "{ended:?}"
    );
    keeper.let_through("/a");
    assert_eq!(peer.answer(running).await.unwrap().json()["requests"], 1);
    assert_eq!(peer.answer(waiting).await.unwrap().json()["requests"], 2);
}

#[actix_rt::test]
async fn an_actor_is_told_within_100_ms_that_its_client_went_away() {
    let controller = Running::start();
    let (gate, mut keeper) = gate();
    let builder = Worker::builder().controller(controller.workers_url());
    let worker = builder.actor(move |grant| Counter::new(grant, &gate));
    connected(&worker.unwrap().start()).await;

    let client = ask(controller.clients_port(), "/a?cancelled").await;
    keeper.passed("begun").await;
    drop(client);

    let told = tokio::time::timeout(Duration::from_millis(100), keeper.passed("cancelled")).await;
    assert!(told.is_ok(), "the actor was not told");
    controller.stop().await;
}

#[actix_rt::test]
async fn a_request_that_was_given_up_while_it_waited_never_reaches_its_actor() {
    let script = Script::start().await;
    let (gate, mut keeper) = gate();
    let builder = Worker::builder().controller(script.url());
    let worker = builder.actor(move |grant| Counter::new(grant, &gate));
    let _worker = worker.unwrap().start();
    let mut peer = script.welcome(AN_HOUR).await;

    let grant = peer.grant(1, 1, "/a");
    let running = peer.request(grant, "/a?wait");
    peer.during(keeper.entered("/a")).await;
    let given_up = peer.request(grant, "/a");
    let last = peer.request(grant, "/a");
    peer.cancel(given_up);
    // Answered only after the worker has read what was said before.
    let other = peer.grant(2, 2, "/b");
    let other = peer.request(other, "/b");
    peer.answer(other).await.unwrap();
    keeper.let_through("/a");
    assert_eq!(peer.answer(running).await.unwrap().json()["requests"], 1);
    assert_eq!(peer.answer(last).await.unwrap().json()["requests"], 2);
}
