//! Workers of both dialects at the door: tokens, the original's dialect, and a worker in Python.

use std::process::Command;

use constellation_testing::{program::Program, wait::until, websocket::Websocket};
use serde_json::{Value, json};

use crate::cluster::Controller;

const TOKEN: &str = "a-token-of-some-length";

const GUID: &str = "6f1b7c1e-8f5d-4b7e-9c55-0d0c5f0f9a01";

#[test]
fn without_the_token_no_worker_of_either_dialect_is_let_in() {
    let controller = Controller::start_with(&[&format!("Websocket.Tokens={TOKEN}")]);
    let binary = ("sec-websocket-protocol", "constellation.v1");
    let good = ("authorization", "Bearer a-token-of-some-length");
    let bad = ("authorization", "Bearer another-token-of-some-length");
    let open = |headers: &[(&str, &str)]| Websocket::open(controller.workers_port, headers);
    for dialect in [&[][..], &[binary][..]] {
        assert_eq!(open(dialect).unwrap_err(), 401);
        assert_eq!(open(&[dialect, &[bad]].concat()).unwrap_err(), 401);
        assert!(open(&[dialect, &[good]].concat()).is_ok());
    }
    let _worker = controller.worker_with("a", &["--token", TOKEN]);
    assert_eq!(controller.owner("/x").0, "a");
    assert!(
        !controller.program.written().contains(TOKEN),
        "a token is never logged"
    );
}

#[test]
fn a_worker_of_the_originals_dialect_sees_the_whole_request() {
    let controller = Controller::start();
    let mut worker = Websocket::open(controller.workers_port, &[("x-guid", GUID)]).unwrap();
    controller.has_workers(1);
    let asked = std::thread::scope(|scope| {
        let asked = scope.spawn(|| {
            let headers = [
                ("accept", "a"),
                ("accept", "b"),
                ("content-type", "text/plain"),
                ("traceparent", "00-1"),
                ("x-forwarded-for", "192.0.2.1"),
                ("x-constellation-epoch", "1"),
                ("connection", "x-private"),
                ("x-private", "1"),
            ];
            controller.request("POST", "/db//a%20b?q=1", &headers, b"hello")
        });
        let request: Value = serde_json::from_slice(&worker.receive().unwrap().payload).unwrap();
        assert_eq!(request["Type"], "Request");
        assert_eq!(request["Method"], "POST");
        assert_eq!(request["Url"]["PathAndQuery"], "/db//a%20b?q=1");
        assert_eq!(request["Data"], "aGVsbG8=");
        assert_eq!(
            (&request["ContentType"], &request["TraceParent"]),
            (&"text/plain".into(), &"00-1".into())
        );
        let headers = &request["Headers"];
        assert_eq!(headers["accept"], json!(["a", "b"]));
        assert_eq!(headers["x-forwarded-for"], "192.0.2.1, 127.0.0.1");
        assert_eq!(
            (&headers["x-forwarded-proto"], &headers["x-forwarded-host"]),
            (&"http".into(), &"localhost".into())
        );
        assert_eq!(headers["x-constellation-key"], "/db//a%20b");
        assert!(headers["x-constellation-epoch"].as_str().unwrap().len() > 5);
        assert!(headers.get("x-private").is_none() && headers.get("connection").is_none());
        let response = json!({
            "GUID": request["GUID"], "Type": "Response", "StatusCode": 201,
            "ContentType": "text/plain", "Headers": { "Set-Cookie": ["a=1", "b=2"], "x-worker": "x" },
            "Data": "aGk=",
        });
        worker.send(2, response.to_string().as_bytes());
        asked.join().unwrap()
    });
    assert_eq!((asked.status, asked.text()), (201, "hi"));
    assert_eq!(asked.header("content-type"), Some("text/plain"));
    assert_eq!(
        asked
            .headers
            .iter()
            .filter(|(name, _)| name == "set-cookie")
            .count(),
        2
    );
    assert_eq!(asked.header("x-worker"), Some(GUID));
    assert_eq!(controller.admin("/workers")[0]["GUID"], GUID);
}

