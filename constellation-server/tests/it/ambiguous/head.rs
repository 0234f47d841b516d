//! The lines of a head, and whom it names as its host.

use super::row::{
    Expected::{Bare, Refused},
    Row,
};

pub(super) fn rows() -> Vec<Row> {
    [lines(), sizes(), hosts(), repeated()].concat()
}

fn lines() -> Vec<Row> {
    let lines: [&[u8]; 27] = [
        b"x : a",
        b"x\t: a",
        b" x: a",
        b"\tx: a",
        b"x: a\r\n b",
        b"x: a\r\n\tb",
        b"x: a\r\n \r\ny: b",
        b"x: a\rb",
        b"x: a\ry: b",
        b"x: a\r\r",
        b"x: a\0b",
        b"x: \x01",
        b"x: a\x0bb",
        b"x: a\x1bb",
        b"x: a\x7fb",
        b"x\0: a",
        b"x\r: a",
        b"x y: a",
        b"x(y): a",
        b"x@y: a",
        b"x[y]: a",
        b"x/y: a",
        b"\"x\": a",
        b"x\xff: a",
        b": a",
        b"x",
        b"x;y",
    ];
    let mut rows: Vec<_> = lines
        .iter()
        .map(|line| Row::header(line, Bare(400)))
        .collect();
    rows.push(Row::new(
        "TLS",
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..],
        Bare(400),
    ));
    rows.push(Row::new(
        "NUL first",
        &b"\0GET /refused HTTP/1.1\r\nhost: a\r\n\r\n"[..],
        Bare(400),
    ));
    rows.push(Row::new(
        "folded first",
        &b"GET /refused HTTP/1.1\r\n host: a\r\n\r\n"[..],
        Bare(400),
    ));
    rows
}

fn sizes() -> Vec<Row> {
    let many: String = (0..97).map(|at| format!("x-{at}: a\r\n")).collect();
    let large = format!("x: {}", "a".repeat(200_000));
    let endless = format!(
        "GET /refused HTTP/1.1\r\nhost: a\r\nx: {}",
        "a".repeat(200_000)
    );
    vec![
        Row::header(many.trim_end(), Bare(431)),
        Row::header(large, Bare(431)),
        Row::new("a head that does not end", endless, Bare(431)),
    ]
}

fn hosts() -> Vec<Row> {
    let request = |what: &str, hosts: &[&[u8]], expected| {
        let mut bytes = b"GET /refused HTTP/1.1\r\n".to_vec();
        for host in hosts {
            bytes.extend_from_slice(&[b"host: ", *host, b"\r\n"].concat());
        }
        bytes.extend_from_slice(b"\r\n");
        Row::new(what, bytes, expected)
    };
    let mut rows = vec![
        request("no host", &[], Bare(400)),
        request("the same host twice", &[b"a", b"a"], Bare(400)),
        request("two hosts", &[b"a", b"b"], Bare(400)),
    ];
    let refused: [(&[u8], &str); 17] = [
        (b"user@a", "user information"),
        (b"user:word@a", "user information"),
        (b"a:", "port"),
        (b"a:x", "port"),
        (b"a:-1", "port"),
        (b"a:+80", "port"),
        (b"a:65536", "port"),
        (b"a:80:80", "port"),
        (b"http://a", "port"),
        (b"::1", "port"),
        (b"a b", "byte"),
        (b"a,b", "byte"),
        (b"a/b", "byte"),
        (b"a%2eb", "byte"),
        (b"a\xffb", "byte"),
        (b"[::1", "brackets"),
        (b"[x]", "brackets"),
    ];
    rows.extend(refused.map(|(host, why)| {
        let what = format!("host {}", String::from_utf8_lossy(host));
        request(&what, &[host], Refused(why))
    }));
    rows
}

/// Headers of which some readers take the first and some the last.
fn repeated() -> Vec<Row> {
    let names = [
        "authorization",
        "content-type",
        "content-range",
        "range",
        "if-range",
        "if-modified-since",
        "if-unmodified-since",
        "max-forwards",
        "origin",
        "referer",
        "user-agent",
        "upgrade",
    ];
    let row = |name: &&str| {
        let lines = format!("{name}: a\r\nx: a\r\n{}: b", name.to_uppercase());
        Row::header(lines, Refused("more than once"))
    };
    names.iter().map(row).collect()
}
