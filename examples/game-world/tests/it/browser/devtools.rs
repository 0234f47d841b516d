//! The DevTools protocol of one tab: calls, each with its answer. Of what the tab tells by itself only
//! errors of its page are kept.

use std::cell::{Cell, RefCell};

use constellation_testing::websocket::Websocket;
use serde_json::{Value, json};

/// A tab's connection.
#[derive(Debug)]
pub(crate) struct Devtools {
    socket: RefCell<Websocket>,
    last: Cell<u64>,
    complaints: RefCell<Vec<String>>,
}

impl Devtools {
    pub(crate) fn connect(port: u16, path: &str) -> Self {
        let socket = Websocket::open_at(port, path, &[]);
        Self {
            socket: RefCell::new(socket.unwrap()),
            last: Cell::new(0),
            complaints: RefCell::default(),
        }
    }

    /// Calls a method, and returns its result.
    #[track_caller]
    pub(crate) fn call(&self, method: &str, parameters: Value) -> Value {
        let id = self.last.get() + 1;
        self.last.set(id);
        let call = json!({ "id": id, "method": method, "params": parameters });
        let mut socket = self.socket.borrow_mut();
        socket.send(1, call.to_string().as_bytes());
        loop {
            let frame = socket.receive().expect("an answer of the browser");
            let mut message: Value = serde_json::from_slice(&frame.payload).unwrap();
            if message["method"] == "Runtime.exceptionThrown" {
                let details = message["params"]["exceptionDetails"].to_string();
                self.complaints.borrow_mut().push(details);
            }
            if message["id"] == id {
                assert!(message["error"].is_null(), "{method}: {message}");
                return message["result"].take();
            }
        }
    }

    /// Runs JavaScript in the page, and returns what it is.
    #[track_caller]
    pub(crate) fn run(&self, script: &str) -> Value {
        let mut result = self.call(
            "Runtime.evaluate",
            json!({ "expression": script, "returnByValue": true }),
        );
        assert!(result["exceptionDetails"].is_null(), "{script}: {result}");
        result["result"]["value"].take()
    }

    /// The errors of the page so far.
    pub(crate) fn complaints(&self) -> Vec<String> {
        self.complaints.borrow().clone()
    }
}
