//! Claims about the JSON dialect.

use super::*;

const GUID: &str = "6f1b7c1e-8f5d-4b7e-9c55-0d0c5f0f9a01";

fn response(members: &str) -> Result<Response, Error> {
    let message = format!(r#"{{"GUID":"{GUID}","Type":"Response"{members}}}"#);
    match Message::parse(message.as_bytes())?.kind {
        Incoming::Response(response) => Ok(response),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_response_needs_no_more_than_its_id() {
    let response = response("").unwrap();
    assert_eq!(
        (response.status, response.content_type.as_str()),
        (200, "application/json")
    );
    assert!(response.headers.is_empty() && response.body.is_empty());
}

#[test]
fn headers_may_be_texts_lists_or_null() {
    let response = response(r#","Headers":{"a":"1","Set-Cookie":["x","y",null],"c":null}"#);
    let headers = response.unwrap().headers;
    let expected = [("a", "1"), ("Set-Cookie", "x"), ("Set-Cookie", "y")];
    assert_eq!(
        headers,
        expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
}

#[test]
fn the_content_type_stands_in_its_member_or_among_the_headers() {
    let of = |members: &str| response(members).unwrap().content_type;
    assert_eq!(
        of(r#","ContentType":"text/plain","Headers":{"Content-Type":"a/b"}"#),
        "text/plain"
    );
    assert_eq!(of(r#","Headers":{"Content-Type":"a/b"}"#), "a/b");
}

#[test]
fn what_the_originals_readers_accept_is_accepted() {
    let response =
        response(",\"StatusCode\":\"404\", // done\n\"Data\":\"aGk=\",\"X\":{},").unwrap();
    assert_eq!(
        (response.status, &response.body[..]),
        (404, b"hi".as_slice())
    );
}

#[test]
fn a_fault_is_named_by_its_member() {
    let fault = |members: &str| response(members).unwrap_err().to_string();
    assert!(fault(r#","StatusCode":99"#).contains("StatusCode"));
    assert!(fault(r#","Data":"a""#).contains("Data"));
    let message = br#"{"GUID":"7","Type":"Response"}"#;
    assert!(
        Message::parse(message)
            .unwrap_err()
            .to_string()
            .contains("GUID")
    );
    assert!(matches!(
        Message::parse(b"\xff"),
        Err(Error::Encoding { at: 0 })
    ));
    assert!(matches!(Message::parse(b"{"), Err(Error::Json(_))));
}

#[test]
fn a_request_is_written_with_every_part_of_its_address() {
    let request = Request {
        guid: Uuid::parse_str(GUID).unwrap(),
        unix_micros: 0,
        method: "POST",
        scheme: "http",
        host: "example.org:8000",
        path_and_query: "/db//a%20b?x=1&y&x=2",
        headers: &[
            ("content-type", b"text/plain"),
            ("accept", b"a"),
            ("accept", b"b"),
            ("x-bytes", b"\xe9"),
            ("traceparent", b"00-1"),
        ],
        body: b"hi",
    };
    let expected = concat!(
        r#"{"GUID":"6f1b7c1e-8f5d-4b7e-9c55-0d0c5f0f9a01","Type":"Request","#,
        r#""TimestampUtc":"1970-01-01T00:00:00.000000Z","Method":"POST","#,
        r#""ContentType":"text/plain","#,
        r#""Url":{"Uri":"http://example.org:8000/db//a%20b?x=1&y&x=2","#,
        r#""Url":"http://example.org:8000/db//a%20b?x=1&y&x=2","#,
        r#""UrlWithoutQuery":"http://example.org:8000/db//a%20b","#,
        r#""PathAndQuery":"/db//a%20b?x=1&y&x=2","Path":"/db//a%20b","#,
        r#""PathSegments":["db","a%20b"],"QueryElements":{"x":"2","y":""}},"#,
        r#""Headers":{"content-type":"text/plain","accept":["a","b"],"#,
        r#""x-bytes":"é","traceparent":"00-1"},"Data":"aGk=","TraceParent":"00-1"}"#,
    );
    assert_eq!(
        std::str::from_utf8(&request.to_message()).unwrap(),
        expected
    );
}

#[test]
fn a_heartbeat_is_echoed_by_its_id() {
    let guid = Uuid::parse_str(GUID).unwrap();
    let probe = Heartbeat {
        guid,
        unix_micros: 0,
    }
    .to_message();
    let echo = Message::parse(&probe).unwrap();
    assert_eq!(
        echo,
        Message {
            guid,
            kind: Incoming::Heartbeat
        }
    );
}
