//! A function that handles every request.

use std::time::Duration;

use actix::Actor;
use actix_web::{App, test, web};
use bytes::Bytes;
use constellation_actors::{BuildError, Controller};
use constellation_client::{Request, Response, Worker};
use serde_json::{Value, json};

use crate::support::{
    behaviour, connected,
    controller::Running,
    gate::gate,
    http::{ask, get_with, post},
    owned,
    script::{AN_HOUR, Script},
};

/// Answers with what the handler saw of the request.
async fn describe(mut request: Request) -> Response {
    let body = request.body().bytes(1024).await.unwrap();
    let ours = ["x-constellation-key", "x-constellation-epoch", "X-Mine"].map(|name| {
        let values = request.headers().get_all(name).map(String::from_utf8_lossy);
        values.map(String::from).collect::<Vec<_>>()
    });
    Response::new(201).json(&json!({
        "method": request.method(),
        "path": request.path(),
        "query": request.query(),
        "key": request.key().as_str(),
        "epoch": request.epoch().get(),
        "body": String::from_utf8_lossy(&body),
        "headers": ours,
        "has_id": !request.id().is_empty(),
    }))
}

#[actix_rt::test]
async fn a_function_sees_the_request_and_its_response_reaches_the_client() {
    let controller = Running::start();
    let builder = Worker::builder().controller(controller.workers_url());
    let worker = builder.handler(describe).unwrap().start();
    connected(&worker).await;

    let body = Bytes::from_static(b"hello");
    let answer = post(controller.clients_port(), "/a%20b/c?d=e", body).await;

    let epoch = owned(&worker).await[0].epoch.get();
    assert_eq!(answer.status, 201);
    assert_eq!(
        answer.json(),
        json!({
            "method": "POST",
            "path": "/a%20b/c",
            "query": "d=e",
            "key": "/a%20b/c",
            "epoch": epoch,
            "body": "hello",
            "headers": [["/a%20b/c"], [epoch.to_string()], []],
            "has_id": true,
        })
    );
    controller.stop().await;
}

#[actix_rt::test]
async fn a_function_sees_the_path_and_the_key_that_a_rule_makes_of_it() {
    let rules = [("/db/{name}/**", "/db/{name}")];
    let controller = Running::start_with(|builder| builder.routes(rules));
    let builder = Worker::builder()
        .controller(controller.workers_url())
        .serves("/db/*");
    let worker = builder.handler(describe).unwrap().start();
    connected(&worker).await;

    let claimed = [("x-constellation-key", "/db/a/rows")];
    let answer = get_with(controller.clients_port(), "/db/a/rows/1?x=2", &claimed).await;

    let held = owned(&worker).await;
    assert_eq!((held.len(), held[0].key.as_str()), (1, "/db/a"));
    let report = answer.json();
    assert_eq!(
        (&report["path"], &report["query"], &report["key"]),
        (&"/db/a/rows/1".into(), &"x=2".into(), &"/db/a".into())
    );
    assert_eq!(report["headers"][0], json!(["/db/a"]));
    controller.stop().await;
}

#[actix_rt::test]
async fn within_a_scope_rules_are_asked_with_the_whole_path() {
    let rules = [
        ("/games/{room}/**", "/games/{room}"),
        ("/{room}/**", "/elsewhere"),
    ];
    let controller = Running::start_with(|builder| builder.routes(rules));
    let builder = Worker::builder().controller(controller.workers_url());
    let worker = builder.handler(describe).unwrap().start();
    connected(&worker).await;

    let scope = web::scope("/games").configure(controller.controller.ingress());
    let application = test::init_service(App::new().service(scope)).await;
    let request = test::TestRequest::with_uri("/games/chess/moves").to_request();
    let report: Value = test::call_and_read_body_json(&application, request).await;

    assert_eq!(
        (&report["path"], &report["key"]),
        (&"/games/chess/moves".into(), &"/games/chess".into())
    );
    controller.stop().await;
}

#[actix_rt::test]
async fn a_controller_does_not_start_with_rules_that_mean_nothing() {
    let error = Controller::builder()
        .routes([("/db/{name}/**", "/db/{nam}")])
        .start()
        .unwrap_err();
    assert!(matches!(error, BuildError::Routes(_)), "{error:?}");
}

#[actix_rt::test]
async fn key_and_epoch_headers_are_never_the_clients() {
    let controller = Running::start();
    let builder = Worker::builder().controller(controller.workers_url());
    let worker = builder.handler(describe).unwrap().start();
    connected(&worker).await;

    let headers = [
        ("X-Constellation-Key", "/other"),
        ("x-constellation-epoch", "9"),
        ("x-mine", "kept"),
    ];
    let answer = get_with(controller.clients_port(), "/mine", &headers).await;

    let epoch = owned(&worker).await[0].epoch.to_string();
    assert_eq!(
        answer.json()["headers"],
        json!([["/mine"], [epoch], ["kept"]])
    );
    controller.stop().await;
}

#[actix_rt::test]
async fn key_and_epoch_headers_are_the_grants_even_if_the_controller_passes_others_on() {
    let script = Script::start().await;
    let builder = Worker::builder().controller(script.url());
    let _worker = builder.handler(describe).unwrap().start();
    let mut peer = script.welcome(AN_HOUR).await;

    let grant = peer.grant(1, 5, "/mine");
    let headers = [
        ("x-constellation-key", "/other"),
        ("x-constellation-epoch", "9"),
        ("x-mine", "kept"),
    ];
    let stream = peer.open(grant, "/mine", true, &headers);

    let answer = peer.answer(stream).await.unwrap().json();
    assert_eq!(answer["headers"], json!([["/mine"], ["5"], ["kept"]]));
}

#[actix_rt::test]
async fn a_client_that_goes_away_cancels_the_function_within_100_ms() {
    let controller = Running::start();
    let (gate, mut keeper) = gate();
    let builder = Worker::builder().controller(controller.workers_url());
    let worker = builder.handler(behaviour::function(&gate)).unwrap().start();
    connected(&worker).await;

    let client = ask(controller.clients_port(), "/a?wait").await;
    keeper.entered("/a").await;
    drop(client);

    let cancelled = tokio::time::timeout(Duration::from_millis(100), keeper.dropped("/a")).await;
    assert!(cancelled.is_ok(), "the handler runs on without a client");
    controller.stop().await;
}

#[actix_rt::test]
async fn a_request_that_is_given_up_at_once_never_reaches_its_function() {
    let script = Script::start().await;
    let (gate, mut keeper) = gate();
    let builder = Worker::builder().controller(script.url());
    let _worker = builder.handler(behaviour::function(&gate)).unwrap().start();
    let mut peer = script.welcome(AN_HOUR).await;

    let grant = peer.grant(1, 1, "/a");
    let given_up = peer.request(grant, "/a?wait");
    peer.cancel(given_up);
    let other = peer.request(grant, "/a");
    assert_eq!(peer.answer(other).await.unwrap().status, 200);
    assert_eq!(keeper.seen(), []);
}
