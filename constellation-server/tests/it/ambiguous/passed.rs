//! Requests that look odd and are served: all parsers read them alike, or the HTTP layer has
//! settled on one reading before the controller sees them, and then the worker gets just that.

use super::row::{Expected, Row};

fn seen(path: &'static str) -> Expected {
    Expected::Passed {
        path,
        body_bytes: 0,
    }
}

pub(super) fn rows() -> Vec<Row> {
    [settled(), alike(), bodies()].concat()
}

/// Where the HTTP layer takes what RFC 9112 lets a server take, or drops something.
fn settled() -> Vec<Row> {
    let row = |what: &str, bytes: &[u8]| Row::new(what, bytes, seen("/seen"));
    vec![
        // RFC 9112, section 2.2: a single line feed may end a line.
        row("bare LF", b"GET /seen HTTP/1.1\nhost: a\n\n"),
        row("some bare LF", b"GET /seen HTTP/1.1\r\nhost: a\n\r\n"),
        // RFC 9112, section 2.2: empty lines before a request are ignored.
        row(
            "empty lines first",
            b"\r\n\r\nGET /seen HTTP/1.1\r\nhost: a\r\n\r\n",
        ),
        row(
            "empty bare lines first",
            b"\n\nGET /seen HTTP/1.1\r\nhost: a\r\n\r\n",
        ),
        // A fragment never reaches anybody: it is cut off here.
        row("fragment", b"GET /seen#frag HTTP/1.1\r\nhost: a\r\n\r\n"),
        row(
            "fragment that looks like a path",
            b"GET /seen#/../x HTTP/1.1\r\nhost: a\r\n\r\n",
        ),
        row(
            "HTTP/1.0 without a host",
            b"GET /seen HTTP/1.0\r\nconnection: keep-alive\r\n\r\n",
        ),
        row("an empty host", b"GET /seen HTTP/1.1\r\nhost:\r\n\r\n"),
        row(
            "absolute form",
            b"GET http://a/seen HTTP/1.1\r\nhost: A\r\n\r\n",
        ),
    ]
}

fn alike() -> Vec<Row> {
    let mut rows: Vec<_> = [
        "x:a",
        "x:\ta\t",
        "x:",
        "X-UPPER: a",
        "x_y: a",
        "x: caf\u{e9}",
        "x: a\tb",
        "cookie: a\r\ncookie: b",
        "connection: x-mine\r\nx-mine: a",
        "connection: ,, keep-alive",
        "te: trailers\r\nconnection: te",
        "content-length: 0",
        "expect: something-else",
    ]
    .iter()
    .map(|line| {
        let bytes = format!("GET /seen HTTP/1.1\r\nhost: a\r\n{line}\r\n\r\n");
        Row::new(line, bytes, seen("/seen"))
    })
    .collect();
    for path in [
        "//seen//x",
        "/seen;a=1/x",
        "/seen%2Fx",
        "/seen/..x",
        "/seen/%252e%252e/x",
        "/seen/%c0%ae%c0%ae/x",
        "/seen/%5Cx",
        "/seen/{\"a\":1}",
        "/seen/[a]|^_",
        "/seen/*",
        "/seen/http://a/",
    ] {
        rows.push(Row::target(path, seen(path)));
    }
    for method in ["PROPFIND", "M-SEARCH", "TRACE", "M-A.B_C~", "GETS"] {
        let bytes = format!("{method} /seen HTTP/1.1\r\nhost: a\r\n\r\n");
        rows.push(Row::new(method, bytes, seen("/seen")));
    }
    rows
}

fn bodies() -> Vec<Row> {
    let five = |what: &str, headers: &str, body: &str| {
        let bytes = format!("POST /seen HTTP/1.1\r\nhost: a\r\n{headers}\r\n\r\n{body}");
        let expected = Expected::Passed {
            path: "/seen",
            body_bytes: 5,
        };
        Row::new(what, bytes, expected)
    };
    let chunked = "transfer-encoding: chunked";
    let long = format!("5;{}\r\nhello\r\n0\r\n\r\n", "x".repeat(100_000));
    vec![
        five("a length", "content-length: 5", "hello"),
        five(
            "a length with spaces around",
            "content-length: \t 5 \t",
            "hello",
        ),
        five("chunks", chunked, "5\r\nhello\r\n0\r\n\r\n"),
        five("two chunks", chunked, "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"),
        five(
            "letter case",
            "Transfer-Encoding:\tCHUNKED",
            "5\r\nhello\r\n0\r\n\r\n",
        ),
        five(
            "zeros in a size",
            chunked,
            "0000005\r\nhello\r\n000\r\n\r\n",
        ),
        five(
            "extensions",
            chunked,
            "5;a=b;c=\"d\"\r\nhello\r\n0;e\r\n\r\n",
        ),
        five(
            "spaces behind a size",
            chunked,
            "5 \t\r\nhello\r\n0\r\n\r\n",
        ),
        // Extensions and trailers are dropped, however long: the limits of a body's pace end them.
        five("a long extension", chunked, &long),
        five(
            "trailers",
            chunked,
            "5\r\nhello\r\n0\r\nx-constellation-epoch: 1\r\nhost: b\r\n\r\n",
        ),
    ]
}
