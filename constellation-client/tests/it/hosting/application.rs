//! Services, extractors, middleware and error handlers, as in any actix-web application.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use actix_web::{
    App, HttpMessage, HttpRequest, HttpResponse, Responder,
    dev::Service,
    error::{ErrorConflict, InternalError},
    http::header::{self, HeaderValue},
    middleware::{ErrorHandlerResponse, ErrorHandlers, Logger, NormalizePath},
    web,
};
use constellation_client::{Grant, hosting::NoGrant};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{builder, get, request, start};
use crate::support::{controller::Running, owned};

#[derive(Deserialize, Serialize)]
struct Note {
    title: String,
}

#[derive(Deserialize)]
struct Page {
    limit: u32,
}

async fn describe(
    request: HttpRequest,
    path: web::Path<(String, u32)>,
    page: web::Query<Page>,
    note: web::Json<Note>,
    visits: web::Data<AtomicUsize>,
    grant: Grant,
) -> impl Responder {
    let extension = request.extensions().get::<Grant>().cloned();
    web::Json(json!({
        "path": *path,
        "limit": page.limit,
        "title": note.title,
        "visits": visits.fetch_add(1, Ordering::Relaxed) + 1,
        "key": grant.key().as_str(),
        "epoch": grant.epoch().get(),
        "same": extension == Some(grant),
        "pattern": request.match_pattern(),
        "url": request.url_for("note", ["a", "1"]).map(String::from).ok(),
    }))
}

