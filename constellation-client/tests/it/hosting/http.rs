//! What an HTTP server does beside calling services: lengths, bodiless answers, cookies, dates.

use actix_web::{
    App, HttpRequest, HttpResponse,
    body::SizedStream,
    http::header::{ETAG, IF_NONE_MATCH},
    web,
};
use bytes::Bytes;
use constellation_testing::http::Connection;
use futures::stream;

use super::{builder, client, get, raw, request, start};
use crate::support::controller::Running;

fn ten_bytes() -> impl futures::Stream<Item = Result<Bytes, actix_web::Error>> {
    stream::iter([Bytes::from_static(b"01234"), Bytes::from_static(b"56789")].map(Ok))
}

async fn tagged(request: HttpRequest) -> HttpResponse {
    let mut response = if request.headers().contains_key(IF_NONE_MATCH) {
        HttpResponse::NotModified()
    } else {
        HttpResponse::Ok()
    };
    response.insert_header((ETAG, "\"1\"")).body("tagged")
}

fn configure(application: &mut web::ServiceConfig) {
    let text = || web::to(async || HttpResponse::Ok().body("twelve bytes"));
    application
        .route("/text", text())
        .route("/empty", web::to(HttpResponse::Ok))
        .route(
            "/none",
            web::to(async || HttpResponse::NoContent().body("never sent")),
        )
        .route("/tagged", web::to(tagged))
        .route(
            "/sized",
            web::to(async || HttpResponse::Ok().body(SizedStream::new(10, ten_bytes()))),
        )
        .route(
            "/said",
            web::to(async || HttpResponse::Ok().no_chunking(10).streaming(ten_bytes())),
        )
        .route(
            "/stream",
            web::to(async || HttpResponse::Ok().streaming(ten_bytes())),
        )
        .route(
            "/cookies",
            web::to(async || {
                HttpResponse::Ok()
                    .append_header(("set-cookie", "a=1"))
                    .append_header(("set-cookie", "b=2; Path=/"))
                    .insert_header(("connection", "close"))
                    .insert_header(("date", "Thu, 01 Jan 2026 00:00:00 GMT"))
                    .finish()
            }),
        )
        .route("/echo", web::post().to(async |body: Bytes| body));
}

async fn running() -> (Running, actix::Addr<constellation_client::WorkerClient>) {
    let controller = Running::start();
    let worker = builder(&controller).hosting(|| App::new().configure(configure));
    let worker = start(worker.unwrap()).await;
    (controller, worker)
}

#[actix_rt::test]
async fn every_answer_has_the_length_and_the_date_that_a_server_gives_it() {
    let (controller, _worker) = running().await;
    for (path, length, text) in [
        ("/text", "12", "twelve bytes"),
        ("/empty", "0", ""),
        ("/sized", "10", "0123456789"),
        ("/said", "10", "0123456789"),
    ] {
        let answer = get(&controller, path).await;
        assert_eq!(answer.header("content-length"), Some(length), "{path}");
        assert_eq!(answer.header("transfer-encoding"), None, "{path}");
        assert_eq!((answer.status, answer.text()), (200, text), "{path}");
        assert!(answer.header("date").is_some(), "{path}");
    }
    let text = get(&controller, "/text").await;
    assert_eq!(text.header("content-type"), None, "nothing is made up");
    let stream = get(&controller, "/stream").await;
    assert_eq!(stream.text(), "0123456789");
    controller.stop().await;
}

#[actix_rt::test]
async fn head_204_and_304_have_no_body_and_the_right_headers() {
    let (controller, _worker) = running().await;
    let head = request(&controller, "HEAD", "/text", &[], b"").await;
    assert_eq!(
        (head.status, head.header("content-length")),
        (200, Some("12"))
    );
    let head = request(&controller, "HEAD", "/sized", &[], b"").await;
    assert_eq!(
        (head.status, head.header("content-length")),
        (200, Some("10"))
    );

    let none = get(&controller, "/none").await;
    assert_eq!((none.status, none.header("content-length")), (204, None));
    assert_eq!(get(&controller, "/tagged").await.text(), "tagged");
    let same = request(
        &controller,
        "GET",
        "/tagged",
        &[("if-none-match", "\"1\"")],
        b"",
    )
    .await;
    assert_eq!((same.status, same.header("etag")), (304, Some("\"1\"")));

    // Their connections are still in step: the next answer is the next request's.
    for first in ["HEAD /text", "GET /none", "HEAD /none"] {
        let port = controller.clients_port();
        let next = client(move || {
            let mut connection = Connection::open(port);
            connection.send(format!("{first} HTTP/1.1\r\nhost: a\r\n\r\n").as_bytes());
            connection.receive(true).unwrap();
            connection.send(b"GET /sized HTTP/1.1\r\nhost: a\r\n\r\n");
            connection.receive(false).unwrap()
        });
        assert_eq!(next.await.text(), "0123456789", "after {first}");
    }
    controller.stop().await;
}

#[actix_rt::test]
async fn several_cookies_stay_several_and_connection_headers_stay_here() {
    let (controller, _worker) = running().await;
    let answer = get(&controller, "/cookies").await;
    let cookies: Vec<_> = answer
        .headers
        .iter()
        .filter(|(name, _)| name == "set-cookie")
        .map(|(_, value)| value.as_str())
        .collect();
    assert_eq!(cookies, ["a=1", "b=2; Path=/"]);
    assert_eq!(answer.header("connection"), None);
    assert_eq!(
        answer.header("date"),
        Some("Thu, 01 Jan 2026 00:00:00 GMT"),
        "a date that the handler sets is the date"
    );
    controller.stop().await;
}

#[actix_rt::test]
async fn a_client_that_expects_100_continue_gets_it_and_then_its_answer() {
    let (controller, _worker) = running().await;
    let port = controller.clients_port();
    let (interim, answer) = client(move || {
        let mut connection = Connection::open(port);
        connection.send(
            b"POST /echo HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n",
        );
        let interim = connection.receive(true).unwrap();
        connection.send(b"hello");
        (interim, connection.receive(false).unwrap())
    })
    .await;
    assert_eq!(interim.status, 100);
    assert_eq!((answer.status, answer.text()), (200, "hello"));
    controller.stop().await;
}

#[actix_rt::test]
async fn chunked_uploads_and_pipelined_requests_arrive_as_they_are() {
    let (controller, _worker) = running().await;
    let chunked = b"POST /echo HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n\
                    3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
    let answer = raw(&controller, chunked.to_vec()).await.unwrap();
    assert_eq!((answer.status, answer.text()), (200, "abcde"));

    let port = controller.clients_port();
    let answers = client(move || {
        let mut connection = Connection::open(port);
        connection.send(
            b"POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\none\
              GET /sized HTTP/1.1\r\nhost: a\r\n\r\n\
              POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nthree",
        );
        [(); 3].map(|()| connection.receive(false).unwrap())
    })
    .await;
    assert_eq!(
        answers.each_ref().map(|answer| answer.text()),
        ["one", "0123456789", "three"]
    );
    controller.stop().await;
}
