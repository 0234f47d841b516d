//! Websockets of clients, tunnelled to the owner of their key.

use std::{path::Path, process::Command};

use constellation_testing::{
    http::{self, Connection},
    program::Program,
    wait::{now, until},
    websocket::Websocket,
};

use crate::cluster::Controller;

mod foreign;

const TEXT: u8 = 1;
const CLOSE: u8 = 8;

/// The Close code that asks a client to connect again (service restart).
const RESTART: u16 = 1012;

/// Opens a websocket.
#[track_caller]
fn open(controller: &Controller, path: &str) -> Websocket {
    Websocket::open_at(controller.port, path, &[]).unwrap_or_else(|answer| panic!("{answer:?}"))
}

/// Sends a text and sees it come back.
#[track_caller]
fn speak(socket: &mut Websocket, text: &str) {
    socket.send(TEXT, text.as_bytes());
    let frame = socket.receive().expect("an echo");
    assert_eq!((frame.opcode, &frame.payload[..]), (TEXT, text.as_bytes()));
}

/// A counter of the controller.
#[track_caller]
fn count(controller: &Controller, name: &str) -> u64 {
    let told = controller.told("/v1/counters");
    told["counters"][name]
        .as_u64()
        .unwrap_or_else(|| panic!("{name} in {told}"))
}

/// Waits until a counter is what it has to be.
#[track_caller]
fn counts(controller: &Controller, name: &str, wanted: u64) {
    until(&format!("{name} to be {wanted}"), || {
        (count(controller, name) == wanted).then_some(())
    });
}

#[test]
fn an_independent_client_gets_back_whatever_it_sends() {
    let controller = Controller::start();
    let _worker = controller.worker_with("a", &["--quiet"]);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/websockets/echo.py");
    let url = format!("ws://127.0.0.1:{}/room", controller.port);
    let mut client = Program::start(python().arg(script).arg(url));
    assert_eq!(client.ended(), Some(0), "{}", client.written());
    assert!(client.written().contains("many at once"));
    counts(&controller, "tunnels_opened", 56);
    counts(&controller, "tunnels_closed", 56);
}

/// The Python that has the websockets package.
fn python() -> Command {
    let python = std::env::var("CONSTELLATION_TEST_PYTHON");
    Command::new(python.as_deref().unwrap_or("/usr/bin/python3"))
}