#[actix_rt::test]
async fn scopes_extractors_and_data_work_and_the_grant_is_one_of_them() {
    let controller = Running::start();
    let visits = web::Data::new(AtomicUsize::new(0));
    let worker = builder(&controller).threads(2).hosting(move || {
        App::new().app_data(visits.clone()).service(
            web::scope("/books").service(
                web::resource("/{book}/notes/{number}")
                    .name("note")
                    .route(web::put().to(describe)),
            ),
        )
    });
    let worker = start(worker.unwrap()).await;

    let path = "/books/a%20b/notes/7?limit=3";
    let json_body = [("content-type", "application/json")];
    let first = request(&controller, "PUT", path, &json_body, br#"{"title":"one"}"#).await;
    let epoch = owned(&worker).await[0].epoch.get();
    assert_eq!(
        first.json(),
        json!({
            "path": ["a b", 7], "limit": 3, "title": "one", "visits": 1,
            "key": "/books/a%20b/notes/7", "epoch": epoch, "same": true,
            "pattern": "/books/{book}/notes/{number}",
            "url": "http://localhost/books/a/notes/1",
        })
    );
    assert_eq!(first.header("content-type"), Some("application/json"));

    let other = "/books/c/notes/8?limit=3";
    let other = request(&controller, "PUT", other, &json_body, br#"{"title":"two"}"#).await;
    assert_eq!(other.json()["visits"], 2, "data is the application's");
    assert_eq!(get(&controller, "/books/c/notes/8").await.status, 405);
    assert_eq!(get(&controller, "/elsewhere").await.status, 404);
    controller.stop().await;
}

#[actix_rt::test]
async fn what_an_extractor_refuses_is_answered_by_its_error_handler() {
    let controller = Running::start();
    let worker = builder(&controller).hosting(|| {
        let json = web::JsonConfig::default()
            .limit(64)
            .error_handler(|error, _| {
                let told = HttpResponse::BadRequest().json(json!({ "error": error.to_string() }));
                InternalError::from_response(error, told).into()
            });
        App::new().app_data(json).route(
            "/notes",
            web::post().to(async |note: web::Json<Note>| {
                if note.title == "taken" {
                    return Err(ErrorConflict("there is one"));
                }
                Ok(HttpResponse::Created().json(note.into_inner()))
            }),
        )
    });
    let _worker = start(worker.unwrap()).await;

    let post = async |body: &'static [u8]| {
        let headers = [("content-type", "application/json")];
        request(&controller, "POST", "/notes", &headers, body).await
    };
    let good = post(br#"{"title":"free"}"#).await;
    assert_eq!((good.status, &good.json()["title"]), (201, &"free".into()));
    let bad = post(b"{").await;
    assert_eq!(bad.status, 400);
    assert!(bad.json()["error"].is_string());
    let taken = post(br#"{"title":"taken"}"#).await;
    assert_eq!((taken.status, taken.text()), (409, "there is one"));
    let long = post(
        br#"{"title":"0123456789012345678901234567890123456789012345678901234567890123456789"}"#,
    )
    .await;
    assert_eq!(long.status, 400, "{}", long.text());
    assert!(
        long.text().contains("larger than allowed"),
        "{}",
        long.text()
    );
    controller.stop().await;
}

#[actix_rt::test]
async fn middleware_sees_and_changes_requests_and_responses() {
    let controller = Running::start();
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let worker = builder(&controller).hosting(move || {
        let calls = Arc::clone(&counted);
        let handlers = ErrorHandlers::new().handler(
            actix_web::http::StatusCode::NOT_FOUND,
            |response: actix_web::dev::ServiceResponse<_>| {
                let (request, _) = response.into_parts();
                let told = HttpResponse::NotFound().json(json!({ "error": "no such thing" }));
                let response = actix_web::dev::ServiceResponse::new(request, told);
                Ok(ErrorHandlerResponse::Response(
                    response.map_into_right_body(),
                ))
            },
        );
        App::new()
            .wrap(handlers)
            .wrap(NormalizePath::trim())
            .wrap_fn(move |request, service| {
                calls.fetch_add(1, Ordering::Relaxed);
                let answered = service.call(request);
                async {
                    let mut response = answered.await?;
                    let value = HeaderValue::from_static("yes");
                    response
                        .headers_mut()
                        .insert(header::HeaderName::from_static("x-wrapped"), value);
                    Ok(response)
                }
            })
            .wrap(Logger::new("%a %r %s %b %T"))
            .route("/a", web::get().to(async || "found"))
    });
    let _worker = start(worker.unwrap()).await;

    let found = get(&controller, "/a/").await;
    assert_eq!((found.status, found.text()), (200, "found"));
    assert_eq!(found.header("x-wrapped"), Some("yes"));
    assert_eq!(found.header("content-length"), Some("5"));
    assert_eq!(
        found.header("content-type"),
        Some("text/plain; charset=utf-8")
    );
    let missing = get(&controller, "/b").await;
    assert_eq!(
        (missing.status, &missing.json()["error"]),
        (404, &"no such thing".into())
    );
    assert_eq!(calls.load(Ordering::Relaxed), 2);
    controller.stop().await;
}

/// What a handler sees of where a request came from.
async fn origin(request: HttpRequest) -> impl Responder {
    let connection = request.connection_info().clone();
    web::Json(json!({
        "peer": request.peer_addr().map(|address| address.to_string()),
        "real": connection.realip_remote_addr(),
        "host": connection.host(),
        "scheme": connection.scheme(),
        "host_header": request.headers().get("host").and_then(|host| host.to_str().ok()),
        "forwarded": request.headers().contains_key("forwarded"),
        "version": format!("{:?}", request.version()),
        "uri": request.uri().to_string(),
        "many": request.headers().get_all("x-many").filter_map(|value| value.to_str().ok())
            .collect::<Vec<_>>(),
    }))
}

#[actix_rt::test]
async fn peer_host_and_scheme_come_from_the_controller_and_not_from_the_client() {
    let controller = Running::start();
    let worker = builder(&controller).hosting(|| App::new().default_service(web::to(origin)));
    let _worker = start(worker.unwrap()).await;

    let seen = async |headers: &[(&'static str, &'static str)]| -> Value {
        request(&controller, "GET", "/a%2fb?c=%20", headers, b"")
            .await
            .json()
    };
    assert_eq!(
        seen(&[("x-many", "1"), ("x-many", "2")]).await,
        json!({
            "peer": "127.0.0.1:0", "real": "127.0.0.1", "host": "localhost", "scheme": "http",
            "host_header": "localhost", "forwarded": false, "version": "HTTP/1.1",
            "uri": "/a%2fb?c=%20", "many": ["1", "2"],
        })
    );
    let spoofed = seen(&[
        ("x-forwarded-for", "192.0.2.1"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "evil.example"),
        ("forwarded", "for=192.0.2.2;host=evil.example;proto=https"),
    ])
    .await;
    assert_eq!(spoofed["peer"], "127.0.0.1:0", "the controller's own entry");
    assert_eq!(
        spoofed["real"], "192.0.2.1",
        "hearsay is actix-web's realip"
    );
    assert_eq!(spoofed["host"], "localhost");
    assert_eq!(spoofed["scheme"], "http");
    assert_eq!(spoofed["forwarded"], false);
    controller.stop().await;
}

#[actix_rt::test]
async fn without_a_controller_there_is_no_grant_and_an_app_can_ask_for_an_optional_one() {
    let application = actix_web::test::init_service(
        App::new()
            .route(
                "/must",
                web::get().to(async |grant: Grant| grant.key().to_string()),
            )
            .route(
                "/may",
                web::get().to(async |grant: Option<Grant>| format!("{grant:?}")),
            ),
    )
    .await;
    let call = async |path| {
        let request = actix_web::test::TestRequest::with_uri(path).to_request();
        let response = actix_web::test::call_service(&application, request).await;
        (
            response.status().as_u16(),
            actix_web::test::read_body(response).await,
        )
    };
    assert_eq!(call("/must").await, (500, NoGrant.to_string().into()));
    assert_eq!(call("/may").await, (200, "None".into()));
}
