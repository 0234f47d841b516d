//! Bodies that are longer than anything that is kept in memory.

use std::{
    cell::Cell,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use actix::Actor;
use bytes::Bytes;
use constellation_client::{HandlerError, Request, Response, Worker};
use constellation_testing::http;
use futures::stream;

use crate::support::{
    connected,
    controller::Running,
    gate::gate,
    script::{AN_HOUR, Script},
};

const MIB: usize = 1024 * 1024;

/// How much a stream sends at a time.
const CHUNK: usize = 32 * 1024;

/// What one side may have ahead of the other: the exchange's credit, the room for content that
/// waits to be sent, and a chunk in hand.
const AHEAD_MAX: usize = 256 * 1024 + 256 * 1024 + 2 * CHUNK;

/// Bytes of which no two stretches are alike.
fn content(length: usize) -> Bytes {
    (0_u32..)
        .flat_map(|number| number.wrapping_mul(0x9e37_79b1).to_be_bytes())
        .take(length)
        .collect()
}

#[actix_rt::test]
async fn eight_mebibytes_pass_both_ways_unharmed() {
    let controller = Running::start();
    let builder = Worker::builder().controller(controller.workers_url());
    let worker = builder
        .handler(async |request: Request| Response::ok().stream(request.into_body()))
        .unwrap()
        .start();
    connected(&worker).await;

    let sent = content(8 * MIB);
    let port = controller.clients_port();
    let request = http::bytes("POST", "/a", &[], &sent);
    let exchange = move || http::Connection::open(port).exchange(&request);
    let answer = actix_rt::task::spawn_blocking(exchange).await.unwrap();
    assert_eq!(answer.status, 200);
    assert!(answer.body == sent, "{} bytes came back", answer.body.len());
    controller.stop().await;
}

#[actix_rt::test]
async fn a_client_that_does_not_read_holds_up_the_stream_and_nothing_else() {
    let script = Script::start().await;
    let made = Arc::new(AtomicUsize::new(0));
    let builder = Worker::builder().controller(script.url());
    let counted = Arc::clone(&made);
    let worker = builder.handler(move |request: Request| {
        let made = Arc::clone(&counted);
        async move {
            if request.key().as_str() == "/small" {
                return Response::ok();
            }
            let chunks = content(8 * MIB);
            let chunks = (0..8 * MIB / CHUNK).map(move |at| {
                made.fetch_add(CHUNK, Ordering::Relaxed);
                Ok::<_, HandlerError>(chunks.slice(at * CHUNK..(at + 1) * CHUNK))
            });
            Response::ok().stream(stream::iter(chunks))
        }
    });
    let _worker = worker.unwrap().start();
    let mut peer = script.welcome(AN_HOUR).await;

    let large = peer.grant(1, 1, "/large");
    let large = peer.request(large, "/large");
    assert_eq!(peer.head(large).await.unwrap().0, 200);
    peer.received(256 * 1024).await;
    // Time for the worker to go on, if it could.
    let small = peer.grant(2, 2, "/small");
    for _ in 0..10 {
        let stream = peer.request(small, "/small");
        assert_eq!(peer.answer(stream).await.unwrap().status, 200);
    }
    assert_eq!(
        peer.content_received(),
        256 * 1024,
        "the credit, to the byte"
    );
    let ahead = made.load(Ordering::Relaxed);
    assert!(ahead <= AHEAD_MAX, "{ahead} bytes were made for nobody");

    let mut whole = Vec::new();
    while let Some(chunk) = peer.chunk(large).await {
        whole.extend_from_slice(&chunk.unwrap());
    }
    assert!(whole == content(8 * MIB), "{} bytes came", whole.len());
}

#[actix_rt::test]
async fn a_handler_that_does_not_read_holds_up_the_sender_and_nothing_else() {
    let script = Script::start().await;
    let (gate, mut keeper) = gate();
    let builder = Worker::builder().controller(script.url());
    let read = Rc::new(Cell::new(0));
    let counted = Rc::clone(&read);
    let worker = builder.handler(move |mut request: Request| {
        let (gate, read) = (gate.clone(), Rc::clone(&counted));
        async move {
            if request.key().as_str() == "/small" {
                return Ok::<_, HandlerError>(Response::ok());
            }
            gate.pass("reading").await;
            let body = request.body().bytes(8 * MIB).await?;
            read.set(body.len());
            Ok(Response::ok().json(&(body == content(8 * MIB))))
        }
    });
    let _worker = worker.unwrap().start();
    let mut peer = script.welcome(AN_HOUR).await;

    let large = peer.grant(1, 1, "/large");
    let large = peer.open(large, "/large", false, &[]);
    let small = peer.grant(2, 2, "/small");
    let mut rest = content(8 * MIB);
    peer.during(keeper.entered("reading")).await;
    peer.send_what_goes(large, &mut rest).await;
    for _ in 0..10 {
        let stream = peer.request(small, "/small");
        assert_eq!(peer.answer(stream).await.unwrap().status, 200);
        peer.send_what_goes(large, &mut rest).await;
    }
    let sent = 8 * MIB - rest.len() - peer.unsent();
    assert_eq!(sent, 256 * 1024, "the credit, to the byte");
    assert_eq!(read.get(), 0);

    keeper.let_through("reading");
    peer.send_all(large, &mut rest).await;
    assert_eq!(peer.answer(large).await.unwrap().text(), "true");
}