#[test]
fn the_keys_of_a_worker_without_a_lease_move_as_soon_as_it_is_gone() {
    let controller = Controller::start();
    let mut worker = Websocket::open(controller.workers_port, &[("x-guid", GUID)]).unwrap();
    controller.has_workers(1);
    std::thread::scope(|scope| {
        let asked = scope.spawn(|| controller.get("/x"));
        let request: Value = serde_json::from_slice(&worker.receive().unwrap().payload).unwrap();
        let response = json!({ "GUID": request["GUID"], "Type": "Response" });
        worker.send(2, response.to_string().as_bytes());
        assert_eq!(asked.join().unwrap().header("x-worker"), Some(GUID));
    });
    let _next = controller.worker("next");
    let gone = constellation_testing::wait::now();
    drop(worker);
    controller.has_workers(1);
    assert_eq!(controller.owner("/x").0, "next");
    assert!(gone.elapsed().as_millis() < 1_000, "{:?}", gone.elapsed());
}

#[test]
fn a_worker_without_a_lease_is_probed_and_dropped_when_it_does_not_answer() {
    let controller = Controller::start();
    let mut worker = Websocket::open(controller.workers_port, &[("x-guid", GUID)]).unwrap();
    let probe = worker.receive().unwrap();
    assert_eq!(probe.opcode, 1, "a heartbeat is text");
    let probe: Value = serde_json::from_slice(&probe.payload).unwrap();
    assert_eq!(probe["Type"], "Heartbeat");
    worker.send(
        2,
        json!({ "GUID": probe["GUID"], "Type": "Heartbeat" })
            .to_string()
            .as_bytes(),
    );
    controller.has_workers(1);
    // From here on it is silent.
    let (code, _) = worker.closed();
    assert_eq!(code, 4408);
    controller.has_workers(0);
}

#[test]
fn a_body_too_large_for_a_json_worker_is_refused() {
    let controller = Controller::start_with(&["Websocket.MaxBodyBytes=1024"]);
    let _worker = Websocket::open(controller.workers_port, &[]).unwrap();
    controller.has_workers(1);
    assert_eq!(
        controller.request("POST", "/x", &[], &[b'x'; 1025]).status,
        413
    );
}

#[test]
fn an_answer_too_large_for_its_dialect_is_not_passed_on() {
    let controller = Controller::start_with(&["Websocket.MaxBodyBytes=1024"]);
    let mut worker = Websocket::open(controller.workers_port, &[]).unwrap();
    controller.has_workers(1);
    std::thread::scope(|scope| {
        let asked = scope.spawn(|| controller.get("/x"));
        let request: Value = serde_json::from_slice(&worker.receive().unwrap().payload).unwrap();
        // 1,025 bytes in base64.
        let data = format!("{}AAA=", "AAAA".repeat(341));
        let response = json!({ "GUID": request["GUID"], "Type": "Response", "Data": data });
        worker.send(2, response.to_string().as_bytes());
        assert_eq!(asked.join().unwrap().status, 502);
    });
}

#[test]
fn a_worker_in_python_answers() {
    let controller = Controller::start();
    let python =
        std::env::var("CONSTELLATION_TEST_PYTHON").unwrap_or_else(|_| "/usr/bin/python3".into());
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../examples/python-worker/worker.py"
    );
    let url = format!("ws://127.0.0.1:{}", controller.workers_port);
    let worker = Program::start(Command::new(python).args([script, &url]));
    controller.has_workers(1);
    let answer = controller.request("POST", "/py?x=1", &[], b"hello");
    assert_eq!(answer.status, 200, "{answer:?} {}", worker.written());
    assert!(
        answer.text().contains("hello") && answer.text().contains("/py"),
        "{answer:?}"
    );
    // It outlives a probe.
    let listed =
        |controller: &Controller| controller.admin("/workers")[0]["LastMessageUtc"].clone();
    let first = listed(&controller);
    until("a heartbeat", || {
        (listed(&controller) != first).then_some(())
    });
    assert_eq!(controller.get("/py").status, 200);
    drop(worker);
    controller.has_workers(0);
}
