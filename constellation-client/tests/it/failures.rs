//! Handlers that panic, fail, or never answer.

use std::time::Duration;

use actix::Actor;
use constellation_client::{ManualClock, Worker};
use serde_json::json;

use crate::support::{
    behaviour::{self, Counter},
    connected,
    controller::Running,
    gate::gate,
    http::{Answer, get},
    script::{AN_HOUR, Script},
};

fn assert_internal_error(answer: &Answer, key: &str) {
    assert_eq!(answer.status, 500);
    assert_eq!(
        answer.json(),
        json!({
            "Error": "InternalError",
            "Message": "An internal error has been encountered.",
            "StatusCode": 500,
            "Description":
                format!("The worker failed to answer a request for resource {key}."),
        })
    );
    assert!(!answer.text().contains("asked to"), "why is for the log");
}

#[actix_rt::test]
async fn a_function_that_panics_or_fails_is_a_500_and_harms_no_other_request() {
    let controller = Running::start();
    let (gate, mut keeper) = gate();
    let builder = Worker::builder().controller(controller.workers_url());
    let worker = builder.handler(behaviour::function(&gate)).unwrap().start();
    connected(&worker).await;

    let port = controller.clients_port();
    let beside = actix_rt::spawn(async move { get(port, "/a?wait").await });
    keeper.entered("/a").await;
    for path in ["/a?panic", "/a?fail", "/a?panic"] {
        assert_internal_error(&get(port, path).await, "/a");
    }
    keeper.let_through("/a");
    let beside = beside.await.unwrap();
    assert_eq!((beside.status, beside.text()), (200, r#""/a""#));
    controller.stop().await;
}

#[actix_rt::test]
async fn an_actor_that_panics_is_a_500_and_made_anew_while_other_keys_go_on() {
    let controller = Running::start();
    let (gate, mut keeper) = gate();
    let builder = Worker::builder().controller(controller.workers_url());
    let worker = builder.actor(move |grant| Counter::new(grant, &gate));
    connected(&worker.unwrap().start()).await;

    let port = controller.clients_port();
    assert_eq!(get(port, "/a").await.json()["requests"], 1);
    let beside = actix_rt::spawn(async move { get(port, "/b?wait").await });
    keeper.entered("/b").await;
    assert_internal_error(&get(port, "/a?panic").await, "/a");
    assert_eq!(get(port, "/a").await.json()["requests"], 1, "made anew");
    keeper.let_through("/b");
    assert_eq!(beside.await.unwrap().json()["requests"], 1);
    assert_eq!(get(port, "/b").await.json()["requests"], 2);
    controller.stop().await;
}

#[actix_rt::test]
async fn an_actor_that_fails_is_a_500_and_goes_on() {
    let controller = Running::start();
    let (gate, _keeper) = gate();
    let builder = Worker::builder().controller(controller.workers_url());
    let worker = builder.actor(move |grant| Counter::new(grant, &gate));
    connected(&worker.unwrap().start()).await;

    let port = controller.clients_port();
    assert_internal_error(&get(port, "/a?fail").await, "/a");
    assert_eq!(get(port, "/a").await.json()["requests"], 2);
    controller.stop().await;
}

#[actix_rt::test]
async fn a_function_that_never_answers_times_out_and_other_requests_go_on() {
    let script = Script::start().await;
    let clock = ManualClock::new();
    let (gate, mut keeper) = gate();
    let builder = Worker::builder()
        .controller(script.url())
        .clock(clock.clock())
        .handler_timeout(Duration::from_secs(30));
    let _worker = builder.handler(behaviour::function(&gate)).unwrap().start();
    let mut peer = script.welcome(AN_HOUR).await;

    let grant = peer.grant(1, 1, "/a");
    let stuck = peer.request(grant, "/a?wait");
    peer.during(keeper.entered("/a")).await;
    clock.advance(Duration::from_millis(29_999));
    let other = peer.request(grant, "/a");
    assert_eq!(peer.answer(other).await.unwrap().status, 200);
    assert!(keeper.seen().is_empty(), "it still has a millisecond");

    clock.advance(Duration::from_millis(1));
    let answer = peer.answer(stuck).await.unwrap();
    assert_eq!(
        (answer.status, &answer.json()["Error"]),
        (504, &"Timeout".into())
    );
    peer.during(keeper.dropped("/a")).await;
}

#[actix_rt::test]
async fn an_actor_that_never_answers_times_out_and_its_key_and_others_go_on() {
    let script = Script::start().await;
    let clock = ManualClock::new();
    let (gate, mut keeper) = gate();
    let builder = Worker::builder()
        .controller(script.url())
        .clock(clock.clock())
        .handler_timeout(Duration::from_secs(30));
    let worker = builder.actor(move |grant| Counter::new(grant, &gate));
    let _worker = worker.unwrap().start();
    let mut peer = script.welcome(AN_HOUR).await;

    let a = peer.grant(1, 1, "/a");
    let b = peer.grant(2, 2, "/b");
    let stuck = peer.request(a, "/a?wait");
    peer.during(keeper.entered("/a")).await;
    let behind = peer.request(a, "/a");
    let other = peer.request(b, "/b");
    assert_eq!(peer.answer(other).await.unwrap().json()["requests"], 1);

    clock.advance(Duration::from_secs(30));
    let answer = peer.answer(stuck).await.unwrap();
    assert_eq!(
        (answer.status, &answer.json()["Error"]),
        (504, &"Timeout".into())
    );
    assert_eq!(peer.answer(behind).await.unwrap().json()["requests"], 2);
}
