//! The App's threads: one for each key, apart from the thread that keeps the lease, and what
//! happens when one cannot begin, panics, or is full.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread::current,
    time::Duration,
};

use actix::Actor;
use actix_web::{App, HttpRequest, web};
use constellation_client::{ConnectionStatus, Worker};

use super::{builder, get, start};
use crate::support::{
    controller::Running,
    gate::gate,
    script::{AN_HOUR, Said, Script},
    status, until,
};

#[actix_rt::test]
async fn a_key_stays_in_its_thread_and_all_threads_have_keys() {
    let controller = Running::start_with(|builder| builder.routes([("/{key}/**", "/{key}")]));
    let made = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&made);
    let worker = builder(&controller).threads(3).hosting(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        let here = async || format!("{:?}", current().id());
        App::new().default_service(web::to(here))
    });
    let _worker = start(worker.unwrap()).await;

    let mut threads = Vec::new();
    for key in 0..32 {
        let first = get(&controller, &format!("/{key}")).await;
        let below = get(&controller, &format!("/{key}/below")).await;
        assert_eq!(first.text(), below.text(), "key {key}");
        threads.push(first.text().to_owned());
    }
    threads.sort_unstable();
    threads.dedup();
    assert_eq!(threads.len(), 3, "{threads:?}");
    assert!(!threads.contains(&format!("{:?}", current().id())));
    assert_eq!(made.load(Ordering::Relaxed), 3, "an App for each");
    controller.stop().await;
}

#[actix_rt::test]
async fn a_handler_that_panics_is_a_500_and_its_thread_goes_on() {
    let controller = Running::start();
    let (gate, mut keeper) = gate();
    let worker = builder(&controller).hosting(move || {
        let gate = gate.clone();
        App::new()
            .route(
                "/panics",
                web::to(async || -> &'static str { panic!("asked to") }),
            )
            .default_service(web::to(move |request: HttpRequest| {
                let gate = gate.clone();
                async move {
                    gate.pass(request.path()).await;
                    "beside"
                }
            }))
    });
    let _worker = start(worker.unwrap()).await;

    let port = controller.clients_port();
    let beside =
        actix_rt::task::spawn_blocking(move || constellation_testing::http::get(port, "/a"));
    keeper.entered("/a").await;
    for _ in 0..3 {
        let answer = get(&controller, "/panics").await;
        assert_eq!(
            (answer.status, &answer.json()["Error"]),
            (500, &"InternalError".into())
        );
        assert!(!answer.text().contains("asked to"), "why is for the log");
    }
    keeper.let_through("/a");
    assert_eq!(beside.await.unwrap().text(), "beside");
    controller.stop().await;
}

#[actix_rt::test]
async fn an_app_that_cannot_be_made_stops_the_worker_before_it_dials() {
    let failing = |panics: bool| {
        Worker::builder()
            .controller("ws://127.0.0.1:9")
            .threads(2)
            .hosting(move || {
                assert!(!panics, "asked to");
                App::new().data_factory(async || Err::<u8, _>("no database"))
            })
            .unwrap()
    };
    let error = failing(false).run().await.unwrap_err();
    assert!(
        error.to_string().contains("the App could not be made"),
        "{error}"
    );
    let error = failing(true).run().await.unwrap_err();
    assert!(error.to_string().contains("panicked"), "{error}");
    let worker = failing(false).start();
    until("the worker to be finished", async || {
        let status = status(&worker).await;
        (status[0].connection == ConnectionStatus::Finished).then_some(())
    })
    .await;
}

#[actix_rt::test]
async fn what_waits_for_a_blocked_thread_is_bounded_and_the_lease_goes_on() {
    let script = Script::start().await;
    let (unblock, blocked) = std::sync::mpsc::channel::<()>();
    let blocked = Arc::new(std::sync::Mutex::new(blocked));
    let (gate, mut keeper) = gate();
    let worker = Worker::builder()
        .controller(script.url())
        .threads(1)
        .queue_per_thread_max(1)
        .hosting(move || {
            let (blocked, gate) = (Arc::clone(&blocked), gate.clone());
            App::new()
                .route("/other", web::to(async || "other"))
                .default_service(web::to(move || {
                    gate.note("blocked");
                    let _dropped = blocked
                        .lock()
                        .unwrap()
                        .recv_timeout(Duration::from_secs(20));
                    async { "unblocked" }
                }))
        });
    let _worker = worker.unwrap().start();
    let mut peer = script.welcome(AN_HOUR).await;
    let grant = peer.grant(1, 1, "/a");
    let other = peer.grant(2, 2, "/other");

    let first = peer.request(grant, "/a");
    peer.during(keeper.passed("blocked")).await;
    let waits = peer.request(other, "/other");
    let refused = peer.request(other, "/other");
    // Its answer is there while the App's thread stands still: the session has one of its own.
    let code = match peer.said().await {
        Said::Reset(stream, code) if stream == refused => code,
        said => panic!("{said:?}"),
    };
    assert_eq!(
        code,
        constellation_actors::protocol::frame::code::ResetCode::Overloaded
    );

    unblock.send(()).unwrap();
    assert_eq!(peer.answer(first).await.unwrap().text(), "unblocked");
    assert_eq!(peer.answer(waits).await.unwrap().text(), "other");
}
