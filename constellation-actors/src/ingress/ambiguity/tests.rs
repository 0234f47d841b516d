use actix_web::test::TestRequest;

use super::*;

fn checked(request: TestRequest) -> Result<(), Ambiguity> {
    check(request.to_http_request().head(), false)
}

fn with(headers: &[(&'static str, &'static str)]) -> Result<(), Ambiguity> {
    let mut request = TestRequest::with_uri("/x");
    for header in headers {
        request = request.append_header(*header);
    }
    checked(request)
}

fn method(name: &str) -> Result<(), Ambiguity> {
    let method = Method::from_bytes(name.as_bytes()).unwrap();
    checked(TestRequest::with_uri("/x").method(method))
}

fn target(target: &str) -> Result<(), Ambiguity> {
    checked(TestRequest::with_uri(target).insert_header(("host", "a:80")))
}

#[test]
fn ordinary_requests_pass() {
    let browser: [(&'static str, &'static str); 6] = [
        ("host", "example.org:8000"),
        ("connection", "keep-alive, TE"),
        ("content-length", "0"),
        ("cookie", "a=1"),
        ("cookie", "b=2"),
        ("accept", "*/*"),
    ];
    assert_eq!(with(&browser), Ok(()));
    assert_eq!(with(&[("transfer-encoding", "Chunked")]), Ok(()));
    assert_eq!(with(&[("connection", "x-mine, , close")]), Ok(()));
    for name in ["GET", "PROPFIND", "M-SEARCH", "PURGE", "TRACE", "QUERY"] {
        assert_eq!(method(name), Ok(()), "{name}");
    }
}

#[test]
fn a_method_that_differs_in_case_alone_is_refused() {
    for (name, known) in [("get", "GET"), ("Head", "HEAD"), ("cONNECT", "CONNECT")] {
        let method = Ambiguity::MethodCase {
            method: name.to_owned(),
            known,
        };
        assert_eq!(self::method(name), Err(method));
    }
    assert_eq!(method("CONNECT"), Err(Ambiguity::Connect));
    assert_eq!(method(&"X".repeat(METHOD_BYTES_MAX)), Ok(()));
    let long = "X".repeat(METHOD_BYTES_MAX + 1);
    assert_eq!(method(&long), Err(Ambiguity::MethodTooLong));
}

#[test]
fn a_target_is_a_path_or_names_the_host_that_the_header_names() {
    assert_eq!(target("/x?http://b/"), Ok(()));
    assert_eq!(target("http://A:80/x"), Ok(()));
    assert_eq!(target("*"), Err(Ambiguity::AsteriskForm));
    assert_eq!(target("a:80"), Err(Ambiguity::AuthorityForm));
    assert_eq!(target("http://b/x"), Err(Ambiguity::HostsDiffer));
    assert_eq!(target("http://a/x"), Err(Ambiguity::HostsDiffer));
    assert_eq!(target("http://a:80"), Ok(()), "no path reads as a slash");
    let no_path = target("http://a:80?x=/");
    assert_eq!(no_path, Err(Ambiguity::AbsoluteWithoutPath));
    assert_eq!(
        target("https://a:80/x"),
        Err(Ambiguity::Scheme("https".into()))
    );
    let user = authority::HostError::UserInfo;
    assert_eq!(target("http://u@a:80/x"), Err(Ambiguity::Host(user)));
}

#[test]
fn lengths_are_plain_numbers() {
    for length in ["+1", "01", "00", "1 ", "0x1", "1,1", ""] {
        let outcome = with(&[("content-length", length)]);
        assert_eq!(outcome, Err(Ambiguity::ContentLength), "{length:?}");
    }
    let twice = with(&[("content-length", "1"), ("content-length", "1")]);
    assert_eq!(twice, Err(Ambiguity::Repeated(header::CONTENT_LENGTH)));
    let both = with(&[("content-length", "1"), ("transfer-encoding", "chunked")]);
    assert_eq!(both, Err(Ambiguity::TwoLengths));
    for coding in [
        "identity",
        "chunked, chunked",
        "xchunked",
        "chunked,",
        "gzip",
    ] {
        let outcome = with(&[("transfer-encoding", coding)]);
        assert_eq!(outcome, Err(Ambiguity::TransferEncoding), "{coding}");
    }
}

#[test]
fn names_that_some_readers_take_for_others_are_refused() {
    for name in ["content_length", "transfer_encoding", "transfer.encoding"] {
        let outcome = with(&[(name, "1")]);
        assert!(
            matches!(outcome, Err(Ambiguity::Lookalike { .. })),
            "{name}"
        );
    }
    let twice = with(&[("authorization", "a"), ("authorization", "b")]);
    assert_eq!(twice, Err(Ambiguity::Repeated(header::AUTHORIZATION)));
}

#[test]
fn a_connection_may_not_take_away_what_is_the_requests() {
    use connection::ConnectionError::{Malformed, Nominates};
    for name in [
        "host",
        "cookie",
        "authorization",
        "content-length",
        "x-constellation-epoch",
        "x_constellation_key",
        "x-forwarded-for",
        "x-request",
    ] {
        let outcome = with(&[("connection", name)]);
        let expected = Ambiguity::Connection(Nominates(name.to_owned()));
        assert_eq!(outcome, Err(expected));
    }
    let outcome = with(&[("connection", "close x")]);
    assert_eq!(outcome, Err(Ambiguity::Connection(Malformed)));
}

#[test]
fn an_upgrade_is_whole_or_refused() {
    use connection::ConnectionError::{
        UpgradeInHttp10, UpgradeNotNamed, UpgradeToSeveral, UpgradeWithBody,
    };
    let upgrade = ("upgrade", "websocket");
    let named = ("connection", "upgrade");
    assert_eq!(with(&[upgrade, named]), Ok(()));
    for (headers, error) in [
        (vec![upgrade], UpgradeNotNamed),
        (
            vec![upgrade, named, ("content-length", "5")],
            UpgradeWithBody,
        ),
        (vec![("upgrade", "websocket, h2c"), named], UpgradeToSeveral),
    ] {
        assert_eq!(with(&headers), Err(Ambiguity::Connection(error)));
    }
    let old = TestRequest::with_uri("/x").version(Version::HTTP_10);
    let old = checked(old.insert_header(upgrade).insert_header(named));
    assert_eq!(old, Err(Ambiguity::Connection(UpgradeInHttp10)));
}
