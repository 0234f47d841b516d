//! The application as its users meet it: the real program on a free port.

use std::process::Command;

use constellation_testing::{http, program::Program};

/// A running application, and its port.
fn start(flags: &[&str]) -> (Program, u16) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_embed-controller"));
    let program = Program::start(command.arg("--port=0").args(flags));
    let port = program.line("its address", |line| {
        line.strip_prefix("listening on http://127.0.0.1:")?
            .parse()
            .ok()
    });
    (program, port)
}

fn serves_both(flags: &[&str]) {
    let (mut program, port) = start(flags);
    assert_eq!(http::get(port, "/about").status, 200);
    assert_eq!(
        http::get(port, "/nowhere").status,
        404,
        "the application's, not a worker's"
    );
    assert!(
        http::get(port, "/games/")
            .text()
            .contains("Node is Operational")
    );

    assert_eq!(
        http::request(port, "POST", "/games/chess", &[], b"e4").status,
        200
    );
    let room = http::get(port, "/games/chess").json();
    assert_eq!(
        (&room["room"], &room["lines"]),
        (&"/games/chess".into(), &serde_json::json!(["e4"]))
    );
    let backstage = http::get(port, "/backstage");
    assert!(
        backstage.text().contains("/games/chess"),
        "{}",
        backstage.text()
    );

    program.signal("TERM");
    assert_eq!(program.ended(), Some(0));
}

#[test]
fn pages_and_rooms_are_served_side_by_side() {
    serves_both(&[]);
}

#[test]
fn workers_may_have_a_port_of_their_own() {
    serves_both(&["--worker-port=0"]);
}
