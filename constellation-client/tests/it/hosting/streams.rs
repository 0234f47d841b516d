//! Bodies that are made while they are sent, and clients that go away.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use actix::Actor;
use actix_web::{App, HttpRequest, HttpResponse, body::SizedStream, web};
use bytes::Bytes;
use constellation_client::Worker;
use constellation_testing::http::Connection;
use futures::{StreamExt, stream};
use tokio::sync::mpsc::unbounded_channel;

use super::{builder, get, start};
use crate::support::{
    controller::Running,
    gate::{Gate, gate},
    http::ask,
    script::{AN_HOUR, Script},
};

const MIB: usize = 1024 * 1024;

/// How much a stream sends at a time.
const CHUNK: usize = 32 * 1024;

/// What one side may have ahead of the other: the exchange's credit, the room for content that
/// waits to be sent, and the chunks on their way between the threads.
const AHEAD_MAX: usize = 256 * 1024 + 256 * 1024 + 4 * CHUNK;

#[actix_rt::test]
async fn an_event_reaches_the_client_before_the_next_one_is_made() {
    let controller = Running::start();
    let (gate, mut keeper) = gate();
    let worker = builder(&controller).hosting(move || {
        let gate = gate.clone();
        App::new().route(
            "/events",
            web::get().to(move || {
                let gate = gate.clone();
                let events = stream::iter(1..=3).then(move |number| {
                    let gate = gate.clone();
                    async move {
                        gate.pass("event").await;
                        Ok::<_, Infallible>(Bytes::from(format!("data: {number}\n\n")))
                    }
                });
                let response = HttpResponse::Ok()
                    .content_type("text/event-stream")
                    .streaming(events);
                async { response }
            }),
        )
    });
    let _worker = start(worker.unwrap()).await;

    let port = controller.clients_port();
    let (said, mut heard) = unbounded_channel();
    let listening = actix_rt::task::spawn_blocking(move || {
        let mut connection = Connection::open(port);
        connection.send(b"GET /events HTTP/1.1\r\nhost: a\r\n\r\n");
        let mut text = String::new();
        while !text.ends_with("\r\n0\r\n\r\n") {
            text.push_str(std::str::from_utf8(&connection.read_some()).unwrap());
            said.send(text.clone()).unwrap();
        }
    });
    for number in 1..=3 {
        keeper.entered("event").await;
        keeper.let_through("event");
        keeper.passed("event").await;
        let event = format!("data: {number}\n\n\r\n");
        let came = async { while !heard.recv().await.unwrap().contains(&event) {} };
        crate::support::soon("the event", came).await;
    }
    listening.await.unwrap();
    controller.stop().await;
}

/// Waits at the gate in its handler or in its body, as its path says.
async fn wait(request: HttpRequest, gate: web::Data<Gate>) -> HttpResponse {
    let name = request.path().to_owned();
    if name == "/handler" {
        gate.pass(&name).await;
    }
    let body = stream::once(async move {
        gate.pass(&name).await;
        Ok::<_, Infallible>(Bytes::new())
    });
    HttpResponse::Ok().streaming(body)
}

#[actix_rt::test]
async fn a_client_that_goes_away_ends_the_handler_or_the_body() {
    let controller = Running::start();
    let (gate, mut keeper) = gate();
    let worker = builder(&controller).hosting(move || {
        App::new()
            .app_data(web::Data::new(gate.clone()))
            .default_service(web::to(wait))
    });
    let _worker = start(worker.unwrap()).await;

    for path in ["/handler", "/body"] {
        let client = ask(controller.clients_port(), path).await;
        keeper.entered(path).await;
        drop(client);
        keeper.dropped(path).await;
    }
    controller.stop().await;
}

#[actix_rt::test]
async fn a_handler_that_takes_too_long_is_ended_and_the_client_is_told() {
    let controller = Running::start();
    let (gate, mut keeper) = gate();
    let worker = builder(&controller)
        .handler_timeout(Duration::from_millis(50))
        .hosting(move || {
            App::new()
                .app_data(web::Data::new(gate.clone()))
                .default_service(web::to(wait))
        });
    let _worker = start(worker.unwrap()).await;

    let answer = get(&controller, "/handler").await;
    assert_eq!(
        (answer.status, &answer.json()["Error"]),
        (504, &"Timeout".into())
    );
    keeper.entered("/handler").await;
    keeper.dropped("/handler").await;
    controller.stop().await;
}

