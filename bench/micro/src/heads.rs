//! Heads as they come: of a program that says little, and of a browser.

use bytes::{Bytes, BytesMut};
use constellation_actors::protocol::head::{
    HEAD_BYTES_MAX, RequestLine, Status, encode::HeadEncoder,
};

/// The field lines of a head.
pub type FieldLines = [(&'static str, &'static str)];

/// The fields of a request by a small program.
pub const REQUEST_3: [(&str, &str); 3] = [
    ("user-agent", "curl/8.5.0"),
    ("accept", "*/*"),
    ("x-forwarded-for", "203.0.113.7"),
];

/// The fields of a request by a browser.
pub const REQUEST_15: [(&str, &str); 15] = [
    (
        "user-agent",
        "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
    ),
    ("accept", "text/html,application/xhtml+xml,*/*;q=0.8"),
    ("accept-language", "en-GB,en;q=0.7,de;q=0.3"),
    ("accept-encoding", "gzip, deflate, br, zstd"),
    ("referer", "https://shop.example/customers/7"),
    (
        "cookie",
        "session=5f2b9c1d7a3e4f60; theme=dark; seen=1764192000",
    ),
    ("dnt", "1"),
    ("sec-fetch-dest", "document"),
    ("sec-fetch-mode", "navigate"),
    ("sec-fetch-site", "same-origin"),
    ("sec-fetch-user", "?1"),
    ("priority", "u=0, i"),
    ("cache-control", "no-cache"),
    ("x-forwarded-for", "203.0.113.7"),
    ("x-forwarded-proto", "https"),
];

/// The fields of a plain response.
pub const RESPONSE_3: [(&str, &str); 3] = [
    ("content-type", "application/json"),
    ("content-length", "100"),
    ("cache-control", "no-store"),
];

/// The fields of a response by a framework with everything turned on.
pub const RESPONSE_15: [(&str, &str); 15] = [
    ("content-type", "text/html; charset=utf-8"),
    ("content-length", "18233"),
    ("cache-control", "private, max-age=0, must-revalidate"),
    ("etag", "W/\"4739-192b7f1c2a0\""),
    ("last-modified", "Thu, 26 Nov 2026 09:00:00 GMT"),
    ("vary", "accept-encoding, cookie"),
    (
        "set-cookie",
        "session=5f2b9c1d7a3e4f60; Path=/; HttpOnly; Secure",
    ),
    ("set-cookie", "theme=dark; Path=/; Max-Age=31536000"),
    ("strict-transport-security", "max-age=63072000"),
    ("content-security-policy", "default-src 'self'; img-src *"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "same-origin"),
    ("permissions-policy", "geolocation=()"),
    ("server-timing", "db;dur=2.3, app;dur=5.1"),
];

/// Appends the head of a request with these fields.
///
/// # Panics
///
/// Never: the head is short.
pub fn put_request(buffer: &mut BytesMut, fields: &FieldLines) {
    let line = RequestLine {
        method: "GET",
        scheme: "http",
        authority: "shop.example",
        path: "/db/customer-7?page=2",
    };
    finish(HeadEncoder::request(buffer, line), fields);
}

/// Appends the head of a response with these fields.
///
/// # Panics
///
/// Never: the head is short.
pub fn put_response(buffer: &mut BytesMut, fields: &FieldLines) {
    let ok = Status::new(200).expect("it is a status");
    finish(HeadEncoder::response(buffer, ok), fields);
}

fn finish(mut head: HeadEncoder<'_>, fields: &FieldLines) {
    for (name, value) in fields {
        head.field(name, value);
    }
    head.finish(HEAD_BYTES_MAX).expect("the head is short");
}

/// The head of a request with these fields, alone.
#[must_use]
pub fn request(fields: &FieldLines) -> Bytes {
    let mut buffer = BytesMut::new();
    put_request(&mut buffer, fields);
    buffer.freeze()
}

/// The head of a response with these fields, alone.
#[must_use]
pub fn response(fields: &FieldLines) -> Bytes {
    let mut buffer = BytesMut::new();
    put_response(&mut buffer, fields);
    buffer.freeze()
}

#[cfg(test)]
mod tests {
    use constellation_actors::protocol::head::{RequestHead, ResponseHead};

    use super::*;

    #[test]
    fn every_head_is_what_a_reader_takes() {
        for fields in [&REQUEST_3[..], &REQUEST_15[..]] {
            let (head, rest) = RequestHead::decode(&request(fields), HEAD_BYTES_MAX).unwrap();
            assert_eq!(
                (head.fields().iter().count(), rest.len()),
                (fields.len(), 0)
            );
        }
        for fields in [&RESPONSE_3[..], &RESPONSE_15[..]] {
            let (head, rest) = ResponseHead::decode(&response(fields), HEAD_BYTES_MAX).unwrap();
            assert_eq!(
                (head.fields().iter().count(), rest.len()),
                (fields.len(), 0)
            );
        }
    }
}
