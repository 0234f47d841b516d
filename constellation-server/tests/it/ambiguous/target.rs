//! What a request is about: its method and its target.

use super::row::{
    Expected::{Bare, Refused},
    Row,
};

pub(super) fn rows() -> Vec<Row> {
    [forms(), paths(), unreadable(), methods()].concat()
}

/// Targets that are no path (RFC 9112, section 3.2).
fn forms() -> Vec<Row> {
    let mut rows: Vec<_> = [
        ("a", "authority form"),
        ("a:80", "authority form"),
        ("example.org:8000", "authority form"),
        ("[::1]:80", "authority form"),
        ("*", "asterisk form"),
        ("http://b/refused", "differs"),
        ("http://a:80/refused", "differs"),
        ("http://a.b/refused", "differs"),
        ("http://b", "differs"),
        ("http://user@a/refused", "user information"),
        ("http://user:word@a/refused", "user information"),
        ("https://a/refused", "scheme"),
        ("ftp://a/refused", "scheme"),
        ("ws://a/refused", "scheme"),
        ("://a/refused", "scheme"),
        ("http:refused", "authority form"),
        ("refused", "authority form"),
        ("http://a?refused", "no path"),
        ("http://a/../refused", "dot segment"),
        ("http://a/ref%00used", "control character"),
    ]
    .into_iter()
    .map(|(target, why)| Row::target(target, Refused(why)))
    .collect();
    rows.push(Row::line("OPTIONS * HTTP/1.1", Refused("asterisk form")));
    for target in ["http://", "http:///refused", "a/refused", "?x"] {
        rows.push(Row::target(target, Bare(400)));
    }
    rows
}

fn paths() -> Vec<Row> {
    let mut rows: Vec<_> = [
        ("/refused/..", "dot segment"),
        ("/refused/../a", "dot segment"),
        ("/./refused", "dot segment"),
        ("/../refused", "dot segment"),
        ("/refused/%2e%2e/a", "dot segment"),
        ("/refused%2ex", "escapes '.'"),
        ("/%72efused", "escapes 'r'"),
        ("/refused%7Ea", "escapes '~'"),
        ("/refused/%2E./a", "dot segment"),
        ("/refused/.%2e", "dot segment"),
        ("/refused/..;/a", "dot segment"),
        ("/refused/..;x=1/a", "dot segment"),
        ("/refused/.;/a", "dot segment"),
        ("/refused/..%2fa", "dot segment"),
        ("/refused/a%2F..%2Fb", "dot segment"),
        ("/refused/%2e%2e%2fa", "dot segment"),
        ("/refused/..%5ca", "dot segment"),
        ("/refused/a%5C..", "dot segment"),
        ("/refused\\a", "backslash"),
        ("/refused/..\\a", "backslash"),
        ("/refused%", "percent-escape"),
        ("/refused%2", "percent-escape"),
        ("/refused%zz", "percent-escape"),
        ("/refused%2x", "percent-escape"),
        ("/refused%%32e", "percent-escape"),
        ("/refused%u002e", "percent-escape"),
        ("/refused%00", "control character"),
        ("/refused%00.html", "control character"),
        ("/refused%0a", "control character"),
        ("/refused%0d%0aset-cookie:%20a", "control character"),
        ("/refused%09", "control character"),
        ("/refused%1F", "control character"),
        ("/refused%7f", "control character"),
    ]
    .into_iter()
    .map(|(target, why)| Row::target(target, Refused(why)))
    .collect();
    let long = format!("/refused/{}", "x".repeat(8192));
    rows.push(Row::target(long, Refused("resource key")));
    rows
}

/// Targets that the HTTP layer cannot read.
fn unreadable() -> Vec<Row> {
    let targets: [&[u8]; 13] = [
        b"/re fused",
        b"/re\tfused",
        b"/re\0fused",
        b"/re\x01fused",
        b"/re\x7ffused",
        b"/re\rfused",
        b"/re\nfused",
        b"/re\xc3\xa9fused",
        b"/re\xfffused",
        b"/re<fused>",
        b"/re`fused",
        b"\\refused",
        b"/refused?a=\xff",
    ];
    let mut rows: Vec<_> = targets
        .iter()
        .map(|target| Row::target(target, Bare(400)))
        .collect();
    let long = format!("/refused?{}", "x".repeat(66_000));
    rows.push(Row::target(long, Bare(400)));
    rows
}

fn methods() -> Vec<Row> {
    let lines = [
        "get", "Get", "post", "hEAD", "options", "Put", "delete", "patch", "trace", "connect",
    ];
    let mut rows: Vec<_> = lines
        .iter()
        .map(|method| {
            Row::line(
                format!("{method} /refused HTTP/1.1"),
                Refused("letter case"),
            )
        })
        .collect();
    for length in [33, 9_000] {
        let line = format!("{} /refused HTTP/1.1", "X".repeat(length));
        rows.push(Row::line(line, Refused("method has more than 32 bytes")));
    }
    let huge = format!("{} /refused HTTP/1.1", "X".repeat(200_000));
    rows.push(Row::line(huge, Bare(431)));
    rows.push(Row::line("CONNECT a:80 HTTP/1.1", Refused("CONNECT")));
    rows.push(Row::line("CONNECT /refused HTTP/1.1", Refused("CONNECT")));
    for body in [
        "content-length: 1\r\n\r\nx",
        "transfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    ] {
        let bytes = format!("TRACE /refused HTTP/1.1\r\nhost: a\r\n{body}");
        rows.push(Row::new("TRACE with a body", bytes, Refused("TRACE")));
    }
    for line in [
        &b"G@T /refused HTTP/1.1"[..],
        b"G#T /refused HTTP/1.1",
        b"G\0T /refused HTTP/1.1",
        b"G\xffT /refused HTTP/1.1",
        b"GET: /refused HTTP/1.1",
        b"\"GET\" /refused HTTP/1.1",
        b" GET /refused HTTP/1.1",
        b"\tGET /refused HTTP/1.1",
        b"GET  /refused HTTP/1.1",
        b"GET\t/refused HTTP/1.1",
        b"GET /refused  HTTP/1.1",
        b"GET /refused\tHTTP/1.1",
        b"GET /refused HTTP/1.1 ",
        b"GET /refused HTTP/1.1 HTTP/1.1",
        b"GET /refused HTTP/1.2",
        b"GET /refused HTTP/2.0",
        b"GET /refused HTTP/0.9",
        b"GET /refused HTTP/11",
        b"GET /refused http/1.1",
        b"GET /refused HTTPS/1.1",
        b"GET /refused HTTP/1.1\r",
        b"GET /refused",
        b"GET",
        b"PRI * HTTP/2.0",
    ] {
        rows.push(Row::line(line, Bare(400)));
    }
    rows
}