#[actix_rt::test]
async fn a_client_that_does_not_read_holds_up_the_body_and_nothing_else() {
    let script = Script::start().await;
    let made = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&made);
    let worker = Worker::builder()
        .controller(script.url())
        .threads(1)
        .hosting(move || {
            let made = Arc::clone(&counted);
            App::new().route("/small", web::to(async || "small")).route(
                "/large",
                web::to(move || {
                    let made = Arc::clone(&made);
                    let chunks = stream::repeat_with(move || {
                        made.fetch_add(CHUNK, Ordering::Relaxed);
                        Ok::<_, Infallible>(Bytes::from(vec![7; CHUNK]))
                    });
                    let body = SizedStream::new(8 * MIB as u64, chunks.take(8 * MIB / CHUNK));
                    async { HttpResponse::Ok().body(body) }
                }),
            )
        });
    let _worker = worker.unwrap().start();
    let mut peer = script.welcome(AN_HOUR).await;

    let large = peer.grant(1, 1, "/large");
    let large = peer.request(large, "/large");
    assert_eq!(peer.head(large).await.unwrap().0, 200);
    peer.received(256 * 1024).await;
    let small = peer.grant(2, 2, "/small");
    for _ in 0..10 {
        let stream = peer.request(small, "/small");
        assert_eq!(peer.answer(stream).await.unwrap().text(), "small");
    }
    assert_eq!(
        peer.content_received(),
        256 * 1024,
        "the credit, to the byte"
    );
    let ahead = made.load(Ordering::Relaxed);
    assert!(ahead <= AHEAD_MAX, "{ahead} bytes were made for nobody");

    let mut whole = 0;
    while let Some(chunk) = peer.chunk(large).await {
        whole += chunk.unwrap().len();
    }
    assert_eq!(whole, 8 * MIB);
}

#[actix_rt::test]
async fn a_handler_that_does_not_read_holds_up_the_sender_until_it_does() {
    let script = Script::start().await;
    let (gate, mut keeper) = gate();
    let worker = Worker::builder()
        .controller(script.url())
        .threads(1)
        .hosting(move || {
            let gate = gate.clone();
            App::new().default_service(web::to(move |mut payload: web::Payload| {
                let gate = gate.clone();
                async move {
                    gate.pass("reading").await;
                    let mut bytes = 0;
                    while let Some(chunk) = payload.next().await {
                        bytes += chunk?.len();
                    }
                    Ok::<_, actix_web::Error>(bytes.to_string())
                }
            }))
        });
    let _worker = worker.unwrap().start();
    let mut peer = script.welcome(AN_HOUR).await;

    let grant = peer.grant(1, 1, "/a");
    let stream = peer.open(grant, "/a", false, &[]);
    let mut rest = Bytes::from(vec![7; 8 * MIB]);
    peer.during(keeper.entered("reading")).await;
    peer.send_what_goes(stream, &mut rest).await;
    peer.flush().await;
    let sent = 8 * MIB - rest.len() - peer.unsent();
    assert_eq!(sent, 256 * 1024, "the credit, to the byte");

    keeper.let_through("reading");
    peer.send_all(stream, &mut rest).await;
    assert_eq!(
        peer.answer(stream).await.unwrap().text(),
        (8 * MIB).to_string()
    );
}

/// Begins, and fails or panics when the gate lets it go on.
async fn fail(request: HttpRequest, gate: web::Data<Gate>) -> HttpResponse {
    let path = request.path().to_owned();
    let body = stream::iter(0..2).then(move |number| {
        let (gate, path) = (gate.clone(), path.clone());
        async move {
            if number == 0 {
                return Ok(Bytes::from_static(b"begun"));
            }
            gate.pass(&path).await;
            assert_eq!(path, "/fails", "a panic");
            Err(std::io::Error::other("asked to"))
        }
    });
    HttpResponse::Ok().streaming(body)
}

#[actix_rt::test]
async fn a_body_that_fails_or_panics_breaks_its_answer_off_and_harms_no_other() {
    let controller = Running::start();
    let (gate, mut keeper) = gate();
    let worker = builder(&controller).hosting(move || {
        App::new()
            .app_data(web::Data::new(gate.clone()))
            .route("/good", web::to(async || "good"))
            .default_service(web::to(fail))
    });
    let _worker = start(worker.unwrap()).await;

    for path in ["/fails", "/panics"] {
        let port = controller.clients_port();
        let (said, begun) = tokio::sync::oneshot::channel();
        let reading = actix_rt::task::spawn_blocking(move || {
            let mut connection = Connection::open(port);
            connection.send(format!("GET {path} HTTP/1.1\r\nhost: a\r\n\r\n").as_bytes());
            let mut text = String::new();
            while !text.contains("begun") {
                text.push_str(std::str::from_utf8(&connection.read_some()).unwrap());
            }
            said.send(()).unwrap();
            loop {
                let some = connection.read_some();
                if some.is_empty() {
                    return text;
                }
                text.push_str(std::str::from_utf8(&some).unwrap());
            }
        });
        keeper.entered(path).await;
        crate::support::soon("the beginning", begun).await.unwrap();
        keeper.let_through(path);
        keeper.passed(path).await;
        let text = crate::support::soon("the end", reading).await.unwrap();
        assert!(!text.ends_with("0\r\n\r\n"), "{path} looks whole: {text}");
        assert_eq!(get(&controller, "/good").await.text(), "good");
    }
    controller.stop().await;
}
