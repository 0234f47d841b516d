//! A key is given back only when nothing of it runs in the App's thread any more.

use std::{sync::Arc, thread::current, time::Duration};

use actix::Actor;
use actix_web::{App, HttpRequest, web};
use constellation_actors::protocol::{frame::code::ResetCode, mux::event::Ended};
use constellation_client::{Drain, Grant, ManualClock, ReleaseReason, Worker, WorkerBuilder};

use crate::support::{
    PATIENCE,
    gate::{Gate, Passage, gate},
    script::{AN_HOUR, SIX_SECONDS, Said, Script},
};

/// Waits at the gate.
async fn wait(request: HttpRequest, gate: web::Data<Gate>) -> String {
    gate.pass(request.path()).await;
    format!("{:?}", current().id())
}

/// A worker that tells the gate of its closings, and in which thread they are.
fn builder(script: &Script, gate: &Gate) -> WorkerBuilder {
    let gate = gate.clone();
    Worker::builder()
        .controller(script.url())
        .threads(2)
        .on_closing(move |grant: Grant, reason: ReleaseReason| {
            let gate = gate.clone();
            async move {
                let (key, epoch) = (grant.key(), grant.epoch());
                gate.note(format!("closing {key} of {epoch}: {reason}"));
                gate.note(format!("{:?}", current().id()));
                gate.pass("closed").await;
            }
        })
}

/// Everything waits at the gate.
fn waiting(gate: &Gate) -> impl FnOnce(&mut web::ServiceConfig) + use<> {
    let gate = web::Data::new(gate.clone());
    move |application| {
        application.app_data(gate).default_service(web::to(wait));
    }
}

#[actix_rt::test]
async fn a_drain_waits_for_the_request_and_then_for_the_closing_in_the_keys_thread() {
    let script = Script::start().await;
    let (gate, mut keeper) = gate();
    let builder = builder(&script, &gate);
    let worker = builder.hosting(move || App::new().configure(waiting(&gate)));
    let worker = worker.unwrap().start();
    let mut peer = script.welcome(AN_HOUR).await;

    let grant = peer.grant(1, 5, "/a");
    let running = peer.request(grant, "/a");
    peer.during(keeper.entered("/a")).await;
    let drained = worker.send(Drain);
    let drained = actix_rt::spawn(drained);
    assert_eq!(peer.said().await, Said::Goaway("draining".to_owned()));
    peer.take_back(5, "/a");
    peer.flush().await;

    keeper.let_through("/a");
    let answer = peer.answer(running).await.unwrap();
    assert_eq!(peer.said().await, Said::Response(running));
    peer.during(keeper.passed("/a")).await;
    let closing = Passage::Passed(format!("closing /a of 5: {}", ReleaseReason::Drained));
    assert_eq!(peer.during(keeper.next()).await, closing);
    let thread = Passage::Passed(answer.text().to_owned());
    assert_eq!(peer.during(keeper.next()).await, thread, "the key's thread");
    peer.during(keeper.entered("closed")).await;
    keeper.let_through("closed");
    assert_eq!(peer.said().await, Said::Released("/a".to_owned(), 5));
    drop(peer);
    drained.abort();
}

#[actix_rt::test]
async fn the_leases_end_cancels_handlers_and_closes_what_they_used() {
    let script = Script::start().await;
    let clock = ManualClock::new();
    let (gate, mut keeper) = gate();
    let worker = builder(&script, &gate).clock(clock.clock());
    let worker = worker.hosting(move || App::new().configure(waiting(&gate)));
    let _worker = worker.unwrap().start();
    let mut peer = script.welcome(SIX_SECONDS).await;
    peer.fall_silent();

    let grant = peer.grant(1, 5, "/a");
    let running = peer.request(grant, "/a");
    peer.during(keeper.entered("/a")).await;
    clock.advance(Duration::from_millis(5_250));
    match peer.answer(running).await {
        Err(Ended::Reset {
            code: ResetCode::Internal,
            ..
        }) => {}
        answer => panic!("{answer:?}"),
    }
    peer.during(keeper.dropped("/a")).await;
    let closing = Passage::Passed(format!("closing /a of 5: {}", ReleaseReason::LeaseEnded));
    assert_eq!(peer.during(keeper.next()).await, closing);
}

#[actix_rt::test]
async fn a_key_is_not_given_back_while_a_cancelled_handler_still_has_its_thread() {
    let script = Script::start().await;
    let (unblock, blocked) = std::sync::mpsc::channel::<()>();
    let blocked = Arc::new(std::sync::Mutex::new(blocked));
    let (gate, mut keeper) = gate();
    let worker = Worker::builder()
        .controller(script.url())
        .threads(1)
        .drain_timeout(Duration::ZERO)
        .hosting(move || {
            let (blocked, gate) = (Arc::clone(&blocked), gate.clone());
            App::new().default_service(web::to(move || {
                gate.note("blocked");
                let _dropped = blocked
                    .lock()
                    .unwrap()
                    .recv_timeout(Duration::from_secs(20));
                gate.note("unblocked");
                async { "late" }
            }))
        });
    let _worker = worker.unwrap().start();
    let mut peer = script.welcome(AN_HOUR).await;

    let grant = peer.grant(1, 5, "/a");
    let running = peer.request(grant, "/a");
    peer.during(keeper.passed("blocked")).await;
    peer.take_back(5, "/a");
    // The worker gives the request up, and says nothing of the key yet.
    assert_eq!(peer.said().await, Said::Reset(running, ResetCode::Internal));
    unblock.send(()).unwrap();
    peer.during(keeper.passed("unblocked")).await;
    assert_eq!(peer.said().await, Said::Released("/a".to_owned(), 5));
}

