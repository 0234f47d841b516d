//! Where a request's body ends.

use super::row::{
    Expected::{Bare, Broken, Refused},
    Row,
};

pub(super) fn rows() -> Vec<Row> {
    [lengths(), codings(), both(), chunks()].concat()
}

fn lengths() -> Vec<Row> {
    let bare = [
        "5\r\ncontent-length: 5",
        "5\r\ncontent-length: 6",
        "0\r\ncontent-length: 33",
        "33\r\nContent-Length: 0",
        "5, 5",
        "5,6",
        "5,",
        ",5",
        "+5",
        "-5",
        "-0",
        "0x5",
        "5 5",
        "5.0",
        "5e0",
        "five",
        "5;",
        "\"5\"",
        "",
        "18446744073709551616",
        "99999999999999999999999999999999",
        "\u{665}",
    ];
    let mut rows: Vec<_> = bare
        .iter()
        .map(|value| Row::header(format!("content-length: {value}"), Bare(400)))
        .collect();
    // The HTTP layer takes these for numbers; others take them for octal ones.
    for value in ["05", "00", "000", "010", "0000000000000000000033"] {
        let line = format!("content-length: {value}");
        rows.push(Row::header(line, Refused("content-length")));
    }
    for name in ["content_length", "content.length", "Content_Length"] {
        let refused = Refused("could be taken for content-length");
        rows.push(Row::header(format!("{name}: 33"), refused));
    }
    rows
}

fn codings() -> Vec<Row> {
    let bare = [
        "identity",
        "chunked, chunked",
        "chunked,",
        ",chunked",
        "chunked, identity",
        "identity, chunked",
        "gzip, chunked",
        "chunked, gzip",
        "xchunked",
        "chunkedx",
        "x chunked",
        "chunked;q=1",
        "chunked chunked",
        "\"chunked\"",
        "'chunked'",
        "chunked\r\ntransfer-encoding: chunked",
        "chunked\r\ntransfer-encoding: identity",
        "identity\r\ntransfer-encoding: chunked",
        "\x0bchunked",
        "chunked\x0c",
        "chunked\0",
        "\u{212a}hunked",
        "",
    ];
    let mut rows: Vec<_> = bare
        .iter()
        .map(|value| Row::header(format!("transfer-encoding: {value}"), Bare(400)))
        .collect();
    for name in [
        "transfer_encoding",
        "transfer.encoding",
        "transfer~encoding",
    ] {
        let refused = Refused("could be taken for transfer-encoding");
        rows.push(Row::header(format!("{name}: chunked"), refused));
    }
    for coding in ["chunked", "identity", "gzip"] {
        let old = format!("POST /refused HTTP/1.0\r\ntransfer-encoding: {coding}\r\n\r\n0\r\n\r\n");
        rows.push(Row::new("transfer-encoding in HTTP/1.0", old, Bare(400)));
    }
    rows
}

/// A length and a coding: the classic pair of request smuggling.
fn both() -> Vec<Row> {
    let pairs = [
        "content-length: 5\r\ntransfer-encoding: chunked",
        "transfer-encoding: chunked\r\ncontent-length: 5",
        "Transfer-Encoding: CHUNKED\r\nContent-Length: 0",
        "content-length: 0\r\ntransfer-encoding: identity",
        "content-length: 5\r\ntransfer-encoding:\tchunked",
        "content-length: 5\r\ntransfer-encoding : chunked",
        "content-length: 5\r\ntransfer-encoding: xchunked",
        "content-length: 5\r\n transfer-encoding: chunked",
        "content-length: 5\r\ntransfer-encoding\r\n: chunked",
        "content-length: 5\r\nfoo: bar\rtransfer-encoding: chunked",
    ];
    let smuggled = |headers: &&str| {
        let bytes = format!("POST /refused HTTP/1.1\r\nhost: a\r\n{headers}\r\n\r\n0\r\n\r\n");
        Row::new(headers, bytes, Bare(400))
    };
    pairs.iter().map(smuggled).collect()
}

/// Bodies in chunks that break off. The worker has been asked by then, and its exchange is
/// cancelled: it never sees the end of such a body.
fn chunks() -> Vec<Row> {
    let broken: [&[u8]; 24] = [
        b"g\r\nhello\r\n0\r\n\r\n",
        b"-5\r\nhello\r\n0\r\n\r\n",
        b"+5\r\nhello\r\n0\r\n\r\n",
        b"0x5\r\nhello\r\n0\r\n\r\n",
        b" 5\r\nhello\r\n0\r\n\r\n",
        b"\r\nhello\r\n0\r\n\r\n",
        b";\r\n\r\n",
        b"5 5\r\nhello\r\n0\r\n\r\n",
        b"5,\r\nhello\r\n0\r\n\r\n",
        b"5\nhello\r\n0\r\n\r\n",
        b"5\rhello\r\n0\r\n\r\n",
        b"5\r\r\nhello\r\n0\r\n\r\n",
        b"5;a\nhello\r\n0\r\n\r\n",
        b"5;a\0\r\nhello\r\n0\r\n\r\n",
        b"5;a\x7f\r\nhello\r\n0\r\n\r\n",
        b"5\r\nhelloX\r\n0\r\n\r\n",
        b"5\r\nhello\n0\r\n\r\n",
        b"5\r\nhello\rX0\r\n\r\n",
        b"5\r\nhell\r\n0\r\n\r\n",
        b"10000000000000000\r\nhello\r\n0\r\n\r\n",
        b"fffffffffffffffff\r\nhello\r\n0\r\n\r\n",
        b"00000000000000000000000000000000g\r\n",
        b"5\r\nhello\r\n0\r\nx: y\rz\r\n\r\n",
        b"5\r\nhello\r\n0\r\n\rX",
    ];
    let head = b"POST /seen/broken HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n";
    let row = |body: &&[u8]| {
        let what = format!("chunks {:?}", String::from_utf8_lossy(body));
        Row::new(&what, [&head[..], body].concat(), Broken)
    };
    broken.iter().map(row).collect()
}
