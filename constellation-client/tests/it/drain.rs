//! Leaving in order.

use actix::Actor;
use constellation_actors::{
    ownership::rules::HANDOVER_STALL, placement::grant::GrantId, protocol::frame::code::ResetCode,
};
use constellation_client::{
    ConnectionStatus, Drain, Drained, ManualClock, ReleaseReason, Stop, Worker,
};

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
async fn a_drain_serves_each_key_until_the_controller_takes_it_and_then_says_goodbye() {
    let script = Script::start().await;
    let (gate, mut keeper) = gate();
    let builder = Worker::builder().controller(script.url());
    let worker = builder.actor(move |grant| Counter::new(grant, &gate));
    let worker = worker.unwrap().start();
    let mut peer = script.welcome(AN_HOUR).await;
    let grant = peer.grant(1, 5, "/a");
    let running = peer.request(grant, "/a?wait");
    peer.during(keeper.entered("/a")).await;
    let other = peer.grant(2, 6, "/b");
    let served = peer.request(other, "/b");
    assert_eq!(peer.said().await, Said::Response(served));

    let drained = actix_rt::spawn(worker.send(Drain));
    assert_eq!(peer.said().await, Said::Goaway("draining".into()));
    let served = peer.request(other, "/b");
    assert_eq!(peer.said().await, Said::Response(served));
    let unwanted = peer.grant(3, 9, "/c");
    let unwanted = peer.request(unwanted, "/c");
    assert_eq!(peer.said().await, Said::Released("/c".into(), 9));
    assert_eq!(peer.said().await, Said::Reset(unwanted, ResetCode::Refused));

    let waiting = peer.request(grant, "/a");
    peer.take_back(5, "/a");
    let late = peer.request(grant, "/a");
    let served = peer.request(other, "/b");
    assert_eq!(peer.said().await, Said::Response(served));
    assert_eq!(
        owned(&worker).await.len(),
        2,
        "it is given back only when it is free"
    );
    keeper.let_through("/a");
    assert_eq!(peer.said().await, Said::Response(running));
    assert_eq!(peer.said().await, Said::Released("/a".into(), 5));
    // Only now, so that the controller asks the next owner.
    assert_eq!(peer.said().await, Said::Reset(waiting, ResetCode::Refused));
    assert_eq!(peer.said().await, Said::Reset(late, ResetCode::Refused));

    peer.take_back(6, "/b");
    assert_eq!(peer.said().await, Said::Released("/b".into(), 6));
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
            Passage::Passed("/a".into()),
            closed("/a", 5),
            closed("/b", 6)
        ]
    );
    assert_eq!(
        status(&worker).await[0].connection,
        ConnectionStatus::Finished
    );
}

#[actix_rt::test]
async fn keys_that_the_controller_does_not_take_are_released_after_what_runs() {
    let script = Script::start().await;
    let clock = ManualClock::new();
    let (gate, mut keeper) = gate();
    let builder = Worker::builder()
        .controller(script.url())
        .clock(clock.clock());
    let worker = builder.actor(move |grant| Counter::new(grant, &gate));
    let worker = worker.unwrap().start();
    let mut peer = script.welcome(AN_HOUR).await;
    let grant = peer.grant(1, 5, "/a");
    let running = peer.request(grant, "/a?wait");
    peer.during(keeper.entered("/a")).await;
    let other = peer.grant(2, 6, "/b");
    let other = peer.request(other, "/b");
    peer.answer(other).await.unwrap();
    assert_eq!(peer.said().await, Said::Response(other));

    let drained = actix_rt::spawn(worker.send(Drain));
    assert_eq!(peer.said().await, Said::Goaway("draining".into()));
    clock.advance(HANDOVER_STALL);
    assert_eq!(peer.said().await, Said::Released("/b".into(), 6));
    let late = peer.request(grant, "/a");
    let unknown = peer.request(GrantId::new(3), "/c");
    assert_eq!(peer.said().await, Said::Reset(unknown, ResetCode::Refused));
    keeper.let_through("/a");
    assert_eq!(peer.said().await, Said::Response(running));
    assert_eq!(peer.said().await, Said::Released("/a".into(), 5));
    assert_eq!(peer.said().await, Said::Reset(late, ResetCode::Refused));
    assert_eq!(peer.said().await, Said::Goaway("goodbye".into()));
    assert_eq!(peer.said().await, Said::Closed);
    assert_eq!(peer.during(drained).await.unwrap().unwrap().told, 1);
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

#[actix_rt::test]
async fn a_drain_whose_connection_is_lost_waits_for_no_controller() {
    let script = Script::start().await;
    let clock = ManualClock::new();
    let (gate, mut keeper) = gate();
    let builder = Worker::builder()
        .controller(script.url())
        .clock(clock.clock());
    let worker = builder.actor(move |grant| Counter::new(grant, &gate));
    let worker = worker.unwrap().start();
    let mut peer = script.welcome(AN_HOUR).await;
    let grant = peer.grant(1, 5, "/a");
    let stream = peer.request(grant, "/a");
    peer.answer(stream).await.unwrap();
    assert_eq!(peer.said().await, Said::Response(stream));

    let drained = actix_rt::spawn(worker.send(Drain));
    assert_eq!(peer.said().await, Said::Goaway("draining".into()));
    drop(peer);
    let expected = Drained {
        keys: 1,
        told: 0,
        untold: 1,
    };
    assert_eq!(
        soon("a drain", drained).await.unwrap().unwrap(),
        expected,
        "and no time has passed"
    );
    let closing = closing_name("/a", 5, ReleaseReason::Drained);
    assert_eq!(keeper.seen(), [Passage::Passed(closing)]);
}
