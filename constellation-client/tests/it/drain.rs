//! Leaving in order.

use actix::Actor;
use constellation_actors::protocol::frame::code::ResetCode;
use constellation_client::{ConnectionStatus, Drain, Drained, ReleaseReason, Stop, Worker};

use crate::support::{
    behaviour,
    behaviour::{Counter, closing_name},
    connected,
    controller::Running,
    gate::{Passage, gate},
    http::get,
    owned,
    script::{AN_HOUR, Said, Script},
    soon, status,
};

#[actix_rt::test]
async fn a_drain_answers_what_runs_then_releases_then_says_goodbye() {
    let script = Script::start().await;
    let (gate, mut keeper) = gate();
    let builder = Worker::builder().controller(script.url());
    let worker = builder.actor(move |grant| Counter::new(grant, &gate));
    let worker = worker.unwrap().start();
    let mut peer = script.welcome(AN_HOUR).await;
    let grant = peer.grant(1, 5, "/a");
    let running = peer.request(grant, "/a?wait");
    peer.during(keeper.entered("/a")).await;
    let waiting = peer.request(grant, "/a");
    let other = peer.grant(2, 6, "/b");
    let other = peer.request(other, "/b");
    peer.answer(other).await.unwrap();
    assert_eq!(peer.said().await, Said::Response(other));

    let drained = worker.send(Drain);
    let drained = actix_rt::spawn(drained);
    let mut first = [peer.said().await, peer.said().await, peer.said().await];
    first.sort_by_key(|said| format!("{said:?}"));
    assert_eq!(
        first,
        [
            Said::Goaway("draining".into()),
            Said::Released("/b".into(), 6),
            Said::Reset(waiting, ResetCode::Refused),
        ]
    );
    let late = peer.request(grant, "/a");
    assert_eq!(peer.said().await, Said::Reset(late, ResetCode::Refused));
    let unwanted = peer.grant(3, 9, "/c");
    let unwanted = peer.request(unwanted, "/c");
    assert_eq!(peer.said().await, Said::Reset(unwanted, ResetCode::Refused));
    assert_eq!(
        owned(&worker).await.len(),
        1,
        "it is given back only when it is free"
    );

    keeper.let_through("/a");
    assert_eq!(peer.said().await, Said::Response(running));
    assert_eq!(peer.said().await, Said::Released("/a".into(), 5));
    assert_eq!(peer.said().await, Said::Goaway("goodbye".into()));
    assert_eq!(peer.said().await, Said::Closed);
    let expected = Drained {
        keys: 2,
        told: 1,
        untold: 0,
    };
    assert_eq!(peer.during(drained).await.unwrap().unwrap(), expected);
    let closed = |key, epoch| Passage::Passed(closing_name(key, epoch, ReleaseReason::Drained));
    assert_eq!(
        keeper.seen(),
        [
            closed("/b", 6),
            Passage::Passed("/a".into()),
            closed("/a", 5)
        ]
    );
    assert_eq!(
        status(&worker).await[0].connection,
        ConnectionStatus::Finished
    );
}

#[actix_rt::test]
async fn a_drained_workers_keys_go_to_another_at_once() {
    let controller = Running::start();
    let (gate, _keeper) = gate();
    let worker = |name: &str| {
        let gate = gate.clone();
        let builder = Worker::builder()
            .controller(controller.workers_url())
            .name(name);
        let worker = builder.actor(move |grant| Counter::new(grant, &gate));
        worker.unwrap().start()
    };
    let first = worker("first");
    connected(&first).await;
    let before = get(controller.clients_port(), "/a").await.json();
    let second = worker("second");
    connected(&second).await;

    let expected = Drained {
        keys: 1,
        told: 1,
        untold: 0,
    };
    assert_eq!(soon("a drain", first.send(Drain)).await.unwrap(), expected);
    let after = get(controller.clients_port(), "/a").await.json();
    assert_eq!(after["requests"], 1, "another actor");
    assert!(after["epoch"].as_u64() > before["epoch"].as_u64());
    assert_eq!(owned(&second).await.len(), 1);
    assert_eq!(owned(&first).await, []);
    controller.stop().await;
}

#[actix_rt::test]
async fn a_stop_cancels_what_runs_and_ends_the_actor() {
    let script = Script::start().await;
    let (gate, mut keeper) = gate();
    let builder = Worker::builder().controller(script.url());
    let worker = builder.handler(behaviour::function(&gate)).unwrap().start();
    let mut peer = script.welcome(AN_HOUR).await;
    let grant = peer.grant(1, 5, "/a");
    let running = peer.request(grant, "/a?wait");
    peer.during(keeper.entered("/a")).await;

    let stopped = actix_rt::spawn(worker.send(Stop));
    peer.during(keeper.dropped("/a")).await;
    let mut heard = Vec::new();
    while heard.last() != Some(&Said::Closed) {
        heard.push(peer.said().await);
    }
    assert_eq!(
        heard,
        [
            Said::Goaway("draining".into()),
            Said::Reset(running, ResetCode::Internal),
            Said::Released("/a".into(), 5),
            Said::Goaway("goodbye".into()),
            Said::Closed,
        ]
    );
    assert_eq!(peer.during(stopped).await.unwrap().unwrap().told, 1);
    assert!(!worker.connected());
}

#[actix_rt::test]
async fn a_worker_that_was_never_connected_drains_and_says_that_nobody_was_told() {
    let script = Script::start().await;
    let (gate, _keeper) = gate();
    let builder = Worker::builder().controller(script.url());
    let worker = builder.handler(behaviour::function(&gate)).unwrap().start();
    // It has said hello and got no answer.
    let _peer = script.accept().await;

    let expected = Drained {
        keys: 0,
        told: 0,
        untold: 1,
    };
    assert_eq!(soon("a drain", worker.send(Drain)).await.unwrap(), expected);
    assert_eq!(
        status(&worker).await[0].connection,
        ConnectionStatus::Finished
    );
}

#[actix_rt::test]
async fn a_drain_that_meets_a_welcome_still_ends() {
    let script = Script::start().await;
    let (gate, _keeper) = gate();
    let builder = Worker::builder().controller(script.url());
    let worker = builder.handler(behaviour::function(&gate)).unwrap().start();
    let mut peer = script.accept().await;
    peer.welcome(AN_HOUR);
    // Both lie before the worker when its connection gets its next turn.
    peer.flush().await;
    let drained = worker.send(Drain);

    soon("a drain", drained).await.unwrap();
    assert_eq!(
        status(&worker).await[0].connection,
        ConnectionStatus::Finished
    );
}
