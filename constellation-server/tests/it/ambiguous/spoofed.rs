//! Headers with which a client pretends to be the controller, or a proxy before it: the worker
//! gets the controller's word alone.

use constellation_testing::{http, websocket::Websocket};
use serde_json::{Value, json};

use crate::cluster::{ADMIN_KEY, Controller};

const GUID: &str = "6f1b7c1e-8f5d-4b7e-9c55-0d0c5f0f9a01";

/// What a client pretends; of `x-forwarded-for` alone something may pass.
const SPOOFED: [&str; 22] = [
    "x-constellation-epoch",
    "x-constellation-key",
    "x-constellation-delivery",
    "x-constellation-anything",
    "x_constellation_epoch",
    "x-constellation_key",
    "x.constellation.epoch",
    "x-forwarded-proto",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-prefix",
    "x_forwarded_for",
    "x_forwarded_host",
    "x-forwarded_proto",
    "forwarded",
    "x-forwarded",
    "x-real-ip",
    "x_real_ip",
    "x-original-url",
    "x-rewrite-url",
    "x-request",
    "x_request",
];

#[test]
fn a_worker_gets_no_word_of_a_client_for_the_controllers() {
    let controller = Controller::start();
    let mut worker = Websocket::open(controller.workers_port, &[("x-guid", GUID)]).unwrap();
    controller.has_workers(1);
    let asked = std::thread::scope(|scope| {
        let asked = scope.spawn(|| {
            let mut headers: Vec<_> = SPOOFED.iter().map(|name| (*name, "spoofed")).collect();
            headers.extend([
                ("x-api-key", ADMIN_KEY),
                ("x_api_key", ADMIN_KEY),
                ("x-harmless", "kept"),
            ]);
            http::request(controller.port, "GET", "/x", &headers, b"")
        });
        let request: Value = serde_json::from_slice(&worker.receive().unwrap().payload).unwrap();
        let response = json!({ "GUID": request["GUID"], "Type": "Response" });
        worker.send(2, response.to_string().as_bytes());
        assert_eq!(asked.join().unwrap().status, 200);
        request
    });
    let headers = &asked["Headers"];
    let told = headers.to_string();
    assert!(
        !told.contains("spoofed") && !told.contains(ADMIN_KEY),
        "{told}"
    );
    let expected = [
        ("host", "localhost"),
        ("x-constellation-key", "/x"),
        ("x-forwarded-for", "127.0.0.1"),
        ("x-forwarded-host", "localhost"),
        ("x-forwarded-proto", "http"),
        ("x-harmless", "kept"),
    ];
    for (name, value) in expected {
        assert_eq!(headers[name], value, "{name}");
    }
    let names: Vec<_> = headers.as_object().unwrap().keys().collect();
    assert_eq!(
        names.len(),
        expected.len() + 2,
        "and epoch and id: {names:?}"
    );
}