#[test]
fn what_is_no_upgrade_to_a_websocket_is_refused_and_reaches_nobody() {
    let controller = Controller::start();
    let worker = controller.worker("a");
    let whole = [
        ("connection", "Upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    let refused = |method: &str, version: &str, changes: &[(&str, Option<&str>)]| {
        let mut head = format!("{method} /refused HTTP/{version}\r\nhost: a\r\n");
        let changed = |name: &str| changes.iter().any(|(changed, _)| *changed == name);
        let kept = whole.iter().filter(|(name, _)| !changed(name));
        let new = changes
            .iter()
            .filter_map(|(name, value)| Some((*name, (*value)?)));
        for (name, value) in kept.copied().chain(new) {
            head += &format!("{name}: {value}\r\n");
        }
        let mut connection = Connection::open(controller.port);
        // To the HTTP layer, what follows `Upgrade: websocket` is no request.
        let smuggled = match changed("upgrade") {
            true => "",
            false => "GET /smuggled HTTP/1.1\r\nhost: a\r\n\r\n",
        };
        connection.send(format!("{head}\r\n{smuggled}").as_bytes());
        let answer = connection.receive(false).expect("a refusal");
        assert!(
            connection.receive(false).is_none(),
            "{changes:?}: it is open"
        );
        answer
    };
    for (method, version, changes) in [
        ("POST", "1.1", &[][..]),
        ("GET", "1.0", &[]),
        ("GET", "1.1", &[("upgrade", Some("h2c"))]),
        ("GET", "1.1", &[("upgrade", Some("websocket, h2c"))]),
        ("GET", "1.1", &[("connection", Some("keep-alive"))]),
        ("GET", "1.1", &[("connection", None)]),
        ("GET", "1.1", &[("content-length", Some("5"))]),
        ("GET", "1.1", &[("transfer-encoding", Some("chunked"))]),
        ("GET", "1.1", &[("sec-websocket-key", None)]),
        ("GET", "1.1", &[("sec-websocket-key", Some("c2hvcnQ="))]),
    ] {
        let answer = refused(method, version, changes);
        assert_eq!(
            answer.status, 400,
            "{method} {version} {changes:?}: {answer:?}"
        );
    }
    let answer = refused("GET", "1.1", &[("sec-websocket-version", Some("8"))]);
    assert_eq!(
        (answer.status, answer.header("sec-websocket-version")),
        (426, Some("13"))
    );
    speak(&mut open(&controller, "/good"), "still well");
    let written = worker.written();
    assert!(
        !written.contains("refused") && !written.contains("smuggled"),
        "{written}"
    );
}

#[test]
fn an_answer_of_the_worker_that_accepts_nothing_is_passed_on() {
    let controller = Controller::start();
    let _worker = controller.worker("a");
    let answer = Websocket::open_at(controller.port, "/x?bytes=nonsense", &[]).unwrap_err();
    assert_eq!(answer.status, 400);
    assert!(answer.text().contains("whole number"), "{answer:?}");
    assert_eq!(answer.header("connection"), Some("close"));
    assert_eq!(count(&controller, "tunnels_opened"), 0);
}

#[test]
fn a_planned_move_is_told_to_the_worker_first_and_then_to_the_client() {
    let controller = Controller::start();
    let _first = controller.worker("first");
    let mut polite = open(&controller, "/room?goodbye");
    let mut silent = open(&controller, "/room");
    speak(&mut polite, "hello");
    speak(&mut silent, "hello");
    let _second = controller.worker("second");
    let began = now();
    controller.operated(&["move", "/room", "second"]);
    // Ordinary requests may take half a minute to finish.
    assert!(began.elapsed().as_secs() < 20, "{:?}", began.elapsed());
    assert_eq!(polite.receive().expect("a goodbye").payload, b"goodbye");
    for mut socket in [polite, silent] {
        assert_eq!(socket.closed().0, RESTART);
        socket.send(CLOSE, &RESTART.to_be_bytes());
        assert!(socket.receive().is_none(), "the connection is closed");
    }
    let mut again = open(&controller, "/room");
    speak(&mut again, "hello again");
    assert_eq!(controller.owner("/room").0, "second");
    assert_eq!(
        again.answer().header("x-worker"),
        Some(&*controller.id_of("second"))
    );
    counts(&controller, "tunnels_moved", 2);
    let written = controller.program.written();
    assert!(!written.contains("ERROR"), "{written}");
}

#[test]
fn a_drained_worker_is_not_held_up_by_its_tunnels() {
    let controller = Controller::start();
    let first = controller.worker("first");
    let mut sockets: Vec<_> = (0..20)
        .map(|n| open(&controller, &format!("/{n}")))
        .collect();
    let _second = controller.worker("second");
    let told = controller.told("/v1/workers");
    assert_eq!(told["workers"][0]["tunnels"], 20);
    let began = now();
    controller.operated(&["drain", "first"]);
    assert!(began.elapsed().as_secs() < 20, "{:?}", began.elapsed());
    for socket in &mut sockets {
        assert_eq!(socket.closed().0, RESTART);
    }
    drop(first);
}

#[test]
fn the_loss_of_the_owner_is_told_and_the_next_owner_takes_over() {
    let controller = Controller::start();
    let first = controller.worker("first");
    let mut socket = open(&controller, "/room");
    speak(&mut socket, "hello");
    let _second = controller.worker("second");
    drop(first);
    assert_eq!(socket.closed().0, RESTART);
    speak(&mut open(&controller, "/room"), "hello again");
    assert_eq!(controller.owner("/room").0, "second");
    counts(&controller, "tunnels_lost", 1);
}

/// No stale answer: what a former owner sends reaches nobody.
#[test]
fn a_tunnel_ends_with_the_lease_of_an_owner_that_hangs() {
    let controller = Controller::start();
    let sleeper = controller.worker("sleeper");
    let mut socket = open(&controller, "/room");
    speak(&mut socket, "hello");
    sleeper.signal("STOP");
    let _next = controller.worker("next");
    socket.send(TEXT, b"never echoed");
    assert_eq!(socket.closed().0, RESTART);
    sleeper.signal("CONT");
    assert!(socket.receive().is_none(), "nothing follows");
    speak(&mut open(&controller, "/room"), "hello again");
    assert_eq!(controller.owner("/room").0, "next");
}

#[test]
fn a_worker_notices_that_a_client_has_gone() {
    let controller = Controller::start();
    let worker = controller.worker("a");
    let mut socket = open(&controller, "/left");
    speak(&mut socket, "hello");
    drop(socket);
    worker.line("the end", |line| {
        line.contains("cancelled /left").then_some(())
    });
    counts(&controller, "tunnels_closed", 1);
}

#[test]
fn a_client_gets_a_tunnel_as_soon_as_another_has_left() {
    let controller = Controller::start_with(&["Proxy.MaxTunnelsPerWorker=2"]);
    let _worker = controller.worker("a");
    let first = open(&controller, "/1");
    let mut second = open(&controller, "/2");
    let refused = Websocket::open_at(controller.port, "/3", &[]).unwrap_err();
    assert_eq!(refused.status, 503);
    assert!(refused.header("retry-after").is_some());
    assert!(refused.text().contains("2 tunnels"), "{refused:?}");
    assert_eq!(count(&controller, "limit_tunnels"), 1);
    assert_eq!(
        controller.get("/3").status,
        200,
        "other requests do not count"
    );
    drop(first);
    let mut third = until("a place", || {
        Websocket::open_at(controller.port, "/3", &[]).ok()
    });
    speak(&mut second, "there is room");
    speak(&mut third, "for two");
}

#[test]
fn a_tunnel_ends_when_nothing_passes_and_when_it_is_too_old() {
    let settings = ["Proxy.TunnelIdleMs=1000", "Proxy.TunnelLifetimeMs=2500"];
    let controller = Controller::start_with(&settings);
    let worker = controller.worker("a");
    let mut idle = open(&controller, "/idle");
    let mut busy = open(&controller, "/busy");
    let closed = until("the end of the busy one", || {
        busy.send(TEXT, b"still here");
        let frame = busy.receive().expect("an echo or a Close");
        (frame.opcode == CLOSE).then_some(frame)
    });
    assert_eq!(closed.closing().0, RESTART);
    assert_eq!(idle.closed().0, 1001);
    worker.line("the end", |line| {
        line.contains("cancelled /idle").then_some(())
    });
    counts(&controller, "tunnels_idle", 1);
    counts(&controller, "tunnels_too_old", 1);
}

#[test]
fn a_controller_that_stops_sends_its_clients_away_and_does_not_wait_for_them() {
    let mut controller = Controller::start();
    let _worker = controller.worker("a");
    let mut polite = open(&controller, "/room");
    let mut deaf = open(&controller, "/room");
    speak(&mut polite, "hello");
    let began = now();
    controller.program.signal("TERM");
    assert_eq!(polite.closed().0, RESTART);
    assert_eq!(controller.program.ended(), Some(0));
    assert!(began.elapsed().as_secs() < 20, "{:?}", began.elapsed());
    assert_eq!(deaf.closed().0, RESTART);
}

#[test]
fn a_client_that_does_not_read_holds_up_nobody_else() {
    let controller = Controller::start();
    let _worker = controller.worker("a");
    let _lazy = filled(&controller);
    for n in 0..20 {
        speak(&mut open(&controller, "/room"), &format!("{n}"));
    }
    assert_eq!(controller.get("/room").status, 200);
}

#[test]
fn a_client_that_does_not_read_keeps_no_other_out_for_ever() {
    let settings = ["Proxy.TunnelIdleMs=1000", "Proxy.MaxTunnelsPerWorker=1"];
    let controller = Controller::start_with(&settings);
    let worker = controller.worker("a");
    let _lazy = filled(&controller);
    worker.line("the end", |line| {
        line.contains("cancelled /room").then_some(())
    });
    until("a place", || {
        Websocket::open_at(controller.port, "/room", &[]).ok()
    });
    assert_eq!(count(&controller, "tunnels_idle"), 1);
}

/// A websocket whose client does not read, with everything on the way to it and back full.
fn filled(controller: &Controller) -> Websocket {
    let mut lazy = open(controller, "/room");
    lazy.stream().set_nonblocking(true).unwrap();
    let message = vec![7; 64 * 1024];
    let mut full = 0;
    until("the tunnel to be full", || {
        full = if lazy.try_send(2, &message) {
            0
        } else {
            full + 1
        };
        (full > 20).then_some(())
    });
    lazy
}

#[test]
fn ten_thousand_idle_tunnels_cost_little_and_each_answers_a_ping() {
    const TUNNELS: u64 = 10_000;
    const THREADS: u64 = 8;
    allow_files(TUNNELS + 1_000);
    let controller = Controller::start();
    let _worker = controller.worker_with("a", &["--quiet"]);
    let opened = |count: u64| -> Vec<Websocket> {
        std::thread::scope(|scope| {
            let parts: Vec<_> = (0..THREADS)
                .map(|thread| {
                    let numbers = (thread..count).step_by(THREADS as usize);
                    let controller = &controller;
                    scope.spawn(move || {
                        let opened =
                            numbers.map(|n| open(controller, &format!("/room/{}", n % 100)));
                        opened.collect::<Vec<_>>()
                    })
                })
                .collect();
            let parts = parts.into_iter().map(|part| part.join().unwrap());
            parts.flatten().collect()
        })
    };
    // What the first ones bring with them, threads and pins among it, is not theirs.
    let first = opened(200);
    let before = controller.program.memory_kib();
    let mut tunnels = opened(TUNNELS - first.len() as u64);
    let grown = controller.program.memory_kib() - before;
    for tunnel in &mut tunnels {
        tunnel.send(9, b"idle");
    }
    for tunnel in &mut tunnels {
        let pong = tunnel.receive().expect("a pong");
        assert_eq!((pong.opcode, &pong.payload[..]), (10, &b"idle"[..]));
    }
    let each = grown as f64 / tunnels.len() as f64;
    println!(
        "{} idle tunnels: {each:.1} KiB of the controller each",
        tunnels.len()
    );
    assert!(each <= 16.0, "{each:.1} KiB each");
}

/// Lets this process and those it starts open so many files.
fn allow_files(count: u64) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current.is_some_and(|current| current < count) {
        let current = Some(maximum.map_or(count, |maximum| maximum.min(count)));
        setrlimit(Resource::Nofile, Rlimit { current, maximum }).unwrap();
    }
}

#[test]
fn a_worker_of_the_originals_dialect_takes_no_websockets() {
    let controller = Controller::start();
    let _worker = Websocket::open(controller.workers_port, &[]).unwrap();
    controller.has_workers(1);
    let refused = Websocket::open_at(controller.port, "/x", &[]).unwrap_err();
    assert_eq!(refused.status, 502);
    assert!(
        refused.text().contains("cannot take websockets"),
        "{refused:?}"
    );
    let posted = http::request(controller.port, "HEAD", "/", &[], b"");
    assert_eq!(posted.status, 200);
}
