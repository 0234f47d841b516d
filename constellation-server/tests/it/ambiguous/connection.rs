//! What a client says of its connection.

use super::row::{
    Expected::{Last, Refused},
    Row,
};

pub(super) fn rows() -> Vec<Row> {
    [nominated(), upgrades(), ends()].concat()
}

/// Headers that a client would have taken away from its own request.
fn nominated() -> Vec<Row> {
    let mut rows: Vec<_> = [
        "x-constellation-epoch",
        "X-Constellation-Key",
        "close, x-constellation-epoch",
        "x_constellation_epoch",
        "x-forwarded-for",
        "x-forwarded-proto",
        "X-Forwarded-Host",
        "forwarded",
        "x-real-ip",
        "x-request",
        "host",
        "cookie",
        "authorization",
        "content-type",
        "content-length",
        "transfer-encoding",
        "keep-alive,content_length",
    ]
    .iter()
    .map(|options| Row::header(format!("connection: {options}"), Refused("names")))
    .collect();
    for options in [
        "close x",
        "close;x",
        "\"close\"",
        "a=b",
        "(close)",
        "a/b",
        "\u{e9}",
    ] {
        let line = format!("connection: {options}");
        rows.push(Row::header(line, Refused("no option's name")));
    }
    rows
}

fn upgrades() -> Vec<Row> {
    let websocket = "sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==";
    let mut rows: Vec<_> = [
        ("upgrade: websocket", "does not name upgrade"),
        (
            "connection: keep-alive\r\nupgrade: WebSocket",
            "does not name upgrade",
        ),
        (
            "connection: close, upgrade\r\nupgrade: websocket",
            "does not name upgrade",
        ),
        (
            "connection: upgrade\r\nupgrade: websocket\r\ncontent-length: 33",
            "a body",
        ),
        (
            "connection: upgrade\r\nupgrade: websocket\r\ncontent-length: 0",
            "a body",
        ),
        (
            "connection: upgrade\r\nupgrade: h2c\r\ncontent-length: 33",
            "a body",
        ),
        (
            "connection: upgrade\r\nupgrade: websocket\r\ntransfer-encoding: chunked",
            "a body",
        ),
        ("connection: upgrade\r\nupgrade: websocket, h2c", "several"),
        ("connection: upgrade\r\nupgrade: h2c, websocket", "several"),
        (
            "connection: upgrade\r\nupgrade: websocket\r\nupgrade: websocket",
            "more than once",
        ),
        (
            "connection: upgrade\r\nupgrade: h2c\r\nupgrade: websocket",
            "more than once",
        ),
        (
            "connection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABk",
            "pgrade",
        ),
        ("upgrade: h2c", "pgrade"),
        ("connection: upgrade\r\nupgrade: tls/1.0", "pgrade"),
        ("connection: upgrade\r\nupgrade: websocket2", "pgrade"),
    ]
    .iter()
    .map(|(lines, why)| Row::header(format!("{lines}\r\n{websocket}"), Refused(why)))
    .collect();
    for (line, why) in [
        ("GET /refused HTTP/1.0", "HTTP/1.0"),
        ("POST /refused HTTP/1.1", "begins with a GET"),
    ] {
        let lines = format!("host: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n{websocket}");
        let bytes = format!("{line}\r\n{lines}\r\n\r\n");
        rows.push(Row::new(line, bytes, Refused(why)));
    }
    rows
}

/// Requests behind which nothing may follow on their connection.
fn ends() -> Vec<Row> {
    let request = |first: &str| format!("GET /seen/last {first}\r\n\r\n");
    vec![
        Row::new(
            "close",
            request("HTTP/1.1\r\nhost: a\r\nconnection: close"),
            Last,
        ),
        Row::new(
            "close among others",
            request("HTTP/1.1\r\nhost: a\r\nconnection: x, close"),
            Last,
        ),
        Row::new("HTTP/1.0", request("HTTP/1.0"), Last),
    ]
}