#[actix_rt::test]
async fn a_key_is_not_given_back_while_a_handler_that_was_too_slow_still_has_its_thread() {
    let script = Script::start().await;
    let (unblock, blocked) = std::sync::mpsc::channel::<()>();
    let blocked = Arc::new(std::sync::Mutex::new(blocked));
    let (gate, mut keeper) = gate();
    let worker = Worker::builder()
        .controller(script.url())
        .threads(1)
        .handler_timeout(Duration::from_millis(20))
        .queue_per_thread_max(1)
        .hosting(move || {
            let (blocked, gate) = (Arc::clone(&blocked), gate.clone());
            App::new().default_service(web::to(move || {
                gate.note("blocked");
                let _dropped = blocked
                    .lock()
                    .unwrap()
                    .recv_timeout(Duration::from_secs(20));
                gate.note("unblocked");
                async { "late" }
            }))
        });
    let _worker = worker.unwrap().start();
    let mut peer = script.welcome(AN_HOUR).await;

    let grant = peer.grant(1, 5, "/a");
    let running = peer.request(grant, "/a");
    peer.during(keeper.passed("blocked")).await;
    assert_eq!(peer.answer(running).await.unwrap().status, 504);
    assert_eq!(peer.said().await, Said::Response(running));
    let other = peer.grant(2, 6, "/b");
    peer.request(other, "/b");
    peer.take_back(5, "/a");
    // Time for the worker to give it back, if it could: one waits for the thread, more are too many.
    for _ in 0..10 {
        let too_many = peer.request(other, "/b");
        let refused = Said::Reset(too_many, ResetCode::Overloaded);
        assert_eq!(peer.said().await, refused);
    }
    assert_eq!(keeper.seen(), []);
    unblock.send(()).unwrap();
    assert_eq!(peer.said().await, Said::Released("/a".to_owned(), 5));
    let seen = keeper.seen();
    assert_eq!(seen.first(), Some(&Passage::Passed("unblocked".to_owned())));
}

#[actix_rt::test]
async fn a_request_that_reaches_its_thread_after_the_leases_end_is_sent_back_as_not_begun() {
    let script = Script::start().await;
    let clock = ManualClock::new();
    let (unblock, blocked) = std::sync::mpsc::channel::<()>();
    let (say_later, later) = std::sync::mpsc::channel::<()>();
    let blocked = Arc::new(std::sync::Mutex::new(blocked));
    let (gate, mut keeper) = gate();
    let worker = Worker::builder()
        .controller(script.url())
        .clock(clock.clock())
        .threads(1)
        .queue_per_thread_max(1)
        .hosting(move || {
            let (blocked, gate) = (Arc::clone(&blocked), gate.clone());
            let say_later = say_later.clone();
            App::new().default_service(web::to(move |request: HttpRequest| {
                gate.note(request.path());
                let _dropped = blocked
                    .lock()
                    .unwrap()
                    .recv_timeout(Duration::from_secs(20));
                let say_later = say_later.clone();
                actix_rt::spawn(async move {
                    // Behind whatever waits for the thread.
                    for _ in 0..20 {
                        actix_rt::task::yield_now().await;
                    }
                    let _test_is_over = say_later.send(());
                });
                async { "late" }
            }))
        });
    let _worker = worker.unwrap().start();
    let mut peer = script.welcome(SIX_SECONDS).await;
    peer.fall_silent();

    let grant = peer.grant(1, 5, "/a");
    let _blocking = peer.request(grant, "/a?1");
    peer.during(keeper.passed("/a")).await;
    let waiting = peer.request(grant, "/a?2");
    let too_many = peer.request(grant, "/a?3");
    let refused = Said::Reset(too_many, ResetCode::Overloaded);
    assert_eq!(peer.said().await, refused, "there is one that waits");

    // Nothing of the session's thread, which is this one, runs until the App's has gone on.
    clock.advance(Duration::from_millis(5_250));
    unblock.send(()).unwrap();
    later.recv_timeout(PATIENCE).unwrap();
    assert_eq!(keeper.seen(), [], "no handler began for it");
    match peer.answer(waiting).await {
        Err(Ended::Reset { .. }) => {}
        answer => panic!("{answer:?}"),
    }
}

#[actix_rt::test]
async fn a_closing_that_panics_frees_its_key_and_harms_no_other() {
    let script = Script::start().await;
    let worker = Worker::builder()
        .controller(script.url())
        .threads(1)
        .on_closing(|_, _| -> std::future::Ready<()> { panic!("asked to") })
        .hosting(|| App::new().default_service(web::to(async || "good")));
    let _worker = worker.unwrap().start();
    let mut peer = script.welcome(AN_HOUR).await;

    for (number, key) in [(1, "/a"), (2, "/b")] {
        let grant = peer.grant(number, 5, key);
        let stream = peer.request(grant, key);
        assert_eq!(peer.answer(stream).await.unwrap().text(), "good");
        assert_eq!(peer.said().await, Said::Response(stream));
        peer.take_back(5, key);
        assert_eq!(peer.said().await, Said::Released(key.to_owned(), 5));
    }
}
